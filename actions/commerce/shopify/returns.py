"""Returns and exchanges in Shopify.

A return registers what comes back; the money moves when a person in the shop has processed it.
What it will be is Shopify's own calculation, checked against what the customer agreed to.
"""

from actions.commerce.changes import check_returnable, distinct, same_product
from actions.commerce.checks import check_revision
from actions.commerce.errors import (
    InvalidRequest,
    NotAllowed,
    NotFound,
    NotSupported,
    OutOfStock,
    PaymentMethodUnknown,
    StateChanged,
    StrangersOrder,
)
from actions.commerce.models import STORE_CREDIT, Order, Return, ReturnLine
from actions.commerce.ports import Catalog, Returns
from actions.commerce.requests import RequestReturn
from actions.commerce.shopify.marks import entry_of, ref_in, with_ref
from actions.commerce.shopify.mutations import RETURN_CREATE, RETURN_REQUEST
from actions.commerce.shopify.once import OrderWrites, Step
from actions.commerce.shopify.queries import (
    ORDER_RETURNS,
    RETURN_CALCULATE,
    RETURN_ORDER,
    RETURNABLE,
)
from actions.commerce.shopify.return_reading import return_of
from actions.commerce.shopify.source import OrderSource
from actions.commerce.shopify.wire import Json, bag_minor, gid, money_input, nodes, tail

REASONS = {
    "too_small": "SIZE_TOO_SMALL",
    "too_large": "SIZE_TOO_LARGE",
    "too_big": "SIZE_TOO_LARGE",
    "damaged": "DEFECTIVE",
    "defective": "DEFECTIVE",
    "not_as_described": "NOT_AS_DESCRIBED",
    "wrong_item": "WRONG_ITEM",
    "color": "COLOR",
    "style": "STYLE",
    "unwanted": "UNWANTED",
    "no_longer_needed": "UNWANTED",
}


class ShopifyReturns(Returns):
    """Returns of a Shopify store."""

    def __init__(self, writes: OrderWrites, catalog: Catalog, *, need_approval: bool) -> None:
        """Register returns.

        Args:
            writes: over the store's orders.
            catalog: the products, for exchanges.
            need_approval: a return waits until a person in the shop has approved it.
        """
        self._writes = writes
        self._book = ReturnBook(writes.source)
        self._catalog = catalog
        self._need_approval = need_approval

    async def for_order(self, number: str, customer_id: str) -> tuple[Return, ...]:
        """Return the order's returns, the oldest first; raises `NotFound`, `StrangersOrder`."""
        raw = await self._writes.source.load(number, customer_id)
        return await self._book.of_order(raw)

    async def get(self, return_id: str, customer_id: str) -> Return:
        """Return one return with its status.

        Raises:
            NotFound: there is no such return.
            StrangersOrder: it is another customer's.
        """
        data = await self._writes.source.api.read(RETURN_ORDER, id=gid("Return", return_id))
        found = data["return"]
        if found is None:
            raise NotFound(return_id)
        owner = found["order"]["customer"]
        if owner is None or tail(owner["id"]) != customer_id:
            raise StrangersOrder(return_id)
        raw = await self._writes.source.by_id(found["order"]["id"], customer_id)
        for item in await self._book.of_order(raw):
            if item.id == tail(found["id"]):
                return item
        raise NotFound(return_id)

    async def request(self, request: RequestReturn, key: str) -> Return:
        """Register a return or an exchange.

        Raises:
            InvalidRequest: lines, pieces or variants make no sense.
            NotAllowed: something is not delivered, or on its way back already.
            NotSupported: an exchange where returns need a person's approval.
            OutOfStock: the new variant is not available.
            PaymentMethodUnknown: the order was not paid with the method.
            StateChanged: the order or the amount is not what the customer agreed to.
        """
        step = self.sending(request)
        return await self._writes.once(request.order_number, request.customer_id, key, step)

    def sending(self, request: RequestReturn) -> Step[Return]:
        """Return how a return is registered."""
        return _Register(self._book, self._catalog, request, need_approval=self._need_approval)


class ReturnBook:
    """What came back of an order, and what still can."""

    def __init__(self, source: OrderSource) -> None:
        """Read over `source`."""
        self.source = source

    async def of_order(self, raw: Json) -> tuple[Return, ...]:
        """Return the returns of a loaded order, the oldest first."""
        found: list[Json] = []
        after: str | None = None
        while nodes(raw["returns"]):
            data = await self.source.api.read(ORDER_RETURNS, id=raw["id"], after=after)
            page = data["order"]["returns"]
            found += nodes(page)
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        returns = [return_of(item, raw, self.source.language) for item in found]
        return tuple(
            sorted(returns, key=lambda r: r.requested_at.timestamp() if r.requested_at else 0.0)
        )

    async def places(self, raw: Json) -> dict[str, list[tuple[str, int]]]:
        """Return, by line, the fulfilled parts that can come back: Shopify's id and pieces."""
        data = await self.source.api.read(RETURNABLE, id=raw["id"])
        result: dict[str, list[tuple[str, int]]] = {}
        for parcel in nodes(data["returnableFulfillments"]):
            for part in nodes(parcel["returnableFulfillmentLineItems"]):
                item = part["fulfillmentLineItem"]
                line_id = tail(item["lineItem"]["id"])
                result.setdefault(line_id, []).append((item["id"], part["quantity"]))
        return result


class _Register(Step[Return]):
    operation = "return"

    def __init__(
        self, book: ReturnBook, catalog: Catalog, request: RequestReturn, *, need_approval: bool
    ) -> None:
        self._book = book
        self._catalog = catalog
        self._need_approval = need_approval
        self.request: RequestReturn = request
        self._lines: list[Json] = []

    async def done(self, raw: Json, ref: str) -> Return | None:
        if entry_of(raw, ref) is None:
            return None
        data = await self._book.source.api.read(ORDER_RETURNS, id=raw["id"], after=None)
        return await self._with_ref(raw, data["order"]["returns"], ref)

    async def _with_ref(self, raw: Json, page: Json, ref: str) -> Return | None:
        for item in nodes(page):
            notes = [line["returnReasonNote"] for line in nodes(item["returnLineItems"])]
            notes += [line["customerNote"] for line in nodes(item["returnLineItems"])]
            if any(ref_in(note) == ref for note in notes):
                return return_of(item, raw, self._book.source.language)
        if not page["pageInfo"]["hasNextPage"]:
            return None
        after = page["pageInfo"]["endCursor"]
        data = await self._book.source.api.read(ORDER_RETURNS, id=raw["id"], after=after)
        return await self._with_ref(raw, data["order"]["returns"], ref)

    async def prepare(self, raw: Json) -> Json:
        asked = self.request
        order = self._book.source.order(raw)
        check_revision(order, asked.revision)
        if asked.kind == "exchange" and self._need_approval:
            msg = "exchanges wait for a person where returns need approval"
            raise NotSupported(msg)
        if not raw["taxesIncluded"] and bag_minor(raw["currentTotalTaxSet"]):
            msg = "prices without tax are a person's work"
            raise NotSupported(msg)
        distinct([line.line_id for line in asked.lines])
        former = list(await self._book.of_order(raw))
        for line in asked.lines:
            await self._check_line(order, line, former)
        self._lines = _placed(asked.lines, await self._book.places(raw))
        amount = await self._amount(raw)
        if asked.expected_minor not in {None, amount}:
            msg = f"amount is {amount}, not {asked.expected_minor}"
            raise StateChanged(msg)
        _check_payee(order, asked.method_id, -amount)
        swapped = {x.line_id: x.new_variant_id for x in asked.lines if x.new_variant_id}
        return {"amount_minor": amount, "method_id": asked.method_id, "new_variants": swapped}

    async def act(self, raw: Json, data: Json, ref: str) -> None:
        del data
        asked, api = self.request, self._book.source.api
        fee = _fee(asked, raw["presentmentCurrencyCode"])
        reasons = {line.line_id: line.reason for line in asked.lines}
        lines = [
            {
                "fulfillmentLineItemId": item["fulfillmentLineItemId"],
                "quantity": item["quantity"],
                "returnReason": REASONS.get(reasons[item["line_id"]], "OTHER"),
                "note": with_ref(reasons[item["line_id"]], ref),
            }
            for item in self._lines
        ]
        if self._need_approval:
            wanted = [_renamed(line, "customerNote") for line in lines]
            request = {"orderId": raw["id"], "returnLineItems": wanted} | fee
            await api.write(RETURN_REQUEST, input=request)
            return
        wanted = [_renamed(line, "returnReasonNote") for line in lines]
        request = {
            "orderId": raw["id"],
            "returnLineItems": wanted,
            "exchangeLineItems": self._new_lines(),
        }
        await api.write(RETURN_CREATE, input=request | fee)

    async def _check_line(self, order: Order, line: ReturnLine, former: list[Return]) -> None:
        order_line = check_returnable(order, line, former)
        if (self.request.kind == "exchange") != (line.new_variant_id is not None):
            msg = "an exchange names a new variant for each line, a return none"
            raise InvalidRequest(msg)
        if line.new_variant_id is None:
            return
        product = await self._catalog.product(order_line.product_id)
        variant = same_product(order_line, product, line.new_variant_id)
        short = variant.stock is not None and variant.stock < line.quantity
        if short or not variant.available:
            raise OutOfStock(variant.id)

    async def _amount(self, raw: Json) -> int:
        """Return what the customer gets back, negative when they pay, as Shopify calculates it.

        Raises:
            NotAllowed: Shopify does not let it come back.
        """
        question = {
            "orderId": raw["id"],
            "returnLineItems": [
                {k: line[k] for k in ("fulfillmentLineItemId", "quantity")} for line in self._lines
            ],
            "exchangeLineItems": self._new_lines(),
        }
        data = await self._book.source.api.read(RETURN_CALCULATE, input=question)
        result = data["returnCalculate"]
        if result is None:
            msg = f"nothing of {raw['name']} can be returned"
            raise NotAllowed(msg)
        back = sum(bag_minor(line["subtotalSet"]) for line in result["returnLineItems"])
        new = sum(bag_minor(line["subtotalSet"]) for line in result["exchangeLineItems"])
        return back - new - self.request.fee_minor + self.request.shipping_minor

    def _new_lines(self) -> list[Json]:
        return [
            {"variantId": gid("ProductVariant", line.new_variant_id), "quantity": line.quantity}
            for line in self.request.lines
            if line.new_variant_id
        ]


def _fee(asked: RequestReturn, currency: str) -> Json:
    if not asked.fee_minor:
        return {}
    return {"returnShippingFee": {"amount": money_input(asked.fee_minor, currency)}}


def _renamed(line: Json, note: str) -> Json:
    return {k: v for k, v in line.items() if k != "note"} | {note: line["note"]}


def _placed(lines: tuple[ReturnLine, ...], places: dict[str, list[tuple[str, int]]]) -> list[Json]:
    """Return the parts of parcels that the lines' pieces lie in.

    Raises:
        NotAllowed: fewer pieces can come back.
    """
    result: list[Json] = []
    for line in lines:
        left = line.quantity
        for part_id, quantity in places.get(line.line_id, []):
            taken = min(left, quantity)
            if taken > 0:
                left -= taken
                part = {"fulfillmentLineItemId": part_id, "quantity": taken}
                result.append(part | {"line_id": line.line_id})
        if left > 0:
            msg = f"line {line.line_id} cannot come back in this number"
            raise NotAllowed(msg)
    return result


def _check_payee(order: Order, method_id: str, pays_minor: int) -> None:
    """Accept the order's methods, and store credit when money goes back.

    Raises:
        PaymentMethodUnknown: it is neither.
        InvalidRequest: store credit was asked to pay.
    """
    if method_id in {STORE_CREDIT, f"{STORE_CREDIT}_{order.customer_id}"}:
        if pays_minor > 0:
            msg = "store credit can only receive money"
            raise InvalidRequest(msg)
        return
    if all(payment.method_id != method_id for payment in order.payments):
        raise PaymentMethodUnknown(method_id)
