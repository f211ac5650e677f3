"""What an effect's plan moves: the amounts that may be shown where the plan may not."""

from decimal import Decimal
from typing import Any

from bot.storage.effects import EffectEntry

_FIELDS = {"pays_minor": int, "refunds_minor": int, "currency": str}


def amounts(entry: EffectEntry) -> dict[str, Any]:
    """Return `pays_minor`, `refunds_minor` and `currency` of a plan; None for what it lacks."""
    return {
        name: entry.data[name] if type(entry.data.get(name)) is kind else None
        for name, kind in _FIELDS.items()
    }


def amount_text(entry: EffectEntry) -> str:
    """Return what moves as "49.99 EUR", negative when the customer gets it; empty for nothing."""
    from babel.numbers import get_currency_precision

    plan = amounts(entry)
    moved_minor = (plan["pays_minor"] or 0) - (plan["refunds_minor"] or 0)
    if not moved_minor:
        return ""
    currency = plan["currency"] or ""
    places = get_currency_precision(currency)
    return f"{Decimal(moved_minor).scaleb(-places):.{places}f} {currency}".strip()
