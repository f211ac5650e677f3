"""Prices as feeds write them: "129.90 EUR", "1.299,00 €", 129.9."""

import re
from decimal import Decimal, InvalidOperation

from babel.numbers import get_currency_precision

_NUMBER = re.compile(r"\d[\d.,'\u2019\u00a0\u202f ]*")
_CODE = re.compile(r"\b[A-Z]{3}\b")
_SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "Fr.": "CHF", "zł": "PLN", "Kč": "CZK"}
_MAX_DIGITS = 12


def read_amount(value: str | float, currency: str) -> int:
    """Return an amount in the minor unit of a currency.

    Args:
        value: The number, with or without the currency's code or sign.
        currency: ISO 4217 code that the amount has to be in.

    Raises:
        ValueError: When it is no amount, negative, or in another currency.
    """
    text = str(value).strip()
    number = _NUMBER.search(text)
    if not number or "-" in text[: number.start()]:
        msg = f"'{text}' is no price"
        raise ValueError(msg)
    found = _CODE.search(text.upper())
    named = found[0] if found else next((c for sign, c in _SIGNS.items() if sign in text), currency)
    if named != currency:
        msg = f"the price '{text}' is in {named}, and the shop sells in {currency}"
        raise ValueError(msg)
    try:
        amount = Decimal(_plain(number[0]))
    except InvalidOperation as error:
        msg = f"'{text}' is no price"
        raise ValueError(msg) from error
    minor = amount.scaleb(get_currency_precision(currency))
    if len(str(int(minor))) > _MAX_DIGITS:
        msg = f"'{text}' is no price"
        raise ValueError(msg)
    return int(minor.to_integral_value(rounding="ROUND_HALF_UP"))


def _plain(number: str) -> str:
    """Return a number with a decimal point and no separators of thousands."""
    number = re.sub(r"['\u2019\u00a0\u202f ]", "", number).rstrip(".,")
    last = max(number.rfind("."), number.rfind(","))
    if last < 0:
        return number
    whole, decimals = number[:last], number[last + 1 :]
    separators = {sign for sign in number if sign in ".,"}
    is_grouped = len(decimals) == 3 and len(separators) == 1 and whole not in {"0", ""}
    whole = re.sub(r"[.,]", "", whole)
    return whole + decimals if is_grouped else f"{whole}.{decimals}"
