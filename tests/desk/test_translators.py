"""LibreTranslate and DeepL against fakes of them."""

import pytest

from desk.translators import deepl
from tests.contracts.translator import TranslatorContract
from tests.desk.translation_servers import KEY, DeepLServer, LibreServer


class TestLibreTranslate(TranslatorContract):
    service = LibreServer

    async def test_a_text_beyond_its_limit(self, world):
        _, translator = world
        assert (await self.why(translator, "wort " * 1000)).reason == "too_long"

    async def test_a_server_without_keys_gets_none(self, world):
        service, _ = world
        open_one = service.make(key="")
        assert (await self.why(open_one, "hallo")).reason == "credentials"
        await open_one.close()


class TestDeepL(TranslatorContract):
    service = DeepLServer

    @pytest.mark.parametrize(("key", "url"), [(f"{KEY}:fx", deepl.FREE), (KEY, deepl.PAID)])
    async def test_the_key_tells_the_server(self, key, url):
        service = DeepLServer()
        asked = []

        async def handle(request):
            asked.append(str(request.url))
            return await service.handle(request)

        transport = type(service.transport)(handle)
        translator = deepl.connect(deepl.Config(key), transport)
        if key == KEY:
            assert await translator.translate(["hallo"], "de", "en") == ["HALLO"]
        else:
            assert (await self.why(translator, "hallo")).reason == "credentials"
        assert asked == [f"{url}/v2/translate"]
        await translator.close()

    async def test_the_variant_of_a_language(self, world):
        service, _ = world
        config = deepl.Config(KEY, "http://deepl.test", {"en": "EN-US"})
        american = deepl.connect(config, service.transport)
        assert (await self.why(american, "hallo")).reason == "language"
        await american.close()
