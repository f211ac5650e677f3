"""How figures are written: numbers, shares, times, amounts and days, for people and for CSV."""

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_currency_precision

from desk.insights.exact import Share

Kind = Literal["text", "count", "share", "seconds", "money", "day"]
_RISKY = ("=", "+", "-", "@", "\t", "\r")
_LOCALES = {"de": "de_DE", "en": "en_GB"}
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
NOTHING = "–"


class Amount(msgspec.Struct, frozen=True):
    """Money."""

    minor: int
    currency: str


Cell = str | int | Share | Amount | date | None
"""What stands in a table: money in minor units of its column, times in seconds."""


class Column(msgspec.Struct, frozen=True):
    """A column of a table; `currency` of its amounts."""

    name: str
    title: str
    kind: Kind = "count"
    currency: str = ""


class Table(msgspec.Struct, frozen=True):
    """A table, shown on the page and given out as CSV."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Writer:
    """Writes figures in a language."""

    def __init__(self, language: str) -> None:
        """Write for readers of `language`."""
        self._language = language
        self._locale = _LOCALES.get(language, "en_GB")

    def cell(self, value: Cell, column: Column) -> str:
        """Return what stands in a cell on the page."""
        if value is None:
            return NOTHING
        if isinstance(value, Share):
            return self.share(value)
        if isinstance(value, date):
            return self.short(value)
        if isinstance(value, str):
            return value
        if isinstance(value, Amount):
            return self.money(value.minor, value.currency)
        if column.kind == "money":
            return self.money(value, column.currency)
        return self.seconds(value) if column.kind == "seconds" else self.count(value)

    def count(self, value: int) -> str:
        """Return a whole number."""
        return str(format_decimal(value, locale=self._locale))

    def share(self, share: Share) -> str:
        """Return a share as a percentage with one decimal."""
        return self.per_mille(share.per_mille)

    def per_mille(self, value: int | None) -> str:
        """Return thousandths as a percentage with one decimal."""
        if value is None:
            return NOTHING
        number = format_decimal(Decimal(value) / 10, "#,##0.0", locale=self._locale)
        return f"{number}\N{NO-BREAK SPACE}%"

    def tenths(self, value: int) -> str:
        """Return tenths as a number with one decimal."""
        return str(format_decimal(Decimal(value) / 10, "#,##0.0", locale=self._locale))

    def basis_points(self, value: int) -> str:
        """Return hundredths of a percent as a percentage."""
        number = format_decimal(Decimal(value) / 100, "#,##0.##", locale=self._locale)
        return f"{number}\N{NO-BREAK SPACE}%"

    def ratio(self, value: float) -> str:
        """Return how many times as much."""
        return str(format_decimal(value, "#,##0.00", locale=self._locale))

    def money(self, minor: int | None, currency: str) -> str:
        """Return an amount."""
        if minor is None:
            return NOTHING
        amount = major(minor, currency)
        return str(format_currency(amount, currency or "XXX", locale=self._locale))

    def seconds(self, value: int | None) -> str:
        """Return a length of time in its two largest units."""
        if value is None:
            return NOTHING
        for unit_s, small_s, names in (
            (DAY_S, HOUR_S, ("d", "h")),
            (HOUR_S, MINUTE_S, ("h", "min")),
            (MINUTE_S, 1, ("min", "s")),
        ):
            if value >= unit_s:
                rest = value % unit_s // small_s
                return f"{value // unit_s} {names[0]}" + (f" {rest} {names[1]}" if rest else "")
        return f"{value} s"

    def short(self, value: date) -> str:
        """Return a day of the week with its date."""
        shape = "EEE d. MMM" if self._language == "de" else "EEE d MMM"
        return str(format_date(value, shape, locale=self._locale))

    def day(self, value: date) -> str:
        """Return a date with its year."""
        return str(format_date(value, "medium", locale=self._locale))


def raw(value: Cell, column: Column) -> str:
    """Return what stands in a cell of a CSV file: no formula, whatever a text says."""
    if value is None:
        return ""
    if isinstance(value, Share):
        return "" if value.per_mille is None else str(Decimal(value.per_mille) / 1000)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Amount):
        return str(major(value.minor, value.currency))
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_RISKY) else value
    return str(major(value, column.currency)) if column.kind == "money" else str(value)


def major(minor: int, currency: str) -> Decimal:
    """Return minor units as the amount that people read."""
    return Decimal(minor).scaleb(-get_currency_precision(currency or "XXX"))
