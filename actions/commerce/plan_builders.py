"""From a request and the shop's state to a plan; one pure function a kind."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import starmap

from actions.commerce.changes import (
    cancelled,
    check_refund,
    distinct,
    line_of,
    require_pending,
    same_product,
    with_method,
)
from actions.commerce.checks import MOST_PIECES, check_stock
from actions.commerce.errors import (
    InsufficientBalance,
    InvalidRequest,
    OutOfStock,
    PaymentMethodUnknown,
)
from actions.commerce.models import (
    STORE_CREDIT,
    CartLine,
    Order,
    OrderLine,
    ReturnLine,
    Variant,
)
from actions.commerce.plan_case import Case, plan_of, require_shops_currency
from actions.commerce.plans import LineChoice, Plan, PlanFee, PlanItem, PlanRequest
from actions.commerce.requests import FileComplaint
from actions.commerce.shipping import shipping_cost
from actions.policy.decision import Decision
from actions.policy.facts import PolicyFacts


def build(case: Case) -> Plan:
    """Return the plan; raises the commerce errors that the write would raise.

    Raises:
        InvalidRequest: a number of pieces is negative.
    """
    if any(choice.quantity < 0 for choice in case.request.lines):
        msg = "a negative number of pieces"
        raise InvalidRequest(msg)
    return BUILDERS[case.request.kind](case)


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
    if gift_card or method_id == STORE_CREDIT:
        require_shops_currency(case)
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
    return plan_of(case, items=_all_items(case.order), **money)


def _change_address(case: Case) -> Plan:
    require_pending(case.order)
    if case.request.address is None:
        msg = "no address given"
        raise InvalidRequest(msg)
    shipping_cost(case.shop, case.request.address, 0)  # refuses countries without a rate
    return plan_of(case, items=_all_items(case.order), address=case.request.address)


def _default_address(case: Case) -> Plan:
    if case.request.address is None:
        msg = "no address given"
        raise InvalidRequest(msg)
    return plan_of(case, address=case.request.address)


def _change_payment(case: Case) -> Plan:
    _, _, amount = with_method(case.order, case.request.method_id, case.facts.now)
    money = _money(case, case.request.method_id, amount)
    return plan_of(case, items=_all_items(case.order), **money)


def _swap(case: Case, choice: LineChoice) -> PlanItem:
    line = line_of(case.order, choice.line_id)
    variant = same_product(line, case.products[line.product_id], choice.new_variant_id)
    quantity = choice.quantity or line.quantity
    return _item(line, quantity, variant)


def _require_stock(case: Case, pieces: Iterable[tuple[str, int]]) -> None:
    variants = {v.id: v for product in case.products.values() for v in product.variants}
    wanted: Counter[str] = Counter()
    for variant_id, quantity in pieces:
        wanted[variant_id] += quantity
    for variant_id, quantity in wanted.items():
        check_stock(variants[variant_id], quantity)


def _swapped(case: Case) -> tuple[tuple[PlanItem, ...], int]:
    require_shops_currency(case)
    distinct([choice.line_id for choice in case.request.lines])
    items = tuple(_swap(case, choice) for choice in case.request.lines)
    _require_stock(case, [(item.new_variant_id, item.quantity) for item in items])
    pays = sum((i.new_unit_price_minor - i.unit_price_minor) * i.quantity for i in items)
    return items, pays


def _change_items(case: Case) -> Plan:
    require_pending(case.order)
    items, pays = _swapped(case)
    for item in items:
        if line_of(case.order, item.line_id).quantity != item.quantity:
            msg = "items are changed for whole lines"
            raise InvalidRequest(msg)
    if pays < 0:
        check_refund(case.order, -pays, case.request.method_id)
    return plan_of(case, items=items, **_money(case, case.request.method_id, pays))


def _exchange(case: Case) -> Plan:
    for line in return_lines(case.order, case.request):
        case.claims.check_back(case.order, line)
    items, pays = _swapped(case)
    fees = _fees(case)
    pays += sum(fee.amount_minor for fee in fees)
    pays = max(pays, -case.claims.left_minor(case.order))
    money = _money(case, case.request.method_id, pays)
    return plan_of(case, items=items, fees=fees, conditions=case.conditions, **money)


def _return(case: Case) -> Plan:
    lines = return_lines(case.order, case.request)
    distinct([line.line_id for line in lines])
    items, refund = [], 0
    for line in lines:
        order_line = case.claims.check_back(case.order, line)
        refund += case.claims.worth_minor(case.order, order_line, line.quantity)
        items.append(_item(order_line, line.quantity))
    left = case.claims.left_minor(case.order)
    refund = min(refund, left)
    shipping = min(case.decision.shipping_minor, case.order.shipping_minor)
    fees = _fees(case, refund + shipping)
    refund = min(refund + shipping - sum(fee.amount_minor for fee in fees), left)
    return plan_of(
        case,
        items=tuple(items),
        fees=fees,
        conditions=case.conditions,
        shipping_minor=shipping,
        **_money(case, case.request.method_id, -refund),
    )


def _fees(case: Case, most_minor: int | None = None) -> tuple[PlanFee, ...]:
    """Return what the customer bears, in all no more than `most_minor`."""
    found = []
    for fee in case.decision.fees:
        amount = fee.amount_minor if most_minor is None else min(fee.amount_minor, most_minor)
        if fee.paid_by == "customer" and amount > 0:
            require_shops_currency(case)
            found.append(PlanFee(id=fee.id, text=fee.text, amount_minor=amount))
            most_minor = None if most_minor is None else most_minor - amount
    return tuple(found)


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
    chosen = complained(case.facts, case.decision)
    if any(meant > line.quantity for line, meant in chosen):
        msg = "more pieces than the order holds"
        raise InvalidRequest(msg)
    asked = FileComplaint(
        order_number=case.order.number,
        customer_id=case.order.customer_id,
        kind=case.request.complaint_kind,
        line_ids=tuple(line.id for line, _ in chosen),
        quantities={line.id: meant for line, meant in chosen},
        remedy=choice.id,
    )
    case.claims.check_complaint(case.order, asked)
    items = tuple(starmap(_item, chosen))
    if choice.id == "replacement":
        _require_stock(case, [(line.variant_id, meant) for line, meant in chosen])
        return plan_of(case, items=items, address=case.order.address)
    if not choice.amount_minor:
        return plan_of(case, items=items)
    amount = case.claims.paid_minor(case.order, chosen, choice.id, choice.amount_minor)
    method_id = case.request.method_id or case.order.payments[0].method_id
    check_refund(case.order, amount, method_id, case.claims.promised_minor)
    return plan_of(case, items=items, **_money(case, method_id, -amount))


def complained(facts: PolicyFacts, decision: Decision) -> list[tuple[OrderLine, int]]:
    """Return the lines that a complaint is about with the number of pieces.

    Args:
        facts: what is asked for.
        decision: of the rules; the lines that it excludes are left out.
    """
    out = {item.line_id for item in decision.excluded}
    return [(line, facts.pieces(line)) for line in facts.lines if line.id not in out]


def _goodwill(case: Case) -> Plan:
    require_shops_currency(case)
    method_id = case.request.method_id or STORE_CREDIT
    promised = case.claims.promised_minor
    check_refund(case.order, case.request.amount_minor, method_id, promised)
    return plan_of(case, **_money(case, method_id, -case.request.amount_minor))


def _buy(case: Case, lines: tuple[CartLine, ...]) -> Plan:
    found = {v.id: (p, v) for p in case.products.values() for v in p.variants}
    items: list[PlanItem] = []
    unavailable: list[PlanItem] = []
    for line in lines:
        if not 0 < line.quantity <= MOST_PIECES:
            msg = f"quantity must be 1 to {MOST_PIECES}"
            raise InvalidRequest(msg)
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
    return plan_of(
        case,
        currency=case.currency,
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
