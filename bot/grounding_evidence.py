"""Evidence: what the records and passages behind a message say, in the form of claims."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from bot.grounding_claims import Claim, Value, read_claims

ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
_UNIT_KEYS = (
    ("minute", "minute"), ("hour", "hour"), ("workday", "workday"), ("day", "day"),
    ("week", "week"), ("month", "month"), ("year", "year"),
)  # fmt: skip
THERE = frozenset({"available", "able", "buyable", "in_stock", "available_ids", "stock_rows"})
GONE = frozenset({"unavailable", "missing", "skipped", "gone", "left_out", "sold_out"})
LEFT = frozenset({"left", "stock", "quantity_left", "in_cart", "most"})
_STATES = {
    "in_stock": "there", "sold_out": "gone", "none": "gone", "short": "gone", "not_made": "gone",
    "nothing": "gone", "out_of_stock": "gone",
}  # fmt: skip
READ_AT = "read_at"
FADING = frozenset({"money", "stock", "left", "free"})
"""What a record stops proving when it is too old; when something happened stays true."""
_MAX_DEPTH = 8
_NEVER = "never"


class Ages(msgspec.Struct, frozen=True):
    """When evidence is read against: the present moment, and how old a record may be."""

    now: datetime
    most: timedelta = timedelta(minutes=30)

    def is_past(self, read_at: str) -> bool:
        """Return whether a record read then proves nothing any more; nor does one read never."""
        moment = _moment(read_at)
        return moment is None or self.now - moment > self.most


class Evidence:
    """What a message may say: a set of claims, gathered from records, passages and words."""

    def __init__(self, ages: Ages, zones: Iterable[ZoneInfo]) -> None:
        """Gather against `ages`; moments are read on the clocks of `zones`."""
        self._ages = ages
        self._zones = tuple(zones)
        self._keys: set[tuple[str, Value]] = set()
        self._dates: set[tuple[int, int, int]] = set()
        self._read_at = ""
        self._is_ruled = False
        #: When the oldest price or stock was read that counts; empty where no record tells.
        self.as_of = ""
        #: The kinds of claims that records state which were read too long ago.
        self.stale: set[str] = set()
        self.passages: dict[str, dict[str, Any]] = {}

    def text(self, text: str) -> None:
        """Take what a text states: a passage, a title, the customer's own words."""
        for claim in read_claims(text):
            self._add(claim.kind, claim.value)

    def record(self, value: Any, name: str = "") -> None:  # noqa: ANN401 - any JSON value
        """Take what a record states.

        Prices and stock in it that were read too long ago are passed over. The innermost `read_at`
        around them counts: what was read anew may stand in an older record.
        """
        self._read(value, name, 0)

    def slots(self, values: Mapping[str, Any], read_at: str) -> None:
        """Take what slots state; what says nothing else was read at `read_at`, if that is told."""
        self._read_at = read_at
        for name, value in values.items():
            self._read(value, name, 1)
        self._read_at = ""

    def stock(self, values: Mapping[str, Any]) -> None:
        """Take nothing but what records state about stock."""
        only = Evidence(self._ages, ())
        only.slots(values, str(values.get(READ_AT) or ""))
        self._is_ruled |= only._is_ruled
        self.stale |= only.stale
        self._keys |= {key for key in only._keys if key[0] in {"stock", "left"}}

    @property
    def keys(self) -> frozenset[tuple[str, Value]]:
        """Return what is stated, as keys of claims."""
        return frozenset(self._keys)

    @property
    def knows_stock(self) -> bool:
        """Return whether any record says, or once said, that something is, or is not, in stock."""
        return "stock" in self.stale or any(kind == "stock" for kind, _ in self._keys)

    def states(self, claim: Claim) -> bool:
        """Return whether the evidence states a claim."""
        if claim.kind == "money":
            amount, code = claim.value
            codes = {v[1] for k, v in self._keys if k == "money" and v[0] == amount}
            return bool(codes) and (code in codes or not code or codes == {""})
        if claim.kind == "date":
            return self._has_date(claim.value)
        if claim.kind == "weekday":
            days = {date(*day).weekday() for day in self._dates}
            return claim.key in self._keys or claim.value[0] in days
        if claim.kind == "stock":
            state, form = claim.value
            is_shown = (
                form == "is" and not self._is_ruled and ("stock", (state, "shown")) in self._keys
            )
            return claim.key in self._keys or is_shown
        if claim.kind == "soon":
            today = self._ages.now.date()
            days = {(date(*day) - today).days for day in self._dates}
            return claim.key in self._keys or claim.value[0] in days
        if claim.kind == "free":
            return claim.key in self._keys or any(k == "money" and not v[0] for k, v in self._keys)
        return claim.key in self._keys

    def _has_date(self, wanted: Value) -> bool:
        known = [*self._dates, *(v for k, v in self._keys if k == "date")]
        year, month, day, weekday = wanted
        return any(
            d[1] == month
            and (d[2] == day or day is None)
            and (year in {None, d[0]} or not d[0])
            and (weekday is None or weekday == _weekday(d))
            for d in known
        )

    def _add(self, kind: str, value: Value) -> None:
        if kind in FADING and self._read_at:
            if self._ages.is_past(self._read_at):
                self.stale.add(kind)
                return
            self.as_of = min(self.as_of or self._read_at, self._read_at, key=datetime.fromisoformat)
        self._keys.add((kind, value))
        if kind == "date" and all(part is not None for part in value[:3]):
            self._add_day(*value[:3])

    def _add_stock(self, *, is_there: bool) -> None:
        for form in ("listed", "shown"):
            self._add("stock", ("there" if is_there else "gone", form))

    def _add_day(self, *parts: Any) -> None:  # noqa: ANN401 - year, month, day
        try:
            self._dates.add((date(*parts).year, date(*parts).month, date(*parts).day))
        except ValueError:
            return

    def _read(self, value: Any, name: str, depth: int) -> None:  # noqa: ANN401 - any JSON value
        if depth > _MAX_DEPTH or value is None:
            return
        if isinstance(value, Mapping):
            self._mapping(value, depth)
        elif isinstance(value, list | tuple):
            if value and name in GONE | THERE:
                self._add_stock(is_there=name in THERE)
            for item in value:
                self._read(item, name, depth + 1)
        elif isinstance(value, bool):
            if name in THERE | GONE:
                self._add_stock(is_there=value == (name in THERE))
        elif isinstance(value, int | float):
            self._count(value, name)
        elif isinstance(value, str):
            self._string(value, name)

    def _mapping(self, value: Mapping[str, Any], depth: int) -> None:
        before = self._read_at
        read_at = value.get(READ_AT)
        if isinstance(read_at, str):
            self._read_at = read_at or _NEVER
        if value.get("passage_id"):
            kept = ("passage_id", "score", "updated_at", "country")
            self.passages[str(value["passage_id"])] = {k: value[k] for k in kept if value.get(k)}
        for rule in value.get("rule_ids") or ():
            self.passages.setdefault(f"rule:{rule}", {"rule": str(rule)})
        amount = value.get("amount_minor")
        if isinstance(amount, int):
            self._add("money", (abs(amount), str(value.get("currency") or "")))
        for unit in dict.fromkeys(unit for _, unit in _UNIT_KEYS):
            low, high = value.get(f"low_{unit}s"), value.get(f"high_{unit}s")
            if isinstance(low, int) and isinstance(high, int):
                self._add("span", (unit, low * 1000, high * 1000))
        for key, item in value.items():
            if key != READ_AT:
                self._read(item, str(key), depth + 1)
        self._read_at = before

    def _count(self, value: float, name: str) -> None:
        if not abs(value) < math.inf:  # nor nan
            return
        thousandths = round(value * 1000)
        if name.endswith("_minor"):
            self._add("money", (abs(int(value)), ""))
        elif name.endswith(("_bp", "percent")):
            self._add("percent", (round(value * 10) if name.endswith("_bp") else thousandths,))
        if name in LEFT:
            self._add("left", (thousandths,))
            self._add_stock(is_there=value > 0)
        for word, unit in _UNIT_KEYS:
            if word in name:
                self._add("span", (unit, thousandths, thousandths))
                if unit == "day":
                    self._add("span", ("workday", thousandths, thousandths))
                break

    def _string(self, value: str, name: str) -> None:
        if name.endswith("_state") and value in _STATES:
            self._add("stock", (_STATES[value], "is"))
            self._is_ruled = True
        if not ISO.fullmatch(value):
            self.text(value)
            return
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return
        if moment.tzinfo:
            self._add("moment", (int(moment.timestamp()),))
        is_real = date.min.year < moment.year < date.max.year  # others stand for "never"
        for zone in self._zones if len(value) > 10 and moment.tzinfo and is_real else ():
            local = moment.astimezone(zone)
            self._dates.add((local.year, local.month, local.day))
            self._add("time", (local.hour, local.minute))
        if len(value) <= 10 or moment.tzinfo is None:
            self._dates.add((moment.year, moment.month, moment.day))


def _moment(text: str) -> datetime | None:
    """Return a moment, None for none or one without a time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else None


def _weekday(day: Value) -> int | None:
    """Return the weekday of a date, as said with it or as the calendar has it."""
    if len(day) > 3 and day[3] is not None:
        return int(day[3])
    try:
        return date(*day[:3]).weekday()  # type: ignore[arg-type] # a missing part raises
    except (TypeError, ValueError):
        return None
