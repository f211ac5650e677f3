"""The figures at the top of the page, each with what it means and what it was before."""

from collections.abc import Callable, Mapping

import msgspec

from desk.insights.exact import Share, Spread
from desk.insights.figures import Figures, SurveyFigures
from desk.insights.showing import NOTHING, Writer

_TITLES = {"unknown": "tile_unknown"}
_NO_SURVEY = SurveyFigures(0, 0, 0, 0)


class Tile(msgspec.Struct, frozen=True):
    """A figure: its value, the same for the period before, and what stands below."""

    name: str
    title: str
    value: str
    before: str
    below: str
    meaning: str


class Tiles:
    """Makes tiles of figures and of those before."""

    def __init__(
        self,
        words: Mapping[str, str],
        meanings: Mapping[str, str],
        writer: Writer,
        currency: str,
        *,
        has_costs: bool,
    ) -> None:
        """Write for one reader.

        Args:
            words: titles in the reader's language.
            meanings: definitions in the reader's language.
            writer: of numbers.
            currency: of costs.
            has_costs: whether the shop told what anything costs.
        """
        self._words = words
        self._meanings = meanings
        self._write = writer
        self._currency = currency
        self._has_costs = has_costs

    def all(self, now: Figures, before: Figures) -> list[Tile]:
        """Return all tiles in the order of the page."""
        w = self._write
        both = now, before
        return [
            self._tile("conversations", both, lambda f: w.count(f.conversations)),
            self._tile("contained", both, lambda f: w.share(f.contained), self._of(now.contained)),
            self._tile("unknown", both, self._unknown),
            self._tile(
                "handed_over", both, lambda f: w.share(f.handed_over), self._of(now.handed_over)
            ),
            self._time("first_reply", both, lambda f: f.first_reply),
            self._time("resolution", both, lambda f: f.resolution),
            *(self._survey(kind, both) for kind in ("csat", "effort", "nps")),
            self._tile("cost_conversation", both, self._cost("per_conversation_minor")),
            self._tile("cost_resolution", both, self._cost("per_resolution_minor")),
            self._tile("aov", both, self._aov),
            self._tile(
                "conversion", both, lambda f: w.share(f.conversion), self._of(now.conversion)
            ),
            self._tile("marks", both, self._marks),
        ]

    def _tile(
        self,
        name: str,
        both: tuple[Figures, Figures],
        value: Callable[[Figures], str],
        below: str = "",
    ) -> Tile:
        now, before = both
        return Tile(
            name,
            self._words[_TITLES.get(name, name)],
            value(now),
            value(before),
            below,
            self._meanings[name],
        )

    def _of(self, share: Share) -> str:
        w = self._write
        return self._words["of"].format(part=w.count(share.part), whole=w.count(share.whole))

    def _unknown(self, found: Figures) -> str:
        decided = Share(found.outcomes.get("unknown", 0), found.contained.whole)
        return self._write.share(decided)

    def _time(
        self, name: str, both: tuple[Figures, Figures], times: Callable[[Figures], Spread]
    ) -> Tile:
        now = times(both[0])
        w = self._write
        below = f"{self._words['p90']} {w.seconds(now.p90_s)} · n = {w.count(now.count)}"
        return self._tile(
            name, both, lambda f: w.seconds(times(f).median_s), below if now.count else ""
        )

    def _survey(self, kind: str, both: tuple[Figures, Figures]) -> Tile:
        def value(found: Figures) -> str:
            told = found.surveys.get(kind, _NO_SURVEY)
            if kind == "nps":
                return NOTHING if told.nps is None else self._write.tenths(told.nps)
            return self._write.share(Share(told.top, told.answered))

        told = both[0].surveys.get(kind, _NO_SURVEY)
        below = f"{self._words['response']} {self._of(told.response)}" if told.asked else ""
        return self._tile(kind, both, value, below)

    def _cost(self, name: str) -> Callable[[Figures], str]:
        def value(found: Figures) -> str:
            if not self._has_costs:
                return self._words["no_costs"]
            return self._write.money(getattr(found.costs, name), self._currency)

        return value

    def _aov(self, found: Figures) -> str:
        each = (self._write.money(sale.aov_minor, sale.currency) for sale in found.sales)
        return " · ".join(each) or NOTHING

    def _marks(self, found: Figures) -> str:
        return self._words["right_wrong"].format(
            right=self._write.count(found.marked_right), wrong=self._write.count(found.marked_wrong)
        )
