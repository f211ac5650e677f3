import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from channels.webchat.limits import Limits
from channels.webchat.tokens import Signer
from channels.webchat.uploads import MAX_UPLOAD_BYTES, UploadStore, sniff
from tests.browser.harness import Harness

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30
BODIES = {
    "png": PNG,
    "jpg": b"\xff\xd8\xff\xe0 picture",
    "gif": b"GIF89a picture",
    "webp": b"RIFF\x10\0\0\0WEBPVP8 ",
    "pdf": b"%PDF-1.7 ...",
}
EVIL = {"origin": "https://evil.example"}


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    limits = Limits(sessions_burst_per_host=40, first_frame_s=0.5, max_sockets_per_session=2)
    with Harness(tmp_path_factory.mktemp("routes"), limits).running() as harness:
        yield harness


@pytest.fixture
def client(harness):
    with httpx.Client(base_url=harness.url, timeout=10) as client:
        yield client


@pytest.fixture
def session(client):
    return client.post("/webhooks/webchat/session").json()


def proof(session):
    return {"authorization": f"Bearer {session['token']}", "x-session-id": session["session_id"]}


def upload(client, session, body=PNG, name="bild.png"):
    headers = {**proof(session), "x-file-name": name}
    return client.post("/webhooks/webchat/upload", content=body, headers=headers)


def address(harness):
    return harness.url.replace("http", "ws") + "/webhooks/webchat/ws"


def closing_code(socket) -> int:
    try:
        while True:
            socket.recv(timeout=5)
    except ConnectionClosed as closed:
        return closed.rcvd.code


def test_sessions_are_new_each_time(client, session):
    assert client.post("/webhooks/webchat/session").json() != session


def test_other_sites_get_no_session_unless_allowed(client, harness):
    refused = client.post("/webhooks/webchat/session", headers=EVIL)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    allowed = {"origin": harness.other_site}
    answer = client.post("/webhooks/webchat/session", headers=allowed)
    assert answer.headers["access-control-allow-origin"] == harness.other_site
    preflight = client.options("/webhooks/webchat/upload", headers=allowed)
    assert preflight.status_code == 204
    assert "x-session-id" in preflight.headers["access-control-allow-headers"]


@pytest.mark.parametrize("kind", list(BODIES))
def test_uploads_are_told_by_their_bytes_and_served_safely(client, session, kind):
    answer = upload(client, session, BODIES[kind], "..%2F..%2Fevil%0A.html")
    assert answer.status_code == 200
    attachment = answer.json()["attachment"]
    assert attachment["name"] == "evil .html"
    assert attachment["url"].split("?")[0].endswith(f".{kind}")
    served = client.get(attachment["url"])
    assert served.content == BODIES[kind]
    assert served.headers["content-type"] == attachment["mime_type"]
    assert served.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in served.headers["content-security-policy"]
    disposition = "attachment" if kind == "pdf" else "inline"
    assert served.headers["content-disposition"].startswith(disposition)


def test_files_need_their_signature(client, session):
    url = upload(client, session).json()["attachment"]["url"]
    path, signature = url.split("?sig=")
    for wrong in (path, f"{path}?sig=", f"{path}?sig={'0' * 64}", f"{path}?sig={signature}ä"):
        assert client.get(wrong).status_code == 404
    assert (
        client.get(f"/webhooks/webchat/uploads/..%2f..%2fetc/passwd?sig={signature}").status_code
        == 404
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"<svg onload=alert(1)>", 400),
        (b"MZ\x90", 400),
        (b"PK\x03\x04", 400),
        (PNG + b"\0" * MAX_UPLOAD_BYTES, 413),
    ],
    ids=["empty", "svg", "exe", "zip", "11MB"],
)
def test_other_uploads_are_refused(client, session, body, status):
    answer = upload(client, session, body)
    assert answer.status_code == status
    assert answer.json()["field"] == "file"


def test_upload_needs_the_token(client, session):
    assert upload(client, {**session, "token": "0" * 64}).status_code == 401


def test_a_session_keeps_only_so_many_files(tmp_path):
    store = UploadStore(tmp_path, Signer(b"0123456789abcdef"), max_files_per_session=2)
    for _ in range(2):
        store.save("s", "", PNG)
    with pytest.raises(Exception, match="at most 2 files"):
        store.save("s", "", PNG)
    assert store.save("other", "", PNG).name == "upload.png"
    assert not sniff(b"RIFF1234WAVE")


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("{", 4400),
        ("[]", 4400),
        ('{"type":"message","id":"1","text":"x"}', 4400),
        ('{"type":"resume","session_id":"a","token":"b"}', 4401),
        ("\u00e4" * 200_000, 4413),
    ],
)
def test_wrong_first_frames_are_told_and_closed(harness, first, code):
    with connect(address(harness), proxy=None) as socket:
        socket.send(first)
        assert json.loads(socket.recv(timeout=5))["type"] == "error"
        assert closing_code(socket) == code


def test_silent_sockets_are_closed(harness):
    with connect(address(harness), proxy=None) as socket:
        assert closing_code(socket) == 1000


def test_other_sites_get_no_socket(harness, session):
    with connect(address(harness), proxy=None, origin="https://evil.example") as socket:
        socket.send(json.dumps({"type": "resume", **session}))
        assert closing_code(socket) == 4403


def test_too_many_windows_are_told_to_come_later(harness, session):
    resume = json.dumps({"type": "resume", **session})
    with connect(address(harness), proxy=None) as one, connect(address(harness), proxy=None) as two:
        for socket in (one, two):
            socket.send(resume)
            assert json.loads(socket.recv(timeout=5))["type"] == "ready"
        with connect(address(harness), proxy=None) as three:
            three.send(resume)
            assert closing_code(three) == 1013


def test_fifty_messages_at_once_are_all_answered(harness, session):
    with connect(address(harness), proxy=None, max_queue=None) as socket:
        socket.send(json.dumps({"type": "resume", **session}))
        for number in range(50):
            message = {"type": "message", "id": f"m{number}", "text": f"t{number}"}
            socket.send(json.dumps(message))
        frames = []
        while sum(frame["type"] == "message" for frame in frames) < 100:
            frames.append(json.loads(socket.recv(timeout=5)))
    shown = [frame for frame in frames if frame["type"] == "message"]
    assert [frame["seq"] for frame in shown] == list(range(1, 101))
    mine = [frame["text"] for frame in shown if frame["direction"] == "in"]
    assert mine == [f"t{number}" for number in range(50)]


def test_new_sessions_are_limited_per_host(tmp_path):
    with Harness(tmp_path, Limits(sessions_burst_per_host=2)).running() as harness:
        answers = [httpx.post(f"{harness.url}/webhooks/webchat/session") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
