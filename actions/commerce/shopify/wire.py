"""Shopify's ids, money and times, and ours.

Our ids are the last part of Shopify's: `gid://shopify/Order/450789469` is `450789469`. Amounts are
decimal strings in the currency's own unit; the customer's (presentment) currency is what counts.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from babel.numbers import get_currency_precision

from actions.commerce.errors import ShopUnavailable

Json = dict[str, Any]


def gid(kind: str, tail: str) -> str:
    """Return Shopify's id of one of our ids; a whole `gid://` is left as it is."""
    return tail if tail.startswith("gid://") else f"gid://shopify/{kind}/{tail}"


def tail(value: str) -> str:
    """Return our id of Shopify's."""
    return value.rsplit("/", 1)[-1].split("?", 1)[0]


def minor_of(amount: str, currency: str) -> int:
    """Return minor units of a decimal string; Shopify's unit prices may have more digits.

    Raises:
        ShopUnavailable: it is no amount.
    """
    digits = get_currency_precision(currency)
    try:
        scaled = Decimal(str(amount)).scaleb(digits)
    except InvalidOperation as error:
        msg = "an amount is not a number"
        raise ShopUnavailable(msg) from error
    return int(scaled.to_integral_value(rounding=ROUND_HALF_UP))


def bag_minor(bag: Json) -> int:
    """Return the minor units of a MoneyBag, in the currency that the customer pays in."""
    money: Json = bag["presentmentMoney"]
    return minor_of(money["amount"], money["currencyCode"])


def decimal_of(minor: int, currency: str) -> str:
    """Return the decimal string of minor units."""
    digits = get_currency_precision(currency)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f}"


def money_input(minor: int, currency: str) -> Json:
    """Return a MoneyInput."""
    return {"amount": decimal_of(minor, currency), "currencyCode": currency}


def instant(value: str) -> datetime:
    """Return a DateTime as aware UTC."""
    return datetime.fromisoformat(value).astimezone(UTC)


def moment(value: str | None) -> datetime | None:
    """Return a DateTime that may be missing as aware UTC."""
    return instant(value) if value else None


def nodes(connection: Json | None) -> list[Json]:
    """Return the nodes of a connection."""
    return list(connection["nodes"]) if connection else []


def quoted(text: str) -> str:
    """Return text as a phrase of Shopify's search syntax."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
