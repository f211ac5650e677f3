"""WooCommerce's numbers and times: decimal strings, and GMT without saying so."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from babel.numbers import get_currency_precision

from actions.commerce.errors import ShopUnavailable


def decimal_of(text: str) -> Decimal:
    """Return a decimal string as a number; empty is zero.

    Raises:
        ShopUnavailable: it is no number.
    """
    try:
        number = Decimal(text or "0")
    except InvalidOperation as error:
        msg = "an amount is no number"
        raise ShopUnavailable(msg) from error
    if not number.is_finite():
        msg = "an amount is no number"
        raise ShopUnavailable(msg)
    return number


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount in minor units, half a unit rounded away from zero as WooCommerce does.

    Args:
        amount: in major units.
        currency: ISO code; yen have no digits, dinars three.
    """
    digits = get_currency_precision(currency)
    return int(amount.scaleb(digits).quantize(Decimal(1), ROUND_HALF_UP))


def minor_of(text: str, currency: str) -> int:
    """Return a decimal string in minor units."""
    return to_minor(decimal_of(text), currency)


def text_of(amount_minor: int, currency: str) -> str:
    """Return minor units as the decimal string that WooCommerce takes."""
    digits = get_currency_precision(currency)
    return str(Decimal(amount_minor).scaleb(-digits).quantize(Decimal(1).scaleb(-digits)))


def moment(text: str | None) -> datetime | None:
    """Return a `…_gmt` time as aware UTC.

    Raises:
        ShopUnavailable: it is no time.
    """
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        msg = "a time is not ISO 8601"
        raise ShopUnavailable(msg) from error
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
