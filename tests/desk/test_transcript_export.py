"""An exported transcript proves itself, and hides what is internal unless asked for."""

import copy

import msgspec
import pytest

from bot.redaction import Wanted, redact
from bot.storage.chain_json import BadExport
from bot.storage.memory import memory_store
from bot.storage.ports import TurnCommit
from desk.transcript_export import (
    TranscriptUnreadable,
    exported,
    read_transcript,
    still_holds,
    verify_file,
)
from tests.contracts.channel import NOW
from tests.desk.stories import ANNA, NOTE, WISH, tell, wire

KEY = b"a secret that is not in the database"


@pytest.fixture
async def store():
    store = memory_store(lambda: NOW)
    await tell(store)
    return store


async def export(store, key=KEY, **options):
    return exported(await read_transcript(store, ANNA, NOW, key), **options)


def written(told):
    return msgspec.json.encode(told)


@pytest.mark.parametrize("with_notes", [True, False])
async def test_an_export_proves_itself(store, with_notes):
    found = verify_file(written(await export(store, with_notes=with_notes)), KEY)
    assert (found.is_good, found.seal, found.withheld) == (True, "right", 0 if with_notes else 1)
    assert verify_file(written(await export(store)), b"").seal == "unchecked"
    assert verify_file(written(await export(store, b"")), KEY).seal == "none"


async def test_a_note_is_not_exported_unless_asked_for(store):
    assert NOTE not in written(await export(store)).decode()
    assert NOTE in written(await export(store, with_notes=True)).decode()


async def test_a_redacted_transcript_proves_itself(store):
    await redact(store, ANNA, Wanted("lea", "asked for", (2,)), NOW)
    told = await export(store)
    assert WISH not in written(told).decode()
    found = verify_file(written(told), KEY)
    assert found.is_good
    assert [one.seq for one in found.chain.redacted] == [2]


CHANGES = {
    "what somebody said": lambda told: told["transcript"]["messages"][0].update(text="Never mind"),
    "who said it": lambda told: told["transcript"]["messages"][1].update(speaker="operator"),
    "a message less": lambda told: told["transcript"]["messages"].pop(),
    "why it decided": lambda told: told["transcript"]["turns"][0].update(rules=["other"]),
    "a handoff": lambda told: told["transcript"]["handoffs"].clear(),
    "the other conversation": lambda told: told["transcript"].update(conversation_id="web:ben"),
    "no transcript": lambda told: told.update(transcript=7),
    "an event": lambda told: told["chain"]["events"][1]["data"].update(text="Never mind"),
    "an event less": lambda told: told["chain"]["events"].pop(4),
    "the last event": lambda told: told["chain"]["events"].pop(),
    "the chain of another": lambda told: told["chain"].update(conversation_id="web:ben"),
    "the seal": lambda told: told["seal"].update(hmac="0" * 64),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_file_is_found(store, change):
    told = copy.deepcopy(msgspec.json.decode(written(await export(store))))
    CHANGES[change](told)
    assert not verify_file(written(told), KEY).is_good


async def test_who_computes_all_hashes_anew_does_not_get_past_the_seal(store):
    """That is what a plain chain cannot show."""
    told = await export(store)
    forged = memory_store(lambda: NOW)
    await forged.turns.commit(TurnCommit(ANNA, 0, [wire_of("I agree to everything")]))
    other = exported(await read_transcript(forged, ANNA, NOW, b""))
    assert verify_file(written({**other, "seal": None}), KEY).is_good
    assert verify_file(written({**other, "seal": told["seal"]}), KEY).seal == "wrong"
    assert await still_holds(forged, written(told), KEY)


def wire_of(text):
    from bot import events as ev

    return wire(ev.UserUttered(text, "m1", "web"))


async def test_an_earlier_export_still_holds_unless_something_was_rewritten(store):
    before = written(await export(store))
    assert not await still_holds(store, before, KEY)
    await redact(store, ANNA, Wanted("lea", "asked for", (2,)), NOW)
    assert not await still_holds(store, before, KEY)
    after = written(await export(store))
    fresh = memory_store(lambda: NOW)
    await tell(fresh)
    assert "are gone" in await still_holds(fresh, after, KEY)
    assert "another one" in await still_holds(fresh, before, KEY)
    assert "not as it was written" in await still_holds(store, before.replace(b"Danke", b"Nein!"))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"format":"tresen-transcript-1"}', b"\xff", b"%PDF-1.7"]
)
def test_a_file_of_another_kind_is_named(text):
    with pytest.raises(BadExport):
        verify_file(text)


async def test_an_event_that_nobody_wrote_is_named():
    store = memory_store(lambda: NOW)
    odd = msgspec.structs.replace(wire_of("hi"), data={"event": "user", "text": 7})
    await store.turns.commit(TurnCommit(ANNA, 0, [odd]))
    with pytest.raises(TranscriptUnreadable):
        await read_transcript(store, ANNA, NOW)
