"""What endpoints.yml says of another desk, and the route that it posts to."""

from pathlib import Path

import httpx
import msgspec
import pytest
import yaml
from fastapi import FastAPI

from bot.bridges_setup import OpenBridge, make_bridge, running
from bot.desk_setup import DeskRules
from bot.http_guard import add_guards
from bot.settings import load_settings
from bot.yaml_source import SourceError
from desk.bridges.book import BridgeBook, BridgeRecords
from desk.bridges.plan import Plan, Planned
from desk.bridges.ports import Arrived, BridgeContext
from tests.desk.bridges.bridged import LENA, BridgedDesk
from tests.desk.bridges.mailbox import Mailbox
from tests.desk.bridges.webhook_desk import WebhookDesk
from tests.desk.house import Watch

ROOT = Path(__file__).resolve().parents[3]
GOOD = {
    "own": "{kind: own}",
    "webhook": "{kind: webhook, settings: {url: 'https://h.io', secret: 0123456789abcdef01234567}}",
    "chatwoot": "{kind: chatwoot, settings: {url: 'https://c.test', account_id: '1', inbox_id: 2, "
    "token: t, webhook_secret: 0123456789abcdef}}",
    "email": "{kind: email, settings: {host: m.io, to: t@k.io, address: d@k.io, password: p, "
    "secret: 0123456789abcdef01234567, webhook_secret: 0123456789abcdef01234567}}",
    "zendesk": "{kind: zendesk, settings: {url: 'https://z.example', email: a@b, token: t, "
    "webhook_secret: 0123456789abcdef}}",
    "zendesk_messaging": "{kind: zendesk_messaging, settings: {url: 'https://z.test', app_id: a, "
    "key_id: app_1, key_secret: s, webhook_secret: 0123456789abcdef, fields: {summary: 81}}}",
}
MESSAGING = GOOD["zendesk_messaging"]
BAD = {
    "{kind: chatwood}": "chatwoot",
    "{kind: webhook, settings: {url: 'https://h.example', secret: x, colour: red}}": "colour",
    "{kind: webhook, settings: {url: 'https://h.example'}}": "'secret' is missing",
    "{kind: webhook, settings: {url: 'https://h.example', secret: short}}": "24",
    "{kind: webhook, url: 'https://h.example'}": "unknown key 'desk.url'",
    "{kind: chatwoot, settings: {url: 'http://c', account_id: 1, inbox_id: 2, token: t}}": "secret",
    MESSAGING.replace("app_1", "int_1"): "key_id",
    MESSAGING.replace("https://z.", "z."): "https://",
    MESSAGING.replace("summary: 81", "sumary: 81"): "sumary",
    MESSAGING.replace("webhook_secret: 0123456789abcdef, ", ""): "'webhook_secret' is missing",
    "{kind: 'json:loads'}": "json:loads",
}


def settings_of(folder, desk):
    for name in ("config.yml", "endpoints.yml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    endpoints = folder / "endpoints.yml"
    text = endpoints.read_text(encoding="utf-8")
    assert "desk:\n  kind: own\n" in text
    endpoints.write_text(text.replace("desk:\n  kind: own\n", f"desk: {desk}\n"), encoding="utf-8")
    lexicons = folder / "data" / "lexicons"
    lexicons.parent.mkdir()
    lexicons.symlink_to(ROOT / "data" / "lexicons")
    return load_settings(folder)


@pytest.mark.parametrize("kind", GOOD)
def test_the_desk_that_is_named_is_built(tmp_path, kind):
    bridge = make_bridge(settings_of(tmp_path, GOOD[kind]), BridgeContext("en", "", "", Watch()))
    assert (bridge.name if bridge else "own") == kind


@pytest.mark.parametrize(
    ("desk", "routing", "elsewhere"),
    [
        ("own", "{}", False),
        ("webhook", "{}", True),
        ("webhook", "{automatic: true}", False),
        ("webhook", "{automatic: false}", True),
        ("own", "{automatic: false}", False),
    ],
)
def test_what_goes_to_another_desk_is_routed_here_only_if_the_shop_says_so(
    tmp_path, desk, routing, elsewhere
):
    settings = settings_of(tmp_path, GOOD[desk])
    wanted = yaml.safe_load(f"{{routing: {routing}}}")
    config = msgspec.structs.replace(settings.config, desk=wanted)
    rules = DeskRules(msgspec.structs.replace(settings, config=config), "Europe/Berlin")
    assert rules.is_elsewhere == elsewhere


@pytest.mark.parametrize("desk", BAD)
def test_what_is_wrong_is_named_with_its_line(tmp_path, desk):
    with pytest.raises(SourceError) as raised:
        make_bridge(settings_of(tmp_path, desk), BridgeContext("en", "", "", Watch()))
    assert BAD[desk] in str(raised.value)
    assert "endpoints.yml" in str(raised.value)


async def test_the_route_takes_what_is_proven_and_nothing_else(tmp_path):
    world = BridgedDesk(tmp_path, WebhookDesk)
    remote_id = await world.open()
    api = FastAPI()
    add_guards(api)
    opened = OpenBridge(world.bridge, world.sender, world.receiver)
    opened.mount(api)
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

        async def post(call, body=None):
            answer = await client.post(opened.path, content=body or call.body, headers=call.headers)
            return answer.status_code

        reply = world.fake.replies(remote_id, "Hello")
        assert await post(reply) == 200
        assert await post(reply) == 200
        assert await post(reply, reply.body + b" ") == 401
        assert await post(world.fake.signed(b"[]")) == 400
        assert await post(reply, b"x" * 1_000_001) == 413
    await world.settle()
    assert await world.heard() == [("Nora", "Hello")]
    await world.close()


async def test_a_mail_may_be_long_where_the_mail_server_proves_itself(tmp_path):
    world = BridgedDesk(tmp_path, Mailbox)
    remote_id = await world.open()
    opened = OpenBridge(world.bridge, world.sender, world.receiver)
    api = FastAPI()
    add_guards(api, own_limit=(opened.path,))
    opened.mount(api)
    mail = world.fake.replies(remote_id, "Here.")
    mail = world.fake.signed(mail.body + b"\n> old" * 300_000)
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post(opened.path, content=mail.body, headers=mail.headers)
        assert answer.status_code == 200
        assert (await client.post(opened.path, content=mail.body)).status_code == 413
    await world.settle()
    assert await world.heard() == [("Nora", "Here.")]
    await world.close()


async def test_both_directions_run_in_the_background_and_stop(tmp_path):
    world = BridgedDesk(tmp_path, WebhookDesk)
    opened = OpenBridge(world.bridge, world.sender, world.receiver)
    async with running(None), running(opened):
        await world.hands_over()
        await world.until_told()
        remote_id = world.fake.only_case()[0]
        await world.receiver.accept(world.fake.replies(remote_id, "Hello"))
        await world.until_heard()
    await world.house.close()


async def test_the_books_keep_each_thing_once_and_forget_a_conversation(desk_database, tmp_path):
    world = BridgedDesk(tmp_path, WebhookDesk)
    await world.hands_over()
    case = await world.house.case(f"{LENA}#1")
    await world.close()
    book = BridgeBook(desk_database, "webhook")
    plan = Plan(1, (Planned("open", "open", 4), Planned("line:5", "line", 5)), False, False)
    await book.add(case, plan, 5)
    await book.add(case, plan, 5)
    first = await book.begin(case.id)
    assert (first.name, await book.begin(case.id)) == ("open", None)  # another one has it
    await book.sent(first, "T-1")
    assert (await book.link_of("T-1")).case_id == case.id
    assert (await book.begin(case.id)).name == "line:5"
    event = Arrived("e1", "reply", "T-1", text="Hello")
    assert [await book.accept([event, event]), await book.accept([event])] == [1, 0]
    [row] = await book.waiting()
    await book.carried_out(row)
    assert [await book.accept([event]), await book.waiting()] == [0, []]
    records = BridgeRecords(desk_database)
    assert len((await records.find(LENA))["desk_bridge_cases"]) == 1
    assert await records.erase(LENA) == {"desk_bridge_cases": 1}
    assert [await book.link(case.id), await book.due_cases()] == [None, []]
