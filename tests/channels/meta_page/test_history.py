import time
from datetime import timedelta

import pytest

from bot.messages import OutboundMessage
from channels.meta_page.history import Shown, found_in, is_unclear
from channels.push import ChannelContext, Doubt, InDoubt, TryAgain, Undeliverable
from tests.channels.meta_page.pages import INSTAGRAM, MESSENGER, NOBODY_THERE
from tests.contracts.channel import NOW
from tests.platforms.faults import serve
from tests.platforms.platform import Troubles

LATER = timedelta(minutes=1)
WORDS = {"text": "Guten  Tag, Größe 42 🙂"}
PICTURE = {"attachment": {"type": "image", "payload": {"url": "https://shop.example/1.jpg"}}}


def payload(message, to="anna"):
    return {"recipient": {"id": to}, "messaging_type": "RESPONSE", "message": message}


class World:
    """An account, its channel, and a clock that both look at."""

    def __init__(self, late_ms=0):
        self.now = NOW
        self.fake = INSTAGRAM.fake_kind(clock=self._timestamp)
        self.fake.history.late_ms = late_ms
        self.fake.history.counted_s = 0.0

    async def __aenter__(self):
        self._served = serve(self.fake.app)
        self.fake.url = self._served.__enter__()
        self.fake.says("anna", "Hallo")
        self.channel = self.new_channel()
        return self

    async def __aexit__(self, *error):
        await self.channel.close()
        self._served.__exit__(*error)

    def _timestamp(self):
        return self.now.timestamp()

    def new_channel(self):
        context = ChannelContext("https://bot.example", clock=lambda: self.now)
        return INSTAGRAM.connect(self.fake.settings(), context)

    async def send(self, message, *, lost=False):
        self.fake.trouble(Troubles(lost_answers=float(lost)))
        if not lost:
            return await self.channel.send(payload(message), "r")
        with pytest.raises(InDoubt):
            await self.channel.send(payload(message), "r")
        return self.fake.delivered[-1].platform_id

    async def settle(self, message, since=NOW, known=(), after=LATER):
        """Ask a fresh channel, as after a restart, so long after the message was sent."""
        self.now = max(self.now, since + after)
        fresh = self.new_channel()
        doubt = Doubt("r", payload(message) if message else {}, "anna", since, frozenset(known))
        try:
            return await fresh.settle(doubt)
        finally:
            await fresh.close()


@pytest.mark.parametrize("message", [WORDS, PICTURE])
async def test_what_got_there_is_found_after_a_restart(message):
    async with World() as world:
        mid = await world.send(message, lost=True)
        assert await world.settle(message) == mid
    async with World() as world:
        mid = await world.send(message, lost=True)
        assert await world.settle({}) == mid


async def test_what_never_got_there_is_not_found():
    async with World() as world:
        await world.send({"text": "etwas anderes"})
        await world.send(PICTURE)
        assert await world.settle(WORDS) == ""  # noqa: PLC1901 - not None


async def test_what_the_customer_said_is_not_an_answer():
    async with World() as world:
        world.fake.says("anna", WORDS["text"])
        assert not await world.settle(WORDS)


async def test_an_identical_earlier_answer_is_another():
    async with World() as world:
        first = await world.send(WORDS)
        world.now += timedelta(milliseconds=300)
        begun_at = world.now
        assert not await world.settle(WORDS, begun_at, known=[first])
    async with World() as world:
        await world.send(WORDS)
        world.now += timedelta(seconds=10)
        assert not await world.settle(WORDS, world.now)


async def test_of_two_identical_ones_the_other_is_found():
    async with World() as world:
        first = await world.send(WORDS)
        second = await world.send(WORDS, lost=True)
        assert await world.settle(WORDS, known=[first]) == second != first


async def test_what_is_not_shown_yet_is_asked_for_again():
    async with World(late_ms=20_000) as world:
        mid = await world.send(WORDS, lost=True)
        with pytest.raises(TryAgain):
            await world.settle(WORDS, after=timedelta(0))
        assert await world.settle(WORDS, after=timedelta(seconds=21)) == mid


async def test_nobody_knows_where_meta_shows_nothing_or_not_far_enough():
    async with World() as world:
        for _ in range(20):
            world.fake.says("anna", "?")
        assert await world.settle(WORDS) is None
        doubt = Doubt("r", payload(WORDS), "bert", NOW)
        world.now += LATER
        assert await world.channel.settle(doubt) is None


@pytest.mark.parametrize(
    ("seconds", "is_found"), [(-4, True), (0, True), (80, True), (-10, False), (120, False)]
)
def test_only_what_was_shown_about_then_is_taken_for_it(seconds, is_found):
    message = {"text": "Ihr Paket"}
    shown = Shown("m1", NOW + timedelta(seconds=seconds), is_ours=True, text="Ihr Paket")
    doubt = Doubt("r", payload(message), "anna", NOW)
    assert bool(found_in([shown], doubt)) == is_found


def test_the_words_of_a_card_are_its_words():
    template = {"template_type": "button", "text": "Welche?", "buttons": []}
    doubt = Doubt("r", payload({"attachment": {"type": "template", "payload": template}}), "a", NOW)
    for text in ("Welche?", ""):
        assert found_in([Shown("m1", NOW, is_ours=True, text=text)], doubt) == "m1"
    assert not found_in([Shown("m1", NOW, is_ours=True, text="Etwas anderes")], doubt)


def test_where_it_is_not_told_who_wrote_nobody_knows():
    doubt = Doubt("r", payload(WORDS), "anna", NOW)
    assert not found_in([Shown("m1", NOW, is_ours=None, text=WORDS["text"])], doubt)
    assert is_unclear([Shown("m1", NOW, is_ours=None, text="?")], doubt)
    assert not is_unclear([Shown("m1", NOW, is_ours=False, text="?")], doubt)


async def test_who_may_not_ask_or_gets_no_answer():
    async with World() as world:
        world.fake.history.allowed = False
        with pytest.raises(Undeliverable):
            await world.settle(WORDS)
    gone = INSTAGRAM.channel(api_url=NOBODY_THERE)
    with pytest.raises(TryAgain):
        await gone.settle(Doubt("r", payload(WORDS), "anna", NOW))
    await gone.close()


async def test_only_so_many_questions_a_second():
    async with World() as world:
        world.now += LATER
        begun_s = time.monotonic()
        for name in ("anna", "bert", "cora"):
            world.fake.says(name, "Hallo")
            world.now += timedelta(seconds=1)
            doubt = Doubt("r", payload(WORDS, name), name, NOW)
            assert await world.channel.settle(doubt) is not None
        assert time.monotonic() - begun_s > 2.5, "six calls, two a second"


async def test_messenger_has_its_echoes():
    channel = MESSENGER.channel()
    (shown,) = channel.render(OutboundMessage(text="Hallo"), "anna")
    assert await channel.settle(Doubt("r", shown, "anna", NOW)) is None
