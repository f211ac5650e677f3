"""An operator has the bot carry out a skill in the middle of their talk."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.messages import Json
from bot.operators import Doing
from desk.web.acting import Acting
from desk.web.cases import CasePages
from desk.web.guard import Visit, refusal
from desk.web.ports import Lendable
from desk.web.room import Room

ORDER, AMOUNT = "order_number", "amount_minor"
MOST_CHARS = 500
MOST_MINOR = 10_000_000
_ORDER_NUMBER = re.compile(r"[\w#/. -]{1,40}")


class Lending:
    """Lends conversations to the bot."""

    def __init__(self, room: Room, cases: CasePages, acting: Acting) -> None:
        """Lend in `room`; what changed is shown by `cases`, as with all that `acting` does."""
        self._room = room
        self._cases = cases
        self._acting = acting

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        lets = self._room.guard.lets
        return [Route("/desk/c/{key}/lend", lets(self.lend), methods=["POST"])]

    async def lend(self, visit: Visit) -> Response:
        """Let the bot do one thing under its own rules; the conversation comes back by itself."""
        case = await self._cases.asked_for(visit)
        found = _of(self._room.outside.lends, visit.form.get("skill", ""))
        if case is None or found is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        slots = _slots(found, visit)
        if slots is None:
            return refusal(visit.request, 422, "wrong_amount", visit.language)
        me = visit.operator
        doing = Doing(
            me.id,
            me.name,
            skill=found.skill,
            slots=slots,
            reason=visit.form.get("reason", "").strip()[:MOST_CHARS],
        )
        return await self._acting.acted(visit, "lent", doing, "done_lent")


def _of(all_: Sequence[Lendable], skill: str) -> Lendable | None:
    return next((one for one in all_ if one.skill == skill), None)


def _slots(found: Lendable, visit: Visit) -> dict[str, Json] | None:
    """Return what the operator filled in; None where the amount is none."""
    slots: dict[str, Json] = {}
    number = visit.form.get("order", "").strip()
    if ORDER in found.takes and _ORDER_NUMBER.fullmatch(number):
        slots[ORDER] = number
    if AMOUNT in found.takes:
        amount = minor(visit.form.get("amount", ""), found.digits)
        if amount is None:
            return None
        slots[AMOUNT] = amount
    return slots


def minor(text: str, digits: int) -> int | None:
    """Return an amount in minor units; None unless it is a plain positive one.

    Args:
        text: such as "5", "5.50" or "5,50".
        digits: how many decimals the currency has.
    """
    try:
        amount = Decimal(text.strip().replace(",", ".")).scaleb(digits)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount != amount.to_integral_value():
        return None
    return int(amount) if 0 < amount <= MOST_MINOR else None
