"""The fake Shopify behind our adapter; it runs on Shopify's published schema."""

import os
from pathlib import Path

from actions.commerce.mirror import CatalogMirror
from actions.commerce.outside import outside_shop
from actions.commerce.shop import Shop
from actions.commerce.shopify import mutations, queries
from actions.commerce.shopify.config import ShopifyConfig
from actions.commerce.shopify.ports import shopify_ports
from actions.commerce.sql import ShopDatabase
from bench.faults.board import Board
from bench.faults.cases import NEW_ADDRESS, Case
from bench.faults.door import ServedShop
from bench.faults.shop_kind import ShopKind, complaints, full_cart, limits_of
from tests.platforms.faults import serve
from tests.platforms.shopify import FORMER_SECRET, SECRET, TOKEN, FakeShopify
from tests.platforms.shopify_schema import _prepared as prepared  # noqa: PLC2701
from tests.platforms.shopify_schema import admin_schema
from tests.platforms.shopify_store import Store

SHARED = (
    Path(os.environ.get("TRESEN_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data"
)
WRITES = (("POST", "/graphql.json$", r'"query":\s*"\s*mutation'),)


def shopify_kinds() -> dict[str, ShopKind]:
    """Return the shop as the bench takes it; nothing where Shopify's schema is absent."""
    if not (SHARED / "shopify_schema").is_dir():
        return {}
    kind = ShopKind(
        kinds=("cancel", "address", "return", "refund", "link"),
        connect=_connect,
        own_count=complaints,
        serve=_serve,
        writes=WRITES,
        prepare=_prepare,
    )
    return {"Shopify": kind}


def _fake(board: Board) -> FakeShopify:
    return FakeShopify(admin_schema(SHARED), Store(board.now))


def _config(url: str) -> ShopifyConfig:
    return ShopifyConfig(
        url=url,
        access_token=TOKEN,
        webhook_secret=SECRET,
        former_webhook_secret=FORMER_SECRET,
        tier_tags={"gold": "gold"},
    )


def _connect(url: str, folder: Path, board: Board) -> Shop:
    database = ShopDatabase(folder / "own.sqlite3", board.now)
    ports = shopify_ports(_config(url), database.info(), limits_of(board), board.now)
    return outside_shop(ports, database)


async def _prepare(folder: Path, board: Board) -> None:
    for documents in (mutations, queries):
        for text in vars(documents).values():
            if isinstance(text, str) and text.split()[:1] in (["query"], ["mutation"]):
                prepared(admin_schema(SHARED), text)  # once, for all the processes to come
    fake = _fake(board)
    database = ShopDatabase(folder / "own.sqlite3", board.now)
    with serve(fake.faults) as url:
        ports = shopify_ports(_config(url), fake.store.info, limits_of(board), board.now)
        await CatalogMirror(ports.info, ports.catalog, database, folder / "copy").refresh()
        await ports.closing()
    database.close()
    await full_cart(folder, board)


def _serve(case: Case, _folder: Path, board: Board) -> ServedShop:
    fake = _fake(board)
    store = fake.store
    bought, delivered = (
        next(order for order in store.orders.values() if order.name.endswith(number))
        for number in ("100001", "100002")
    )
    before = len(delivered.returns)

    async def count() -> tuple[int, ...]:
        store.tick()
        counts = {
            "cancel": (len(bought.refunds), int(bought.cancelled is not None)),
            "address": (int(bought.address["address1"] == NEW_ADDRESS["line1"]),),
            "return": (len(delivered.returns) - before,),
            "refund": (len(delivered.refunds),),
            "link": (store.drafts_made,),  # a newer link closes an older one of the same goods
        }
        return counts[case.kind]

    return ServedShop(fake.faults, WRITES, count)
