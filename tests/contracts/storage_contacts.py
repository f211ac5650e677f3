"""What every store must know of people: contacts, links, and how they are forgotten."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from bot.messages import Contact, InboundMessage, Trigger, trigger_id
from bot.storage.channel_ports import MediaItem, SentPart
from bot.storage.errors import NaiveTime, UnstorableData
from bot.storage.ports import Delivery, Erased
from tests.contracts.storage import NOON, inbound, turn
from tests.contracts.storage_channels import HOUR, NAIVE, queued, receipt


def from_phone(text="Hallo", message_id="p1", at=NOON, **more):
    """Return a message of the customer who is anna on the web, from their phone."""
    return InboundMessage("whatsapp", "49171", message_id, text, at, **more)


async def linked(store, phone_to="web:anna"):
    """Link the phone to a conversation by a code."""
    await store.contacts.offer("h1", phone_to, NOON + HOUR)
    assert await store.contacts.redeem("h1", "whatsapp", "49171", NOON) == phone_to


class ContactsContract:
    """Tests of who writes, and of what they agreed to."""

    async def test_a_stranger_is_an_empty_contact(self, store):
        assert await store.contacts.get("web", "anna") == Contact("web", "anna")
        assert await store.contacts.of_conversation("web:anna") == []
        assert await store.contacts.of_conversation("") == []

    async def test_a_contact_comes_back_whole(self, store):
        contact = Contact(
            "web", "anna", NOON, True, "whatsapp:49171", NOON + HOUR, {"name": "Çem 🙂", "n": [1]}
        )
        await store.contacts.save(contact)
        assert await store.contacts.get("web", "anna") == contact
        other = Contact("web", "anna", NOON - HOUR, False)
        await store.contacts.save(other)
        found = await store.contacts.get("web", "anna")
        assert found == Contact("web", "anna", NOON, False), "the time went back"
        await store.contacts.save(Contact("web", "anna", NOON + HOUR))
        found = await store.contacts.get("web", "anna")
        assert (found.last_inbound_at, found.opted_in) == (NOON + HOUR, None)
        await store.contacts.save(Contact("web", "anna"))
        assert (await store.contacts.get("web", "anna")).last_inbound_at == NOON + HOUR

    async def test_bad_contacts_are_refused(self, store):
        for bad in (
            Contact("web", "anna", last_inbound_at=NAIVE),
            Contact("web", "anna", linked_at=NAIVE),
        ):
            with pytest.raises(NaiveTime):
                await store.contacts.save(bad)
        with pytest.raises(UnstorableData):
            await store.contacts.save(Contact("web", "anna", metadata={"x": object()}))
        with pytest.raises(NaiveTime):
            await store.contacts.offer("h", "web:anna", NAIVE)
        with pytest.raises(NaiveTime):
            await store.contacts.redeem("h", "web", "anna", NAIVE)
        assert await store.contacts.get("web", "anna") == Contact("web", "anna")

    async def test_who_writes_is_known(self, store):
        await store.inbox.accept([inbound(), from_phone(at=NOON + HOUR)])
        assert (await store.contacts.get("web", "anna")).last_inbound_at == NOON
        late = [from_phone(message_id="p2"), from_phone(message_id="p3", at=NOON - HOUR)]
        await store.inbox.accept(late)
        found = await store.contacts.of_conversation("whatsapp:49171")
        assert found == [Contact("whatsapp", "49171", NOON + HOUR)], "the time went back"

    async def test_a_duplicate_does_not_count_as_writing(self, store):
        twice = [from_phone(), from_phone(at=NOON + HOUR)]
        await store.inbox.accept(twice)
        await store.inbox.accept([from_phone(at=NOON + 2 * HOUR)])
        assert (await store.contacts.get("whatsapp", "49171")).last_inbound_at == NOON

    async def test_what_nobody_wrote_does_not_count(self, store):
        paid = Trigger("pattern_paid")
        ours = from_phone("", trigger_id("1"), trigger=paid)
        signals = [
            from_phone("", name, signal=name, trigger=Trigger(f"pattern_{name}"))
            for name in ("handed_over", "handed_back", "deleted", "opt_in", "opt_out")
        ]
        await store.inbox.accept([ours, *signals])
        assert (await store.contacts.get("whatsapp", "49171")).last_inbound_at is None

    async def test_a_trigger_that_stands_for_what_was_written_counts(self, store):
        opened = from_phone("", "3", signal="opened", trigger=Trigger("pattern_opened"))
        await store.inbox.accept([opened])
        assert (await store.contacts.get("whatsapp", "49171")).last_inbound_at == NOON
        linked = Trigger("pattern_linked")
        code = from_phone("", "4", at=NOON + HOUR, trigger=linked, conversation="web:anna")
        await store.inbox.accept([code])
        assert (await store.contacts.get("whatsapp", "49171")).last_inbound_at == NOON + HOUR

    async def test_the_latest_consent_counts_whatever_comes_when(self, store):
        def says(signal, message_id, sequence=0, at=NOON):
            return from_phone("", message_id, at, signal=signal, sequence=sequence)

        async def agreed():
            return (await store.contacts.get("whatsapp", "49171")).opted_in

        await store.inbox.accept([says("opt_out", "2", 9), says("opt_in", "1", 3)])
        assert await agreed() is False, "of a batch, the later one"
        await store.inbox.accept([says("opt_in", "3", 7)])
        assert await agreed() is False, "it came late"
        await store.inbox.accept([says("opt_in", "4", 10)])
        assert await agreed() is True
        await store.inbox.accept([says("opt_out", "2", 11)])
        assert await agreed() is True, "it was a duplicate"
        await store.inbox.accept([says("opt_in", "5", 12), says("opt_out", "6", 12)])
        assert await agreed() is False, "the order of arrival where the platform has none"

    async def test_consent_by_our_clock(self, store):
        for number, signal in enumerate(("opt_in", "opt_out", "opt_in")):
            at = NOON + number * HOUR
            await store.inbox.accept([from_phone("", str(number), at, signal=signal)])
            found = await store.contacts.get("whatsapp", "49171")
            assert found.opted_in is (signal == "opt_in")
        assert found.last_inbound_at is None
        await store.inbox.accept([from_phone("", "0", NOON, signal="opt_in")])

    async def test_saving_and_linking_do_not_undo_consent(self, store):
        before = await store.contacts.get("whatsapp", "49171")
        await store.inbox.accept([from_phone("", "1", signal="opt_out", sequence=5)])
        await linked(store)
        stale = msgspec.structs.replace(before, metadata={"a": 1}, opted_in=True)
        await store.contacts.save(stale)
        found = await store.contacts.get("whatsapp", "49171")
        assert (found.opted_in, found.consent_order, found.metadata) == (False, 5, {"a": 1})
        await linked(store)
        await store.inbox.accept([from_phone("", "2", signal="opt_in", sequence=6)])
        found = await store.contacts.get("whatsapp", "49171")
        assert (found.opted_in, found.conversation) == (True, "web:anna")

    async def test_lone_surrogates_in_contacts(self, store):
        bad = "a\ud83db"
        await store.inbox.accept([InboundMessage("web", bad, "1", "x", NOON)])
        assert (await store.contacts.get("web", bad)).last_inbound_at == NOON
        await store.contacts.save(Contact("web", bad, metadata={"name": bad}))
        found = await store.contacts.get("web", bad)
        assert (found.sender_id, found.metadata) == ("a\\ud83db", {"name": "a\ufffdb"})
        assert await store.contacts.of_conversation(f"web:{bad}") == [found]
        await store.contacts.offer(bad, f"web:{bad}", NOON)
        assert await store.contacts.redeem(bad, "whatsapp", bad, NOON) == "web:a\\ud83db"
        assert (await store.events.erase(f"web:{bad}")).contacts == 2


class LinkingContract:
    """Tests of one customer on many channels."""

    async def test_a_linked_sender_goes_on_in_the_conversation(self, store):
        await store.inbox.accept([inbound("web")])
        [before] = await store.inbox.accept([from_phone("before")])
        assert not before.message.conversation
        await linked(store)
        [after] = await store.inbox.accept([from_phone("after", "p2")])
        assert after.message.conversation_id == after.message.conversation == "web:anna"
        entries = await store.inbox.waiting("web:anna")
        assert [e.message.text for e in entries] == ["web", "after"]
        assert entries[1].message == after.message
        assert [e.message.text for e in await store.inbox.waiting("whatsapp:49171")] == ["before"]
        assert await store.contacts.of_conversation("whatsapp:49171") == []
        first, second = await store.contacts.of_conversation("web:anna")
        assert (first.channel, second.channel) == ("web", "whatsapp")
        assert (second.conversation, second.linked_at) == ("web:anna", NOON)
        await store.turns.commit(turn("web:anna", handled_inbox_id=after.inbox_id))

    async def test_a_duplicate_stays_where_it_was_accepted(self, store):
        [first] = await store.inbox.accept([from_phone()])
        await linked(store)
        [again] = await store.inbox.accept([from_phone()])
        assert (again.duplicate, again.inbox_id) == (True, first.inbox_id)
        assert again.message.conversation_id == "whatsapp:49171"
        [there] = await store.inbox.accept([from_phone(message_id="p2")])
        contact = await store.contacts.get("whatsapp", "49171")
        await store.contacts.save(Contact("whatsapp", "49171", contact.last_inbound_at))
        [again] = await store.inbox.accept([from_phone(message_id="p2")])
        assert (again.duplicate, again.inbox_id) == (True, there.inbox_id)
        assert again.message.conversation_id == "web:anna"
        assert len(await store.inbox.history("web:anna")) == 1

    async def test_saving_without_a_link_unlinks(self, store):
        await linked(store)
        await store.contacts.save(Contact("whatsapp", "49171"))
        [accepted] = await store.inbox.accept([from_phone()])
        assert accepted.message.conversation_id == "whatsapp:49171"
        assert await store.contacts.of_conversation("web:anna") == []

    async def test_a_batch_from_many_senders(self, store):
        await linked(store)
        batch = [inbound("1"), from_phone("2"), from_phone("2"), inbound("3", "ben", "m3")]
        accepted = await store.inbox.accept(batch)
        places = [(a.message.conversation_id, a.duplicate) for a in accepted]
        assert places == [
            ("web:anna", False),
            ("web:anna", False),
            ("web:anna", True),
            ("web:ben", False),
        ]
        assert [e.message.text for e in await store.inbox.waiting("web:anna")] == ["1", "2"]

    async def test_a_trigger_may_name_its_conversation(self, store):
        await linked(store)
        paid = Trigger("pattern_paid")
        own = from_phone("", trigger_id("1"), trigger=paid, conversation="whatsapp:49171")
        follows = from_phone("", trigger_id("2"), trigger=paid)
        named = InboundMessage(
            "web", "ben", trigger_id("3"), "", NOON, trigger=paid, conversation="web:anna"
        )
        claimed = InboundMessage("web", "eve", "m9", "Hi", NOON, conversation="web:anna")
        accepted = await store.inbox.accept([own, follows, named, claimed])
        places = [a.message.conversation_id for a in accepted]
        assert places == ["whatsapp:49171", "web:anna", "web:anna", "web:eve"]
        assert [a.message.conversation for a in accepted] == ["", "web:anna", "web:anna", ""]

    async def test_being_linked_to_oneself_is_not_being_linked(self, store):
        await store.inbox.accept([from_phone()])
        await linked(store, "whatsapp:49171")
        contact = await store.contacts.get("whatsapp", "49171")
        assert (contact.conversation, contact.last_inbound_at) == ("", NOON)
        await store.contacts.save(Contact("whatsapp", "49171", conversation="whatsapp:49171"))
        found = await store.contacts.of_conversation("whatsapp:49171")
        assert found == [Contact("whatsapp", "49171", NOON)]

    async def test_who_is_in_a_conversation_is_in_the_order_of_links(self, store):
        for number, channel in enumerate(("sms", "alexa", "telegram")):
            at = NOON + number * HOUR
            await store.contacts.save(Contact(channel, "x", None, None, "web:anna", at))
        await store.inbox.accept([inbound()])
        found = await store.contacts.of_conversation("web:anna")
        assert [c.channel for c in found] == ["web", "sms", "alexa", "telegram"]
        await store.contacts.save(Contact("web", "anna", None, None, "web:ben", NOON))
        found = await store.contacts.of_conversation("web:anna")
        assert [c.channel for c in found] == ["sms", "alexa", "telegram"]

    async def test_a_code_is_good_once(self, store):
        await linked(store)
        assert not await store.contacts.redeem("h1", "whatsapp", "49171", NOON)
        assert not await store.contacts.redeem("h1", "telegram", "7", NOON)
        assert not await store.contacts.redeem("", "telegram", "7", NOON)
        assert await store.contacts.get("telegram", "7") == Contact("telegram", "7")

    async def test_looking_a_code_up_does_not_use_it_up(self, store):
        await store.contacts.offer("h1", "web:anna", NOON)
        await store.contacts.offer("h2", "web:ben", NOON)
        for _ in range(2):
            assert await store.contacts.opens("h1", NOON) == "web:anna"
        assert not await store.contacts.opens("h3", NOON)
        assert not await store.contacts.opens("h1", NOON + timedelta(microseconds=1))
        assert await store.contacts.redeem("h1", "whatsapp", "49171", NOON) == "web:anna"
        assert not await store.contacts.opens("h1", NOON)
        await store.contacts.offer("h2", "web:anna", NOON)
        assert not await store.contacts.opens("h2", NOON), "two have it"
        with pytest.raises(NaiveTime):
            await store.contacts.opens("h2", NAIVE)

    async def test_a_code_is_good_until_its_time(self, store):
        await store.contacts.offer("h1", "web:anna", NOON)
        late = NOON + timedelta(microseconds=1)
        assert not await store.contacts.redeem("h1", "whatsapp", "49171", late)
        assert await store.contacts.redeem("h1", "whatsapp", "49171", NOON) == "web:anna"

    async def test_of_two_who_have_a_code_one_is_linked(self, store):
        await store.contacts.offer("h1", "web:anna", NOON)
        redeemed = await asyncio.gather(
            *(store.contacts.redeem("h1", "whatsapp", str(n), NOON) for n in range(8))
        )
        assert sorted(redeemed) == [""] * 7 + ["web:anna"]
        [member] = await store.contacts.of_conversation("web:anna")
        assert redeemed[int(member.sender_id)] == "web:anna"

    async def test_a_conversation_has_one_open_code(self, store):
        await store.contacts.offer("h1", "web:anna", NOON)
        await store.contacts.offer("h2", "web:anna", NOON)
        assert not await store.contacts.redeem("h1", "whatsapp", "1", NOON)
        assert await store.contacts.redeem("h2", "whatsapp", "1", NOON) == "web:anna"

    async def test_a_code_that_two_conversations_have_links_to_neither(self, store):
        await store.contacts.offer("h1", "web:anna", NOON)
        await store.contacts.offer("h1", "web:ben", NOON - HOUR)
        assert not await store.contacts.redeem("h1", "whatsapp", "1", NOON - HOUR)
        assert await store.contacts.redeem("h1", "whatsapp", "1", NOON) == "web:anna"

    async def test_redeeming_keeps_the_rest_of_a_contact(self, store):
        await store.contacts.save(Contact("whatsapp", "49171", NOON, True, metadata={"a": 1}))
        await linked(store)
        assert await store.contacts.get("whatsapp", "49171") == Contact(
            "whatsapp", "49171", NOON, True, "web:anna", NOON, {"a": 1}
        )


class ForgettingContract:
    """Tests of erasing people and of forgetting what is old."""

    async def test_erasing_leaves_nothing_of_a_customer(self, store):
        await store.inbox.accept([inbound(), inbound("Hi", "ben", "b1"), from_phone()])
        await linked(store)
        await store.contacts.offer("h2", "web:anna", NOON + HOUR)
        await store.contacts.offer("h3", "web:ben", NOON + HOUR)
        [one] = await queued(store, "1", key="web:anna")
        [two] = await queued(store, "2", key="web:ben")
        for number, name in ((one, "wamid.1"), (two, "wamid.2")):
            await store.receipts.sent(SentPart(number, 0, "whatsapp", name, "sent", NOON))
        people = ("wamid.8", "49171"), ("wamid.9", "49172")
        early = [receipt("read", name, sender_id=sender) for name, sender in people]
        await store.receipts.news(early)
        files = [MediaItem(name, f"web:{name}", "web", "r") for name in ("anna", "ben")]
        await store.media.add(files)
        erased = await store.events.erase("web:anna")
        assert erased == Erased(1, 1, 1, contacts=2, media=1)
        assert await store.events.erase("web:anna") == Erased(0, 0, 0)
        assert await store.contacts.of_conversation("web:anna") == []
        assert await store.contacts.get("whatsapp", "49171") == Contact("whatsapp", "49171")
        assert not await store.contacts.redeem("h2", "telegram", "7", NOON)
        assert await store.receipts.of_message(one) == []
        assert await store.receipts.news([receipt("read")]) == [None]
        assert await store.media.due() == files[1:]
        await store.media.save(files[0])
        assert await store.media.get("anna") is None, "it stays erased"
        await store.receipts.sent(SentPart(one, 0, "whatsapp", "wamid.1", "sent", NOON))
        assert await store.receipts.of_message(one) == []
        assert [p.state for p in await store.receipts.of_message(two)] == ["sent"]
        assert await store.contacts.redeem("h3", "telegram", "7", NOON) == "web:ben"
        for part, (name, _) in enumerate(people):
            await store.receipts.sent(SentPart(two, part, "whatsapp", name, "sent", NOON))
        assert [p.state for p in await store.receipts.of_message(two)] == ["sent", "read"]
        [after] = await store.inbox.accept([from_phone(message_id="p2")])
        assert after.message.conversation_id == "whatsapp:49171"

    async def test_erasing_keeps_who_opted_out_and_nothing_else_of_them(self, store):
        for channel, agreed in (("whatsapp", False), ("sms", True)):
            await store.contacts.save(
                Contact(channel, "49171", NOON, agreed, "web:anna", NOON, {"name": "Anna"})
            )
        await store.contacts.save(Contact("web", "anna", NOON, False))
        assert (await store.events.erase("web:anna")).contacts == 3
        assert await store.events.erase("web:anna") == Erased(0, 0, 0)
        for channel, sender in (("whatsapp", "49171"), ("web", "anna")):
            found = await store.contacts.get(channel, sender)
            assert found == Contact(channel, sender, opted_in=False)
        assert await store.contacts.get("sms", "49171") == Contact("sms", "49171")
        assert await store.events.erase("whatsapp:49171") == Erased(0, 0, 0)

    async def test_erasing_ones_own_conversation_ends_ones_link(self, store):
        await linked(store)
        assert (await store.events.erase("whatsapp:49171")).contacts == 1
        assert await store.contacts.of_conversation("web:anna") == []

    async def test_erasing_no_name_erases_nobody(self, store):
        await store.inbox.accept([inbound(), from_phone()])
        assert await store.events.erase("") == Erased(0, 0, 0)
        assert await store.events.erase("web") == Erased(0, 0, 0)
        assert (await store.contacts.get("web", "anna")).last_inbound_at == NOON

    async def test_what_is_old_is_forgotten(self, store, clock):
        done, open_ = await queued(store, "1", "2")
        await store.outbox.mark(Delivery(done, "sent"))
        for number, name in ((done, "wamid.1"), (open_, "wamid.2")):
            await store.receipts.sent(SentPart(number, 0, "whatsapp", name, "sent", NOON))
        await store.receipts.news([receipt("read", "wamid.3", NOON - 1000 * HOUR)])
        await store.contacts.offer("h1", "web:anna", NOON)
        clock.now += timedelta(days=8)
        assert await store.inbox.prune(clock.now - timedelta(days=8)) == 0
        assert len(await store.receipts.of_message(done)) == 1, "too early"
        clock.now += HOUR
        await store.receipts.news([receipt("read", "wamid.4")])
        assert await store.inbox.prune(clock.now - timedelta(days=8)) == 0
        assert await store.receipts.of_message(done) == []
        assert len(await store.receipts.of_message(open_)) == 1
        assert not await store.contacts.redeem("h1", "whatsapp", "49171", NOON)
        for part, name in enumerate(("wamid.3", "wamid.4"), start=1):
            await store.receipts.sent(SentPart(open_, part, "whatsapp", name, "sent", NOON))
        states = [p.state for p in await store.receipts.of_message(open_)]
        assert states == ["sent", "sent", "read"]


class PeopleContract(ContactsContract, LinkingContract, ForgettingContract):
    """Tests of what a store knows of people."""
