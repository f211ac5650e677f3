"""Carrying out a plan: one request to one port of the shop."""

from collections.abc import Awaitable, Callable
from typing import Any

from actions.commerce.models import Address, CartLine
from actions.commerce.plan_builders import return_lines
from actions.commerce.plans import Plan, PlanKind
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


async def write_plan(shop: Shop, plan: Plan, key: str) -> object:
    """Have the shop do what a plan says; raises what its ports raise.

    Args:
        shop: the ports.
        plan: what was agreed.
        key: the idempotency key.
    """
    writers: dict[PlanKind, Callable[[Shop, Plan, str], Awaitable[Any]]] = {
        "cancel": _cancel,
        "change_address": _change,
        "change_items": _change,
        "change_payment": _change,
        "return": _send_back,
        "exchange": _send_back,
        "complaint": _complain,
        "goodwill": _refund,
        "default_address": _move,
        "checkout": _open_link,
        "reorder": _open_link,
    }
    return await writers[plan.kind](shop, plan, key)


async def _cancel(shop: Shop, plan: Plan, key: str) -> object:
    asked = plan.request
    request = CancelOrder(asked.order_number, asked.customer_id, asked.reason, plan.revision)
    return await shop.orders.cancel(request, key)


async def _change(shop: Shop, plan: Plan, key: str) -> object:
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
    return await shop.orders.change(request, key)


async def _send_back(shop: Shop, plan: Plan, key: str) -> object:
    asked = plan.request
    order = await shop.orders.get(asked.order_number, asked.customer_id)
    request = RequestReturn(
        order_number=asked.order_number,
        customer_id=asked.customer_id,
        kind="exchange" if plan.kind == "exchange" else "return",
        lines=return_lines(order, asked),
        method_id=asked.method_id,
        expected_minor=plan.refunds_minor - plan.pays_minor,
        revision=plan.revision,
        fee_minor=plan.fee_minor,
        shipping_minor=plan.shipping_minor,
    )
    return await shop.returns.request(request, key)


async def _complain(shop: Shop, plan: Plan, key: str) -> object:
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
    return await shop.complaints.file(request, key)


async def _refund(shop: Shop, plan: Plan, key: str) -> object:
    asked = plan.request
    request = IssueRefund(
        order_number=asked.order_number,
        customer_id=asked.customer_id,
        amount_minor=plan.refunds_minor,
        method_id=plan.method_id,
        reason=plan.kind,
        revision=plan.revision,
    )
    return await shop.refunds.issue(request, key)


async def _move(shop: Shop, plan: Plan, key: str) -> object:
    address = plan.address or Address(line1="")
    request = ChangeDefaultAddress(plan.request.customer_id, address)
    return await shop.customers.set_default_address(request, key)


async def _open_link(shop: Shop, plan: Plan, key: str) -> object:
    lines = tuple(CartLine(item.variant_id, item.quantity) for item in plan.items)
    address = plan.address or Address(line1="")
    request = OpenLink(
        customer_id=plan.request.customer_id,
        lines=lines,
        address=address,
        expected_minor=plan.pays_minor,
        shipping_minor=plan.shipping_minor,
    )
    return await shop.payment_links.create(request, key)
