"""What every store must do with the hash chain: mix into a subclass of `StoreContract`."""

import asyncio

import pytest

from bot.messages import InboundMessage, OutboundMessage
from bot.storage.chain import content_hash, new_salt
from bot.storage.chain_ports import Redaction, Rewritten
from bot.storage.codec import dump, to_us
from bot.storage.errors import UnknownEvent, VersionConflict
from bot.storage.ports import NewEvent
from bot.storage.verification import verify
from tests.contracts.storage import NOON, TEXTS, inbound, turn

ANNA = "web:anna"


def mark(seq: int, data: dict, salt: bytes, kind: str = "user_said") -> NewEvent:
    """Return the event that tells of a redaction."""
    digest = content_hash(salt, seq, (kind, dump(data), to_us(NOON))).hex()
    told = {"seq": seq, "by": "lea", "reason": "asked for", "digest": digest, "parts": ["text"]}
    return NewEvent("redacted", told, NOON)


async def talk(store, key: str = ANNA, turns: int = 3):
    """Commit turns with awkward payloads and return the verdict."""
    for version in range(turns):
        data = {"z": 1.5, "a": list(TEXTS.values()), "n": None, "text": f"after {version}"}
        commit = turn(key, version, ("ok",), events=[NewEvent("user_said", data, NOON)])
        await store.turns.commit(commit)
    return verify(await store.chains.read(key))


class ChainContract:
    """Tests of the chain and of redaction."""

    async def test_what_is_written_is_linked(self, store):
        verdict = await talk(store)
        assert (verdict.state, verdict.events) == ("intact", 3)
        chain = await store.chains.read(ANNA)
        assert chain.head == chain.links[-1].chain
        assert (chain.version, [link.seq for link in chain.links]) == (3, [1, 2, 3])
        assert len({link.salt for link in chain.links}) == 3
        await talk(store, "web:ben")
        other = await store.chains.read("web:ben")
        assert not {link.chain for link in chain.links} & {link.chain for link in other.links}

    async def test_a_turn_without_events_keeps_the_head(self, store):
        assert verify(await store.chains.read(ANNA)).events == 0
        [accepted] = await store.inbox.accept([inbound()])
        await store.turns.commit(turn(ANNA, 0, (), events=[], handled_inbox_id=accepted.inbox_id))
        assert verify(await store.chains.read(ANNA)).state == "intact"
        await talk(store)
        head = (await store.chains.read(ANNA)).head
        await store.turns.commit(turn(ANNA, 3, ("more",), events=[]))
        assert (await store.chains.read(ANNA)).head == head
        assert (await talk(store, "web:ben", 2)).state == "intact"

    async def test_rival_turns_leave_one_chain(self, store):
        rivals = [store.turns.commit(turn(ANNA, 0)) for _ in range(10)]
        results = await asyncio.gather(*rivals, return_exceptions=True)
        assert sum(isinstance(result, VersionConflict) for result in results) == 9
        verdict = verify(await store.chains.read(ANNA))
        assert (verdict.state, verdict.events) == ("intact", 1)

    async def test_redaction_takes_the_words_and_leaves_the_chain(self, store):
        [accepted] = await store.inbox.accept([inbound("my number is 4711")])
        await talk(store)
        before = (await store.chains.read(ANNA)).links[1]
        said = (await store.outbox.after(ANNA))[1]
        salt, data = new_salt(), {"text": "[redacted]"}
        version = await store.chains.redact(
            Redaction(
                ANNA,
                3,
                [Rewritten(2, data, salt)],
                [mark(2, data, salt)],
                [(accepted.inbox_id, InboundMessage("web", "anna", "m1", "[redacted]", NOON))],
                [(said.outbox_id, OutboundMessage(text="[redacted]"))],
            )
        )
        chain = await store.chains.read(ANNA)
        verdict = verify(chain)
        assert (version, verdict.state, verdict.events) == (4, "intact", 4)
        [told] = verdict.redacted
        assert (told.seq, told.by, told.reason) == (2, "lea", "asked for")
        after = chain.links[1]
        assert (after.digest, after.chain) == (before.digest, before.chain)
        assert after.salt != before.salt
        assert (await store.events.load(ANNA))[0][1].data == data
        assert [e.message.text for e in await store.inbox.history(ANNA)] == ["[redacted]"]
        texts = [e.message.text for e in await store.outbox.after(ANNA)]
        assert texts == ["ok", "[redacted]", "ok"]
        await store.turns.commit(turn(ANNA, 4))
        assert verify(await store.chains.read(ANNA)).state == "intact"

    async def test_a_redaction_that_cannot_be_changes_nothing(self, store):
        await talk(store)
        before = await store.chains.read(ANNA)
        salt = new_salt()
        for seq, version, error in ((2, 2, VersionConflict), (9, 3, UnknownEvent)):
            rewritten = [Rewritten(1, {}, salt), Rewritten(seq, {}, salt)]
            redaction = Redaction(ANNA, version, rewritten, [mark(seq, {}, salt)])
            with pytest.raises(error):
                await store.chains.redact(redaction)
        assert await store.chains.read(ANNA) == before

    async def test_a_redaction_touches_no_other_conversation(self, store):
        await store.inbox.accept([inbound("Ben's", "ben", "m2")])
        [entry] = await store.inbox.history("web:ben")
        await talk(store)
        salt, other = new_salt(), InboundMessage("web", "ben", "m2", "gone", NOON)
        rewritten = [Rewritten(1, {}, salt)]
        copies = [(entry.inbox_id, other)]
        await store.chains.redact(Redaction(ANNA, 3, rewritten, [mark(1, {}, salt)], copies))
        assert [e.message.text for e in await store.inbox.history("web:ben")] == ["Ben's"]

    async def test_what_is_erased_has_no_chain(self, store):
        await talk(store)
        await store.events.erase(ANNA)
        chain = await store.chains.read(ANNA)
        assert (chain.version, chain.head, chain.links) == (0, b"", ())
        assert (await talk(store)).state == "intact"
