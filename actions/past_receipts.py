"""What was agreed and done in this conversation, shown again to the one who agreed to it."""

import re

from actions.base import Said, ShopAction, Slots
from actions.commerce.spelling import plain_key

_ALL = re.compile(r"\b(?:all|every|alle|allen|sämtliche[nr]?)\b", re.IGNORECASE)


class ShowReceipt(ShopAction):
    """Look up what was done in this conversation; `kept` tells whether there is anything at all.

    `shown` holds receipts of the identified customer, newest first: those of the order spoken of,
    all when all are asked for, else the last; `more` counts the rest; `waiting` tells that the
    outcome of something is not known yet. Receipts hold addresses and
    amounts, so nobody sees those of another, or before it is known who they are.
    """

    async def act(self, said: Said) -> Slots:
        """Return the receipts."""
        kept = said.slot("receipts") or ()
        customer_id = said.slot("customer_id")
        own = [item for item in reversed(kept) if item["customer_id"] == customer_id]
        number = said.slot("asked_number")
        if number is None:  # later on, an order number may only tell who the customer is
            number = said.slot("order_number") or said.entity("order_number") or ""
        if number:
            own = [r for r in own if plain_key(r["view"]["order_number"]) == plain_key(str(number))]
        wanted = own if number or said.slot("all") or _ALL.search(said.text) else own[:1]
        return {
            "kept": bool(kept),
            "shown": wanted,
            "more": len(own) - len(wanted),
            "waiting": bool(said.slot("unsettled")),
            "asked_number": number,
        }
