"""Payment links: draft orders whose invoice the customer pays at Shopify's checkout.

A paid draft is an order of Shopify's own making, so `settle` only reads it. An unpaid link that is
too old is deleted: what we call expired can really not be paid any more.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import msgspec

from actions.commerce.checks import check_amount, cost, priced
from actions.commerce.errors import (
    CommerceError,
    KeyReused,
    LinkClosed,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    ShopRefused,
    StateChanged,
)
from actions.commerce.models import Order, PaymentLink, PricedLine, ShopInfo
from actions.commerce.ports import Catalog, PaymentLinks
from actions.commerce.requests import OpenLink
from actions.commerce.shopify.config import NAMESPACE, ShopifyConfig
from actions.commerce.shopify.marks import metafield, ref_of
from actions.commerce.shopify.mutations import DRAFT_CALCULATE, DRAFT_CREATE, DRAFT_DELETE
from actions.commerce.shopify.orders import address_input
from actions.commerce.shopify.queries import DRAFT, RECENT_DRAFTS
from actions.commerce.shopify.reading import address_of
from actions.commerce.shopify.source import OrderSource
from actions.commerce.shopify.wire import (
    Json,
    bag_minor,
    gid,
    instant,
    money_input,
    nodes,
    tail,
)
from actions.commerce.sql import Clock

PAGES = 6
READY_TURNS = 16
SKEW = timedelta(minutes=10)


class LinkMark(msgspec.Struct, frozen=True):
    """What a draft order of ours remembers.

    `reference` is the effect key itself, `goods` a hash over the customer and what they buy.
    """

    ref: str
    fingerprint: str
    expires_at: datetime
    reference: str = ""
    goods: str = ""


class ShopifyLinks(PaymentLinks):
    """Draft orders of a Shopify store."""

    def __init__(
        self,
        source: OrderSource,
        catalog: Catalog,
        config: ShopifyConfig,
        info: ShopInfo,
        clock: Clock,
    ) -> None:
        """Open links over `source`'s store, with the shop's own rates for shipping."""
        self._source = source
        self._api = source.api
        self._catalog = catalog
        self._config = config
        self._info = info
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def create(self, request: OpenLink, key: str) -> PaymentLink:
        """Open a link at today's prices and shipping.

        Older links of the customer for the same goods are deleted, so that nobody pays twice.

        Raises:
            InvalidRequest: there is nothing to pay for.
            KeyReused: the key was used before for something else.
            NotDeliverable: the shop does not send to the country.
            OutOfStock: something is not available.
            OutcomeUnknown: there may be a link; the same key may come again.
            StateChanged: it costs something else than the customer agreed to, or the same is being
                paid already.
        """
        async with self._locks.setdefault(request.customer_id, asyncio.Lock()):
            return await self._create(request, key)

    async def _create(self, request: OpenLink, key: str) -> PaymentLink:
        known = await self.find(ref_of(key), self._clock() - timedelta(days=2))
        if known is not None:
            draft, mark = known
            if mark.fingerprint != request.fingerprint():
                raise KeyReused(tail(draft["id"]))
            return _link(draft, mark)
        given = await self._input(request)
        payload = await self._api.write(DRAFT_CALCULATE, replays=True, input=given)
        costs = payload["calculatedDraftOrder"]
        total, shipping = (
            bag_minor(costs["totalPriceSet"]),
            bag_minor(costs["totalShippingPriceSet"]),
        )
        for expected, amount in (request.expected_minor, total), (request.shipping_minor, shipping):
            check_amount(expected, amount)
        expires = self._clock() + timedelta(hours=self._config.link_hours)
        mark = LinkMark(ref_of(key), request.fingerprint(), expires, key, _goods(request))
        await self._close_older(mark)
        given["metafields"] = [metafield("link", mark)]
        created = await self._api.write(DRAFT_CREATE, input=given, namespace=NAMESPACE)
        return _link(await self._ready(created["draftOrder"]), mark)

    async def get(self, link_id: str) -> PaymentLink:
        """Return a link with its present status.

        Raises:
            NotFound: there is none, or it was unpaid and is deleted.
        """
        draft, mark = await self._draft(link_id)
        link = _link(draft, mark)
        if link.status != "open" or mark.expires_at > self._clock():
            return link
        try:
            await self._api.write(DRAFT_DELETE, replays=True, id=draft["id"])
        except (ShopRefused, NotAllowed, OutcomeUnknown):
            draft, mark = await self._draft(link_id)  # paid in this very moment
            return _link(draft, mark)
        except NotFound:
            pass
        return msgspec.structs.replace(link, status="expired")

    async def settle(self, link_id: str, key: str) -> Order:
        """Return the order that Shopify made of the paid link.

        Raises:
            LinkClosed: it was deleted unpaid.
            NotAllowed: it is not paid yet.
        """
        del key
        try:
            draft, _ = await self._draft(link_id)
        except NotFound as error:
            raise LinkClosed(link_id) from error
        if _status(draft) != "paid":
            msg = f"link {link_id} is not paid"
            raise NotAllowed(msg)
        raw = await self._source.by_id(draft["order"]["id"], tail(draft["customer"]["id"]))
        return self._source.order(raw)

    async def find(self, ref: str, since: datetime) -> tuple[Json, LinkMark] | None:
        """Return the draft that carries the reference.

        It goes through the latest drafts themselves, because Shopify's search lags behind.

        Args:
            ref: of the key.
            since: no draft older than this is looked at.
        """
        async for draft_id, mark in self._recent(since):
            if mark.ref == ref:
                return await self._draft(tail(draft_id))
        return None

    async def _recent(self, since: datetime) -> AsyncIterator[tuple[str, LinkMark]]:
        """Yield the ids and marks of our latest drafts, the latest first."""
        after: str | None = None
        for _ in range(PAGES):
            data = await self._api.read(RECENT_DRAFTS, after=after, namespace=NAMESPACE)
            page = data["draftOrders"]
            for draft in nodes(page):
                if instant(draft["createdAt"]) < since - SKEW:
                    return
                mark = _mark(draft)
                if mark is not None:
                    yield draft["id"], mark
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return

    async def _close_older(self, new: LinkMark) -> None:
        """Delete what waits to be paid for the same goods.

        Raises:
            StateChanged: one of them is being paid.
        """
        since = self._clock() - timedelta(hours=self._config.link_hours)
        same = [id_ async for id_, mark in self._recent(since) if mark.goods == new.goods]
        for draft_id in same:
            data = await self._api.read(DRAFT, id=draft_id, namespace=NAMESPACE)
            draft = data["draftOrder"]
            if draft is None or _status(draft) == "paid":
                continue
            if draft["status"] == "COMPLETED":
                msg = f"link {tail(draft_id)} for the same is being paid"
                raise StateChanged(msg)
            try:
                await self._api.write(DRAFT_DELETE, replays=True, id=draft_id)
            except NotFound:
                continue
            except (ShopRefused, NotAllowed) as error:  # paid in this very moment
                msg = f"link {tail(draft_id)} for the same is being paid"
                raise StateChanged(msg) from error

    async def _draft(self, link_id: str) -> tuple[Json, LinkMark]:
        draft_id = gid("DraftOrder", link_id)
        data = await self._api.read(DRAFT, id=draft_id, namespace=NAMESPACE)
        draft = data["draftOrder"]
        mark = _mark(draft) if draft else None
        if draft is None or mark is None:
            raise NotFound(f"payment link {link_id}")
        return draft, mark

    async def _ready(self, draft: Json) -> Json:
        """Wait for the invoice's address, which Shopify makes a moment later.

        Raises:
            OutcomeUnknown: it is not there; the same key finds the draft again.
        """
        for _ in range(READY_TURNS):
            if draft["invoiceUrl"]:
                return draft
            await asyncio.sleep(self._api.pause_s)
            try:
                draft, _ = await self._draft(tail(draft["id"]))
            except CommerceError as error:
                msg = "the link cannot be read"
                raise OutcomeUnknown(msg) from error
        msg = "the link has no address yet"
        raise OutcomeUnknown(msg)

    async def _input(self, request: OpenLink) -> Json:
        lines = [
            priced((await self._catalog.variant(line.variant_id))[1], line.quantity)
            for line in request.lines
        ]
        _, shipping = cost(self._info, request.address, lines)
        currency = self._info.currency
        return {
            "purchasingEntity": {"customerId": gid("Customer", request.customer_id)},
            "lineItems": [
                {"variantId": gid("ProductVariant", line.variant_id), "quantity": line.quantity}
                for line in lines
            ],
            "shippingAddress": address_input(request.address, None, self._info.country),
            "shippingLine": {
                "title": "Versand" if self._config.language == "de" else "Shipping",
                "priceWithCurrency": money_input(shipping, currency),
            },
            "presentmentCurrencyCode": currency,
            "acceptAutomaticDiscounts": False,
            "allowDiscountCodesInCheckout": False,
        }


def _goods(request: OpenLink) -> str:
    pieces = sorted((line.variant_id, line.quantity) for line in request.lines)
    return ref_of(repr((request.customer_id, pieces)))


def _mark(draft: Json) -> LinkMark | None:
    field = draft["metafield"]
    return msgspec.json.decode(field["value"], type=LinkMark) if field else None


def _status(draft: Json) -> str:
    paid = draft["status"] == "COMPLETED" and draft["order"] and draft["order"]["fullyPaid"]
    return "paid" if paid else "open"


def _link(draft: Json, mark: LinkMark) -> PaymentLink:
    lines = tuple(
        PricedLine(
            variant_id=tail(line["variant"]["id"]) if line["variant"] else "",
            quantity=line["quantity"],
            unit_price_minor=bag_minor(line["originalUnitPriceSet"]),
        )
        for line in nodes(draft["lineItems"])
    )
    return PaymentLink(
        id=tail(draft["id"]),
        url=draft["invoiceUrl"] or "",
        customer_id=tail(draft["customer"]["id"]) if draft["customer"] else "",
        lines=lines,
        amount_minor=bag_minor(draft["totalPriceSet"]),
        currency=draft["presentmentCurrencyCode"],
        status="paid" if _status(draft) == "paid" else "open",
        created_at=instant(draft["createdAt"]),
        expires_at=mark.expires_at,
        address=address_of(draft["shippingAddress"]),
        order_number=draft["order"]["name"] if draft["order"] else "",
        shipping_minor=bag_minor(draft["totalShippingPriceSet"]),
        reference=mark.reference,
    )
