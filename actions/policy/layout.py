"""Decisions on an order as text for a terminal, in German or English, without personal data."""

import textwrap
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from actions.commerce.money import Money, locale_of
from actions.policy.explain import Explained
from actions.policy.facts import PolicyFacts

WIDTH = 100
_WORDS = {
    "en": {
        "yes": "yes", "no": "no", "rules": "rules", "facts": "facts", "until": "until",
        "methods": "methods", "fee": "fee", "paid_by": "paid by", "customer": "the customer",
        "shop": "the shop", "instead": "instead", "choices": "choices", "if": "if",
        "withdrawal": "right of withdrawal until", "shipping": "shipping refunded",
        "as_of": "as of", "placed": "placed", "tier": "customer", "country": "to",
    },
    "de": {
        "yes": "ja", "no": "nein", "rules": "Regeln", "facts": "Fakten", "until": "bis",
        "methods": "Zahlungsarten", "fee": "Gebühr", "paid_by": "trägt", "customer": "der Kunde",
        "shop": "der Shop", "instead": "stattdessen", "choices": "zur Wahl", "if": "Bedingung",
        "withdrawal": "Widerrufsrecht bis", "shipping": "Versandkosten zurück",
        "as_of": "Stand", "placed": "bestellt", "tier": "Kunde", "country": "nach",
    },
}  # fmt: skip


class Layout:
    """Decisions as text for a terminal."""

    def __init__(self, language: str, facts: PolicyFacts) -> None:
        """Lay out in a language.

        Args:
            language: `de` or `en`.
            facts: what the decisions are about.
        """
        self._language = language
        self._words = _WORDS[language]
        self._facts = facts
        self._zone = ZoneInfo(facts.shop.time_zone)

    def lines(self, found: Iterable[Explained]) -> list[str]:
        """Return the lines, without personal data."""
        lines = [*self._heading(), ""]
        for one in found:
            lines += self._one(one)
        return lines

    def _heading(self) -> list[str]:
        order, customer, words = self._facts.order, self._facts.customer, self._words
        if order is None:
            return []
        now = format_datetime(
            self._facts.now.astimezone(self._zone), "medium", locale=locale_of(self._language)
        )
        parts = [
            f"{order.number}: {order.status}",
            f"{words['placed']} {self._day(order.placed_at)}" if order.placed_at else "",
            Money(order.total_minor, order.currency).text(self._language),
            f"{words['country']} {self._facts.country}",
            f"{words['tier']} {customer.tier}" if customer else "",
        ]
        as_of = f"{words['as_of']} {now} {self._facts.shop.time_zone}"
        return [" · ".join(part for part in parts if part), as_of]

    def _one(self, one: Explained) -> list[str]:
        decision, words = one.decision, self._words
        name = f"{one.operation} ({one.kind})" if one.kind else one.operation
        title = one.title.get(self._language) or next(iter(one.title.values()), "")
        item = f"  [{one.line_id}] {title}" if one.line_id else ""
        answer = words["yes"] if decision.allowed else words["no"]
        lines = [f"{answer.upper():<5}{name}{item}"]
        for reason in decision.reasons:
            lines += self._wrapped("", self._text(reason))
        for condition in decision.conditions:
            lines += self._wrapped(words["if"], self._text(condition.text))
        for alternative in decision.alternatives:
            offer = f"{self._text(alternative.text)} ({alternative.operation})"
            lines += self._wrapped(words["instead"], offer)
        if decision.allowed:
            lines += self._terms(one)
        lines += self._wrapped(words["rules"], ", ".join(decision.rule_ids))
        known = decision.facts.items()
        facts = ", ".join(f"{name} = {value or '–'}" for name, value in known if name != "now")
        return [*lines, *self._wrapped(words["facts"], facts), ""]

    def _terms(self, one: Explained) -> list[str]:
        """Return the dates, methods, fees and choices of a yes."""
        decision, words = one.decision, self._words
        currency = self._facts.order.currency if self._facts.order else ""
        lines: list[str] = []
        for deadline in decision.deadlines:
            if deadline.at >= self._facts.now:
                until = f"{self._day(deadline.at)} ({deadline.rule_id})"
                lines += self._wrapped(words["until"], until)
        for right in decision.withdrawal:
            lines += self._wrapped(words["withdrawal"], self._day(right.at))
        lines += self._wrapped(words["methods"], ", ".join(decision.methods))
        for fee in decision.fees:
            amount = Money(fee.amount_minor, currency).text(self._language)
            payer = f"{words['paid_by']} {words[fee.paid_by]}"
            lines += self._wrapped(words["fee"], f"{self._text(fee.text)} {amount}, {payer}")
        if decision.shipping_minor:
            amount = Money(decision.shipping_minor, currency).text(self._language)
            lines += self._wrapped(words["shipping"], amount)
        for choice in (*decision.choices, *decision.cancel_reasons):
            money = Money(choice.amount_minor, currency).text(self._language)
            worth = f" ({money})" if choice.amount_minor else ""
            lines += self._wrapped(words["choices"], f"{self._text(choice.text)}{worth}")
        return lines

    def _wrapped(self, label: str, text: str) -> list[str]:
        if not text:
            return []
        start = f"     {label}: " if label else "     "
        return textwrap.wrap(
            text,
            WIDTH,
            initial_indent=start,
            subsequent_indent=" " * 9,
            break_on_hyphens=False,
        )

    def _text(self, text: dict[str, str]) -> str:
        return text.get(self._language) or next(iter(text.values()), "")

    def _day(self, at: datetime) -> str:
        local = at.astimezone(self._zone).date()
        return format_date(local, "long", locale=locale_of(self._language))
