"""The service that actions use: ask the policy, make a plan, and commit it after a yes."""

from datetime import datetime, timedelta

import msgspec

from actions.commerce.errors import (
    AccessDenied,
    CommerceError,
    ConsentMismatch,
    NotSupported,
    OutcomeUnknown,
    ShopUnavailable,
)
from actions.commerce.models import Address, Order, Product
from actions.commerce.plan_builders import build
from actions.commerce.plan_case import Case
from actions.commerce.plan_writes import write_plan
from actions.commerce.plans import (
    Plan,
    PlanChanged,
    PlanRefused,
    PlanRequest,
    Receipt,
    Refusal,
    hashed,
    plain_json,
)
from actions.commerce.refusals import refusal_for, refusal_of
from actions.commerce.requests import (
    Intent,
)
from actions.commerce.shop import Shop
from actions.commerce.sql import Clock
from actions.policy.decision import Decision
from actions.policy.facts import Asked, PolicyFacts
from actions.policy.policy import Policy

NO_POLICY = ("default_address", "checkout", "reorder")
AWAY = frozenset({ShopUnavailable().code, AccessDenied().code})
CONSENT_FOR = timedelta(minutes=30)
TOO_OLD = timedelta(hours=24)
"""How long after its end a yes still counts for what may have been sent and is not there."""
STRAGGLERS = timedelta(minutes=2)
"""How long a request that nobody answered may still reach a shop that knows no keys."""


class Planner:
    """Makes plans and commits them; holds no state."""

    def __init__(
        self, shop: Shop, policy: Policy, clock: Clock, consent_for: timedelta = CONSENT_FOR
    ) -> None:
        """Plan over a shop's ports by its policy.

        Args:
            shop: the ports.
            policy: the rules.
            clock: returns the present time as aware UTC.
            consent_for: how long after it was shown a plan can be agreed to.
        """
        self.shop = shop
        self.policy = policy
        self._clock = clock
        self._consent_for = consent_for

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
        complaints = await self.shop.complaints.for_order(order.number, customer_id)
        products = await self._products(order)
        return msgspec.structs.replace(
            facts, order=order, returns=returns, products=products, complaints=complaints
        )

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
        return self.policy.decide(operation, await self._with_orders(facts, operation))

    async def plan(self, request: PlanRequest, plan_id: str = "") -> Plan | Refusal:
        """Return what would happen, or why it cannot.

        Args:
            request: what the customer wants.
            plan_id: tells this showing of the plan from others of the same content.
        """
        if request.kind not in self.shop.can:
            return refusal_of(NotSupported(request.kind))
        try:
            plan = await self._planned(request)
        except CommerceError as error:
            return refusal_of(error)
        if isinstance(plan, Refusal):
            return plan
        now = self._clock()
        until = now + self._consent_for
        return msgspec.structs.replace(plan, id=plan_id, made_at=now, expires_at=until)

    async def commit(
        self, plan: Plan, consent_hash: str, key: str, sent_at: datetime | None = None
    ) -> Receipt:
        """Do what the plan says, once, if it still is what the customer agreed to.

        Args:
            plan: what was shown.
            consent_hash: the hash of what the customer said yes to.
            key: the idempotency key; the same key returns the same receipt.
            sent_at: when it was sent before with an outcome that nobody knows, if it was.

        Raises:
            ConsentMismatch: the yes belongs to another plan.
            PlanChanged: the plan is another by now, or the yes came too late; carries it.
            PlanRefused: it is not possible any more; carries the reasons.
            ShopUnavailable: the shop cannot be reached; nothing was done by this call.
            OutcomeUnknown: it may have been done; ask again later with `sent_at`.
        """
        if consent_hash != plan.hash:
            raise ConsentMismatch(plan.kind)
        intent = Intent(key, plan.kind, plain_json(plan.request), sent_at)
        if sent_at is not None or self.shop.effects.replays:
            done = await self._found(plan, intent)
            if done is not None:
                return done
        try:
            return await self._attempt(plan, intent)
        except (PlanChanged, PlanRefused, ShopUnavailable) as error:
            if sent_at is None:
                raise
            return await self._done_after_all(plan, intent, error)

    async def _attempt(self, plan: Plan, intent: Intent) -> Receipt:
        """Do it, unless it is void by now; what was begun before is finished as agreed.

        Raises:
            PlanChanged: it is another plan by now, or the yes came too late.
            PlanRefused: it is not possible any more.
        """
        if intent.sent_at is not None and await self._begun(intent):
            return await self._carried_out(plan, intent)
        fresh = await self.plan(plan.request, plan.id)
        if isinstance(fresh, Refusal):
            if fresh.code not in AWAY:
                raise PlanRefused(fresh)
            doubtful = intent.sent_at is not None
            raise OutcomeUnknown(plan.kind) if doubtful else ShopUnavailable(plan.kind)
        expired = plan.expires_at is not None and self._clock() > plan.expires_at
        if plan.expires_at is not None and self._clock() > plan.expires_at + TOO_OLD:
            raise PlanRefused(refusal_for("not_sent"))
        same = fresh.hash == plan.hash and fresh.basis == plan.basis
        if not same or (expired and intent.sent_at is None):
            raise PlanChanged(fresh, expired=expired)
        kept = {"made_at": plan.made_at, "expires_at": plan.expires_at}
        return await self._carried_out(msgspec.structs.replace(fresh, **kept), intent)

    async def _done_after_all(self, plan: Plan, intent: Intent, failure: CommerceError) -> Receipt:
        """Look once more before saying no: what changed the plan may be this very effect.

        Raises:
            OutcomeUnknown: an earlier request may still be under way.
        """
        done = await self._found(plan, intent)
        if done is not None:
            return done
        if intent.sent_at and self._clock() - intent.sent_at < STRAGGLERS:
            raise OutcomeUnknown(plan.kind) from failure
        raise failure

    async def _begun(self, intent: Intent) -> bool:
        """Return whether a part of it was done.

        Raises:
            OutcomeUnknown: the shop cannot tell.
        """
        try:
            return await self.shop.effects.begun(intent)
        except ShopUnavailable as error:
            raise OutcomeUnknown(intent.operation) from error

    async def _found(self, plan: Plan, intent: Intent) -> Receipt | None:
        """Return the receipt of an effect that the shop has already.

        Raises:
            OutcomeUnknown: the shop cannot tell, or an earlier request may still be under way.
            ShopUnavailable: the shop cannot tell, but nothing was sent before.
        """
        try:
            effect = await self.shop.effects.find(intent)
        except ShopUnavailable as error:
            if intent.sent_at is None:
                raise
            raise OutcomeUnknown(intent.operation) from error
        if effect is not None:
            result = msgspec.json.decode(effect.result)
            return Receipt(plan=plan, key=intent.key, operation=plan.kind, result=result)
        if intent.sent_at is None or self.shop.effects.replays:
            return None
        if self._clock() - intent.sent_at < STRAGGLERS:
            raise OutcomeUnknown(intent.operation)
        return None

    async def _carried_out(self, plan: Plan, intent: Intent) -> Receipt:
        try:
            result = await write_plan(self.shop, plan, intent.key)
        except OutcomeUnknown:
            found = await self._found(plan, msgspec.structs.replace(intent, sent_at=self._clock()))
            if found is None:
                raise
            return found
        except ShopUnavailable:
            raise
        except CommerceError as error:
            again = await self.plan(plan.request, plan.id)
            if isinstance(again, Plan) and again.hash != plan.hash:
                raise PlanChanged(again) from error
            refusal = again if isinstance(again, Refusal) else refusal_of(error)
            raise PlanRefused(refusal) from error
        return Receipt(plan=plan, key=intent.key, operation=plan.kind, result=plain_json(result))

    async def _planned(self, request: PlanRequest) -> Plan | Refusal:
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
        facts = await self._with_orders(_with_unchanged(facts, request), request.kind)
        decision = self.policy.decide(request.kind, facts)
        if request.kind not in NO_POLICY and not decision.allowed:
            return Refusal(code="policy", texts={}, decision=decision)
        plan = build(await self._case(request, facts, decision))
        if isinstance(plan, Refusal):
            return plan
        return msgspec.structs.replace(plan, basis=_basis(facts))

    async def _with_orders(self, facts: PolicyFacts, operation: str) -> PolicyFacts:
        """Return the facts with all of the customer's orders where the rules count over them."""
        if operation != "goodwill" or facts.customer is None:
            return facts
        orders = await self.shop.orders.for_customer(facts.customer.id)
        return msgspec.structs.replace(facts, orders=orders)

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


def _basis(facts: PolicyFacts) -> str:
    """Return a hash over what was done with the order before; empty where there is none."""
    order = facts.order
    if order is None:
        return ""
    paid = [(item.kind, item.amount_minor, item.method_id) for item in order.payments]
    back = [(item.kind, item.lines, item.amount_minor) for item in facts.returns]
    return hashed((order.lines, order.address, order.cancellation, paid, back))


def _with_unchanged(facts: PolicyFacts, request: PlanRequest) -> PolicyFacts:
    present = {line.id: line.variant_id for line in facts.order.lines} if facts.order else {}
    unchanged = any(present.get(line.line_id) == line.new_variant_id for line in request.lines)
    variants = {line.line_id: line.new_variant_id for line in request.lines if line.new_variant_id}
    asked = msgspec.structs.replace(facts.asked, unchanged=unchanged, variants=variants)
    return msgspec.structs.replace(facts, asked=asked)
