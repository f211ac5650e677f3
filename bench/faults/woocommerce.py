"""The fake WooCommerce, which knows no idempotency keys, behind our adapter."""

from pathlib import Path

import msgspec

from actions.commerce.mirror import CatalogMirror
from actions.commerce.models import ShopInfo
from actions.commerce.outside import outside_shop
from actions.commerce.shop import Shop
from actions.commerce.sql import ShopDatabase
from actions.commerce.woocommerce.adapter import woocommerce_ports
from actions.commerce.woocommerce.config import WooConfig, WooLinks
from bench.faults.board import Board
from bench.faults.cases import NEW_ADDRESS, Case
from bench.faults.door import ServedShop
from bench.faults.shop_kind import FIXTURE, IN_CART, ShopKind, complaints, full_cart, limits_of
from tests.platforms.faults import serve
from tests.platforms.woocommerce import KEY, SECRET, WEBHOOK_SECRET, FakeWooCommerce

CUSTOMERS = {"C1": "7001", "C2": "7002"}
BOUGHT, DELIVERED = 5001, 5002
"""What WooCommerce calls the orders TR-100001 and TR-100002."""
WRITES = (
    ("PUT", "/orders/", ""),
    ("POST", "/refunds$", ""),
    ("POST", "/orders$", ""),
)


def woocommerce_kind() -> ShopKind:
    """Return the shop as the bench takes it."""
    return ShopKind(
        kinds=("cancel", "address", "return", "refund", "link"),
        connect=_connect,
        own_count=complaints,
        serve=_serve,
        writes=WRITES,
        prepare=_prepare,
        customers=CUSTOMERS,
    )


def _info() -> ShopInfo:
    return msgspec.json.decode((FIXTURE / "shop.json").read_bytes(), type=ShopInfo)


def _config(url: str) -> WooConfig:
    return WooConfig(
        url=url,
        consumer_key=KEY,
        consumer_secret=SECRET,
        webhook_secret=WEBHOOK_SECRET,
        statuses={"completed": "delivered", "shipped": "shipped"},
        notes_returns=True,
        vat_rates={"": 1900},
        links=WooLinks(shipping_tax_bp=1900),
    )


def _connect(url: str, folder: Path, board: Board) -> Shop:
    ports = woocommerce_ports(_config(url), _info(), limits_of(board), board.now)
    return outside_shop(ports, ShopDatabase(folder / "own.sqlite3", board.now))


async def _prepare(folder: Path, board: Board) -> None:
    fake = FakeWooCommerce(board.now)
    with serve(fake.faults) as url:
        ports = woocommerce_ports(_config(url), _info(), limits_of(board), board.now)
        database = ShopDatabase(folder / "own.sqlite3", board.now)
        await CatalogMirror(ports.info, ports.catalog, database, folder / "copy").refresh()
        database.close()
        await ports.closing()
    await full_cart(folder, board, {**CUSTOMERS, IN_CART: fake.seed.ids[IN_CART]})


def _serve(case: Case, _folder: Path, board: Board) -> ServedShop:
    fake = FakeWooCommerce(board.now)
    before = len(fake.orders.held)

    async def count() -> tuple[int, ...]:
        orders = fake.orders
        bought = orders.at(BOUGHT)
        marks = [m for m in orders.at(DELIVERED)["meta_data"] if "tresen" in m["key"]]
        counts = {
            "cancel": (
                len(orders.refunds[BOUGHT]),
                int(bought["status"] in {"cancelled", "refunded"}),
            ),
            "address": (int(bought["shipping"]["address_1"] == NEW_ADDRESS["line1"]),),
            "return": (len(orders.notes[DELIVERED]), len(marks)),
            "refund": (len(orders.refunds[DELIVERED]),),
            "link": (len(orders.held) - before,),
        }
        return counts[case.kind]

    return ServedShop(fake.faults, WRITES, count)
