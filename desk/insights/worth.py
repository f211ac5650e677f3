"""What the bot is worth to the shop, with the shop's own numbers; every step can be read."""

from fractions import Fraction

import msgspec

from desk.insights.costs import ShopNumbers
from desk.insights.exact import half_up
from desk.insights.figures import Figures

_WHOLE_BP = 10_000


class Worth(msgspec.Struct, frozen=True):
    """What a period brought and cost; each amount is rounded by itself, half up.

    `saved` is operators' time that solved conversations did not take, `earned` what is left of the
    orders that are credited to the chat. `per_mille` is the gain over the cost in thousandths, None
    where nothing is known to cost.
    """

    solved: int
    contact_minor: int
    saved_minor: int
    orders_minor: int
    earned_minor: int
    cost_minor: int
    gain_minor: int
    per_mille: int | None


def worth_of(found: Figures, numbers: ShopNumbers) -> Worth:
    """Return what a period was worth.

    Args:
        found: its figures; orders in another currency than the shop's numbers are left out.
        numbers: the shop's.
    """
    contact = Fraction(numbers.hour_minor * numbers.minutes, 60)
    solved = found.outcomes.get("solved", 0)
    saved = contact * solved
    orders = sum(s.value_minor for s in found.sales if s.currency == numbers.currency)
    earned = Fraction(orders * numbers.margin_bp * numbers.credited_bp, _WHOLE_BP**2)
    cost = found.costs.total_minor
    gain = saved + earned - cost
    return Worth(
        solved=solved,
        contact_minor=half_up(contact),
        saved_minor=half_up(saved),
        orders_minor=orders,
        earned_minor=half_up(earned),
        cost_minor=cost,
        gain_minor=half_up(gain),
        per_mille=half_up(1000 * gain / cost) if cost else None,
    )
