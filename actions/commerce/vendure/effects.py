"""What Vendure remembers of writes: the keys in reasons and notes."""

import msgspec

from actions.commerce.errors import OutcomeUnknown, ShopUnavailable
from actions.commerce.models import Effect
from actions.commerce.ports import Effects
from actions.commerce.requests import Intent
from actions.commerce.vendure.book import (
    Found,
    OrderBook,
    cancel_mark,
    change_mark,
    settled_change,
    unreturned,
)
from actions.commerce.vendure.people import VendureCustomers, note_mark
from actions.commerce.vendure.permits import revoke
from actions.commerce.vendure.refunds import marked_refund


class VendureEffects(Effects):
    """Effects of a shop on Vendure, found where they happened."""

    def __init__(self, book: OrderBook, customers: VendureCustomers) -> None:
        """Look for keys.

        Args:
            book: looks up orders.
            customers: look through customers' notes.
        """
        self._book = book
        self._customers = customers

    async def find(self, intent: Intent) -> Effect | None:
        """Return what was done under the intent's key, None when nothing was.

        After None a write that is still on its way is not done any more: its permit is revoked.

        Raises:
            ShopUnavailable: the shop cannot be read, or the effect is half done.
        """
        customer_id = str(intent.request.get("customer_id", ""))
        number = str(intent.request.get("order_number", ""))
        if number:
            found = await self._book.find(number, customer_id)
            effect = _effect_on(found, intent)
            if effect is None:
                await revoke(self._book.api, "order", found.raw, intent.key)
            return effect
        if not customer_id:
            return None
        noted = await self._customers.notes(customer_id)
        mark = note_mark(noted, intent.key)
        if mark is None:
            await revoke(self._book.api, "customer", noted, intent.key)
            return None
        return _effect(intent, mark.fingerprint, await self._customers.get(customer_id))


def _effect_on(found: Found, intent: Intent) -> Effect | None:
    cancelled = cancel_mark(found.raw, intent.key)
    if cancelled is not None:
        if unreturned(found.raw):
            msg = f"{found.order.number} is cancelled, its money is not refunded"
            raise ShopUnavailable(msg)
        return _effect(intent, cancelled.fingerprint, found.order)
    changed = change_mark(found.raw, intent.key)
    if changed is not None:
        try:
            return _effect(intent, changed.fingerprint, settled_change(found, intent.key))
        except OutcomeUnknown as error:
            raise ShopUnavailable(error.detail) from error
    refunded = marked_refund(found, intent.key)
    if refunded is not None:
        payment, mark = refunded
        return _effect(intent, mark.fingerprint, payment)
    return None


def _effect(intent: Intent, fingerprint: str, result: msgspec.Struct) -> Effect:
    return Effect(
        key=intent.key,
        operation=intent.operation,
        fingerprint=fingerprint,
        result=msgspec.json.encode(result).decode(),
    )
