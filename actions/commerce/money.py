"""Money: an amount in minor units (cents) and a currency."""

from decimal import Decimal

import msgspec
from babel.numbers import format_currency, get_currency_precision


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount of money; `amount_minor` counts the currency's smallest unit."""

    amount_minor: int
    currency: str

    def text(self, language: str) -> str:
        """Write the amount the way a reader of `language` expects it.

        Args:
            language: a language code such as `de` or `en`.
        """
        digits = get_currency_precision(self.currency)
        amount = Decimal(self.amount_minor).scaleb(-digits)
        return format_currency(amount, self.currency, locale=locale_of(language))


def locale_of(language: str) -> str:
    """Return the Babel locale that a shop's language is written in."""
    return {"de": "de_DE", "en": "en_US"}.get(language, language)
