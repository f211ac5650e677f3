"""The service that actions use: ask the policy, make a plan, and commit it after a yes."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from actions.commerce.errors import CommerceError, ConsentMismatch
from actions.commerce.models import Address, CartLine, Order, Product
from actions.commerce.plan_builders import Case, build, return_lines
from actions.commerce.plans import (
    Plan,
    PlanChanged,
    PlanKind,
    PlanRefused,
    PlanRequest,
    Receipt,
    Refusal,
    plain_json,
)
from actions.commerce.refusals import refusal_of
from actions.commerce.requests import (
    CancelOrder,
    ChangeDefaultAddress,
    ChangeOrder,
    FileComplaint,
    IssueRefund,
    NewVariant,
    OpenLink,
    RequestReturn,
)
from actions.commerce.shop import Shop
from actions.commerce.sql import Clock
from actions.policy.decision import Decision
from actions.policy.facts import Asked, PolicyFacts
from actions.policy.policy import Policy

NO_POLICY = ("default_address", "checkout", "reorder")


class Planner:
    """Makes plans and commits them; holds no state."""

    def __init__(self, shop: Shop, policy: Policy, clock: Clock) -> None:
        """Plan over a shop's ports by its policy.

        Args:
            shop: the ports.
            policy: the rules.
            clock: returns the present time as aware UTC.
        """
        self.shop = shop
        self.policy = policy
        self._clock = clock

    async def facts(
        self, customer_id: str, order_number: str = "", asked: Asked | None = None
    ) -> PolicyFacts:
        """Return the facts for a decision; raises `NotFound` or `StrangersOrder`.

        Args:
            customer_id: the verified customer.
            order_number: the order in question, if any.
            asked: what they ask for, as far as known.
        """
        customer = await self.shop.customers.get(customer_id)
        facts = PolicyFacts(
            now=self._clock(), shop=self.shop.info, customer=customer, asked=asked or Asked()
        )
        if not order_number:
            return facts
        order = await self.shop.orders.get(order_number, customer_id)
        returns = await self.shop.returns.for_order(order.number, customer_id)
        products = await self._products(order)
        return msgspec.structs.replace(facts, order=order, returns=returns, products=products)

    async def decide(
        self, operation: str, customer_id: str, order_number: str, asked: Asked | None = None
    ) -> Decision:
        """Ask the policy before the details are known, to say early what is possible.

        Args:
            operation: one of `actions.policy.rules.OPERATIONS`.
            customer_id: the verified customer.
            order_number: the order in question.
            asked: what they ask for, as far as known.
        """
        facts = await self.facts(customer_id, order_number, asked)
        return self.policy.decide(operation, facts)

    async def plan(self, request: PlanRequest) -> Plan | Refusal:
        """Return what would happen, or why it cannot."""
        try:
            asked = Asked(
                line_ids=tuple(line.line_id for line in request.lines),
                quantities={x.line_id: x.quantity for x in request.lines if x.quantity > 0},
                method_id=request.method_id,
                reason=request.reason,
                kind=request.complaint_kind or "",
                amount_minor=request.amount_minor,
                final=True,
            )
            facts = await self.facts(request.customer_id, request.order_number, asked)
            facts = _with_unchanged(facts, request)
            decision = self.policy.decide(request.kind, facts)
            if request.kind not in NO_POLICY and not decision.allowed:
                return Refusal(code="policy", texts={}, decision=decision)
            return build(await self._case(request, facts, decision))
        except CommerceError as error:
            return refusal_of(error)

    async def commit(self, plan: Plan, consent_hash: str, key: str) -> Receipt:
        """Do what the plan says, once, if it still is what the customer agreed to.

        Args:
            plan: what was shown.
            consent_hash: the hash of what the customer said yes to.
            key: the idempotency key; the same key returns the same receipt.

        Raises:
            ConsentMismatch: the yes belongs to another plan.
            PlanChanged: the plan is another by now; carries it.
            PlanRefused: it is not possible any more; carries the reasons.
        """
        if consent_hash != plan.hash:
            raise ConsentMismatch(plan.kind)
        effect = await self.shop.effects.done(key)
        if effect is not None:
            result = msgspec.json.decode(effect.result)
            return Receipt(plan=plan, key=key, operation=plan.kind, result=result)
        fresh = await self.plan(plan.request)
        if isinstance(fresh, Refusal):
            raise PlanRefused(fresh)
        if fresh.hash != plan.hash:
            raise PlanChanged(fresh)
        try:
            result = await self._write(fresh, key)
        except CommerceError as error:
            again = await self.plan(plan.request)
            if isinstance(again, Plan) and again.hash != plan.hash:
                raise PlanChanged(again) from error
            refusal = again if isinstance(again, Refusal) else refusal_of(error)
            raise PlanRefused(refusal) from error
        return Receipt(plan=fresh, key=key, operation=plan.kind, result=plain_json(result))

    async def plan_checkout(
        self, customer_id: str, owner: str = "", address: Address | None = None
    ) -> Plan | Refusal:
        """Plan to pay for a cart by link.

        Args:
            customer_id: the verified customer.
            owner: whose cart; the customer's own when empty.
            address: where to send it; the default address when None.
        """
        cart = await self.shop.carts.get(owner or customer_id)
        return await self.plan(
            PlanRequest(kind="checkout", customer_id=customer_id, cart=cart.lines, address=address)
        )

    async def _products(self, order: Order) -> dict[str, Product]:
        ids = dict.fromkeys(line.product_id for line in order.lines)
        return {item: await self.shop.catalog.product(item) for item in ids}

    async def _case(self, request: PlanRequest, facts: PolicyFacts, decision: Decision) -> Case:
        products = dict(facts.products)
        for line in request.cart:
            product, _ = await self.shop.catalog.variant(line.variant_id)
            products[product.id] = product
        return Case(
            request=request,
            facts=facts,
            decision=decision,
            customer=await self.shop.customers.get(request.customer_id),
            products=products,
            shop=self.shop.info,
        )

    async def _write(self, plan: Plan, key: str) -> object:
        writers: dict[PlanKind, Callable[[Plan, str], Awaitable[Any]]] = {
            "cancel": self._cancel,
            "change_address": self._change,
            "change_items": self._change,
            "change_payment": self._change,
            "return": self._send_back,
            "exchange": self._send_back,
            "complaint": self._complain,
            "goodwill": self._refund,
            "default_address": self._move,
            "checkout": self._open_link,
            "reorder": self._open_link,
        }
        return await writers[plan.kind](plan, key)

    async def _cancel(self, plan: Plan, key: str) -> object:
        asked = plan.request
        request = CancelOrder(asked.order_number, asked.customer_id, asked.reason, plan.revision)
        return await self.shop.orders.cancel(request, key)

    async def _change(self, plan: Plan, key: str) -> object:
        asked = plan.request
        request = ChangeOrder(
            order_number=asked.order_number,
            customer_id=asked.customer_id,
            address=asked.address if plan.kind == "change_address" else None,
            items=tuple(NewVariant(line.line_id, line.new_variant_id) for line in asked.lines),
            method_id=asked.method_id,
            expected_minor=plan.pays_minor - plan.refunds_minor,
            revision=plan.revision,
        )
        return await self.shop.orders.change(request, key)

    async def _send_back(self, plan: Plan, key: str) -> object:
        asked = plan.request
        order = await self.shop.orders.get(asked.order_number, asked.customer_id)
        request = RequestReturn(
            order_number=asked.order_number,
            customer_id=asked.customer_id,
            kind="exchange" if plan.kind == "exchange" else "return",
            lines=return_lines(order, asked),
            method_id=asked.method_id,
            expected_minor=plan.refunds_minor - plan.pays_minor,
            revision=plan.revision,
        )
        return await self.shop.returns.request(request, key)

    async def _complain(self, plan: Plan, key: str) -> object:
        asked = plan.request
        request = FileComplaint(
            order_number=asked.order_number,
            customer_id=asked.customer_id,
            kind=asked.complaint_kind or "damaged",
            line_ids=tuple(item.line_id for item in plan.items),
            quantities={item.line_id: item.quantity for item in plan.items},
            description=asked.description,
            remedy=asked.remedy,
            amount_minor=plan.refunds_minor,
            method_id=plan.method_id,
            attachments=asked.attachments,
        )
        return await self.shop.complaints.file(request, key)

    async def _refund(self, plan: Plan, key: str) -> object:
        asked = plan.request
        request = IssueRefund(
            order_number=asked.order_number,
            customer_id=asked.customer_id,
            amount_minor=plan.refunds_minor,
            method_id=plan.method_id,
            reason=asked.reason or "goodwill",
            revision=plan.revision,
        )
        return await self.shop.refunds.issue(request, key)

    async def _move(self, plan: Plan, key: str) -> object:
        address = plan.address or Address(line1="")
        request = ChangeDefaultAddress(plan.request.customer_id, address)
        return await self.shop.customers.set_default_address(request, key)

    async def _open_link(self, plan: Plan, key: str) -> object:
        lines = tuple(CartLine(item.variant_id, item.quantity) for item in plan.items)
        address = plan.address or Address(line1="")
        request = OpenLink(
            customer_id=plan.request.customer_id,
            lines=lines,
            address=address,
            expected_minor=plan.pays_minor,
            shipping_minor=plan.shipping_minor,
        )
        return await self.shop.payment_links.create(request, key)


def _with_unchanged(facts: PolicyFacts, request: PlanRequest) -> PolicyFacts:
    present = {line.id: line.variant_id for line in facts.order.lines} if facts.order else {}
    unchanged = any(present.get(line.line_id) == line.new_variant_id for line in request.lines)
    asked = msgspec.structs.replace(facts.asked, unchanged=unchanged)
    return msgspec.structs.replace(facts, asked=asked)
