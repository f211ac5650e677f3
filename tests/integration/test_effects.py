"""Operators and programs read the effect ledger: over the API, and with `tresen effects`."""

import asyncio
import json
import re

import httpx
import pytest
import pytest_asyncio

from bot.app import build_bot, make_app
from bot.settings import load_settings
from bot.storage.effects import EffectOutcome
from tests.contracts.storage import turn
from tests.contracts.storage_effects import refund
from tests.integration.server import ROOT
from tests.integration.test_cli import tresen

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAN = {"currency": "EUR", "refunds_minor": 4_999, "pays_minor": 0, "to": "Nordstraße 7, Kiel"}
LISTED = {
    "key", "conversation_id", "step", "operation", "subject", "state", "intended_at", "attempts",
    "sent_at", "settled_at", "error", "pays_minor", "refunds_minor", "currency",
}  # fmt: skip
ANNA, BEN = "rest:ledger-anna", "rest:ledger-ben\x1b[2J"


async def fill(store):
    """Write the effects of three conversations."""
    anna = [refund("a/1", data=PLAN), refund("a/2", data={"pays_minor": "12", "currency": "EUR"})]
    await store.turns.commit(turn(ANNA, effects=anna))
    await store.turns.commit(turn(BEN, effects=[refund("b/1", step="mail", data={})]))
    for state in ("sent", "unknown", "sent"):
        await store.effects.mark(EffectOutcome("a/1", state))
    await store.effects.mark(EffectOutcome("a/1", "unknown", {"call": 7}, "timeout"))
    await store.effects.mark(EffectOutcome("a/2", "done", {"mail": "anna@example.org"}))
    await store.turns.commit(turn("rest:gone", effects=[refund("c/1", data=PLAN), refund("c/2")]))
    await store.effects.mark(EffectOutcome("c/1", "done"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory):
    """Return a bot that is built and not started: nothing but the test touches its ledger."""
    bot = await build_bot(load_settings(ROOT, tmp_path_factory.mktemp("ledger")))
    await fill(bot.store)
    yield bot
    await bot.close()


@pytest_asyncio.fixture(loop_scope="module")
async def client(bot):
    transport = httpx.ASGITransport(make_app(bot), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def effects(client):
    async def ask(path="/effects", **params):
        return await client.get(path, params=params)

    return ask


@pytest.fixture
def command(bot):
    async def run(*arguments):
        folder = ("--data-dir", bot.settings.data_dir)
        return await asyncio.to_thread(tresen, "effects", *folder, *arguments)

    return run


def keys(answer):
    assert answer.status_code == 200, answer.text
    return [effect["key"] for effect in answer.json()["effects"]]


async def test_the_list_shows_how_far_each_effect_has_come(effects):
    answer = (await effects(conversation_id=ANNA)).json()
    first, second = answer["effects"]
    assert answer["next"] is None
    assert set(first) == set(second) == LISTED
    assert (first["state"], first["attempts"], first["error"]) == ("unknown", 2, "timeout")
    assert (first["refunds_minor"], first["pays_minor"], first["currency"]) == (4_999, 0, "EUR")
    assert (second["state"], second["pays_minor"], second["refunds_minor"]) == ("done", None, None)
    assert first["settled_at"] is None
    assert second["settled_at"].endswith("Z")


async def test_the_list_shows_nothing_personal(effects):
    assert "Nordstraße" not in (await effects()).text
    assert "example.org" not in (await effects("/conversations/ledger-anna/effects")).text


async def test_effects_are_chosen_by_state_and_conversation(effects):
    assert keys(await effects(state="unknown")) == ["a/1"]
    assert keys(await effects(state=["done", "unknown"], conversation_id=ANNA)) == ["a/1", "a/2"]
    assert keys(await effects(conversation_id=BEN)) == ["b/1"]
    assert keys(await effects("/conversations/ledger-anna/effects")) == ["a/1", "a/2"]
    assert keys(await effects(f"/conversations/{ANNA}/effects", state="done")) == ["a/2"]
    assert keys(await effects("/conversations/nobody/effects")) == []


async def test_effects_come_page_by_page(effects):
    first = await effects("/conversations/ledger-anna/effects", limit=1)
    assert first.json()["next"] == "a/1"
    second = await effects("/conversations/ledger-anna/effects", limit=1, after="a/1")
    assert (keys(second), second.json()["next"]) == (["a/2"], None)


async def test_one_effect_shows_what_was_agreed_and_answered(effects):
    shown = (await effects("/effects/a/1")).json()
    assert set(shown) == LISTED | {"data", "result"}
    assert (shown["data"], shown["result"]) == (PLAN, {"call": 7})


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"state": "lost"}, "state.0: "),
        ({"limit": 0}, "limit: "),
        ({"limit": 501}, "limit: "),
        ({"limit": "many"}, "limit: "),
        ({"sate": "done"}, "sate: "),
    ],
)
async def test_a_wrong_question_is_named(effects, params, said):
    answer = await effects(**params)
    assert (answer.status_code, answer.json()["status"]) == (422, "failure")
    assert said in answer.json()["message"]


async def test_an_unknown_key_is_not_found(effects):
    assert (await effects("/effects/nobody's")).status_code == 404
    answer = await effects(after="nobody's")
    assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound")
    assert "after" in answer.json()["message"]
    assert (await effects("/effects/%00%ED%A0%BD")).status_code == 404


async def test_openapi_describes_an_effect(client):
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    assert set(schemas["Effect"]["properties"]) == LISTED
    assert set(schemas["EffectDetails"]["properties"]) == LISTED | {"data", "result"}


async def test_the_command_prints_a_table(command):
    shown = await command("--conversation", ANNA)
    assert shown.returncode == 0, shown.stderr
    heading, first, second, count = shown.stdout.splitlines()
    assert heading.split()[:3] == ["intended", "state", "step"]
    assert re.search(r"unknown ×2 +write +return +TR-104711 +-49\.99 EUR +rest:ledger-anna", first)
    assert first.endswith("a/1 timeout")
    assert "-49.99" not in second
    assert count == "2 effects"
    assert "Nordstraße" not in shown.stdout


async def test_the_command_chooses_and_prints_json(command):
    shown = await command("--state", "unknown", "--json")
    (line,) = shown.stdout.splitlines()
    assert json.loads(line)["data"] == PLAN
    paged = await command("--conversation", ANNA, "--limit", 1)
    assert paged.stdout.endswith("1 effects; more: --after a/1\n")
    rest = await command("--conversation", ANNA, "--after", "a/1")
    assert rest.stdout.splitlines()[1].endswith(" a/2")
    one = await command("a/2")
    assert json.loads(one.stdout)["result"] == {"mail": "anna@example.org"}


async def test_the_command_lets_no_sender_steer_the_terminal(command):
    shown = await command("--conversation", BEN)
    assert "\x1b" not in shown.stdout
    assert "rest:ledger-ben\ufffd[2J" in shown.stdout


async def test_the_command_says_what_is_wrong(command, tmp_path):
    unknown = await command("nobody's")
    assert (unknown.returncode, unknown.stderr) == (1, "there is no effect nobody's\n")
    nowhere = await command("--data-dir", tmp_path / "typo")
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (1, 1)
    assert "no such store" in nowhere.stderr
    assert not (tmp_path / "typo").exists()
    assert (await command("--limit", 0)).returncode == 2


async def test_export_and_erasure_include_effects(client, effects):
    exported = (await client.get("/conversations/gone/export")).json()
    assert [effect["key"] for effect in exported["effects"]] == ["c/1", "c/2"]
    assert exported["effects"][0]["data"] == PLAN
    assert (await client.delete("/conversations/gone")).json()["effects"] == 1
    assert (await client.get("/conversations/gone/export")).json()["effects"] == []
    assert (await effects("/effects/c/1")).status_code == 404
    assert "c/2" in keys(await effects(state="intended"))
