"""The tables behind the charts."""

import csv
import io
from collections.abc import Callable, Mapping
from itertools import starmap

from desk.insights.exact import Share
from desk.insights.figures import Figures, Group
from desk.insights.forecast import Forecast
from desk.insights.outcomes import OUTCOMES
from desk.insights.showing import Amount, Cell, Column, Table, raw

Named = Callable[[str], str]
NamedStep = Callable[[str, str], str]


class Sheets:
    """Makes tables of figures."""

    def __init__(
        self,
        words: Mapping[str, str],
        skill: Named,
        reason: Named,
        channel: Named,
        step: NamedStep,
    ) -> None:
        """Head columns with `words`.

        Args:
            words: in the reader's language.
            skill, reason, channel: return what one is called.
            step: returns what a step of a skill is called.
        """
        self._words = words
        self._skill = skill
        self._reason = reason
        self._channel = channel
        self._step = step

    def all(self, found: Figures, ahead: Forecast, currency: str) -> dict[str, Table]:
        """Return all tables by name."""
        tables = [
            self._outcomes(found),
            self._days(found),
            self._reasons(found),
            self._groups("channels", "channel", found.channels, self._channel),
            self._groups("languages", "language", found.languages, str),
            self._groups("skills", "skill", found.skills, self._skill),
            self._surveys(found),
            self._sales(found),
            self._times(found),
            self._costs(found, currency),
            self._funnel(found),
            self._steps(found),
            self._forecast(ahead),
        ]
        return {table.name: table for table in tables}

    def _table(self, name: str, columns: tuple[Column, ...], rows: list[tuple[Cell, ...]]) -> Table:
        return Table(name, self._words.get(name, name), columns, tuple(rows))

    def _column(self, name: str, kind: str = "count", currency: str = "") -> Column:
        return Column(name, self._words[name], kind, currency)  # type: ignore[arg-type]

    def _outcomes(self, found: Figures) -> Table:
        columns = (self._column("outcome", "text"), self._column("count"), self._column("share"))
        rows: list[tuple[Cell, ...]] = [
            (self.outcome(each), count, Share(count, found.conversations))
            for each in OUTCOMES
            if (count := found.outcomes.get(each, 0)) or each != "undecided"
        ]
        return self._table("outcomes", columns, rows)

    def outcome(self, name: str) -> str:
        """Return what an outcome is called."""
        return self._words["out_handed_over" if name == "handed_over" else name]

    def _days(self, found: Figures) -> Table:
        columns = (
            self._column("day", "day"),
            self._column("conversations"),
            self._column("solved"),
            self._column("out_handed_over"),
        )
        rows: list[tuple[Cell, ...]] = [
            (each.day, each.conversations, each.solved, each.handed_over) for each in found.days
        ]
        return self._table("days", columns, rows)

    def _reasons(self, found: Figures) -> Table:
        columns = (self._column("reason", "text"), self._column("count"))
        return self._table(
            "reasons", columns, [(self._reason(name), count) for name, count in found.reasons]
        )

    def _groups(self, name: str, head: str, groups: tuple[Group, ...], called: Named) -> Table:
        columns = (
            self._column(head, "text"),
            self._column("conversations"),
            self._column("contained", "share"),
            self._column("handed_over", "share"),
        )
        rows: list[tuple[Cell, ...]] = [
            (called(g.name) or "–", g.conversations, g.contained, g.handed_over) for g in groups
        ]
        return self._table(name, columns, rows)

    def _surveys(self, found: Figures) -> Table:
        columns = (
            self._column("figure", "text"),
            self._column("asked"),
            self._column("answered"),
            self._column("response", "share"),
            self._column("value", "share"),
        )
        rows: list[tuple[Cell, ...]] = []
        for kind, told in found.surveys.items():
            net = Share(told.top - told.detractors, told.answered)
            rows.append((
                self._words.get(kind, kind),
                told.asked,
                told.answered,
                told.response,
                net,
            ))
        return self._table("surveys", columns, rows)

    def _sales(self, found: Figures) -> Table:
        """Write each amount in its own currency."""
        columns = (
            self._column("currency", "text"),
            self._column("orders"),
            self._column("sum", "money"),
            self._column("aov", "money"),
        )
        rows: list[tuple[Cell, ...]] = [
            (
                each.currency,
                each.orders,
                Amount(each.value_minor, each.currency),
                Amount(each.aov_minor, each.currency),
            )
            for each in found.sales
        ]
        return self._table("sales", columns, rows)

    def _times(self, found: Figures) -> Table:
        columns = (
            self._column("figure", "text"),
            self._column("count"),
            self._column("median", "seconds"),
            self._column("p90", "seconds"),
        )
        rows: list[tuple[Cell, ...]] = [
            (self._words[name], times.count, times.median_s, times.p90_s)
            for name, times in (
                ("first_reply", found.first_reply),
                ("resolution", found.resolution),
            )
        ]
        return self._table("times", columns, rows)

    def _costs(self, found: Figures, currency: str) -> Table:
        columns = (self._column("figure", "text"), self._column("value", "money", currency))
        costs = found.costs
        rows: list[tuple[Cell, ...]] = [
            (self._words["cost"], costs.total_minor),
            (self._words["cost_conversation"], costs.per_conversation_minor),
            (self._words["cost_resolution"], costs.per_resolution_minor),
        ]
        return self._table("costs", columns, rows)

    def _funnel(self, found: Figures) -> Table:
        columns = (
            self._column("skill", "text"),
            *(self._column(name) for name in ("started", "completed", "cancelled", "left")),
        )
        rows: list[tuple[Cell, ...]] = [
            (self._skill(f.skill), f.started, f.completed, f.cancelled, f.left)
            for f in found.funnels
        ]
        return self._table("funnel", columns, rows)

    def _steps(self, found: Figures) -> Table:
        columns = (
            self._column("skill", "text"),
            self._column("step", "text"),
            self._column("step_id", "text"),
            self._column("reached"),
            self._column("stopped"),
        )
        rows: list[tuple[Cell, ...]] = [
            (
                self._skill(funnel.skill),
                self._step(funnel.skill, each.step) or each.step,
                each.step,
                each.reached,
                each.stopped,
            )
            for funnel in found.funnels
            for each in funnel.steps
        ]
        return self._table("steps", columns, rows)

    def _forecast(self, ahead: Forecast) -> Table:
        columns = (
            self._column("day", "day"),
            *(self._column(name) for name in ("hour", "expected", "low", "high")),
        )
        rows: list[tuple[Cell, ...]] = [
            (each.day, each.hour, each.expected, each.low, each.high) for each in ahead.hours
        ]
        return self._table("forecast", columns, rows)


def as_csv(table: Table) -> str:
    """Return a table as CSV; a text that a spreadsheet would take for a formula is quoted."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\r\n")
    lines.writerow([_head(column) for column in table.columns])
    for row in table.rows:
        lines.writerow(list(starmap(raw, zip(row, table.columns, strict=True))))
    return written.getvalue()


def _head(column: Column) -> str:
    unit = column.currency or ("s" if column.kind == "seconds" else "")
    return f"{column.name} ({unit})" if unit else column.name
