"""What every store must do: subclass `StoreContract` and override `opened`."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from itertools import count

import pytest

from bot.messages import Attachment, Button, Card, InboundMessage, OutboundMessage
from bot.storage.errors import (
    AlreadyHandled,
    NaiveTime,
    RetentionTooShort,
    UnknownInboxMessage,
    UnknownOutboxMessage,
    UnstorableData,
    VersionConflict,
)
from bot.storage.ports import (
    ConversationInfo,
    Delivery,
    Erased,
    NewEvent,
    NewOutbound,
    Store,
    TurnCommit,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXTS = {
    "emoji": "Wo ist mein 📦? 👩‍👩‍👧‍👦🇩🇪",
    "right to left": "مرحبا \u202e שלום",
    "long": "Größe äöüß " * 910,
    "control": "a\x00b\x07c\r\n\u2028",
    "quotes": "'; DROP TABLE inbox; -- \" \\ %s ? $1",
    "empty": "",
}


class SetClock:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def inbound(text: str = "Hallo", sender: str = "anna", message_id: str = "m1") -> InboundMessage:
    """Return a message of a customer."""
    return InboundMessage("web", sender, message_id, text, NOON)


def turn(key: str, version: int = 0, texts: tuple[str, ...] = (), **more: object) -> TurnCommit:
    """Return a turn that appends one event and sends texts."""
    outbound = [NewOutbound("web", key.split(":")[1], OutboundMessage(text=t)) for t in texts]
    events = [NewEvent("user_said", {"text": f"after {version}"}, NOON)]
    return TurnCommit(**{  # type: ignore[arg-type]  # by name
        "conversation_id": key,
        "expected_version": version,
        "events": events,
        "outbound": outbound,
        **more,
    })


class InboxContract:
    """Tests of accepting messages and working them off."""

    async def test_a_message_is_accepted_once(self, store):
        first = await store.inbox.accept([inbound("Hallo")])
        again = await store.inbox.accept([inbound("Hallo, noch einmal")])
        other = await store.inbox.accept([InboundMessage("rest", "anna", "m1", "Hi", NOON)])
        assert [a.duplicate for a in first + again + other] == [False, True, False]
        assert again[0].inbox_id == first[0].inbox_id
        assert [e.message.text for e in await store.inbox.history("web:anna")] == ["Hallo"]

    async def test_a_duplicate_inside_one_batch_is_recognised(self, store):
        batch = [inbound("a", message_id="1"), inbound("b", message_id="1"), inbound("c")]
        accepted = await store.inbox.accept(batch)
        assert [a.duplicate for a in accepted] == [False, True, False]
        assert accepted[0].inbox_id == accepted[1].inbox_id

    async def test_nothing_is_accepted_from_nothing(self, store):
        assert await store.inbox.accept([]) == []

    async def test_a_message_comes_back_whole(self, store):
        at = datetime(2026, 11, 20, 13, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
        picture = Attachment("image", "/uploads/1.png", "a.png", "image/png", 7)
        page = {"page": "/p/1", "nested": {"list": [1, 2.5, None, True]}}
        message = InboundMessage("web", "anna", "m1", "Hallo", at, (picture,), page)
        accepted = await store.inbox.accept([message])
        [entry] = await store.inbox.pending()
        assert entry.message == message == accepted[0].message
        assert entry.accepted_at == NOON
        assert entry.handled_at is None

    async def test_arrival_order_is_kept(self, store):
        for number in range(30):
            sender = "anna" if number % 3 else "ben"
            await store.inbox.accept([inbound(str(number), sender, f"m{number}")])
        texts = [e.message.text for e in await store.inbox.waiting("web:anna")]
        assert texts == [str(n) for n in range(30) if n % 3]
        ids = [e.inbox_id for e in await store.inbox.waiting("web:anna")]
        assert ids == sorted(ids)

    async def test_pending_gives_the_head_of_each_conversation(self, store):
        senders = ("anna", "ben", "anna", "cem")
        batch = [inbound(str(n), sender, f"m{n}") for n, sender in enumerate(senders)]
        first = (await store.inbox.accept(batch))[0]
        assert [e.message.text for e in await store.inbox.pending()] == ["0", "1", "3"]
        assert len(await store.inbox.pending(limit=2)) == 2
        await store.turns.commit(turn("web:anna", handled_inbox_id=first.inbox_id))
        assert [e.message.text for e in await store.inbox.pending()] == ["1", "2", "3"]
        assert [e.message.text for e in await store.inbox.waiting("web:anna")] == ["2"]
        history = await store.inbox.history("web:anna")
        assert [e.handled_at for e in history] == [NOON, None]
        assert await store.inbox.history("web:anna", after=first.inbox_id) == history[1:]

    async def test_old_handled_messages_are_forgotten(self, store, clock):
        ids = await store.inbox.accept([inbound(message_id=f"m{n}") for n in range(3)])
        await store.turns.commit(turn("web:anna", handled_inbox_id=ids[0].inbox_id))
        clock.now += timedelta(days=7, hours=23)
        with pytest.raises(RetentionTooShort):
            await store.inbox.prune(clock.now - timedelta(days=7))
        assert (await store.inbox.accept([inbound(message_id="m0")]))[0].duplicate
        clock.now += timedelta(days=1)
        assert await store.inbox.prune(clock.now - timedelta(days=8)) == 1
        assert not (await store.inbox.accept([inbound(message_id="m0")]))[0].duplicate
        waiting = await store.inbox.waiting("web:anna")
        assert [e.message.message_id for e in waiting] == ["m1", "m2", "m0"]


class TurnsContract:
    """Tests of committing turns and reading their events."""

    async def test_events_come_back_in_order(self, store):
        events = [NewEvent(f"type_{n}", {"n": n, "deep": [{"x": None}]}, NOON) for n in range(5)]
        commit = TurnCommit("web:anna", 0, events)
        assert (await store.turns.commit(commit)).version == 5
        loaded, version = await store.events.load("web:anna")
        assert version == 5
        assert [(e.seq, e.type, e.data, e.at) for e in loaded] == [
            (n + 1, e.type, e.data, NOON) for n, e in enumerate(events)
        ]
        assert await store.events.load("web:anna", 3) == (loaded[3:], 5)
        assert await store.events.load("web:anna", 5) == ((), 5)
        assert await store.events.load("web:nobody") == ((), 0)

    async def test_a_stale_turn_writes_nothing(self, store):
        ids = await store.inbox.accept([inbound(message_id="1")])
        await store.turns.commit(turn("web:anna", texts=("eins",)))
        for stale in (0, 2):
            commit = turn("web:anna", stale, ("zwei",), handled_inbox_id=ids[0].inbox_id)
            with pytest.raises(VersionConflict) as raised:
                await store.turns.commit(commit)
            assert (raised.value.expected, raised.value.actual) == (stale, 1)
        assert (await store.events.load("web:anna"))[1] == 1
        assert [e.message.text for e in await store.outbox.after("web:anna")] == ["eins"]
        assert len(await store.inbox.pending()) == 1
        with pytest.raises(VersionConflict):
            await store.turns.commit(turn("web:ben", 3))
        assert [c.conversation_id for c in await store.events.conversations()] == ["web:anna"]

    async def test_a_message_is_handled_once(self, store):
        [accepted] = await store.inbox.accept([inbound()])
        commit = turn("web:anna", texts=("Antwort",), handled_inbox_id=accepted.inbox_id)
        await store.turns.commit(commit)
        for version in (0, 1):
            commit = turn("web:anna", version, handled_inbox_id=accepted.inbox_id)
            with pytest.raises(AlreadyHandled):
                await store.turns.commit(commit)
        assert len(await store.outbox.after("web:anna")) == 1
        with pytest.raises(UnknownInboxMessage):
            await store.turns.commit(turn("web:ben", handled_inbox_id=accepted.inbox_id))
        with pytest.raises(UnknownInboxMessage):
            await store.turns.commit(turn("web:anna", 1, handled_inbox_id=10**9))

    async def test_conversations_are_listed_page_by_page(self, store, clock):
        for number in (3, 1, 2, 0):
            await store.turns.commit(turn(f"web:{number}ü"))
        await store.inbox.accept([inbound(sender="Z")])
        pages, after = [], ""
        while page := await store.events.conversations(after, limit=2):
            pages.append(page)
            after = page[-1].conversation_id
        found = [info.conversation_id for page in pages for info in page]
        assert found == ["web:0ü", "web:1ü", "web:2ü", "web:3ü", "web:Z"]
        assert pages[0][0] == ConversationInfo("web:0ü", 1, NOON)
        assert pages[2][0].version == 0

    async def test_erasing_removes_one_person_only(self, store):
        for sender in ("anna", "ben"):
            [entry, _] = await store.inbox.accept([
                inbound(sender=sender, message_id=f"{sender}{n}") for n in range(2)
            ])
            key = f"web:{sender}"
            await store.turns.commit(turn(key, 0, ("a", "b"), handled_inbox_id=entry.inbox_id))
        before = await store.events.load("web:ben"), await store.outbox.after("web:ben")
        assert await store.events.erase("web:anna") == Erased(1, 2, 2, contacts=1)
        assert await store.events.erase("web:anna") == Erased(0, 0, 0)
        assert await store.events.load("web:anna") == ((), 0)
        assert await store.inbox.history("web:anna") == []
        assert await store.outbox.after("web:anna") == []
        assert [c.conversation_id for c in await store.events.conversations()] == ["web:ben"]
        after = await store.events.load("web:ben"), await store.outbox.after("web:ben")
        assert after == before
        with pytest.raises(VersionConflict):
            await store.turns.commit(turn("web:anna", 1))

    async def test_ids_are_never_reused(self, store):
        [first] = await store.inbox.accept([inbound()])
        sent = (await store.turns.commit(turn("web:anna", 0, ("a",)))).outbound[0]
        await store.events.erase("web:anna")
        [second] = await store.inbox.accept([inbound()])
        again = (await store.turns.commit(turn("web:anna", 0, ("a",)))).outbound[0]
        assert second.inbox_id > first.inbox_id
        assert again.outbox_id > sent.outbox_id


class OutboxContract:
    """Tests of delivering what turns have committed."""

    async def test_outbound_messages_are_numbered_per_conversation(self, store):
        rich = OutboundMessage(
            text="Hier",
            buttons=(Button("Ja", "/affirm"),),
            cards=(Card("Jacke", price="99,00 €", buttons=(Button("Kaufen", "/buy"),)),),
            custom={"a": [1]},
        )
        first = await store.turns.commit(turn("web:anna", 0, ("1", "2")))
        await store.turns.commit(turn("web:ben", 0, ("x",)))
        second = await store.turns.commit(
            turn("web:anna", 1, outbound=[NewOutbound("web", "anna", rich)])
        )
        assert [e.seq for e in (*first.outbound, *second.outbound)] == [1, 2, 3]
        assert await store.outbox.after("web:anna") == [*first.outbound, *second.outbound]
        [last] = await store.outbox.after("web:anna", seq=2)
        assert last.message == rich
        assert (last.channel, last.sender_id, last.state) == ("web", "anna", "pending")
        assert last.created_at == NOON
        assert [e.seq for e in await store.outbox.after("web:anna", limit=1)] == [1]

    async def test_delivery_is_recorded(self, store, clock):
        committed = await store.turns.commit(turn("web:anna", 0, ("1", "2", "3")))
        one, two, three = (e.outbox_id for e in committed.outbound)
        assert [e.outbox_id for e in await store.outbox.unsent("web")] == [one, two, three]
        assert await store.outbox.unsent("telegram") == []
        await store.outbox.mark(Delivery(one, "sent", receipt="wamid.1"))
        await store.outbox.mark(Delivery(one, "failed", error="a late error"))
        retry_at = clock.now + timedelta(seconds=30)
        await store.outbox.mark(Delivery(two, "failed", error="503", next_attempt_at=retry_at))
        assert await store.outbox.unsent("web") == [], "the third overtakes the second"
        clock.now = retry_at
        assert [e.outbox_id for e in await store.outbox.unsent("web")] == [two, three]
        await store.outbox.mark(Delivery(two, "failed", error="400"))
        assert [e.outbox_id for e in await store.outbox.unsent("web")] == [three]
        states = [
            (e.state, e.attempts, e.receipt, e.error, e.next_attempt_at)
            for e in await store.outbox.after("web:anna")
        ]
        assert states == [
            ("sent", 1, "wamid.1", "", None),
            ("failed", 2, "", "400", None),
            ("pending", 0, "", "", None),
        ]
        with pytest.raises(UnknownOutboxMessage):
            await store.outbox.mark(Delivery(10**9, "sent"))

    async def test_a_waiting_conversation_does_not_hold_up_another(self, store, clock):
        first = (await store.turns.commit(turn("web:anna", 0, ("1",)))).outbound[0]
        await store.turns.commit(turn("web:ben", 0, ("2",)))
        later = clock.now + timedelta(hours=1)
        await store.outbox.mark(Delivery(first.outbox_id, "failed", next_attempt_at=later))
        assert [e.sender_id for e in await store.outbox.unsent("web")] == ["ben"]


class TextContract:
    """Tests of odd texts and of data that cannot be stored."""

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
    async def test_any_text_survives(self, store, text):
        key = f"web:{text.replace(chr(0), '')[:200]}"
        message = InboundMessage("web", key[4:], f"id {key}", text, NOON, metadata={text: text})
        [accepted] = await store.inbox.accept([message])
        commit = turn(key, 0, (text,), events=[NewEvent("said", {"text": text}, NOON)])
        committed = await store.turns.commit(commit)
        await store.outbox.mark(Delivery(committed.outbound[0].outbox_id, "sent", text, text))
        assert accepted.message == message
        assert [e.message for e in await store.inbox.waiting(key)] == [message]
        assert (await store.events.load(key))[0][0].data == {"text": text}
        [entry] = await store.outbox.after(key)
        assert entry.message.text == text
        assert entry.receipt == text.replace("\x00", "\ufffd")

    async def test_lone_surrogates_are_replaced(self, store):
        bad = "a\ud83db"
        message = InboundMessage("web", bad, bad, bad, NOON, metadata={"k": [bad]})
        [accepted] = await store.inbox.accept([message])
        assert accepted.message.text == "a\ufffdb"
        assert accepted.message.metadata == {"k": ["a\ufffdb"]}
        assert accepted.message.sender_id == "a\\ud83db"
        assert (await store.inbox.accept([message]))[0].duplicate
        other = await store.inbox.accept([InboundMessage("web", "a\ud83eb", "2", "x", NOON)])
        assert other[0].message.conversation_id != accepted.message.conversation_id
        commit = turn(f"web:{bad}", 0, (bad,), events=[NewEvent("said", {bad: bad}, NOON)])
        await store.turns.commit(commit)
        assert (await store.events.load(f"web:{bad}"))[0][0].data == {"a\ufffdb": "a\ufffdb"}
        assert len(await store.inbox.waiting("web:a\\ud83db")) == 1
        assert (await store.events.erase(f"web:{bad}")).inbox == 1

    async def test_bad_data_is_refused_whole(self, store):
        naive = InboundMessage("web", "anna", "2", "x", NOON.replace(tzinfo=None))
        odd = InboundMessage("web", "anna", "2", "x", NOON, metadata={"x": object()})
        commit = turn("web:anna", 0, ("a",), events=[NewEvent("x", {"x": object()}, NOON)])
        with pytest.raises(NaiveTime):
            await store.inbox.accept([inbound(), naive])
        with pytest.raises(UnstorableData):
            await store.inbox.accept([inbound(), odd])
        with pytest.raises(UnstorableData):
            await store.turns.commit(commit)
        assert await store.events.conversations() == []
        assert await store.inbox.pending() == []


class ConcurrencyContract:
    """Tests of many callers at once."""

    async def test_a_hundred_conversations_in_parallel(self, store):
        turns_each, ids = 5, count()

        async def converse(sender: str) -> None:
            key = f"web:{sender}"
            for version in range(turns_each):
                message = inbound(str(version), sender, f"{sender}-{next(ids)}")
                [accepted] = await store.inbox.accept([message])
                commit = turn(key, version, ("ok",), handled_inbox_id=accepted.inbox_id)
                await store.turns.commit(commit)

        await asyncio.gather(*(converse(f"s{n}") for n in range(100)))
        for number in range(100):
            key = f"web:s{number}"
            events, version = await store.events.load(key)
            assert version == turns_each
            assert [e.data["text"] for e in events] == [f"after {n}" for n in range(turns_each)]
            assert [e.seq for e in await store.outbox.after(key)] == [1, 2, 3, 4, 5]
        assert await store.inbox.pending() == []

    async def test_of_rival_turns_one_wins(self, store):
        [accepted] = await store.inbox.accept([inbound()])
        rivals = [
            store.turns.commit(turn("web:anna", 0, (str(n),), handled_inbox_id=accepted.inbox_id))
            for n in range(20)
        ]
        others = [store.turns.commit(turn(f"web:{n}", 0, ("x",))) for n in range(20)]
        results = await asyncio.gather(*rivals, *others, return_exceptions=True)
        lost = [r for r in results[:20] if isinstance(r, AlreadyHandled)]
        assert len(lost) == 19
        assert [r.version for r in results[20:]] == [1] * 20
        assert len(await store.outbox.after("web:anna")) == 1

    async def test_rival_deliveries_of_one_message_are_accepted_once(self, store):
        batches = [store.inbox.accept([inbound(), inbound(message_id="2")]) for _ in range(20)]
        results = await asyncio.gather(*batches)
        assert sum(not a.duplicate for batch in results for a in batch) == 2
        assert len(await store.inbox.waiting("web:anna")) == 2


class StoreContract(
    InboxContract, TurnsContract, OutboxContract, TextContract, ConcurrencyContract
):
    """Tests of one store; `opened` gives an empty one."""

    @asynccontextmanager
    async def opened(self, clock: Callable[[], datetime]) -> AsyncGenerator[Store, None]:
        raise NotImplementedError
        yield

    @pytest.fixture
    def clock(self) -> SetClock:
        return SetClock()

    @pytest.fixture
    async def store(self, clock: SetClock, opening: None) -> AsyncGenerator[Store, None]:
        async with self.opened(clock) as store:
            yield store

    @pytest.fixture
    def opening(self) -> None:
        """Override to prepare what `opened` needs."""
