import asyncio
from datetime import timedelta

import pytest

from bot.channels import ChannelHub, HubParts
from bot.dispatcher import in_order
from bot.intake import MOST_NOTE_KINDS
from bot.linking import Linking
from bot.media import MAX_TRIES as MEDIA_TRIES
from bot.media import Shelf
from bot.messages import InboundMessage
from bot.metrics import Metrics
from bot.storage.memory import memory_store
from bot.storage.ports import InboxEntry
from channels.base import Unverified
from channels.push import TryAgain, Undeliverable
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore
from tests.bot.scripted_channel import Scripted, request
from tests.bot.test_sender import Clock, leave
from tests.contracts.channel import NOW

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


class Parts:
    """Everything of an intake but the turns."""

    def __init__(self, tmp_path, **more):
        self.clock = Clock()
        self.store = memory_store(self.clock)
        self.channel = Scripted()
        self.metrics = Metrics()
        self.linking = Linking(self.store.contacts, self.clock, {"scripted": "https://x/?t={text}"})
        self.folder = UploadStore(tmp_path, SIGNER)
        shelf = Shelf(self.folder, SIGNER, "https://bot.example")
        channels = {"scripted": self.channel}
        accept = self.store.inbox.accept
        parts = HubParts(self.store, accept, self.linking, shelf, self.metrics, **more)
        self.hub = ChannelHub(channels, parts, self.clock)
        self.media = self.hub.media
        self.take = self.hub.intake("scripted").take

    async def inbox(self, conversation="scripted:ada"):
        return [entry.message for entry in await self.store.inbox.history(conversation)]

    def received(self, kind):
        return self.metrics.received.labels("scripted", kind)._value.get()


SIGNER = Signer(b"a secret for these tests")


@pytest.fixture
async def parts(tmp_path):
    made = Parts(tmp_path)
    yield made
    await made.hub.close()


async def test_forged_requests_leave_no_trace(parts):
    with pytest.raises(Unverified):
        await parts.take(request({"id": "1", "from": "ada", "text": "hi"}, proof="no"))
    assert await parts.inbox() == []
    assert parts.metrics.webhooks.labels("scripted", "forged")._value.get() == 1


@pytest.mark.parametrize(("has_person", "shown"), [(False, ["1"]), (True, [])])
async def test_the_bot_shows_no_writing_where_a_person_has_the_word(tmp_path, has_person, shown):
    made = Parts(tmp_path, has_person=lambda conversation_id: has_person)
    seen = []

    async def show_typing(recipient, message_id):
        seen.append(message_id)

    made.channel.show_typing = show_typing
    await made.take(request({"id": "1", "from": "ada", "text": "hi"}))
    await asyncio.sleep(0.1)
    await made.hub.close()
    assert seen == shown


async def test_a_batch_is_taken_whole_and_once(parts):
    batch = request(
        {"id": "1", "from": "ada", "text": "one"},
        {"note": "template_approved"},
        {"id": "2", "from": "ada", "text": "two"},
    )
    for _ in range(3):
        assert (await parts.take(batch)).status == 200
    assert [message.text for message in await parts.inbox()] == ["one", "two"]
    assert parts.received("duplicate") == 4
    assert parts.received("note:template_approved") == 3


async def test_a_platform_cannot_fill_the_metrics(parts):
    await parts.take(request(*({"note": f"kind_{number}"} for number in range(500))))
    await parts.take(request({"note": "kind_1"}))
    assert parts.received("note:kind_1") == 2
    assert parts.received("note:other") == 500 - MOST_NOTE_KINDS


async def test_a_signal_becomes_the_trigger_of_its_pattern(parts):
    await parts.take(
        request({"id": "1", "from": "ada", "signal": "unsupported", "metadata": {"kind": "poll"}})
    )
    (message,) = await parts.inbox()
    assert (message.trigger.flow, message.trigger.slots) == (
        "pattern_unsupported",
        {"kind": "poll"},
    )


async def test_consent_is_kept(parts):
    await parts.take(request({"id": "1", "from": "ada", "signal": "opt_out"}))
    assert (await parts.store.contacts.get("scripted", "ada")).opted_in is False
    await parts.take(request({"id": "2", "from": "ada", "signal": "opt_in"}))
    assert (await parts.store.contacts.get("scripted", "ada")).opted_in is True


async def test_an_old_consent_does_not_come_back(parts):
    def says(signal, number, sequence):
        return {"id": number, "from": "ada", "signal": signal, "sequence": sequence}

    await parts.take(request(says("opt_in", "1", 1)))
    await parts.take(request(says("opt_out", "3", 3), says("opt_in", "2", 2)))
    assert (await parts.store.contacts.get("scripted", "ada")).opted_in is False
    await parts.take(request(says("opt_in", "1", 1)))
    assert (await parts.store.contacts.get("scripted", "ada")).opted_in is False


async def test_stop_gives_up_what_was_held_back(parts):
    parts.channel.window_closed = lambda contact: contact.last_inbound_at is None
    await leave(parts.store, "old news")
    parts.hub.start()
    await until(lambda: held(parts), "window_closed")
    await parts.take(request({"id": "1", "from": "ada", "signal": "opt_out"}))
    assert await held(parts) == "opted_out"
    await parts.take(request({"id": "2", "from": "ada", "signal": "opt_in"}))
    await parts.take(request({"id": "1", "from": "ada", "signal": "opt_out"}))
    await parts.take(request({"id": "3", "from": "ada", "text": "hi"}))
    await asyncio.sleep(0.1)
    assert parts.channel.sent == []


async def test_consent_does_not_open_what_writing_opens(parts):
    parts.channel.window_closed = lambda contact: contact.last_inbound_at is None
    await leave(parts.store, "news")
    parts.hub.start()
    await until(lambda: held(parts), "window_closed")
    await parts.take(request({"id": "1", "from": "ada", "signal": "opt_in"}))
    await asyncio.sleep(0.1)
    assert await held(parts) == "window_closed"
    await parts.take(request({"id": "2", "from": "ada", "text": "hi"}))
    await until(lambda: held(parts), "")
    assert parts.channel.sent == [("ada", "news")]


async def held(parts):
    (row,) = await parts.store.outbox.after("scripted:ada")
    return row.error


async def until(found, wanted):
    async with asyncio.timeout(5):
        while await found() != wanted:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)


async def test_metadata_that_cannot_be_stored_costs_only_itself(parts):
    await parts.take(request({"id": "1", "from": "ada", "text": "hi", "metadata": {"n": 10**400}}))
    assert [message.text for message in await parts.inbox()] == ["hi"]


# Files


async def fetched(parts, done):
    parts.media.start()
    async with asyncio.timeout(5):
        while not await done():
            parts.media.wake()
            await asyncio.sleep(0.01)


async def test_a_file_has_its_address_before_it_is_there(parts):
    parts.channel.files["photo"] = PNG
    await parts.take(request({"id": "1", "from": "ada", "files": ["photo"]}))
    ((attachment,),) = [message.attachments for message in await parts.inbox()]
    assert attachment.url.startswith("https://bot.example/media/")
    key, _, signature = attachment.url.rpartition("/")[2].partition("?sig=")
    assert await parts.media.find(key, signature) is None
    await fetched(parts, lambda: parts.media.find(key, signature))
    path, item = await parts.media.find(key, signature)
    assert path.read_bytes() == PNG
    assert path.suffix == ".png"
    assert item.state == "fetched"
    assert await parts.media.find(key, "0" * 64) is None


@pytest.mark.parametrize(
    "trouble", [Undeliverable("gone"), b"MZ\x90 a program", b"<html><script>", b""]
)
async def test_a_file_that_cannot_be_had_is_told_once(parts, trouble):
    parts.channel.files["photo"] = trouble
    await parts.take(request({"id": "1", "from": "ada", "files": ["photo"]}))

    async def told():
        return len(await parts.inbox()) == 2

    await fetched(parts, told)
    await asyncio.sleep(0.05)
    flows = [message.trigger.flow for message in await parts.inbox() if message.trigger]
    assert flows == ["pattern_media_failed"]


async def test_a_busy_platform_is_asked_again_but_not_for_ever(parts):
    parts.channel.files["photo"] = TryAgain("429", retry_after_s=60)
    await parts.take(request({"id": "1", "from": "ada", "files": ["photo"]}))
    parts.media.start()
    for _ in range(MEDIA_TRIES + 1):
        parts.media.wake()
        await asyncio.sleep(0.03)
        assert len(await parts.store.media.due()) == 0
        parts.clock.move(timedelta(hours=2).total_seconds())
    parts.media.wake()
    await asyncio.sleep(0.05)
    flows = [message.trigger.flow for message in await parts.inbox() if message.trigger]
    assert flows == ["pattern_media_failed"]


async def test_one_bad_file_does_not_hold_up_the_others(parts):
    for number in range(6):
        parts.channel.files[f"f{number}"] = PNG if number > 3 else ValueError("a bug")
    files = [{"id": f"m{n}", "from": "ada", "files": [f"f{n}"]} for n in range(6)]
    await parts.take(request(*files))

    async def kept():
        return len(parts.folder.of_session("scripted:ada")) == 2

    await fetched(parts, kept)
    for _ in range(MEDIA_TRIES + 1):
        parts.clock.move(timedelta(hours=2).total_seconds())
        parts.media.wake()
        await asyncio.sleep(0.03)
    flows = [message.trigger.flow for message in await parts.inbox() if message.trigger]
    assert flows == ["pattern_media_failed"] * 4


async def test_a_conversation_keeps_only_so_many_files(parts):
    for number in range(44):
        parts.channel.files[f"f{number}"] = PNG
    files = [{"id": f"m{n}", "from": "ada", "files": [f"f{n}"]} for n in range(44)]
    await parts.take(request(*files))

    async def done():
        return not await parts.store.media.due()

    await fetched(parts, done)
    await asyncio.sleep(0.05)
    assert 40 <= len(parts.folder.of_session("scripted:ada")) < 44  # four are fetched at a time
    told = [message.trigger for message in await parts.inbox() if message.trigger]
    assert [(t.flow, t.slots["problem"]) for t in told] == [("pattern_media_failed", "too_many")]


# Order


def entry(number, channel, sequence, sender="ada"):
    message = InboundMessage(channel, sender, str(number), str(number), NOW, sequence=sequence)
    return InboxEntry(number, "c", message, NOW)


def test_the_platforms_own_order_counts():
    waiting = [
        entry(1, "telegram", 12),
        entry(2, "webchat", 0),
        entry(3, "telegram", 10),
        entry(4, "messenger", 5),
        entry(5, "telegram", 11),
        entry(6, "messenger", 4),
    ]
    assert [item.inbox_id for item in in_order(waiting)] == [3, 2, 5, 6, 1, 4]


def test_without_a_sequence_the_order_of_arrival_counts():
    waiting = [entry(number, "sms", 0) for number in (3, 1, 2)]
    assert [item.inbox_id for item in in_order(waiting)] == [3, 1, 2]
