"""What a reader asks for in the address of the page, and in its forms."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from babel.numbers import get_currency_precision

from desk.errors import DeskError
from desk.insights.costs import ShopNumbers
from desk.insights.period import MOST_DAYS, Choice, Period

DAYS = (7, 28, 91)
USUAL_DAYS = 28
_MOST_CHARS = 80
_PERCENT_BP = 100
_CHANNEL = "channel_"


class WrongNumbers(DeskError):
    """A number of the shop is missing or out of range."""


class Asked(msgspec.Struct, frozen=True):
    """What is looked at; `is_wrong`: a period was asked for that cannot be."""

    period: Period
    choice: Choice
    is_wrong: bool = False

    def query(self, **changes: str) -> str:
        """Return it as it stands in an address."""
        told = {
            "first": self.period.first.isoformat(),
            "last": self.period.last.isoformat(),
            **msgspec.structs.asdict(self.choice),
            **changes,
        }
        return urlencode({name: value for name, value in told.items() if value})


def asked_for(query: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Asked:
    """Return what an address asks for; without a period the last four weeks.

    Args:
        query: of the address.
        now: aware UTC.
        zone: of the office.
    """
    today = now.astimezone(zone).date()
    usual = _last_days(today, USUAL_DAYS, zone)
    choice = Choice(
        *(query.get(name, "")[:_MOST_CHARS] for name in ("channel", "language", "skill"))
    )
    days = query.get("days", "")
    if days.isdecimal() and int(days) in DAYS:
        return Asked(_last_days(today, int(days), zone), choice)
    if not query.get("first") and not query.get("last"):
        return Asked(usual, choice)
    try:
        first = date.fromisoformat(query.get("first", ""))
        last = date.fromisoformat(query.get("last", ""))
    except ValueError:
        return Asked(usual, choice, is_wrong=True)
    is_wrong = not 1 <= (last - first).days + 1 <= MOST_DAYS or not 2000 < first.year < 3000
    return Asked(usual if is_wrong else Period(first, last, zone), choice, is_wrong)


def _last_days(today: date, count: int, zone: ZoneInfo) -> Period:
    return Period(today - timedelta(days=count - 1), today, zone)


def numbers_of(form: Mapping[str, str]) -> ShopNumbers:
    """Return the shop's numbers that a form tells.

    Raises:
        WrongNumbers: one is missing or out of range.
    """
    currency = form.get("currency", "").strip().upper()
    try:
        places = get_currency_precision(currency)
        told = {
            "currency": currency,
            "hour_minor": _scaled(form.get("hour_minor", ""), 10**places),
            "month_minor": _scaled(form.get("month_minor", ""), 10**places),
            "message_minor": {
                name.removeprefix(_CHANNEL): amount
                for name, value in form.items()
                if name.startswith(_CHANNEL) and (amount := _scaled(value, 10**places))
            },
            "at_once": _scaled(form.get("at_once", ""), 1),
            "minutes": _scaled(form.get("minutes", ""), 1),
            "margin_bp": _scaled(form.get("margin_bp", ""), _PERCENT_BP),
            "credited_bp": _scaled(form.get("credited_bp", ""), _PERCENT_BP),
            "hold_out_bp": _scaled(form.get("hold_out_bp", ""), _PERCENT_BP),
        }
        return msgspec.convert(told, ShopNumbers)
    except (InvalidOperation, ValueError, msgspec.ValidationError) as error:
        raise WrongNumbers(type(error).__name__) from error


def _scaled(text: str, factor: int) -> int:
    """Return a number as a whole of its smallest units.

    Raises:
        InvalidOperation: it is no number.
        ValueError: it has more places than units.
    """
    value = Decimal(text.strip().replace(",", ".") or "0") * factor
    if not value.is_finite() or value != value.to_integral_value():
        raise ValueError(text[:20])
    return int(value)
