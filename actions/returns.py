"""What becomes of money and goods on their way back."""

from typing import Any

from actions.base import Said, ShopAction, Slots, money, stamp
from actions.commerce.errors import CommerceError
from actions.commerce.models import STORE_CREDIT, Customer, Order, Payment, Return
from actions.orders import line_title
from actions.plans import method_title
from actions.policy.facts import Asked
from actions.wording import Wording

SHOWN = 5
RETURN_STATUS = {
    "requested": {"en": "registered", "de": "angemeldet"},
    "label_sent": {"en": "return label sent", "de": "Rücksendeetikett verschickt"},
    "in_transit": {"en": "on its way back to us", "de": "auf dem Weg zurück zu uns"},
    "received": {"en": "received and being checked", "de": "eingegangen und in Prüfung"},
    "completed": {"en": "completed", "de": "abgeschlossen"},
    "rejected": {"en": "rejected", "de": "abgelehnt"},
}
REFUND_STATUS = {
    "paid": {"en": "paid out", "de": "ausgezahlt"},
    "pending": {"en": "under way", "de": "in Bearbeitung"},
    "failed": {"en": "failed", "de": "fehlgeschlagen"},
}


class RefundStatus(ShopAction):
    """List refunds and returns of one order, or of all; sets `refund_orders`.

    Reads `order_number` when the customer named one; `order_unknown` holds if it is not theirs.
    """

    async def act(self, said: Said) -> Slots:
        """Return what is under way or done, the latest order first."""
        number = said.slot("order_number") or said.entity("order_number")
        try:
            orders = await self._orders(said.customer_id, str(number or ""))
        except CommerceError:
            return {"order_unknown": True, "order_number": None, "refund_orders": []}
        customer = await self.services.shop.customers.get(said.customer_id)
        wording = Wording(await self.services.shop.catalog.vocabulary())
        found = []
        for order in orders:
            returns = await self.services.shop.returns.for_order(order.number, customer.id)
            entry = {
                "number": order.number,
                "returns": [_return(r, order, customer, wording) for r in returns],
                "refunds": [_refund(p, order, customer) for p in _refunds(order)],
            }
            if entry["returns"] or entry["refunds"]:
                found.append(entry)
        named = orders[0].number if number and orders else None
        return {
            "refund_orders": found[:SHOWN],
            "order_number": named,
            "order_unknown": False,
            "focus_order": found[0]["number"] if len(found) == 1 else said.slot("focus_order"),
        }

    async def _orders(self, customer_id: str, number: str) -> tuple[Order, ...]:
        if number:
            return (await self.services.shop.orders.get(number, customer_id),)
        return await self.services.shop.orders.for_customer(customer_id)


class CheckComplaint(ShopAction):
    """Ask the policy whether damaged goods can be complained about; sets `complaint_possible`."""

    async def act(self, said: Said) -> Slots:
        """Return whether the complaint is a way to go for the chosen lines."""
        lines = tuple(line["value"] for line in said.slot("chosen") or ())
        decision = await self.services.planner.decide(
            "complaint",
            said.customer_id,
            str(said.slot("order_number")),
            Asked(kind="damaged", line_ids=lines),
        )
        return {"complaint_possible": decision.allowed and bool(decision.choices)}


def _refunds(order: Order) -> list[Payment]:
    return [payment for payment in order.payments if payment.kind == "refund"]


def _refund(payment: Payment, order: Order, customer: Customer) -> dict[str, Any]:
    return {
        "amount": money(payment.amount_minor, order.currency),
        "status": payment.status,
        "status_text": REFUND_STATUS[payment.status],
        "method": _method(payment.method_id, customer),
        "at": stamp(payment.at),
    }


def _return(found: Return, order: Order, customer: Customer, wording: Wording) -> dict[str, Any]:
    lines = [order.line(line.line_id) for line in found.lines]
    last = max(found.events, key=lambda event: event.at, default=None)
    return {
        "id": found.id,
        "kind": found.kind,
        "status": found.status,
        "status_text": RETURN_STATUS[found.status],
        "items": [line_title(line, wording) for line in lines if line is not None],
        "amount": money(abs(found.amount_minor), order.currency) if found.amount_minor else None,
        "pays": found.amount_minor < 0,
        "method": _method(found.refund_method_id or "", customer),
        "requested_at": stamp(found.requested_at),
        "event": {"at": stamp(last.at), "text": last.text} if last else None,
        "open": found.status not in {"completed", "rejected"},
    }


def _method(method_id: str, customer: Customer) -> dict[str, str]:
    method = customer.method(method_id)
    if method is not None:
        return method_title(method.kind, method.last_four)
    return method_title(method_id) if method_id == STORE_CREDIT else {}
