"""Writing out the placeholders of a rule's texts in each language."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from actions.commerce.money import Money, locale_of
from actions.policy.facts import Context, PolicyFacts
from actions.policy.specs import Texts

DAY_S = 86_400
_ORDER_DAYS = frozenset({"estimated_at", "placed_at"})


def fill(text: Texts, facts: PolicyFacts, variables: Context, words: dict[str, Any]) -> Texts:
    """Return the text with its placeholders written out in each language."""
    return {
        language: wording.format_map(_Placeholders(language, facts, variables, words))
        if "{" in wording
        else wording
        for language, wording in text.items()
    }


class _Placeholders(Mapping[str, str]):
    """What stands for a placeholder, worked out when a text asks for it."""

    def __init__(
        self, language: str, facts: PolicyFacts, variables: Context, words: dict[str, Any]
    ) -> None:
        self._language = language
        self._facts = facts
        self._variables = variables
        self._words = words
        self._order = variables["order"] or {}
        self._item = variables["item"] or {}

    def __getitem__(self, name: str) -> str:
        limits = self._variables["limits"]
        if name in limits:
            money = name.endswith("_minor")
            return self._money(limits[name]) if money else str(limits[name])
        if name in _ORDER_DAYS:
            return self._day(self._order.get(name))
        made: dict[str, Callable[[], str]] = {
            "order_number": lambda: str(self._order.get("number", "")),
            "status": self._status,
            "item": self._title,
            "deadline": lambda: self._day(self._variables["deadline"]),
            "delivered_at": self._delivered_at,
            "days_late": self._days_late,
            "amount": self._amount,
            "until": lambda: self._day(self._variables.get("until")),
            "withdrawal_until": lambda: self._day(self._item.get("withdrawal_until")),
        }
        return made[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def _status(self) -> str:
        status = str(self._order.get("status", ""))
        words = self._words.get("status", {}).get(status, {})
        return str(words.get(self._language, status))

    def _title(self) -> str:
        title = self._item.get("title", {})
        return title.get(self._language) or next(iter(title.values()), "")

    def _delivered_at(self) -> str:
        return self._day(self._item.get("delivered_at") or self._order.get("delivered_at"))

    def _days_late(self) -> str:
        deadline = self._variables["deadline"]
        late_s = (self._facts.now - deadline).total_seconds() if deadline else 0
        return str(max(0, int(-(-late_s // DAY_S))))

    def _amount(self) -> str:
        return self._money(self._variables.get("amount_minor") or self._facts.asked.amount_minor)

    def _day(self, at: datetime | None) -> str:
        if at is None:
            return "–"
        local = at.astimezone(ZoneInfo(self._facts.shop.time_zone)).date()
        return format_date(local, format="long", locale=locale_of(self._language))

    def _money(self, amount_minor: int) -> str:
        order = self._facts.order
        currency = order.currency if order else self._facts.shop.currency
        return Money(amount_minor, currency).text(self._language)
