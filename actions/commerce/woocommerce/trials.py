"""Changes that WooCommerce may calculate otherwise: tried, looked at, then kept or taken back.

It cannot be asked beforehand what a change costs, and the process may die between any two requests.
So the mark that comes with a change carries what it takes to go on; as long as it does, the change
is on trial, and nobody says that it is done.
"""

from typing import Any

import msgspec
import structlog

from actions.commerce.errors import CommerceError, OutcomeUnknown, StateChanged
from actions.commerce.woocommerce.amounts import minor_of, text_of
from actions.commerce.woocommerce.book import OrderBook
from actions.commerce.woocommerce.marks import PREFIX, Mark, entry, name_of
from actions.commerce.woocommerce.shapes import Note, WooOrder

log = structlog.get_logger(__name__)
Json = dict[str, Any]
CHANGES = {"change_address", "change_items"}


class Trial(msgspec.Struct, frozen=True):
    """What a change must leave as it is, and how to undo it.

    `lines` are those that the order must hold afterwards; `note` is for the staff once it is kept.
    """

    total_minor: int
    back: Json
    lines: list[Json] = []
    note: str = ""


def trial_of(mark: Mark) -> Trial | None:
    """Return what is left to do of a marked change, None when it is kept."""
    if mark.operation not in CHANGES or not mark.note:
        return None
    return msgspec.json.decode(mark.note, type=Trial)


class Trials:
    """Tries changes of orders out, once per key."""

    def __init__(self, book: OrderBook) -> None:
        """Change the orders of `book`."""
        self._book = book

    async def begin(
        self, order: WooOrder, change: Json, trial: Trial, mark: Mark, key: str
    ) -> WooOrder:
        """Make a change, and keep it if nothing else came of it.

        Args:
            order: as it is.
            change: what is to be another.
            trial: what must not be.
            mark: of the change; the trial is kept in it.
            key: the idempotency key.
        """
        kept = msgspec.structs.replace(mark, note=msgspec.json.encode(trial).decode())
        body = {**change, "meta_data": [entry(key, kept)]}
        return await self.finish(await self._put(order, body), mark, trial, key)

    async def finish(self, order: WooOrder, mark: Mark, trial: Trial, key: str) -> WooOrder:
        """Keep a change that was made, or take it back; return the order as it is then.

        Raises:
            OutcomeUnknown: it should be taken back, and could not be.
            StateChanged: it was taken back.
        """
        if _total(order) != trial.total_minor or not _holds(order, trial.lines):
            await self._take_back(order, trial, key)
        if trial.note:
            await self._tell(order, trial.note, name_of(key))
        kept = entry(key, msgspec.structs.replace(mark, note=""))
        try:
            return await self._put(order, {"meta_data": _at_same_place(order, kept)})
        except CommerceError as error:  # it is done; the same key would only look again
            log.warning("woocommerce_mark_on_trial", order=order.id, error=error.code)
            return order

    async def _take_back(self, order: WooOrder, trial: Trial, key: str) -> None:
        """Undo a change.

        Raises:
            OutcomeUnknown: it could not be undone.
            StateChanged: always else; where even the old state now comes out at another total,
                a note tells the staff.
        """
        gone = _at_same_place(order, {"key": PREFIX + name_of(key), "value": None})
        try:
            restored = await self._put(order, {**trial.back, "meta_data": gone})
        except CommerceError as error:
            msg = "the total changed, and the change could not be taken back"
            raise OutcomeUnknown(msg) from error
        if _total(restored) != trial.total_minor:
            was = text_of(trial.total_minor, restored.currency)
            now = f"{restored.total} {restored.currency}"
            note = f"A change by the bot was taken back, but the total went from {was}"
            note = f"{note} {restored.currency} to {now}. Please check the taxes and fees."
            await self._tell(restored, note, name_of(key))
        msg = "WooCommerce calculates another total; the change was taken back"
        raise StateChanged(msg)

    async def _tell(self, order: WooOrder, note: str, name: str) -> None:
        """Leave a private note at the order, once; one that is lost is logged."""
        path = f"/orders/{order.id}/notes"
        try:
            present = await self._book.client.get(path, list[Note])
            if not any(name in found.note for found in present):
                await self._book.client.post(path, Note, {"note": f"{note} (change {name})"})
        except CommerceError as error:
            log.warning("woocommerce_note_lost", order=order.id, error=error.code)

    async def _put(self, order: WooOrder, body: Json) -> WooOrder:
        return await self._book.client.put(f"/orders/{order.id}", WooOrder, body)


def _at_same_place(order: WooOrder, new: Json) -> list[Json]:
    """Return an entry of `meta_data` in the place of those with its key."""
    return [{**new, "id": meta.id} for meta in order.meta_data if meta.key == new["key"]]


def _total(order: WooOrder) -> int:
    return minor_of(order.total, order.currency)


def _holds(order: WooOrder, lines: list[Json]) -> bool:
    """Tell whether the order has the lines; WooCommerce passes over products it does not know."""
    held = {(x.id, x.product_id, x.variation_id) for x in order.line_items}
    return all((x["id"], x["product_id"], x["variation_id"]) in held for x in lines)
