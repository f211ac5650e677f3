import itertools
import json

import msgspec
import pytest

from bot.messages import Attachment, Button, Card, OutboundMessage
from channels.base import BadRequest, Forbidden, TooLarge, WebhookRequest
from channels.rest import RestChannel
from tests.contracts.channel import NOW, ChannelContract

TOKEN = "a-long-api-token"


def posted(body: object, **fields: object) -> WebhookRequest:
    return WebhookRequest(
        "POST", "/webhooks/rest/webhook", body=json.dumps(body).encode(), **fields
    )


def parse(body: object):
    (message,) = RestChannel(clock=lambda: NOW).parse(posted(body))
    return message


def problem(body: object) -> str:
    with pytest.raises(BadRequest) as raised:
        parse(body)
    return str(raised.value)


class TestContract(ChannelContract):
    def channel(self):
        return RestChannel(TOKEN, clock=lambda: NOW, new_id=lambda: "fixed")

    def request(self, text):
        headers = {"authorization": f"Bearer {TOKEN}"}
        return posted({"sender": "anna", "message": text}, headers=headers)

    def forged(self):
        good = self.request("x")
        headers = [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Bearer {TOKEN}x"}]
        return [msgspec.structs.replace(good, headers=wrong) for wrong in headers]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "::ffff:127.0.0.1"])
def test_without_token_loopback_is_answered(host):
    assert RestChannel().verify(posted({}, client_host=host)) is None


@pytest.mark.parametrize("host", ["10.0.0.4", "2001:db8::1", "", "::ffff:10.0.0.4"])
def test_without_token_others_are_refused(host):
    with pytest.raises(Forbidden, match="loopback"):
        RestChannel().verify(posted({}, client_host=host))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "x"}, "sender: is missing"),
        ({"sender": "a"}, "message: is missing"),
        ({"sender": 5, "message": "x"}, "sender: must be a string, got a number"),
        ({"sender": None, "message": "x"}, "sender: must be a string, got null"),
        ({"sender": "", "message": "x"}, "sender: must not be empty"),
        ({"sender": " \t", "message": "x"}, "sender: must not be empty"),
        ({"sender": "a" * 256, "message": "x"}, "sender: must be at most 255 characters, got 256"),
        ({"sender": "a\nb", "message": "x"}, "sender: must not hold control characters"),
        ({"sender": "a\ud800", "message": "x"}, "sender: must not hold control characters"),
        ({"sender": "a", "message": ["x"]}, "message: must be a string, got a list"),
        ({"sender": "a", "message": "x", "metadata": []}, "metadata: must be an object"),
        ({"sender": "a", "message": "x", "extra": 1}, "extra: unknown field; known are message"),
        (
            {"sender": "a", "message": "x", "metadata": {"message_id": 7}},
            "message_id: must be a string",
        ),
    ],
)
def test_wrong_fields_are_named(body, said):
    assert said in problem(body)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("America/Los_Angeles", "America/Los_Angeles"), ("Nowhere/At_All", "Nowhere/At_All"),
     ("A" * 64, "A" * 64), ("A" * 65, ""), ("", ""), (None, ""), (7, ""), (["Asia/Tokyo"], ""),
     ("Asia/Tokyo\n", ""), ("Asia/T\u014dky\u014d", ""), ("a\ud800", "")],
)  # fmt: skip
def test_a_time_zone_travels_with_the_message_and_never_stops_it(sent, kept):
    message = parse({"sender": "a", "message": "x", "time_zone": sent})
    assert (message.text, message.time_zone) == ("x", kept)


def test_too_long_message_is_413():
    with pytest.raises(TooLarge) as raised:
        parse({"sender": "a", "message": "x" * 10_001})
    assert raised.value.status == 413
    assert raised.value.as_payload()["field"] == "message"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("", ""),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("a\ud800b", "a\ufffdb"),
        ("a\x00b", "ab"),
        ("a\r\nb", "a\nb"),
    ],
)
def test_texts_are_cleaned_not_refused(sent, kept):
    assert parse({"sender": "a", "message": sent}).text == kept


def test_message_id_is_scoped_to_the_sender():
    ids = {
        parse({"sender": sender, "message": "x", "metadata": {"message_id": "1"}}).message_id
        for sender in ("anna", "bert", "anna")
    }
    assert len(ids) == 2


def test_without_message_id_every_message_is_new():
    numbers = itertools.count()
    channel = RestChannel(new_id=lambda: str(next(numbers)))
    request = posted({"sender": "a", "message": "x"})
    assert channel.parse(request)[0].message_id != channel.parse(request)[0].message_id


def test_metadata_is_kept_and_cleaned():
    body = {"sender": "a", "message": "x", "metadata": {"page": "a\x00b", "n": [1, {"k": None}]}}
    assert parse(body).metadata == {"page": "ab", "n": [1, {"k": None}]}


def test_deep_metadata_is_refused():
    deep: object = 1
    for _ in range(40):
        deep = [deep]
    assert "nested" in problem({"sender": "a", "message": "x", "metadata": {"deep": deep}})


def test_answer_looks_like_rasas():
    outbound = OutboundMessage(
        text="Gern:",
        buttons=(Button("Ja", "/affirm"),),
        image_url="/a.svg",
        cards=(Card(title="Parka", subtitle="blau", price="89 €", url="/shop/p/P1"),),
        attachments=(Attachment("file", "/label.pdf"),),
        custom={"rule": "r1"},
    )
    (payload,) = RestChannel().render(outbound, "anna")
    assert payload["recipient_id"] == "anna"
    assert payload["text"] == "Gern:\n\n1. Parka – 89 €\n   blau\n   /shop/p/P1"
    assert payload["buttons"] == [{"title": "Ja", "payload": "/affirm"}]
    assert payload["image"] == "/a.svg"
    assert payload["custom"]["cards"][0]["title"] == "Parka"
    assert payload["custom"]["attachments"] == [{"kind": "file", "url": "/label.pdf"}]
    assert payload["custom"]["rule"] == "r1"


def test_plain_answer_has_no_empty_fields():
    assert RestChannel().render(OutboundMessage(text="Hallo"), "a") == [
        {"recipient_id": "a", "text": "Hallo"}
    ]
