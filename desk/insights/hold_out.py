"""The visitors to whom no chat is offered, so that it can be told what the chat brings."""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import Annotated

import msgspec
from scipy.stats.contingency import relative_risk

from desk.errors import DeskError
from desk.insights.exact import Share, half_up

_SALT = b"tresen hold-out 1:"
_WHOLE_BP = 10_000
CONFIDENCE = 0.95
COLUMNS = ("day", "group", "visitors", "buyers", "orders", "value_minor", "currency")
GROUPS = {"chat": False, "hold_out": True}
MOST_LINES = 2000

Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class WrongVisits(DeskError):
    """The visitors cannot be read."""


class Visits(msgspec.Struct, frozen=True):
    """What the visitors of one group did in the shop on one day; `value_minor` is of all orders."""

    day: date
    is_held_out: bool
    visitors: Count
    buyers: Count
    orders: Count
    value_minor: Count
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class Visitors(msgspec.Struct, frozen=True):
    """What a group did in a period."""

    conversion: Share
    orders: int
    value_minor: int

    @property
    def aov_minor(self) -> int | None:
        """The average order value, rounded half up; None without orders."""
        return half_up(Fraction(self.value_minor, self.orders)) if self.orders else None


class Comparison(msgspec.Struct, frozen=True):
    """Both groups; `ratio` of their conversions lies in `interval` with 95 % confidence."""

    chat: Visitors
    held_out: Visitors
    currency: str
    ratio: float | None
    interval: tuple[float, float] | None

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves no room for "no difference"."""
        return self.interval is not None and not self.interval[0] <= 1 <= self.interval[1]


def is_held_out(visitor_id: str, hold_out_bp: int) -> bool:
    """Return whether a visitor is offered no chat; the same one always gets the same answer.

    Args:
        visitor_id: any stable id of the visitor.
        hold_out_bp: share of visitors, in hundredths of a percent.
    """
    digest = hashlib.sha256(_SALT + visitor_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % _WHOLE_BP < hold_out_bp


def compare(visits: Iterable[Visits], hold_out_bp: int, currency: str) -> Comparison | None:
    """Return how both groups bought; None without a hold-out group or visitors in both.

    Args:
        visits: of the period.
        hold_out_bp: share of visitors held out.
        currency: orders in another one are left out.
    """
    known = [each for each in visits if each.currency == currency]
    chat = _visitors([each for each in known if not each.is_held_out])
    held_out = _visitors([each for each in known if each.is_held_out])
    one, other = chat.conversion, held_out.conversion
    if not hold_out_bp or not one.whole or not other.whole:
        return None
    if not one.part or not other.part:  # a ratio of nothing tells nothing
        return Comparison(chat, held_out, currency, None, None)
    found = relative_risk(one.part, one.whole, other.part, other.whole)
    low, high = found.confidence_interval(CONFIDENCE)
    return Comparison(
        chat, held_out, currency, float(found.relative_risk), (float(low), float(high))
    )


def read_visits(text: str) -> list[Visits]:
    """Return the visitors that a table tells: CSV with the names of COLUMNS in its first line.

    Raises:
        WrongVisits: a line is not as it must be; the message tells which.
    """
    reader = csv.DictReader(io.StringIO(text.strip().replace(";", ",")))
    if tuple(name.strip() for name in reader.fieldnames or ()) != COLUMNS:
        raise WrongVisits(f"line 1 must be {','.join(COLUMNS)}")
    found = []
    for number, line in enumerate(reader, 2):
        found.append(_visit(line, number))
        if len(found) > MOST_LINES:
            raise WrongVisits(f"more than {MOST_LINES} lines")
    return found


def _visit(line: dict[str, str], number: int) -> Visits:
    told = {name: (line.get(name) or "").strip() for name in COLUMNS}
    if told["group"] not in GROUPS:
        raise WrongVisits(f"line {number}: group must be chat or hold_out")
    try:
        visit = msgspec.convert(
            {**told, "is_held_out": GROUPS[told["group"]]}, Visits, strict=False
        )
    except msgspec.ValidationError as error:
        raise WrongVisits(f"line {number}: {error}") from error
    if visit.buyers > visit.visitors or visit.orders < visit.buyers:
        raise WrongVisits(f"line {number}: buyers are visitors, and each has an order")
    return visit


def _visitors(visits: Sequence[Visits]) -> Visitors:
    return Visitors(
        Share(sum(each.buyers for each in visits), sum(each.visitors for each in visits)),
        sum(each.orders for each in visits),
        sum(each.value_minor for each in visits),
    )
