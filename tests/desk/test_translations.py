"""What is translated at the desk: remembered for a while, erased, and quiet while it fails."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.translation_setup import SpokenLanguage
from desk import translation_memory
from desk.translation import TranslationFailed, Translator
from desk.translation_memory import Choice, Translated, TranslationMemory, key_of
from desk.translations import Translations, Wanted
from tests.desk.translation_servers import LibreServer

LENA, MARA = "webchat:lena", "webchat:mara"


class Clock:
    now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def later(self, **by):
        self.now += timedelta(**by)


class World:
    def __init__(self, names=()):
        self.clock, self.service, self.names = Clock(), LibreServer(), names
        self.memory = TranslationMemory(self.clock)
        self.translator = self.service.make()
        self.desk = Translations(self.translator, self.memory, self.clock, self.read_names)

    async def read_names(self):
        if self.names is None:
            raise ConnectionError
        return self.names

    async def told(self, *texts, who=LENA, **more):
        wanted = [Wanted(text, "de") for text in texts]
        return await self.desk.translate(who, wanted, "en", **more)


@pytest.fixture
async def world():
    world = World(["Regenjacke Nordkap"])
    yield world
    await world.translator.close()


async def test_numbers_and_names_stay(world):
    (found,) = await world.told("die Regenjacke Nordkap aus TR-104711 für 12,50 €")
    assert found == Translated("DIE Regenjacke Nordkap AUS TR-104711 FÜR 12,50 €")


async def test_what_was_translated_is_not_asked_for_again(world):
    assert world.desk.kept(LENA, Wanted("hallo", "de"), "en") is None
    await world.told("hallo", "welt", "hallo")
    assert sorted(world.service.sent) == ["hallo", "welt"]
    assert world.desk.kept(LENA, Wanted("hallo", "de"), "en") == Translated("HALLO")
    assert world.desk.kept(MARA, Wanted("hallo", "de"), "en") is None, "of another conversation"
    assert [t.text for t in await world.told("welt", "neu", "hallo")] == ["WELT", "NEU", "HALLO"]
    assert world.service.asked == 2


async def test_several_who_look_ask_once(world):
    await asyncio.gather(*(world.told("hallo") for _ in range(5)))
    assert world.service.asked == 1


async def test_it_is_kept_for_a_while_only(world):
    await world.told("hallo")
    world.clock.later(minutes=61)
    assert world.desk.kept(LENA, Wanted("hallo", "de"), "en") is None


async def test_the_memory_has_a_bound(world, monkeypatch):
    monkeypatch.setattr(translation_memory, "MOST_TEXTS", 3)
    for number in range(5):
        world.memory.put(LENA, key_of(str(number), "de", "en"), Translated("x"))
    kept = [world.memory.get(LENA, key_of(str(n), "de", "en")) is not None for n in range(5)]
    assert kept == [False, False, True, True, True]


async def test_what_is_erased_is_gone(world):
    await world.told("mein Name ist Lena")
    world.memory.choose("o1", LENA, Choice(is_on=True))
    world.memory.choose("o1", MARA, Choice(is_on=True))
    assert await world.memory.erase(LENA) == {"translations": 1}
    assert world.desk.kept(LENA, Wanted("mein Name ist Lena", "de"), "en") is None
    assert world.memory.choice("o1", LENA) == Choice()
    assert world.memory.choice("o1", MARA).is_on


async def test_what_is_erased_meanwhile_does_not_come_back(world):
    world.service.hold = asyncio.Event()
    asked = asyncio.ensure_future(world.told("mein Name ist Lena"))
    await world.service.came.wait()
    await world.memory.erase(LENA)
    world.service.hold.set()
    await asked
    assert world.desk.kept(LENA, Wanted("mein Name ist Lena", "de"), "en") is None


async def test_what_is_redacted_is_gone(world):
    await world.told("mein Name ist Lena", "danke")
    world.memory.keep_only(LENA, ["[redacted]", "danke"])
    assert world.desk.kept(LENA, Wanted("mein Name ist Lena", "de"), "en") is None
    assert world.desk.kept(LENA, Wanted("danke", "de"), "en")


async def test_pages_leave_a_failing_service_alone(world):
    world.service.fails(500)
    for _ in range(3):
        with pytest.raises(TranslationFailed, match="unavailable"):
            await world.told("hallo")
    assert world.service.asked == 1
    (found,) = await world.told("hallo", eager=True)  # somebody who waits for it asks at once
    assert found.text == "HALLO"
    assert await world.told("welt"), "and then all do again"
    world.service.fails(429, retry_after="90")
    with pytest.raises(TranslationFailed, match="busy"):
        await world.told("drei")
    world.clock.later(seconds=80)
    with pytest.raises(TranslationFailed, match="busy"):
        await world.told("drei")
    world.clock.later(seconds=20)
    assert await world.told("drei")


async def test_a_language_that_is_not_translated_says_nothing_of_others(world):
    with pytest.raises(TranslationFailed, match="language"):
        await world.desk.translate(LENA, [Wanted("nuqneH", "tlh")], "en")
    assert await world.told("hallo")


class Broken(Translator):
    """A shop's own translator with a mistake in it."""

    async def translate(self, texts, source, target):
        return list(texts)[1:] if source == "de" else next(iter(texts))[99]

    async def close(self):
        """Have nothing to close."""


@pytest.mark.parametrize(("source", "reason"), [("de", "garbled"), ("fr", "unavailable")])
async def test_whatever_a_translator_breaks_with_is_a_failure(world, source, reason):
    desk = Translations(Broken(), world.memory, world.clock)
    with pytest.raises(TranslationFailed, match=reason):
        await desk.translate(LENA, [Wanted("hallo", source)], "en")


async def test_a_shop_that_is_down_leaves_the_translation(world):
    world.names = None
    assert (await world.told("hallo 5"))[0].text == "HALLO 5"


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["où est mon colis ?", "bonjour, je voudrais renvoyer une veste bleue"], "fr"),
        (["gdzie jest moja paczka? TR-104711"], "pl"),
        (["ok", "merci"], "de"),
        (["TR-104711 https://a.io/this-is-an-english-word-or-two"], "de"),
        ([], "de"),
    ],
)
async def test_the_language_of_a_customer_beyond_those_of_the_bot(world, texts, language):
    desk = Translations(world.translator, world.memory, world.clock, identify=_spoken.of)
    assert await desk.language(texts, "de") == language


_spoken = SpokenLanguage()
