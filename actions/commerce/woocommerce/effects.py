"""What the shop remembers of our writes, by the marks that they left."""

import msgspec

from actions.commerce.errors import (
    KeyReused,
    NotFound,
    OutcomeUnknown,
    ShopUnavailable,
    StateChanged,
    StrangersOrder,
)
from actions.commerce.models import Effect
from actions.commerce.ports import Effects
from actions.commerce.requests import Intent
from actions.commerce.woocommerce.book import OrderBook
from actions.commerce.woocommerce.links import WooLinks
from actions.commerce.woocommerce.marks import Mark, find_mark, name_of
from actions.commerce.woocommerce.people import WooCustomers
from actions.commerce.woocommerce.reading import refund_of, status_of
from actions.commerce.woocommerce.refunds import Till
from actions.commerce.woocommerce.returns import returned, tell_staff
from actions.commerce.woocommerce.shapes import WooOrder, WooRefund
from actions.commerce.woocommerce.trials import Trials, trial_of

LINKS = {"checkout", "reorder"}
REFUNDS = {"goodwill", "complaint"}


class WooEffects(Effects):
    """Finds what was done under a key where it was done."""

    replays = False

    def __init__(
        self, book: OrderBook, till: Till, customers: WooCustomers, links: WooLinks
    ) -> None:
        """Look into the shop's orders, refunds, accounts and links."""
        self._book = book
        self._till = till
        self._customers = customers
        self._links = links
        self._trials = Trials(book)

    async def find(self, intent: Intent) -> Effect | None:
        """Return what the shop did under the intent's key, None when it did not.

        A refund of all that was paid counts as the cancelling that it was for: it stops the order.
        A change that nobody has looked at since is looked at first: it may have to be taken back.

        Raises:
            ShopUnavailable: it cannot tell at the moment.
        """
        try:
            return await self._find(intent, str(intent.request.get("customer_id", "")))
        except (NotFound, StrangersOrder, KeyReused):
            return None
        except OutcomeUnknown as error:
            raise ShopUnavailable(error.detail) from error

    async def _find(self, intent: Intent, customer_id: str) -> Effect | None:
        if intent.operation == "default_address":
            return _effect(intent, await self._customers.marked(customer_id, intent.key))
        if intent.operation in LINKS:
            return _effect(intent, await self._links.marked(customer_id, intent.key))
        number = str(intent.request.get("order_number", ""))
        named = await self._book.named(number, customer_id)
        order = await self._book.fresh(named.id)
        refunds = await self._book.refunds(order)
        made = await self._till.made(order, refunds, intent.key, None)
        if intent.operation in REFUNDS:
            return self._refund(intent, order, made)
        mark = find_mark(order.meta_data, intent.key)
        if mark is not None and intent.operation == "return":
            await tell_staff(self._book, order, name_of(intent.key))
            noted = returned(order, refunds, name_of(intent.key))
            return _effect(intent, (mark, noted)) if noted else None
        stopped = status_of(order, self._book.config) == "cancelled"
        if mark is None and intent.operation == "cancel" and made is not None and stopped:
            mark = _mark_of(made, intent.key)
        if mark is None:
            return None
        if trial_of(mark) is not None:
            order = await self._tried(order, intent.key)
        return _effect(intent, (mark, await self._book.whole(order)))

    async def _tried(self, order: WooOrder, key: str) -> WooOrder:
        """Finish a change that is on trial, and return its order.

        Raises:
            NotFound: it was taken back.
            OutcomeUnknown: it could not be taken back.
        """
        async with self._book.client.lock(f"order-{order.id}"):
            fresh = await self._book.fresh(order.id)
            mark = find_mark(fresh.meta_data, key)
            if mark is None:
                msg = "the change was taken back"
                raise NotFound(msg)
            trial = trial_of(mark)
            if trial is None:
                return fresh
            try:
                return await self._trials.finish(fresh, mark, trial, key)
            except StateChanged as error:
                raise NotFound(error.detail) from error

    def _refund(self, intent: Intent, order: WooOrder, made: WooRefund | None) -> Effect | None:
        if made is None:
            return None
        mark = _mark_of(made, intent.key)
        return (
            _effect(intent, (mark, refund_of(order, made)))
            if mark
            else _plain(intent, refund_of(order, made))
        )


def _mark_of(refund: WooRefund, key: str) -> Mark | None:
    return find_mark(refund.meta_data, key)


def _effect(intent: Intent, found: tuple[Mark, msgspec.Struct] | None) -> Effect | None:
    if found is None:
        return None
    mark, result = found
    return msgspec.structs.replace(_plain(intent, result), fingerprint=mark.fingerprint, at=mark.at)


def _plain(intent: Intent, result: msgspec.Struct) -> Effect:
    return Effect(
        key=intent.key,
        operation=intent.operation,
        fingerprint="",
        result=msgspec.json.encode(result).decode(),
    )
