"""Changing the items of an order by Shopify's order editing.

An edit is staged first; its calculated total is what the customer must have agreed to. Committing
it leaves no mark that could be read again, so the entry at the order says how its lines look
before and after. What is to be paid on top stays open, and Shopify asks the customer for it;
what is too much is refunded at once, as a second step under a key of its own.
"""

from actions.commerce.changes import distinct, line_of, same_product
from actions.commerce.checks import check_amount, check_revision
from actions.commerce.errors import (
    CommerceError,
    InvalidRequest,
    NotAllowed,
    NotSupported,
    OutOfStock,
    PaymentMethodUnknown,
    ShopUnavailable,
)
from actions.commerce.models import STORE_CREDIT, Order
from actions.commerce.ports import Catalog
from actions.commerce.requests import ChangeOrder
from actions.commerce.shopify.marks import done_key, entry_of, fields_of, with_ref
from actions.commerce.shopify.mutations import EDIT_ADD, EDIT_BEGIN, EDIT_COMMIT, EDIT_REMOVE
from actions.commerce.shopify.once import Step
from actions.commerce.shopify.refunds import RefundBook
from actions.commerce.shopify.source import OrderSource
from actions.commerce.shopify.wire import Json, bag_minor, gid, nodes, tail


class ItemsStep:
    """Makes the steps that change items."""

    def __init__(self, source: OrderSource, catalog: Catalog, refunds: RefundBook) -> None:
        """Edit the orders of `source`.

        Args:
            source: the orders.
            catalog: the products, for what may replace what.
            refunds: where a difference in the customer's favour is paid back.
        """
        self.source = source
        self.catalog = catalog
        self.refunds = refunds

    def of(self, request: ChangeOrder, key: str) -> "ChangeItems":
        """Return how this request is carried out."""
        return ChangeItems(self, request, f"{key}:difference")


class ChangeItems(Step[Order]):
    """Puts other variants into an order's lines."""

    operation = "change_items"

    def __init__(self, shop: ItemsStep, request: ChangeOrder, refund_key: str) -> None:
        """Change what `request` says; a refund goes under `refund_key`."""
        self._shop = shop
        self._source = shop.source
        self._refund_key = refund_key
        self.request: ChangeOrder = request
        self._edit_id = ""

    async def done(self, raw: Json, ref: str) -> Order | None:
        """Return the order when its lines are as the entry says; the refund is made if missing."""
        if done_key(ref) in fields_of(raw):
            return self._source.order(raw)
        entry = entry_of(raw, ref)
        if entry is None or self.state(raw, ref) != "after":
            return None
        refund_minor = int(entry.data["refund_minor"])
        if refund_minor and not self._shop.refunds.has(raw, self._refund_key):
            await self._pay_back(raw, refund_minor, str(entry.data["method_id"]))
            raw = await self._source.by_id(raw["id"], tail(raw["customer"]["id"]))
        return self._source.order(raw)

    async def seen(self, raw: Json, ref: str) -> Order | None:
        """Return the same for an effect in doubt; a refund that is missing is part of it.

        Raises:
            ShopUnavailable: the lines are neither as before nor as after, or the refund cannot
                be made: nobody can tell that it is done.
        """
        if self.state(raw, ref) == "other" and done_key(ref) not in fields_of(raw):
            msg = f"the items of {raw['name']} were changed by somebody else"
            raise ShopUnavailable(msg)
        try:
            return await self.done(raw, ref)
        except CommerceError as error:
            msg = f"the difference of {raw['name']} is not refunded yet"
            raise ShopUnavailable(msg) from error

    def state(self, raw: Json, ref: str) -> str:
        """Return whether the lines are as `before` or `after` the change, or `other`."""
        entry = entry_of(raw, ref)
        if entry is None:
            return "before"
        present = pieces(raw)
        if present == entry.data["after"] and raw["edited"]:
            return "after"
        return "before" if present == entry.data["before"] else "other"

    async def prepare(self, raw: Json) -> Json:
        """Stage the edit and check what it costs.

        Raises:
            StateChanged: the order or the difference is not what the customer agreed to.
            NotAllowed: the order is not pending, or Shopify does not let it be edited.
            NotSupported: the store's prices are without tax.
        """
        order = self._source.order(raw)
        check_revision(order, self.request.revision)
        if order.status != "pending" or not raw["merchantEditable"]:
            msg = f"the items of {order.number} cannot be changed"
            raise NotAllowed(msg)
        if not raw["taxesIncluded"] and bag_minor(raw["currentTotalTaxSet"]):
            msg = "prices without tax are a person's work"
            raise NotSupported(msg)
        after = await self._wanted(order, pieces(raw))
        edit = await self._stage(raw, order)
        difference = bag_minor(edit["totalPriceSet"]) - bag_minor(raw["currentTotalPriceSet"])
        check_amount(self.request.expected_minor, difference)
        refund_minor = max(0, -difference)
        if refund_minor != max(0, -bag_minor(edit["totalOutstandingSet"])):
            msg = f"{order.number} is not paid as it stands"  # nothing could go back, or more
            raise NotAllowed(msg)
        self._check_method(order)
        self._edit_id = edit["id"]
        return {
            "before": pieces(raw),
            "after": after,
            "refund_minor": refund_minor,
            "pays_minor": max(0, difference),
            "method_id": self.request.method_id,
        }

    async def act(self, raw: Json, data: Json, ref: str) -> None:
        """Commit the staged edit, and refund what it is cheaper."""
        await self._source.api.write(
            EDIT_COMMIT,
            id=self._edit_id,
            note=with_ref("", ref),
            notify=data["pays_minor"] > 0,
        )
        if data["refund_minor"]:
            await self._pay_back(raw, data["refund_minor"], data["method_id"])

    async def _pay_back(self, raw: Json, amount_minor: int, method_id: str) -> None:
        fresh = await self._source.by_id(raw["id"], tail(raw["customer"]["id"]))
        await self._shop.refunds.pay(fresh, amount_minor, method_id, "items", self._refund_key)

    async def _wanted(self, order: Order, present: dict[str, int]) -> dict[str, int]:
        """Return the pieces by variant after the change.

        Raises:
            OutOfStock: a new variant is not available.
            InvalidRequest: it is the variant that is there already.
        """
        distinct([item.line_id for item in self.request.items])
        after = dict(present)
        for item in self.request.items:
            line = line_of(order, item.line_id)
            product = await self._shop.catalog.product(line.product_id)
            variant = same_product(line, product, item.variant_id)
            if variant.id == line.variant_id:
                msg = f"line {line.id} has this variant"
                raise InvalidRequest(msg)
            short = variant.stock is not None and variant.stock < line.quantity
            if short or not variant.available:
                raise OutOfStock(variant.id)
            after[line.variant_id] -= line.quantity
            after[variant.id] = after.get(variant.id, 0) + line.quantity
        return {variant: count for variant, count in after.items() if count}

    def _check_method(self, order: Order) -> None:
        """Refuse methods that the money can neither come from nor go to.

        Raises:
            PaymentMethodUnknown: the order was not paid with it.
        """
        known = {payment.method_id for payment in order.payments}
        known |= {STORE_CREDIT, f"{STORE_CREDIT}_{order.customer_id}"}
        if self.request.method_id not in known:
            raise PaymentMethodUnknown(self.request.method_id)

    async def _stage(self, raw: Json, order: Order) -> Json:
        api = self._source.api
        payload = await api.write(EDIT_BEGIN, replays=True, id=raw["id"])  # only a session
        edit: Json = payload["calculatedOrder"]
        lines = {tail(line["id"]): line for line in nodes(edit["lineItems"])}
        for item in self.request.items:
            line = line_of(order, item.line_id)
            staged = lines.get(item.line_id)
            if staged is None or tail((staged["variant"] or {"id": ""})["id"]) != line.variant_id:
                msg = f"line {line.id} of {order.number} cannot be edited"
                raise NotAllowed(msg)
            variant = gid("ProductVariant", item.variant_id)
            await api.write(EDIT_ADD, id=edit["id"], variant=variant, quantity=line.quantity)
            payload = await api.write(EDIT_REMOVE, id=edit["id"], line=staged["id"])
        return dict(payload["calculatedOrder"])


def pieces(raw: Json) -> dict[str, int]:
    """Return how many pieces of each variant the order holds now."""
    found: dict[str, int] = {}
    for line in nodes(raw["lineItems"]):
        if line["variant"] and line["currentQuantity"]:
            variant = tail(line["variant"]["id"])
            found[variant] = found.get(variant, 0) + line["currentQuantity"]
    return found
