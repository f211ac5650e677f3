"""A payment provider without money: deterministic pages of the demo shop itself."""

import asyncio
import hashlib
import sqlite3
import threading
import weakref
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec

from actions.commerce.errors import KeyReused, NotFound, ShopRefused, WebhookRejected
from actions.commerce.sql import Clock, utc_now
from actions.payments.ports import (
    Checkout,
    CheckoutRequest,
    PaymentEvent,
    PaymentProvider,
    ProviderRefund,
    RefundRequest,
)

LIFETIME = timedelta(hours=24)
_TABLES = """
CREATE TABLE IF NOT EXISTS checkout (
    id TEXT PRIMARY KEY, request TEXT NOT NULL, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refund (
    id TEXT PRIMARY KEY, reference TEXT NOT NULL, request TEXT NOT NULL, amount INTEGER NOT NULL);
"""


class DemoPaymentProvider(PaymentProvider):
    """Pages under the running server; takes a click as money and keeps its own small book."""

    external = False

    def __init__(self, base_url: str, path: Path | None = None, clock: Clock = utc_now) -> None:
        """Serve pages under a server.

        Args:
            base_url: such as `http://127.0.0.1:8080`.
            path: the book, an SQLite file; kept in memory when None.
            clock: returns the present time as aware UTC.
        """
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._lock = threading.Lock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._book = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=30)
        self._book.executescript(_TABLES)
        weakref.finalize(self, self._book.close)

    async def open_checkout(self, request: CheckoutRequest, key: str) -> Checkout:
        """Return a page for the amount; the same key gives the same page.

        Raises:
            KeyReused: the key was used before with another request.
        """
        checkout_id = "pl_" + hashlib.sha256(key.encode()).hexdigest()[:16]
        text = msgspec.json.encode(request).decode()
        await asyncio.to_thread(self._open, checkout_id, text)
        if (await asyncio.to_thread(self._row, checkout_id))[0] != text:
            raise KeyReused(key)
        return await self.get(checkout_id)

    async def get(self, checkout_id: str) -> Checkout:
        """Return how the page stands now; raises `NotFound`."""
        text, status = await asyncio.to_thread(self._row, checkout_id)
        request = msgspec.json.decode(text, type=CheckoutRequest)
        expires_at = request.opened_at + LIFETIME
        if status == "open" and expires_at < self._clock():
            status = "expired"
        return Checkout(
            id=checkout_id,
            url=f"{self._base_url}/shop/pay/{checkout_id}",
            amount_minor=request.amount_minor,
            currency=request.currency,
            expires_at=expires_at,
            status="paid" if status == "paid" else "expired" if status == "expired" else "open",
            payment_reference=_payment(checkout_id) if status == "paid" else "",
            reference=request.reference,
        )

    async def expire(self, checkout_id: str) -> Checkout:
        """Close an open page; return how it stands, which may be paid after all."""
        await asyncio.to_thread(self._turn, checkout_id, "expired")
        return await self.get(checkout_id)

    async def pay(self, checkout_id: str) -> Checkout:
        """Take a click as money, unless the page is closed; return how it stands."""
        if (await self.get(checkout_id)).status == "open":
            await asyncio.to_thread(self._turn, checkout_id, "paid")
        return await self.get(checkout_id)

    async def refund(self, request: RefundRequest, key: str) -> ProviderRefund:
        """Give money back once per key, never more than was paid.

        Raises:
            KeyReused: the key was used before with another request.
            ShopRefused: it is more than was paid, or nothing was.
        """
        refund_id = "re_" + hashlib.sha256(key.encode()).hexdigest()[:16]
        await asyncio.to_thread(self._give_back, refund_id, request, key)
        return ProviderRefund(refund_id, "done", request.amount_minor)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[PaymentEvent, ...]:
        """Refuse: the demo provider lives in the same process and sends no webhooks.

        Raises:
            WebhookRejected: always.
        """
        msg = f"the demo provider sends none ({len(body)} bytes, {len(headers)} headers)"
        raise WebhookRejected(msg)

    def _open(self, checkout_id: str, text: str) -> None:
        with self._lock, self._book as book:
            insert = "INSERT OR IGNORE INTO checkout VALUES (?, ?, 'open')"
            book.execute(insert, (checkout_id, text))

    def _give_back(self, refund_id: str, request: RefundRequest, key: str) -> None:
        text = msgspec.json.encode(request).decode()
        with self._lock, self._book as book:
            book.execute("BEGIN IMMEDIATE")
            known = book.execute("SELECT request FROM refund WHERE id = ?", (refund_id,)).fetchone()
            if known is None:
                _require_paid(book, request)
                values = (refund_id, request.payment_reference, text, request.amount_minor)
                book.execute("INSERT INTO refund VALUES (?, ?, ?, ?)", values)
            elif known[0] != text:
                raise KeyReused(key)

    def _turn(self, checkout_id: str, status: str) -> None:
        with self._lock, self._book as book:
            change = "UPDATE checkout SET status = ? WHERE id = ? AND status = 'open'"
            book.execute(change, (status, checkout_id))

    def _row(self, checkout_id: str) -> tuple[str, str]:
        with self._lock:
            find = "SELECT request, status FROM checkout WHERE id = ?"
            row = self._book.execute(find, (checkout_id,)).fetchone()
        if row is None:
            raise NotFound(f"checkout {checkout_id}")
        return str(row[0]), str(row[1])


def _payment(checkout_id: str) -> str:
    return f"demo_{checkout_id}"


def _require_paid(book: sqlite3.Connection, request: RefundRequest) -> None:
    find = "SELECT request FROM checkout WHERE id = ? AND status = 'paid'"
    row = book.execute(find, (request.payment_reference.removeprefix("demo_"),)).fetchone()
    paid = msgspec.json.decode(row[0], type=CheckoutRequest).amount_minor if row else 0
    spent = "SELECT COALESCE(SUM(amount), 0) FROM refund WHERE reference = ?"
    gone = book.execute(spent, (request.payment_reference,)).fetchone()[0]
    if not 0 < request.amount_minor <= paid - gone:
        msg = f"refund of {request.amount_minor}, {paid - gone} left"
        raise ShopRefused(msg)
