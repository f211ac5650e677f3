"""Builds the translator that `endpoints.yml` names: the composition root's part of it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import httpx

from actions.commerce.shop import Shop
from bot.settings import Settings
from bot.shops import Place, adapter, converted
from bot.understanding.language_model import LanguageModel
from bot.yaml_source import SourceError, YamlSource
from desk.translation import Translator
from desk.translation_memory import TranslationMemory
from desk.translations import LANGUAGES, Translations

NONE = "none"
"""The kind that translates nothing."""
KINDS = ("deepl", "libretranslate")
LEAST_SHARE = 0.9
"""Of a text's likelihood, so much must fall to one language to take it for that."""


class OpenTranslation:
    """The translator, where there is one, and what it translated a short while ago."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        """Open what the settings name; nothing is sent yet.

        Raises:
            SourceError: the translator or one of its settings is unknown, missing or wrong.
        """
        self.memory = TranslationMemory(clock)
        self._translator = make_translator(settings)
        self._clock = clock

    def over(self, shop: Shop) -> Translations | None:
        """Return what translates at the desk of a shop; None where nothing does."""
        if self._translator is None:
            return None

        async def names() -> Sequence[str]:
            products = await shop.catalog.products()
            titles = [title for product in products for title in product.title.values()]
            return [*titles, *(product.brand for product in products if product.brand)]

        spoken = SpokenLanguage()
        return Translations(self._translator, self.memory, self._clock, names, spoken.of)

    async def close(self) -> None:
        """Close the connections."""
        if self._translator is not None:
            await self._translator.close()


class SpokenLanguage:
    """Tells languages beyond those that the bot speaks; its model is loaded when first asked."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self._model: LanguageModel | None = None
        self._loading = asyncio.Lock()

    async def of(self, text: str) -> str:
        """Return the language of a text; empty where it does not tell clearly."""
        async with self._loading:
            if self._model is None:
                self._model = await asyncio.to_thread(LanguageModel, LANGUAGES)
        shares = self._model.shares(text.lower())
        best = max(shares, key=lambda code: shares[code])
        return best if shares[best] >= LEAST_SHARE else ""


def make_translator(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> Translator | None:
    """Return the translator that the settings name; None where there is none. Nothing is sent yet.

    Args:
        settings: both YAML files.
        transport: how requests leave; None for the network.

    Raises:
        SourceError: the translator or one of its settings is unknown, missing or wrong.
    """
    connection = settings.endpoints.translation
    if connection.kind == NONE:
        return None
    source = YamlSource.read(settings.root / "endpoints.yml", settings.root)
    place = Place(source, "translation")
    known = {name: f"desk.translators.{name}" for name in KINDS}
    opener, kind = adapter(connection, known, place)
    config = converted(connection, kind, place)
    try:
        translator = opener(config, transport)
    except ValueError as error:
        raise SourceError([place.problem(str(error))]) from error
    if not isinstance(translator, Translator):
        raise SourceError([place.problem(f"{connection.kind} is no translator")])
    return translator
