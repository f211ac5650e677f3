"""Money back over Shopify: to the methods that paid, or as store credit.

`refundCreate` is the one write here with idempotency keys of Shopify's own. Store credit goes over
it as well, not over `storeCreditAccountCredit`: that one knows neither a key nor a note, so a lost
answer could never be told from a credit that was not made.
"""

from actions.commerce.checks import check_revision
from actions.commerce.errors import (
    InvalidRequest,
    PaymentMethodUnknown,
    RefundTooHigh,
)
from actions.commerce.models import STORE_CREDIT, Payment
from actions.commerce.ports import Refunds
from actions.commerce.requests import IssueRefund
from actions.commerce.shopify.client import ShopifyApi
from actions.commerce.shopify.marks import ref_in, ref_of, uuid_of, with_ref
from actions.commerce.shopify.mutations import REFUND_CREATE
from actions.commerce.shopify.once import OrderWrites, Step
from actions.commerce.shopify.queries import SUGGESTED_REFUND
from actions.commerce.shopify.reading import method_id_of, payments_of
from actions.commerce.shopify.source import OrderSource
from actions.commerce.shopify.wire import Json, bag_minor, decimal_of, money_input, nodes
from actions.commerce.shopify.wire import tail as tail_of


class RefundBook:
    """What was refunded of an order, and what still can be."""

    def __init__(self, api: ShopifyApi) -> None:
        """Refund over `api`."""
        self._api = api

    def has(self, raw: Json, key: str) -> bool:
        """Tell whether the order shows a refund under the key."""
        return any(ref_in(refund["note"]) == ref_of(key) for refund in raw["refunds"])

    def found(self, raw: Json, ref: str) -> Payment | None:
        """Return the refund that carries the reference."""
        for refund in raw["refunds"]:
            moved = {t["id"].rsplit("/", 1)[-1] for t in nodes(refund["transactions"])}
            payments = [p for p in payments_of(raw) if p.id in moved]
            if ref_in(refund["note"]) == ref and payments:
                first = payments[0]
                total = sum(payment.amount_minor for payment in payments)
                return Payment(
                    id=first.id,
                    kind="refund",
                    amount_minor=total,
                    method_id=first.method_id,
                    status=first.status,
                    at=first.at,
                    reason=first.reason,
                )
        return None

    async def check(self, raw: Json, amount_minor: int, method_id: str) -> None:
        """Refuse what Shopify would not pay.

        Raises:
            InvalidRequest: the amount is not positive.
            RefundTooHigh: more than Shopify says can be refunded, in all or to this method.
            PaymentMethodUnknown: the order was not paid with it.
        """
        if amount_minor <= 0:
            msg = "a refund must be more than zero"
            raise InvalidRequest(msg)
        data = await self._api.read(SUGGESTED_REFUND, id=raw["id"])
        suggested = data["order"]["suggestedRefund"]
        most = bag_minor(suggested["maximumRefundableSet"]) if suggested else 0
        if amount_minor > most:
            msg = f"{amount_minor} of at most {most}"
            raise RefundTooHigh(msg)
        self.transactions(raw, amount_minor, method_id)

    async def pay(
        self, raw: Json, amount_minor: int, method_id: str, reason: str, key: str
    ) -> None:
        """Refund once per key, whoever asks how often: Shopify recognises the key."""
        currency = raw["presentmentCurrencyCode"]
        refund: Json = {
            "orderId": raw["id"],
            "currency": currency,
            "note": with_ref(reason, ref_of(key)),
            "notify": False,
            "discrepancyReason": "CUSTOMER",
        }
        if _is_credit(method_id):
            credit = {"amount": money_input(amount_minor, currency)}
            refund["refundMethods"] = [{"storeCreditRefund": credit}]
        else:
            refund["transactions"] = self.transactions(raw, amount_minor, method_id)
        await self._api.write(REFUND_CREATE, replays=True, input=refund, key=uuid_of(key))

    def transactions(self, raw: Json, amount_minor: int, method_id: str) -> list[Json]:
        """Return the amount shared out over the payments that the method made.

        Raises:
            PaymentMethodUnknown: it made none.
            RefundTooHigh: it paid less, or was refunded before.
        """
        if _is_credit(method_id):
            return []
        currency = raw["presentmentCurrencyCode"]
        customer_id = tail_of(raw["customer"]["id"])
        paid = [
            t
            for t in raw["transactions"]
            if t["kind"] in {"SALE", "CAPTURE"}
            and t["status"] == "SUCCESS"
            and method_id_of(t, customer_id) == method_id
        ]
        if not paid:
            raise PaymentMethodUnknown(method_id)
        left, result = amount_minor, []
        for item in paid:
            share = min(left, _left_of(raw, item))
            if share > 0:
                left -= share
                result.append({
                    "orderId": raw["id"],
                    "parentId": item["id"],
                    "gateway": item["gateway"],
                    "kind": "REFUND",
                    "amount": decimal_of(share, currency),
                })
        if left > 0:
            msg = f"{amount_minor} of at most {amount_minor - left} over this method"
            raise RefundTooHigh(msg)
        return result


class ShopifyRefunds(Refunds):
    """Refunds of a Shopify store."""

    def __init__(self, writes: OrderWrites, book: RefundBook) -> None:
        """Refund over `writes`."""
        self._writes = writes
        self._book = book

    async def for_order(self, number: str, customer_id: str) -> tuple[Payment, ...]:
        """Return the order's refunds, the oldest first; raises `NotFound` or `StrangersOrder`."""
        raw = await self._writes.source.load(number, customer_id)
        return tuple(p for p in payments_of(raw) if p.kind == "refund")

    async def issue(self, request: IssueRefund, key: str) -> Payment:
        """Refund an amount; never more than was paid.

        Raises:
            InvalidRequest: the amount is not positive.
            RefundTooHigh: it is more than can be refunded.
            PaymentMethodUnknown: the order was not paid with the method.
            StateChanged: the order is another than when this was planned.
        """
        step = self.paying(request, key)
        return await self._writes.once(request.order_number, request.customer_id, key, step)

    def paying(self, request: IssueRefund, key: str) -> Step[Payment]:
        """Return how an amount is refunded."""
        return _Refund(self._writes.source, self._book, request, key)


class _Refund(Step[Payment]):
    operation = "refund"

    def __init__(
        self, source: OrderSource, book: RefundBook, request: IssueRefund, key: str
    ) -> None:
        self._source = source
        self._book = book
        self._key = key
        self.request: IssueRefund = request

    async def done(self, raw: Json, ref: str) -> Payment | None:
        return self._book.found(raw, ref)

    async def prepare(self, raw: Json) -> Json:
        check_revision(self._source.order(raw), self.request.revision)
        await self._book.check(raw, self.request.amount_minor, self.request.method_id)
        return {}

    async def act(self, raw: Json, data: Json, ref: str) -> None:
        del data, ref
        asked = self.request
        await self._book.pay(raw, asked.amount_minor, asked.method_id, asked.reason, self._key)


def _left_of(raw: Json, payment: Json) -> int:
    """Return what of a payment was not refunded yet; Shopify tells it for the order alone."""
    back = [
        bag_minor(item["amountSet"])
        for item in raw["transactions"]
        if item["kind"] == "REFUND"
        and item["status"] not in {"FAILURE", "ERROR"}
        and item["parentTransaction"]
        and item["parentTransaction"]["id"] == payment["id"]
    ]
    return bag_minor(payment["amountSet"]) - sum(back)


def _is_credit(method_id: str) -> bool:
    return method_id == STORE_CREDIT or method_id.startswith(f"{STORE_CREDIT}_")
