import asyncio
from datetime import timedelta

import pytest

from bot.channels import ChannelHub, HubParts
from bot.dispatcher import in_order
from bot.linking import MAX_TRIES, Linking
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
from tests.bot.test_sender import Clock
from tests.contracts.channel import NOW

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


class Parts:
    """Everything of an intake but the turns."""

    def __init__(self, tmp_path):
        self.clock = Clock()
        self.store = memory_store(self.clock)
        self.channel = Scripted()
        self.metrics = Metrics()
        self.linking = Linking(self.store.contacts, self.clock, {"scripted": "https://x/?t={text}"})
        self.folder = UploadStore(tmp_path, SIGNER)
        shelf = Shelf(self.folder, SIGNER, "https://bot.example")
        channels = {"scripted": self.channel}
        accept = self.store.inbox.accept
        parts = HubParts(self.store, accept, self.linking, shelf, self.metrics)
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


async def test_metadata_that_cannot_be_stored_costs_only_itself(parts):
    await parts.take(request({"id": "1", "from": "ada", "text": "hi", "metadata": {"n": 10**400}}))
    assert [message.text for message in await parts.inbox()] == ["hi"]


# Going on elsewhere


async def test_a_code_joins_the_conversation_and_is_used_up(parts):
    await parts.store.inbox.accept([InboundMessage("webchat", "w1", "m", "hello", NOW)])
    offered = await parts.linking.offer("webchat:w1")
    code = request({"id": "1", "from": "ada", "text": f"Code {offered.code}"})
    await parts.take(code)
    await parts.take(code)
    await parts.take(request({"id": "2", "from": "ada", "text": "go on"}))
    joined = await parts.inbox("webchat:w1")
    assert [message.text for message in joined] == ["hello", "", "go on"]
    assert joined[1].trigger.flow == "pattern_linked"
    assert {message.channel for message in joined[1:]} == {"scripted"}
    await parts.take(request({"id": "3", "from": "eve", "text": offered.code}))
    assert [message.text for message in await parts.inbox("scripted:eve")] == [offered.code]


@pytest.mark.parametrize("said", ["4711 0815", "47110815", "Link 4711-0815", "/start 47110815"])
async def test_codes_may_be_typed_and_spoken(parts, said):
    parts.linking._new_code = lambda: "47110815"
    await parts.linking.offer("webchat:w1")
    await parts.take(request({"id": "1", "from": "ada", "text": said}))
    assert len(await parts.inbox("webchat:w1")) == 1


async def test_an_old_code_is_only_words(parts):
    offered = await parts.linking.offer("webchat:w1")
    parts.clock.move(offered.minutes * 60 + 1)
    await parts.take(request({"id": "1", "from": "ada", "text": offered.code}))
    assert await parts.inbox("webchat:w1") == []
    assert [message.text for message in await parts.inbox()] == [offered.code]


async def test_nobody_can_guess_for_long(parts):
    parts.linking._new_code = lambda: "99999999"
    await parts.linking.offer("webchat:w1")
    for number in range(MAX_TRIES):
        text = f"{number:08}"
        await parts.take(request({"id": text, "from": "eve", "text": text}))
    await parts.take(request({"id": "right", "from": "eve", "text": "99999999"}))
    assert await parts.inbox("webchat:w1") == []


async def test_a_channel_that_parted_has_its_own_conversation_again(parts):
    offered = await parts.linking.offer("webchat:w1")
    await parts.take(request({"id": "1", "from": "ada", "text": offered.code}))
    assert await parts.linking.part("webchat:w1", "scripted")
    assert not await parts.linking.part("webchat:w1", "scripted")
    await parts.take(request({"id": "2", "from": "ada", "text": "alone"}))
    assert [message.text for message in await parts.inbox()] == ["alone"]


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
