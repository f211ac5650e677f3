"""The fake Stripe, which knows idempotency keys: our shop's payment links are its sessions."""

from pathlib import Path

from sqlmodel import select

from actions.commerce.shop import Shop, sql_shop
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_tables import PaymentLinkRow
from actions.payments.stripe import StripeConfig, StripePaymentProvider
from bench.faults.board import Board
from bench.faults.cases import Case
from bench.faults.door import ServedShop
from bench.faults.shop_kind import ShopKind
from tests.platforms.stripe import ACCOUNT, KEY, SECRET, StripeFake

WRITES = (("POST", "/v1/checkout/sessions$", ""),)


def stripe_kind() -> ShopKind:
    """Return the shop as the bench takes it."""
    return ShopKind(
        kinds=("link",), connect=_connect, own_count=_links, serve=_serve, writes=WRITES
    )


def _connect(url: str, folder: Path, board: Board) -> Shop:
    config = StripeConfig(
        api_key=KEY,
        webhook_secret=SECRET,
        return_url="https://shop.example/shop/pay/{CHECKOUT_SESSION_ID}",
        account=ACCOUNT,
        api_base=url,
        timeout_s=board.get("timeout_s"),
        retries=1,
        call_s=5 * board.get("timeout_s"),
    )
    database = ShopDatabase(folder / "own.sqlite3", board.now)
    return sql_shop(database, StripePaymentProvider(config, board.now))


def _links(_case: Case, folder: Path, board: Board) -> tuple[int, ...]:
    database = ShopDatabase(folder / "own.sqlite3", board.now)
    try:
        with database.session() as session:
            return (len(session.exec(select(PaymentLinkRow)).all()),)
    finally:
        database.close()


def _serve(_case: Case, _folder: Path, board: Board) -> ServedShop:
    fake = StripeFake(lambda: board.now().timestamp())

    async def count() -> tuple[int, ...]:
        return (len(fake.sessions),)

    return ServedShop(fake.faults, WRITES, count)
