"""What a plan is made from, and the plan with what every kind has in common."""

import msgspec

from actions.commerce.claims import Claims
from actions.commerce.errors import InvalidRequest, NotSupported
from actions.commerce.models import Customer, Order, Product, ShopInfo, Texts
from actions.commerce.plans import Plan, PlanRequest
from actions.policy.decision import Decision
from actions.policy.facts import PolicyFacts


class Case(msgspec.Struct, frozen=True):
    """What a plan is made from; `products` by id cover every line that the plan names."""

    request: PlanRequest
    facts: PolicyFacts
    decision: Decision
    customer: Customer
    products: dict[str, Product]
    shop: ShopInfo

    @property
    def currency(self) -> str:
        """Return the currency that the shop sells in."""
        return self.shop.currency

    @property
    def order(self) -> Order:
        """Return the order that the request is about.

        Raises:
            InvalidRequest: the request names none.
        """
        if self.facts.order is None:
            msg = "no order given"
            raise InvalidRequest(msg)
        return self.facts.order

    @property
    def claims(self) -> Claims:
        """Return what came back of the order before, and what was complained about."""
        return self.facts.claims

    @property
    def conditions(self) -> tuple[Texts, ...]:
        """Return what the policy asks for."""
        return tuple(condition.text for condition in self.decision.conditions)


def plan_of(case: Case, **values: object) -> Plan:
    """Return the plan for a case; `values` are its other fields."""
    number = case.facts.order.number if case.facts.order else ""
    request = msgspec.structs.replace(case.request, order_number=number)
    revision = case.facts.order.revision if case.facts.order else None
    currency = case.facts.order.currency if case.facts.order else case.currency
    fields = {"currency": currency, "revision": revision, **values}
    return Plan(request=request, **fields)  # type: ignore[arg-type]  # by name


def require_shops_currency(case: Case) -> None:
    """Refuse to set the shop's prices, rules and balances off against another currency.

    Raises:
        NotSupported: the order was paid in another one.
    """
    order = case.facts.order
    if order is not None and order.currency != case.currency:
        msg = f"order {order.number} is in {order.currency}"
        raise NotSupported(msg)
