"""From a request and the shop's state to a plan; one pure function a kind."""

from collections.abc import Callable
from itertools import starmap

import msgspec

from actions.commerce.changes import (
    cancelled,
    check_refund,
    check_returnable,
    distinct,
    line_of,
    paid_by_method,
    refund_value,
    require_pending,
    same_product,
    with_method,
)
from actions.commerce.errors import (
    InsufficientBalance,
    InvalidRequest,
    NotAllowed,
    OutOfStock,
    PaymentMethodUnknown,
)
from actions.commerce.models import (
    STORE_CREDIT,
    CartLine,
    Customer,
    Order,
    OrderLine,
    Product,
    Return,
    ReturnLine,
    ShopInfo,
    Variant,
)
from actions.commerce.plans import LineChoice, Plan, PlanItem, PlanRequest
from actions.commerce.shipping import shipping_cost
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
    def returns(self) -> list[Return]:
        """Return what came back of the order before."""
        return list(self.facts.returns)


def build(case: Case) -> Plan:
    """Return the plan; raises the commerce errors that the write would raise."""
    return BUILDERS[case.request.kind](case)


def _plan(case: Case, **values: object) -> Plan:
    number = case.facts.order.number if case.facts.order else ""
    request = msgspec.structs.replace(case.request, order_number=number)
    revision = case.facts.order.revision if case.facts.order else None
    currency = case.facts.order.currency if case.facts.order else case.currency
    return Plan(request=request, currency=currency, revision=revision, **values)  # type: ignore[arg-type]


def _money(case: Case, method_id: str, pays_minor: int) -> dict[str, object]:
    """Return the plan's money fields; negative `pays_minor` is money for the customer.

    Raises:
        PaymentMethodUnknown: the money cannot move over this method.
        InsufficientBalance: the gift card does not cover it.
    """
    method = case.customer.method(method_id)
    used = case.facts.order is not None and any(
        payment.method_id == method_id for payment in case.facts.order.payments
    )
    if method is None and not (pays_minor <= 0 and (used or method_id == STORE_CREDIT)):
        raise PaymentMethodUnknown(method_id)
    gift_card = method is not None and method.kind == "gift_card"
    if gift_card and method is not None and (method.balance_minor or 0) < pays_minor:
        raise InsufficientBalance(method_id)
    return {
        "pays_minor": max(pays_minor, 0),
        "refunds_minor": max(-pays_minor, 0),
        "method_id": method_id,
        "method_kind": method.kind if method else method_id,
        "method_last_four": method.last_four if method else "",
        "refund_at_once": gift_card or method_id == STORE_CREDIT,
    }


def _item(line: OrderLine, quantity: int, new: Variant | None = None) -> PlanItem:
    return PlanItem(
        line_id=line.id,
        variant_id=line.variant_id,
        title=line.title,
        options=line.options,
        quantity=quantity,
        unit_price_minor=line.unit_price_minor,
        new_variant_id=new.id if new else "",
        new_options=new.options if new else {},
        new_unit_price_minor=new.price_minor if new else 0,
    )


def _all_items(order: Order) -> tuple[PlanItem, ...]:
    return tuple(_item(line, line.quantity) for line in order.lines)


def _cancel(case: Case) -> Plan:
    after = cancelled(case.order, case.request.reason, case.facts.now)
    refunds = after.payments[len(case.order.payments) :]
    total = sum(payment.amount_minor for payment in refunds)
    method_id = refunds[0].method_id if refunds else ""
    money = _money(case, method_id, -total) if refunds else {}
    return _plan(case, items=_all_items(case.order), **money)


def _change_address(case: Case) -> Plan:
    require_pending(case.order)
    if case.request.address is None:
        msg = "no address given"
        raise InvalidRequest(msg)
    return _plan(case, items=_all_items(case.order), address=case.request.address)


def _default_address(case: Case) -> Plan:
    if case.request.address is None:
        msg = "no address given"
        raise InvalidRequest(msg)
    return _plan(case, address=case.request.address)


def _change_payment(case: Case) -> Plan:
    _, _, amount = with_method(case.order, case.request.method_id, case.facts.now)
    money = _money(case, case.request.method_id, amount)
    return _plan(case, items=_all_items(case.order), **money)


def _swap(case: Case, choice: LineChoice) -> PlanItem:
    line = line_of(case.order, choice.line_id)
    variant = same_product(line, case.products[line.product_id], choice.new_variant_id)
    quantity = choice.quantity or line.quantity
    return _item(line, quantity, variant)


def _require_stock(case: Case, wanted: dict[str, int]) -> None:
    variants = {v.id: v for product in case.products.values() for v in product.variants}
    for variant_id, quantity in wanted.items():
        variant = variants[variant_id]
        if not variant.available or (variant.stock is not None and variant.stock < quantity):
            raise OutOfStock(variant_id)


def _swapped(case: Case) -> tuple[tuple[PlanItem, ...], int]:
    distinct([choice.line_id for choice in case.request.lines])
    items = tuple(_swap(case, choice) for choice in case.request.lines)
    wanted: dict[str, int] = {}
    for item in items:
        wanted[item.new_variant_id] = wanted.get(item.new_variant_id, 0) + item.quantity
    _require_stock(case, wanted)
    pays = sum((i.new_unit_price_minor - i.unit_price_minor) * i.quantity for i in items)
    return items, pays


def _change_items(case: Case) -> Plan:
    require_pending(case.order)
    if case.order.items_modified:
        msg = "the items were changed before"
        raise NotAllowed(msg)
    items, pays = _swapped(case)
    for item in items:
        if line_of(case.order, item.line_id).quantity != item.quantity:
            msg = "items are changed for whole lines"
            raise InvalidRequest(msg)
    return _plan(case, items=items, **_money(case, case.request.method_id, pays))


def _exchange(case: Case) -> Plan:
    for line in return_lines(case.order, case.request):
        check_returnable(case.order, line, case.returns)
    items, pays = _swapped(case)
    return _plan(case, items=items, **_money(case, case.request.method_id, pays))


def _return(case: Case) -> Plan:
    lines = return_lines(case.order, case.request)
    distinct([line.line_id for line in lines])
    items, refund = [], 0
    for line in lines:
        order_line = check_returnable(case.order, line, case.returns)
        refund += refund_value(case.order, order_line, line.quantity)
        items.append(_item(order_line, line.quantity))
    return _plan(case, items=tuple(items), **_money(case, case.request.method_id, -refund))


def return_lines(order: Order, request: PlanRequest) -> tuple[ReturnLine, ...]:
    """Return the request's lines as a return's lines."""
    return tuple(
        ReturnLine(
            line_id=choice.line_id,
            quantity=choice.quantity or line_of(order, choice.line_id).quantity,
            reason=choice.reason or request.reason,
            new_variant_id=choice.new_variant_id or None,
        )
        for choice in request.lines
    )


def _complaint(case: Case) -> Plan:
    choice = next((c for c in case.decision.choices if c.id == case.request.remedy), None)
    if choice is None or case.request.complaint_kind is None:
        msg = "choose one of the remedies that the policy allows"
        raise InvalidRequest(msg)
    pieces = case.facts.asked.quantities
    chosen = [(line, pieces.get(line.id, line.quantity)) for line in case.facts.lines]
    if any(meant > line.quantity for line, meant in chosen):
        msg = "more pieces than the order holds"
        raise InvalidRequest(msg)
    items = tuple(starmap(_item, chosen))
    if choice.id == "replacement":
        wanted: dict[str, int] = {}
        for line, meant in chosen:
            wanted[line.variant_id] = wanted.get(line.variant_id, 0) + meant
        _require_stock(case, wanted)
        return _plan(case, items=items, address=case.order.address)
    if not choice.amount_minor:
        return _plan(case, items=items)
    amount = min(choice.amount_minor, sum(paid_by_method(case.order).values()))
    check_refund(case.order, amount)
    method_id = case.request.method_id or case.order.payments[0].method_id
    return _plan(case, items=items, **_money(case, method_id, -amount))


def _goodwill(case: Case) -> Plan:
    check_refund(case.order, case.request.amount_minor)
    method_id = case.request.method_id or STORE_CREDIT
    return _plan(case, **_money(case, method_id, -case.request.amount_minor))


def _buy(case: Case, lines: tuple[CartLine, ...]) -> Plan:
    found = {v.id: (p, v) for p in case.products.values() for v in p.variants}
    items: list[PlanItem] = []
    unavailable: list[PlanItem] = []
    for line in lines:
        product, variant = found[line.variant_id]
        item = PlanItem(
            variant_id=variant.id,
            title=product.title,
            options=variant.options,
            quantity=line.quantity,
            unit_price_minor=variant.price_minor,
        )
        short = variant.stock is not None and variant.stock < line.quantity
        (unavailable if short or not variant.available else items).append(item)
    if not items:
        raise OutOfStock(", ".join(item.variant_id for item in unavailable) or "the cart is empty")
    goods = sum(item.unit_price_minor * item.quantity for item in items)
    address = case.request.address or case.customer.address
    shipping = shipping_cost(case.shop, address, goods)
    return _plan(
        case,
        items=tuple(items),
        unavailable=tuple(unavailable),
        pays_minor=goods + shipping,
        shipping_minor=shipping,
        address=address,
        method_kind="payment_link",
    )


def cart_lines(order: Order, request: PlanRequest) -> tuple[CartLine, ...]:
    """Return an order's lines (or those chosen) as a cart."""
    wanted = {choice.line_id: choice.quantity for choice in request.lines}
    lines: dict[str, int] = {}
    for line in order.lines:
        if not wanted or line.id in wanted:
            quantity = wanted.get(line.id) or line.quantity
            lines[line.variant_id] = lines.get(line.variant_id, 0) + quantity
    return tuple(CartLine(variant_id=k, quantity=v) for k, v in lines.items())


BUILDERS: dict[str, Callable[[Case], Plan]] = {
    "cancel": _cancel,
    "change_address": _change_address,
    "change_items": _change_items,
    "change_payment": _change_payment,
    "return": _return,
    "exchange": _exchange,
    "complaint": _complaint,
    "goodwill": _goodwill,
    "default_address": _default_address,
    "checkout": lambda case: _buy(case, case.request.cart),
    "reorder": lambda case: _buy(case, cart_lines(case.order, case.request)),
}
