"""What every translator must do, against a fake of its service; subclass and name it."""

import logging

import pytest

from desk.translation import CLOSE, OPEN, TranslationFailed
from tests.desk.translation_servers import KEY


class TranslatorContract:
    """Subclasses set `service`, whose `make` returns the translator that asks it."""

    service: type

    @pytest.fixture
    async def world(self):
        service = self.service()
        translator = service.make()
        yield service, translator
        await translator.close()

    async def why(self, translator, *texts, source="de", target="en"):
        with pytest.raises(TranslationFailed) as raised:
            await translator.translate(texts, source, target)
        assert KEY not in str(raised.value)
        return raised.value

    async def test_as_many_in_the_same_order(self, world):
        _, translator = world
        texts = ["wo ist es?", "", "danke", "wo ist es?", "123 …", "gut"]
        found = await translator.translate(texts, "de", "en")
        assert found == ["WO IST ES?", "", "DANKE", "WO IST ES?", "123 …", "GUT"]

    async def test_a_language_that_is_not_known_is_found_out(self, world):
        _, translator = world
        assert await translator.translate(["merci"], "", "de") == ["MERCI"]

    async def test_what_is_marked_stays(self, world):
        _, translator = world
        kept = f"{OPEN}tr-104711{CLOSE}", f"{OPEN}https://a.io/?x=1&y=<2>{CLOSE}"
        text = f"wo ist {kept[0]}, siehe {kept[1]}, {kept[0]}!"
        (found,) = await translator.translate([text], "de", "en")
        assert found == f"WO IST {kept[0]}, SIEHE {kept[1]}, {kept[0]}!"

    async def test_line_breaks_stay(self, world):
        _, translator = world
        text = "hallo,\n\n  wo ist es?\n\ngruß\nlena"
        assert await translator.translate([text], "de", "en") == [
            "HALLO,\n\n  WO IST ES?\n\nGRUSS\nLENA"
        ]

    @pytest.mark.parametrize(
        "text",
        [
            '<b class="x">hi</b> & co',
            "</x><x/> ]]> <!-- no",
            "a < b > c",
            "<span>&amp;</span>",
            "tab\there\x00\x08\x0b.",
        ],
    )
    async def test_markup_is_text(self, world, text):
        _, translator = world
        (found,) = await translator.translate([text], "de", "en")
        for word in ("hi", "b", "here", "co"):
            assert (word in text) <= (word.upper() in found)
        assert found.count("<") == text.count("<") or "&amp;" in text or "x/" in text

    async def test_much_goes_in_parts(self, world):
        service, translator = world
        texts = [f"zeile {chr(97 + n % 26)}" for n in range(120)] + ["wort " * 300] * 20
        found = await translator.translate(texts, "de", "en")
        assert found == [text.strip().upper() for text in texts]
        assert service.asked > 3

    async def test_nothing_is_asked_for_nothing(self, world):
        service, translator = world
        assert await translator.translate([], "de", "en") == []
        assert await translator.translate(["", "12 – 4 €"], "de", "en") == ["", "12 – 4 €"]
        assert service.asked == 0

    async def test_each_failure_has_its_reason(self, world):
        service, translator = world
        for status, reason in service.statuses:
            service.fails(status, "Lena wrote something")
            failed = await self.why(translator, "hallo")
            assert (failed.reason, "Lena" in str(failed)) == (reason, False), status
        service.fails(429, retry_after="30")
        assert (await self.why(translator, "hallo")).after_s == 30
        service.fails(302, location="http://elsewhere.test")
        assert (await self.why(translator, "hallo")).reason == "garbled"
        service.is_down = True
        assert (await self.why(translator, "hallo")).reason == "unavailable"

    async def test_a_language_that_it_does_not_know(self, world):
        _, translator = world
        assert (await self.why(translator, "hallo", target="tlh")).reason == "language"
        assert (await self.why(translator, "hallo", source="tlh")).reason == "language"

    async def test_a_wrong_key(self, world):
        service, _ = world
        stranger = service.make(key="wrong")
        assert (await self.why(stranger, "hallo")).reason == "credentials"
        await stranger.close()

    async def test_answers_that_are_none(self, world):
        service, translator = world
        for body in ("", "<html>", "[]", "{}", '{"translatedText": 1}', '{"translations": [{}]}'):
            service.fails(200, body)
            assert (await self.why(translator, "hallo")).reason == "garbled", body
        service.left_out = 1
        assert (await self.why(translator, "hallo", "welt")).reason == "garbled"

    async def test_a_slow_one_is_not_waited_for(self, world, caplog):
        service, _ = world
        caplog.set_level(logging.DEBUG)
        service.takes_s = 5.0
        hasty = service.make(timeout_s=0.05)
        assert (await self.why(hasty, "geheim")).reason == "unavailable"
        await hasty.close()
        assert "geheim" not in caplog.text
