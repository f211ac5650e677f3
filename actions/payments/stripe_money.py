"""Amounts as Stripe counts them.

Our minor units are those of ISO 4217 as Babel knows them. Stripe counts most currencies in
hundredths, some in whole units, some in thousandths of which the last digit must be 0; the
Icelandic krona and the Ugandan shilling have no cents and are sent in hundredths all the same.
"""

from babel.numbers import get_currency_precision

from actions.commerce.errors import InvalidRequest

_WHOLE = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905 - as Stripe lists them
)
_THOUSANDTHS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def to_stripe(amount_minor: int, currency: str) -> int:
    """Return an amount in Stripe's units.

    Args:
        amount_minor: in the currency's ISO minor units.
        currency: its ISO code, in any case.

    Raises:
        InvalidRequest: Stripe cannot take exactly this amount.
    """
    amount, rest = _scaled(amount_minor, _digits(currency) - get_currency_precision(_iso(currency)))
    if rest or (_iso(currency) in _THOUSANDTHS and amount % 10):
        msg = f"{amount_minor} minor units of {_iso(currency)} are too fine for Stripe"
        raise InvalidRequest(msg)
    return amount


def from_stripe(amount: int, currency: str) -> int | None:
    """Return an amount in minor units, None where it is none in whole ones.

    Args:
        amount: as Stripe writes it.
        currency: its ISO code, in any case.
    """
    minor, rest = _scaled(amount, get_currency_precision(_iso(currency)) - _digits(currency))
    return None if rest else minor


def _scaled(amount: int, places: int) -> tuple[int, int]:
    return (amount * 10**places, 0) if places >= 0 else divmod(amount, 10**-places)


def _digits(currency: str) -> int:
    if _iso(currency) in _WHOLE:
        return 0
    return 3 if _iso(currency) in _THOUSANDTHS else 2


def _iso(currency: str) -> str:
    return currency.upper()
