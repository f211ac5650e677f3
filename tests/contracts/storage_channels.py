"""What every store must do for channels: attempts, receipts, files. See storage_contacts.py."""

import asyncio
import itertools
from datetime import timedelta

import msgspec
import pytest

from bot.messages import InboundMessage, OutboundMessage, Receipt, Trigger, trigger_id
from bot.storage.channel_ports import MediaItem, SentPart
from bot.storage.errors import NaiveTime, UnknownOutboxMessage
from bot.storage.ports import MOST_OF_LINE, REOPENED, WINDOW_CLOSED, Delivery, NewOutbound
from tests.contracts.storage import NOON, inbound, turn

NAIVE = NOON.replace(tzinfo=None)
HOUR = timedelta(hours=1)
PHONE = InboundMessage("whatsapp", "49171", "p1", "Hallo", NOON)


def receipt(state, name="wamid.1", at=NOON, **more):
    """Return what the platform says of a message."""
    return Receipt("whatsapp", name, state, at, **more)


async def queued(store, *texts, key="whatsapp:49171", to=""):
    """Commit a turn with these answers and return their outbox ids."""
    _, version = await store.events.load(key)
    channel, sender = (to or key).split(":")
    outbound = [NewOutbound(channel, sender, OutboundMessage(text=text)) for text in texts]
    committed = await store.turns.commit(turn(key, version, outbound=outbound))
    return [entry.outbox_id for entry in committed.outbound]


class AttemptsContract:
    """Tests of beginning an attempt, and of one that sends several payloads."""

    async def test_of_two_who_begin_one_does(self, store):
        [one] = await queued(store, "1")
        begun = await asyncio.gather(*(store.outbox.begin(one) for _ in range(10)))
        [entry] = await store.outbox.after("whatsapp:49171")
        assert [found for found in begun if found] == [entry]
        assert (entry.state, entry.begun_at, entry.attempts) == ("pending", NOON, 0)

    async def test_rival_senders_keep_the_order(self, store):
        ids = await queued(store, "1", "2", "3")
        order = []

        async def deliver(outbox_ids):
            for number in outbox_ids:
                if not await store.outbox.begin(number):
                    return
                order.append(number)
                await asyncio.sleep(0.001)
                await store.outbox.mark(Delivery(number, "sent"))

        for _ in range(10):
            waiting = [entry.outbox_id for entry in await store.outbox.unsent("whatsapp")]
            await asyncio.gather(*(deliver(waiting) for _ in range(5)))
        assert order == ids

    async def test_what_is_begun_is_not_offered_again(self, store):
        one, two = await queued(store, "1", "2")
        [other] = await queued(store, "x", key="whatsapp:49172")
        assert await store.outbox.begin(one)
        assert [e.outbox_id for e in await store.outbox.unsent("whatsapp")] == [other]
        assert not await store.outbox.begin(two), "it would overtake the first"
        await store.outbox.mark(Delivery(one, "sent"))
        assert [e.outbox_id for e in await store.outbox.unsent("whatsapp")] == [two, other]
        assert await store.outbox.begin(two)

    async def test_two_who_share_a_conversation_do_not_wait_for_each_other(self, store, clock):
        [mum] = await queued(store, "1")
        son, later = await queued(store, "2", "3", to="whatsapp:49172")
        await store.outbox.mark(Delivery(mum, "failed", next_attempt_at=clock.now + HOUR))
        assert [e.outbox_id for e in await store.outbox.unsent("whatsapp")] == [son, later]
        assert await store.outbox.begin(son)
        assert not await store.outbox.begin(later), "it would overtake the first"

    async def test_no_line_fills_the_page(self, store):
        flood = await queued(store, *map(str, range(40)))
        [other] = await queued(store, "x", key="whatsapp:49172")
        first = [e.outbox_id for e in await store.outbox.unsent("whatsapp", 10)]
        assert first == [*flood[:MOST_OF_LINE], other]
        assert not await store.outbox.begin(flood[MOST_OF_LINE])
        await store.outbox.mark(Delivery(flood[0], "sent"))
        found = [e.outbox_id for e in await store.outbox.unsent("whatsapp", 10)]
        assert found == [*flood[1 : MOST_OF_LINE + 1], other]

    async def test_only_what_was_sent_is_reopened(self, store, clock):
        [one] = await queued(store, "1")
        await store.outbox.mark(Delivery(one, "reopened", error="receipt:1"))
        [entry] = await store.outbox.unsent("whatsapp")
        assert not entry.error
        await store.outbox.begin(one)
        await store.outbox.mark(Delivery(one, "part"))
        await store.outbox.mark(Delivery(one, "sent", receipt="wamid.1"))
        again = Delivery(one, "reopened", receipt="x", error="receipt:131047")
        await store.outbox.mark(again)
        [entry] = await store.outbox.unsent("whatsapp")
        told = entry.state, entry.parts_sent, entry.attempts, entry.receipt, entry.error
        assert told == ("pending", 0, 1, "", "receipt:131047")
        begun = await store.outbox.begin(one)
        await store.outbox.mark(again)
        assert await store.outbox.after("whatsapp:49171") == [begun]
        await store.outbox.mark(Delivery(one, "failed", error="400"))
        await store.outbox.mark(again)
        assert await store.outbox.unsent("whatsapp") == [], "given up"
        with pytest.raises(UnknownOutboxMessage):
            await store.outbox.mark(Delivery(10**9, "reopened"))

    async def test_only_what_is_due_is_begun(self, store, clock):
        one, two = await queued(store, "1", "2")
        await store.outbox.mark(Delivery(one, "failed", next_attempt_at=clock.now + HOUR))
        assert not await store.outbox.begin(one), "another process has just put it off"
        assert not await store.outbox.begin(two)
        clock.now += HOUR
        assert await store.outbox.begin(one)
        await store.outbox.mark(Delivery(one, "failed", error="400"))
        assert not await store.outbox.begin(one), "given up"
        assert await store.outbox.begin(two)
        assert not await store.outbox.begin(10**9)

    async def test_what_was_begun_and_not_heard_of_is_found(self, store, clock):
        [one] = await queued(store, "1")
        [two] = await queued(store, "2", key="whatsapp:2")
        [web] = await queued(store, "3", key="web:anna")
        for number in (one, web):
            await store.outbox.begin(number)
        clock.now += HOUR
        await store.outbox.begin(two)
        assert await store.outbox.begun("whatsapp", NOON) == []
        found = await store.outbox.begun("whatsapp", clock.now)
        assert [(e.outbox_id, e.begun_at) for e in found] == [(one, NOON)]
        found = await store.outbox.begun("whatsapp", clock.now + HOUR)
        assert [e.outbox_id for e in found] == [one, two]
        await store.outbox.mark(Delivery(one, "failed", next_attempt_at=clock.now))
        await store.outbox.mark(Delivery(two, "sent"))
        assert await store.outbox.begun("whatsapp", clock.now + HOUR) == []
        assert [e.outbox_id for e in await store.outbox.unsent("whatsapp")] == [one]
        with pytest.raises(NaiveTime):
            await store.outbox.begun("whatsapp", NAIVE)

    async def test_parts_are_counted(self, store, clock):
        [one] = await queued(store, "1")
        await store.outbox.begin(one)
        clock.now += HOUR
        await store.outbox.mark(Delivery(one, "part", receipt="wamid.0"))
        [entry] = await store.outbox.after("whatsapp:49171")
        state = entry.state, entry.parts_sent, entry.begun_at, entry.attempts, entry.receipt
        assert state == ("pending", 1, None, 0, "wamid.0")
        again = await store.outbox.begin(one)
        assert (again.parts_sent, again.begun_at) == (1, clock.now)
        again_at = clock.now + HOUR
        await store.outbox.mark(Delivery(one, "failed", error="503", next_attempt_at=again_at))
        clock.now = again_at
        [entry] = await store.outbox.unsent("whatsapp")
        state = entry.parts_sent, entry.begun_at, entry.attempts, entry.error
        assert state == (1, None, 1, "503")
        await store.outbox.begin(one)
        await store.outbox.mark(Delivery(one, "part"))
        await store.outbox.mark(Delivery(one, "sent", receipt="wamid.2"))
        await store.outbox.mark(Delivery(one, "part"))
        [entry] = await store.outbox.after("whatsapp:49171")
        state = entry.state, entry.parts_sent, entry.begun_at, entry.receipt
        assert state == ("sent", 2, None, "wamid.2")

    async def test_a_part_revives_nothing(self, store):
        [one] = await queued(store, "1")
        await store.outbox.mark(Delivery(one, "failed", error="given up"))
        await store.outbox.mark(Delivery(one, "part"))
        [entry] = await store.outbox.after("whatsapp:49171")
        assert (entry.state, entry.parts_sent, entry.error) == ("failed", 0, "given up")
        with pytest.raises(UnknownOutboxMessage):
            await store.outbox.mark(Delivery(10**9, "part"))

    async def test_who_writes_gets_what_waited_for_that_and_nobody_else_does(self, store, clock):
        later = clock.now + HOUR
        [mine] = await queued(store, "for me")
        [refused] = await queued(store, "too fast", key="whatsapp:49172")
        [theirs] = await queued(store, "for them", to="whatsapp:49173")
        for one, error in ((mine, WINDOW_CLOSED), (refused, "429"), (theirs, WINDOW_CLOSED)):
            await store.outbox.mark(Delivery(one, "failed", error=error, next_attempt_at=later))
        nobody = msgspec.structs.replace(
            PHONE, message_id=trigger_id("parcel"), trigger=Trigger("pattern_notice", {})
        )
        await store.inbox.accept([nobody])
        assert await store.outbox.unsent("whatsapp") == []
        await store.inbox.accept([PHONE, inbound()])
        [due] = await store.outbox.unsent("whatsapp")
        assert (due.outbox_id, due.error, due.attempts) == (mine, REOPENED, 1)
        [row] = await store.outbox.after("whatsapp:49172")
        assert row.error == "429"

    async def test_what_is_under_way_is_not_sent_again_because_its_recipient_writes(
        self, store, clock
    ):
        [one] = await queued(store, "one")
        held = Delivery(one, "failed", error=WINDOW_CLOSED, next_attempt_at=clock.now)
        await store.outbox.mark(held)
        assert await store.outbox.begin(one)
        await store.inbox.accept([PHONE])
        assert await store.outbox.unsent("whatsapp") == []
        [row] = await store.outbox.after("whatsapp:49171")
        assert row.begun_at


class ReceiptsContract:
    """Tests of what platforms tell of messages."""

    async def test_news_follow_a_payload(self, store):
        [one] = await queued(store, "1")
        await store.receipts.sent(SentPart(one, 1, "whatsapp", "wamid.2", "sent", NOON))
        await store.receipts.sent(SentPart(one, 0, "whatsapp", "wamid.1", "sent", NOON))
        later = NOON + HOUR
        told = [receipt("delivered", at=later), receipt("read", "wamid.2", later)]
        found = await store.receipts.news(told)
        expected = [
            SentPart(one, 0, "whatsapp", "wamid.1", "delivered", later),
            SentPart(one, 1, "whatsapp", "wamid.2", "read", later),
        ]
        assert found == expected
        assert await store.receipts.of_message(one) == expected
        assert await store.receipts.of_message(one + 1) == []
        assert await store.receipts.news([]) == []

    @pytest.mark.parametrize("cut", range(4))
    @pytest.mark.parametrize(
        "order", list(itertools.permutations(["sent", "delivered", "read"])), ids="-".join
    )
    async def test_news_in_any_order_before_and_after(self, store, order, cut):
        [one] = await queued(store, "1")
        for state in order[:cut]:
            assert await store.receipts.news([receipt(state), receipt(state)]) == [None, None]
        await store.receipts.sent(SentPart(one, 0, "whatsapp", "wamid.1", "sent", NOON))
        for state in order[cut:]:
            await store.receipts.news([receipt(state), receipt(state)])
        [part] = await store.receipts.of_message(one)
        assert part.state == "read"

    async def test_failed_overrides_sent_only(self, store):
        [one] = await queued(store, "1")
        for part, states in enumerate((["failed"], ["delivered", "failed"], ["failed", "read"])):
            name = f"wamid.{part}"
            await store.receipts.sent(SentPart(one, part, "whatsapp", name, "sent", NOON))
            for state in states:
                news = receipt(state, name, code="131026" if state == "failed" else "")
                [found] = await store.receipts.news([news])
        assert [(p.state, p.code) for p in await store.receipts.of_message(one)] == [
            ("failed", "131026"),
            ("delivered", ""),
            ("read", ""),
        ]
        assert found.state == "read"

    async def test_a_payload_told_twice_forgets_nothing(self, store):
        [one] = await queued(store, "1")
        part = SentPart(one, 0, "whatsapp", "wamid.1", "sent", NOON)
        await store.receipts.sent(part)
        await store.receipts.news([receipt("read")])
        await store.receipts.sent(part)
        assert [p.state for p in await store.receipts.of_message(one)] == ["read"]
        await store.receipts.sent(SentPart(one, 0, "whatsapp", "wamid.9", "sent", NOON))
        [again] = await store.receipts.of_message(one)
        assert (again.receipt_id, again.state) == ("wamid.9", "sent")
        assert await store.receipts.news([receipt("read")]) == [None]

    async def test_payloads_and_news_at_once_find_each_other(self, store):
        [one] = await queued(store, "1")
        names = [f"wamid.{n}" for n in range(12)]
        await asyncio.gather(
            *(
                work
                for part, name in enumerate(names)
                for work in (
                    store.receipts.news([receipt("delivered", name)]),
                    store.receipts.sent(SentPart(one, part, "whatsapp", name, "sent", NOON)),
                    store.receipts.news([receipt("read", n) for n in (name, names[0])]),
                )
            )
        )
        assert {p.state for p in await store.receipts.of_message(one)} == {"read"}

    async def test_names_of_two_channels_are_two_names(self, store):
        [one] = await queued(store, "1")
        await store.receipts.sent(SentPart(one, 0, "telegram", "wamid.1", "sent", NOON))
        await store.receipts.sent(SentPart(one, 1, "telegram", "", "sent", NOON))
        assert await store.receipts.news([receipt("read"), receipt("read", "")]) == [None, None]
        assert [p.state for p in await store.receipts.of_message(one)] == ["sent", "sent"]

    async def test_odd_receipts(self, store):
        [one] = await queued(store, "1")
        bad = "a\ud83d\x00b"
        await store.receipts.news([receipt("failed", bad, code=bad, error=bad)])
        await store.receipts.sent(SentPart(one, 0, "whatsapp", bad, "sent", NOON))
        [part] = await store.receipts.of_message(one)
        assert (part.receipt_id, part.code) == ("a\\ud83d\\u0000b", "a\ufffd\ufffdb")
        with pytest.raises(NaiveTime):
            await store.receipts.news([receipt("read", bad), receipt("read", bad, NAIVE)])
        with pytest.raises(NaiveTime):
            await store.receipts.sent(SentPart(one, 1, "whatsapp", "x", "sent", NAIVE))
        assert await store.receipts.of_message(one) == [part]


class MediaContract:
    """Tests of files that are fetched outside the turns."""

    async def test_files_are_due_until_they_are_fetched(self, store, clock):
        items = [MediaItem(f"k{n}", "web:anna", "whatsapp", f"media{n}") for n in (3, 1, 2)]
        await store.media.add(items)
        await store.media.add([MediaItem("k1", "web:eve", "whatsapp", "other")])
        assert await store.media.due() == items
        assert await store.media.due(limit=1) == items[:1]
        later = MediaItem(
            "k3", "web:eve", "sms", "x", attempts=1, next_attempt_at=clock.now + HOUR, error="503"
        )
        await store.media.save(later)
        fetched = MediaItem(
            "k1", "web:anna", "whatsapp", "media1", "fetched", 1, None, "a/b.png", "image/png"
        )
        await store.media.save(fetched)
        assert await store.media.due() == items[2:]
        assert await store.media.get("k1") == fetched
        clock.now += HOUR
        found = await store.media.due()
        assert [(item.key, item.reference, item.attempts) for item in found] == [
            ("k3", "media3", 1),
            ("k2", "media2", 0),
        ]
        assert found[0].conversation_id == "web:anna"
        assert await store.media.get("k4") is None
        await store.media.add([])

    async def test_odd_files(self, store):
        bad = "a\ud83d\x00b"
        await store.media.add([MediaItem(bad, bad, bad, bad, mime_type=bad)])
        [item] = await store.media.due()
        assert (item.key, item.mime_type) == ("a\\ud83d\\u0000b", "a\ufffd\ufffdb")
        assert await store.media.get(bad) == item
        with pytest.raises(NaiveTime):
            await store.media.add([MediaItem("k", "c", "w", "r", next_attempt_at=NAIVE)])
        with pytest.raises(NaiveTime):
            await store.media.save(MediaItem(bad, "c", "w", "r", next_attempt_at=NAIVE))
        assert await store.media.due() == [item]


class ChannelsContract(AttemptsContract, ReceiptsContract, MediaContract):
    """Tests of a store's ports for channels."""
