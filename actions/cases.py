"""Handing a conversation to a person: what they need to know is written down once."""

from math import ceil
from typing import Any

from actions.base import Said, ShopAction, Slots, stamp
from actions.commerce import requests

MOST_CHARS = 500
UNKNOWN_WAIT = {"place": None, "low_minutes": None, "high_minutes": None, "opens_at": None}
HANDOVER_SKILLS = frozenset({"talk_to_human"})


class OpenCase(ShopAction):
    """Put the conversation into the queue of cases, with what was wanted and why it is there.

    Sets `case_id`, `shop` (how else the shop can be reached), `case_known`: whether the person
    will see what it is about, and `queue`: how long it takes until then.
    """

    async def act(self, said: Said) -> Slots:
        """Return the case's number."""
        skill = "" if said.skill in HANDOVER_SKILLS else said.skill
        order = said.slot("order_number") or said.slot("focus_order") or ""
        request = requests.OpenCase(
            conversation_id=said.conversation_id,
            reason=str(said.slot("reason") or said.slot("handoff_reason") or "asked"),
            wish="" if said.text.startswith("/") else said.text.strip()[:MOST_CHARS],
            skill=skill,
            language=said.language,
            customer_id=str(said.slot("customer_id") or ""),
            order_number=str(order),
        )
        case = await self.services.shop.cases.open(request, said.effect_key("case"))
        return {
            "case_id": case.id,
            "case_known": bool(skill or order),
            "shop": shop_slot(self),
            "queue": await self._queue(said, skill),
        }

    async def _queue(self, said: Said, topic: str) -> dict[str, Any]:
        """Return the customer's place, the minutes it takes, and when the office opens."""
        if self.services.waitroom is None:
            return dict(UNKNOWN_WAIT)
        country = str(said.slot("customer_country") or "")
        wait = await self.services.waitroom.outlook(
            said.conversation_id, said.language, country, topic
        )
        low, high = wait.wait_s_low, wait.wait_s_high
        least = None if low is None else max(1, int(low // 60))
        return {
            "place": wait.place or None,
            "low_minutes": least,
            "high_minutes": None if high is None else max((least or 0) + 1, ceil(high / 60)),
            "opens_at": None if wait.opens_at is None else stamp(wait.opens_at),
        }


def shop_slot(action: ShopAction) -> dict[str, Any]:
    """Return the shop as responses show it: name, contact, languages."""
    info = action.services.shop.info
    return {
        "name": info.name,
        "email": info.contact.email,
        "phone": info.contact.phone,
        "languages": list(info.languages),
    }
