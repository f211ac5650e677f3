"""The shops of the bench: our own in a file, the plainest one there can be, and real adapters."""

from collections.abc import Mapping
from pathlib import Path

from sqlmodel import col, select

from actions.commerce.http import ShopClient
from actions.commerce.models import Effect
from actions.commerce.outside import outside_shop
from actions.commerce.remote import RemotePorts, ShopEvent, ShopWebhooks
from actions.commerce.shop import Shop, sql_shop
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_tables import EffectRow, record_of
from actions.payments.demo import DemoPaymentProvider
from bench.faults.board import Board
from bench.faults.cases import SQL, Case
from bench.faults.door import ServedShop
from bench.faults.loopback_ports import (
    HttpCatalog,
    HttpCustomers,
    HttpEffects,
    HttpLinks,
    HttpOrders,
    HttpRefunds,
    HttpReturns,
    Wire,
)
from bench.faults.loopback_shop import LoopbackShop
from bench.faults.shop_kind import ShopKind, complaints, limits_of
from bench.faults.shopify import shopify_kinds
from bench.faults.stripe import stripe_kind
from bench.faults.woocommerce import woocommerce_kind

PAGES = "http://127.0.0.1:8080"
_OPERATIONS = {
    "cancel": "CancelOrder",
    "address": "ChangeOrder",
    "return": "RequestReturn",
    "refund": "IssueRefund",
    "link": "OpenLink",
}


class _NoWebhooks(ShopWebhooks):
    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[ShopEvent, ...]:
        return ()


async def _nothing() -> None:
    return None


def _loopback(*, keyed: bool) -> ShopKind:
    writes = (("POST", "^/write/", ""),)

    def served(case: Case, folder: Path, board: Board) -> ServedShop:
        database = ShopDatabase(folder / "shop.sqlite3", board.now)
        shop = LoopbackShop(sql_shop(database, DemoPaymentProvider(PAGES)), database, keyed=keyed)

        async def count() -> tuple[int, ...]:
            return ((await shop.writes()).count(_OPERATIONS[case.kind]),)

        return ServedShop(shop.app, writes, count)

    def connect(url: str, folder: Path, board: Board) -> Shop:
        database = ShopDatabase(folder / "own.sqlite3", board.now)
        wire = Wire(ShopClient(url, limits=limits_of(board)), keyed=keyed)
        ports = RemotePorts(
            info=database.info(),
            customers=HttpCustomers(wire),
            catalog=HttpCatalog(wire),
            orders=HttpOrders(wire),
            returns=HttpReturns(wire),
            payment_links=HttpLinks(wire),
            refunds=HttpRefunds(wire),
            effects=HttpEffects(wire, keyed=keyed),
            webhooks=_NoWebhooks(),
            can=frozenset({"cancel", "change_address", "return", "complaint", "checkout"}),
            closing=_nothing,
        )
        return outside_shop(ports, database)

    return ShopKind(tuple(_OPERATIONS), connect, complaints, served, writes)


def _sql() -> ShopKind:
    def connect(_url: str, folder: Path, board: Board) -> Shop:
        database = ShopDatabase(folder / "own.sqlite3", board.now)
        provider = DemoPaymentProvider(PAGES, folder / "pages.sqlite3", board.now)
        return sql_shop(database, provider)

    def count(case: Case, folder: Path, board: Board) -> tuple[int, ...]:
        name = {"refund": "FileComplaint"}.get(case.kind, _OPERATIONS[case.kind])
        database = ShopDatabase(folder / "own.sqlite3", board.now)
        try:
            return (_writes(database).count(name), *complaints(case, folder, board))
        finally:
            database.close()

    return ShopKind(tuple(_OPERATIONS), connect, count)


def _writes(database: ShopDatabase) -> list[str]:
    with database.session() as session:
        rows = session.exec(select(EffectRow).order_by(col(EffectRow.position))).all()
        return [record_of(row, Effect).operation for row in rows]


SHOPS: Mapping[str, ShopKind] = {
    SQL: _sql(),
    "WooCommerce": woocommerce_kind(),
    **shopify_kinds(),
    "Stripe": stripe_kind(),
    "loopback with keys": _loopback(keyed=True),
    "loopback without keys": _loopback(keyed=False),
}
