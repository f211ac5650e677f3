"""Other ways to pay for an order."""

from actions.base import Said, ShopAction, Slots


class ListOtherMethods(ShopAction):
    """Leave out of `methods` what paid for the order and gift cards that do not cover it.

    Sets `methods`, `short_methods` (gift cards with too little on them) and `current_method`,
    None where no payment has gone through: then nothing goes back to it.
    """

    async def act(self, said: Said) -> Slots:
        """Return the methods left."""
        order = said.slot("order")
        total = order["total"]["amount_minor"]
        methods = said.slot("methods") or []
        used = [m for m in methods if m["value"] == order["method_id"]]
        others = [m for m in methods if m["value"] != order["method_id"]]
        short = [m for m in others if m.get("balance") and m["balance"]["amount_minor"] < total]
        stored = await self.services.shop.orders.get(str(order["number"]), said.customer_id)
        failed = all(payment.status == "failed" for payment in stored.payments)
        return {
            "methods": [m for m in others if m not in short],
            "short_methods": short,
            "current_method": used[0]["title"] if used and not failed else None,
        }
