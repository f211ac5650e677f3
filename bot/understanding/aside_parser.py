"""A parser in front of the parser: asides are parts of the wishes beside them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from bot.understanding.asides import Asides
from bot.understanding.result import OUT_OF_SCOPE, Intent, ParseResult
from bot.understanding.router import Parser

_SEARCH = "find_product"
_LEAST = 0.02


class AsideParser:
    """A parser that reads the asides of a message as part of its wishes."""

    def __init__(self, parser: Parser, asides: Asides) -> None:
        """Read everything else with `parser`."""
        self._parser = parser
        self._asides = asides

    def parse(
        self,
        text: str,
        hint_language: str | None = None,
        now: datetime | None = None,
        expected: Sequence[str] = (),
    ) -> ParseResult:
        """Return what the whole text says."""
        found = self._of_order(self._parser.parse(text, hint_language, now, expected))
        blanked = self._asides.without(text)
        if blanked == text or not blanked.strip():
            return found
        rest = self._of_order(self._parser.parse(blanked, hint_language, now, expected))
        if not self._asides.belong([rest]):
            return found
        return msgspec.structs.replace(found, intent=rest.intent, ranking=rest.ranking)

    def parse_wishes(
        self,
        text: str,
        hint_language: str | None = None,
        now: datetime | None = None,
        expected: Sequence[str] = (),
    ) -> list[ParseResult]:
        """Return what each wish says, at least one."""
        blanked = self._asides.without(text)
        if blanked != text and blanked.strip():
            wishes = self._parser.parse_wishes(blanked, hint_language, now, expected)
            rest = [self._of_order(wish) for wish in wishes]
            if self._asides.belong(rest):
                return list(self._asides.restored(rest, blanked, text))
        wishes = self._parser.parse_wishes(text, hint_language, now, expected)
        return [self._of_order(wish) for wish in wishes]

    def _of_order(self, wish: ParseResult) -> ParseResult:
        """Read words about an order as a wish about the order, not as a product search."""
        names_order = any(entity.type == "order_number" for entity in wish.entities)
        if wish.intent.name not in {_SEARCH, OUT_OF_SCOPE} or not names_order:
            return wish
        likely = next((i for i in wish.ranking if i.name in self._asides.skills), None)
        if likely is None or likely.confidence < _LEAST:
            return wish
        intent = Intent(likely.name, wish.intent.confidence)
        return msgspec.structs.replace(wish, intent=intent, ranking=(intent, *wish.ranking[1:]))
