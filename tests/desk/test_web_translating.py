"""A conversation in a language that its operator does not read, over HTTP."""

import re

import pytest

from bot import events as ev
from bot.redaction import Wanted as Redacted
from bot.redaction import redact
from bot.storage.paging import all_received
from desk.records import CannedReply
from desk.translation_memory import TranslationMemory
from desk.translations import Translations
from desk.web.ports import Outside
from tests.desk.house import DeskHouse, Watch
from tests.desk.translation_servers import LibreServer

FRENCH = "où est ma commande TR-104711 ?"


async def identify(text):
    return "fr" if "commande" in text else ""


class House(DeskHouse):
    def __init__(self, folder):
        self.service = LibreServer()
        self.translator = self.service.make()
        memory = TranslationMemory(Watch())
        self.translations = Translations(self.translator, memory, Watch(), identify=identify)
        super().__init__(folder, Outside(translations=self.translations))

    async def close(self):
        await self.translator.close()
        await super().close()

    async def french(self, text=FRENCH):
        """Have a customer write French to a bot that takes it for English."""
        return await self.waits(text=text, language="en")


@pytest.fixture
async def house(tmp_path):
    house = House(tmp_path)
    yield house
    await house.close()


@pytest.fixture
async def case(house):
    return await house.french()


async def taken(house, case, **more):
    anna = await house.at_desk("Anna", languages=("en", "de"), **more)
    await anna.act(case, "take")
    return anna


async def test_the_page_does_not_wait_and_the_translation_comes_by_itself(house, case):
    anna = await house.at_desk("Anna", languages=("en", "de"))
    page = (await anna.case(case)).text
    assert FRENCH in page
    assert house.service.asked == 0
    assert re.search(r'id="translating-[\d-]+" hx-get="[^"]+/translations', page)
    assert '<div id="tr-1" class="translated" hidden>' in page
    came = (await anna.case(case, "/translations")).text
    assert '<div id="tr-1" class="translated" hx-swap-oob="outerHTML"' in came
    assert '<p lang="en">OÙ EST MA COMMANDE TR-104711 ?</p>' in came
    assert "By machine from: French" in came
    page = (await anna.case(case)).text
    assert f'<p lang="fr">{FRENCH}</p>' in page
    assert "OÙ EST MA COMMANDE" in page
    assert "/translations" not in page, "nothing is missing any more"
    assert house.service.asked == 1


async def test_who_reads_the_language_sees_it_as_it_is(house, case):
    ben = await house.at_desk("Ben", languages=("fr", "en"))
    page = (await ben.case(case)).text
    assert 'class="translated"' not in page
    assert 'data-on="0"' in page


async def test_anybody_may_switch_it_on_and_off(house, case):
    ben = await house.at_desk("Ben")  # takes all languages
    assert 'aria-pressed="false"' in (await ben.case(case)).text
    switched = await ben.act(case, "translating", on="1")
    assert switched.headers["hx-refresh"] == "true"
    page = (await ben.case(case)).text
    assert 'id="tr-1"' in page
    assert 'data-on="1" data-mine="en" data-theirs="fr"' in page
    clara = await house.at_desk("Clara")
    assert 'id="tr-1"' not in (await clara.case(case)).text, "each for themselves"
    await ben.act(case, "translating", on="0")
    assert 'id="tr-1"' not in (await ben.case(case)).text


async def test_the_language_can_be_put_right(house):
    case = await house.waits(text="halli hallo", language="en")
    anna = await house.at_desk("Anna", languages=("en",))
    assert 'id="tr-1"' not in (await anna.case(case)).text
    assert (await anna.act(case, "translating", on="1", language="<b>")).status_code == 422
    await anna.act(case, "translating", on="1", language="de")
    assert "By machine from: German" in (await anna.case(case, "/translations")).text


async def test_only_what_is_foreign_is_translated(house, case):
    conversation = case.partition("#")[0]
    await house.happens(
        conversation,
        ev.BotUttered("Please wait, 5 min.", {"language": "en"}),
        ev.BotUttered("einen Moment", {"language": "de"}),
        ev.UserUttered("4711", "m2", "webchat"),
        ev.UserUttered("", "m3", "webchat", attachments=()),
    )
    anna = await house.at_desk("Anna", languages=("en", "pl"))
    await anna.case(case, "/translations")
    assert sorted(house.service.sent) == sorted([
        "einen Moment",
        'où est ma commande <span translate="no">TR-104711</span> ?',
    ])


async def test_a_long_conversation_is_translated_from_its_end(house, case):
    conversation = case.partition("#")[0]
    more = [
        ev.UserUttered(f"commande ligne {'abcdefghijklmnopqrst'[n]}", f"x{n}") for n in range(20)
    ]
    await house.happens(conversation, *more)
    anna = await house.at_desk("Anna", languages=("en",))
    came = (await anna.case(case, "/translations")).text
    assert "COMMANDE LIGNE T" in came
    assert "COMMANDE LIGNE B" not in came
    assert re.search(r'id="translating-[\d-]+" hx-get="[^"]+/translations', came), "and goes on"
    for _ in range(2):
        came = (await anna.case(case, "/translations")).text
    last = (await anna.case(case, "/translations")).text
    assert "COMMANDE LIGNE B" in last
    assert "hx-get" not in last


async def test_hostile_texts_stay_text(house):
    case = await house.french('commande <script>alert("1")</script> https://a.io/"><b>x')
    anna = await house.at_desk("Anna", languages=("en",))
    came = (await anna.case(case, "/translations")).text
    assert "COMMANDE &lt;SCRIPT&gt;" in came
    assert not re.search(r"<script|<b>", came, re.IGNORECASE)


async def test_what_differs_is_told(house, case):
    house.service.fails(200, '{"translatedText": ["Where is my order TR-104712?"]}')
    anna = await house.at_desk("Anna", languages=("en",))
    came = (await anna.case(case, "/translations")).text
    assert "TR-104712" in came
    assert "may be wrong" in came


async def test_a_failure_is_told_and_can_be_tried_again(house, case):
    house.service.fails(429)
    anna = await house.at_desk("Anna", languages=("en",))
    came = await anna.case(case, "/translations")
    assert came.status_code == 200
    assert "The translator is busy" in came.text
    assert re.search(r'<button[^>]+hx-get="[^"]+/translations', came.text)
    assert FRENCH in (await anna.case(case)).text


async def test_redacted_messages_are_not_translated(house, case):
    anna = await house.at_desk("Anna", languages=("en",))
    await anna.case(case, "/translations")
    wanted = Redacted("dpo", "asked for", seqs=(1,))
    await redact(house.store, case.partition("#")[0], wanted, house.clock())
    await house.feed.renew(case.partition("#")[0])
    page = (await anna.case(case)).text
    assert "COMMANDE" not in page
    assert "commande" not in page
    assert not house.translations.memory._texts


class TestWriting:
    """In one's own language, seen before it goes out."""

    async def write(self, browser, case, text):
        answer = await browser.act(case, "translate", text=text)
        return answer.status_code, answer.json()

    async def say(self, browser, case, text, **more):
        answer = await browser.act(case, "say", text=text, **more)
        return answer.status_code, answer.json()["refusal"]

    async def test_what_was_written_stands_beside_what_was_sent(self, house, case):
        anna = await taken(house, case)
        status, told = await self.write(anna, case, "it comes today, 12.50 EUR")
        assert (status, told["text"]) == (200, "IT COMES TODAY, 12.50 EUR")
        assert (told["language"], told["original_language"], told["is_sure"]) == ("fr", "en", True)
        assert await house.events(case, ev.BotUttered) == [], "nothing is sent by that"
        own = {"original": "it comes today", "original_language": "en", "text_language": "fr"}
        assert await self.say(anna, case, "il arrive aujourd'hui", **own) == (200, "")
        (said,) = await house.events(case, ev.BotUttered)
        assert (said.text, said.data["language"]) == ("il arrive aujourd'hui", "fr")
        assert said.metadata["original"] == "it comes today"
        acted = (await house.events(case, ev.OperatorActed))[-1]
        assert "it comes" not in str(acted.data), "it stands in one place"
        (sent,) = await house.store.outbox.after(case.partition("#")[0])
        assert "today" not in str(sent.message), "the customer gets the translation alone"
        page = (await anna.case(case)).text
        assert "il arrive aujourd&#39;hui" in page
        assert '<p lang="en">it comes today</p>' in page
        assert "Written in: English" in page

    async def test_nothing_goes_out_untranslated_by_mistake(self, house, case):
        anna = await taken(house, case)
        assert await self.say(anna, case, "it comes today") == (422, "untranslated")
        assert await house.events(case, ev.BotUttered) == []
        long = {"original": "x" * 5001, "original_language": "en"}
        assert await self.say(anna, case, "il arrive", **long) == (422, "too_long")
        half = {"original": "x", "original_language": "<b>"}
        assert await self.say(anna, case, "it comes", **half) == (422, "untranslated")
        assert await self.say(anna, case, "OK!", untranslated="1", act="act-00000009") == (200, "")
        (said,) = await house.events(case, ev.BotUttered)
        assert "original" not in said.metadata

    async def test_who_reads_the_language_just_writes(self, house, case):
        ben = await house.at_desk("Ben", languages=("fr",))
        await ben.act(case, "take")
        assert await self.say(ben, case, "il arrive") == (200, "")

    async def test_failures_keep_the_text(self, house, case):
        anna = await taken(house, case)
        house.service.fails(500)
        status, told = await self.write(anna, case, "it comes")
        assert (status, told["problem"]) == (503, "unavailable")
        assert "does not answer" in told["told"]
        assert (await self.write(anna, case, "it comes"))[0] == 200, "asked again at once"
        assert (await self.write(anna, case, "  "))[1]["problem"] == "empty"
        assert (await self.write(anna, case, "x" * 5001))[1]["problem"] == "too_long"
        unknown = await house.waits("mara", "4711")
        assert (await self.write(anna, unknown, "hello"))[1]["problem"] == "unknown"

    async def test_prepared_replies_are_offered_in_the_language_that_is_written(self, house, case):
        texts = {"de": "Guten Tag", "en": "Good day"}
        await house.parts.canned.put(CannedReply("1", "hi", {"en": "Hi"}, texts))
        anna = await house.at_desk("Anna", languages=("de",), language="de")
        assert ">Guten Tag</li>" in (await anna.case(case)).text

    async def test_redaction_takes_both(self, house, case):
        anna = await taken(house, case)
        own = {"original": "dear Lena Muster", "original_language": "en", "text_language": "fr"}
        await self.say(anna, case, "chère Lena Muster", **own)
        conversation = case.partition("#")[0]
        stored, _ = await house.store.events.load(conversation)
        (seq,) = (each.seq for each in stored if each.type == "bot")
        wanted = Redacted("dpo", "asked for", seqs=(seq,), fields=("text",))
        await redact(house.store, conversation, wanted, house.clock())
        stored, _ = await house.store.events.load(conversation)
        assert "Muster" not in str([each.data for each in stored])
        entries = await all_received(house.store.inbox, conversation)
        assert "Muster" not in str(entries)


async def test_others_cases_do_not_exist(house):
    case = await house.french("commande secrète")
    await house.in_team(case, "finance")
    anna = await house.at_desk(areas=("returns",), languages=("en",))
    answers = [
        await anna.case(case, "/translations"),
        await anna.act(case, "translating", on="1"),
        await anna.act(case, "translate", text="hello"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert house.service.asked == 0


async def test_a_desk_without_a_translator_offers_none(tmp_path):
    house = DeskHouse(tmp_path)
    case = await house.waits(text=FRENCH)
    anna = await house.at_desk("Anna", languages=("de",))
    page = (await anna.case(case)).text
    assert "translating" not in page
    assert 'id="tongue"' not in page
    for answer in (
        await anna.case(case, "/translations"),
        await anna.act(case, "translating", on="1"),
        await anna.act(case, "translate", text="hello"),
    ):
        assert answer.status_code == 404
    await house.close()
