"""What the bench must know of a shop: how it is served, reached through our adapters, counted."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec
from sqlmodel import select

from actions.commerce.http import RetryLimits
from actions.commerce.shop import Shop
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_tables import ComplaintRow, NotificationRow
from bench.faults.board import Board
from bench.faults.cases import Case
from bench.faults.door import ServedShop, Write

FIXTURE = Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "shop_small"
TRIES = 2
IN_CART = "P1-BLU-M"
OURS: Mapping[str, str] = {"C1": "C1", "C2": "C2", IN_CART: IN_CART}


def limits_of(board: Board) -> RetryLimits:
    """Return limits as in production, only shorter: no run waits eight seconds for an answer."""
    return RetryLimits(board.get("timeout_s"), tries=TRIES, first_wait_s=0.01, longest_wait_s=0.05)


def nothing_of_ours(_case: Case, _folder: Path, _board: Board) -> tuple[int, ...]:
    """Return no count: all there is to count is at the shop."""
    return ()


async def full_cart(folder: Path, board: Board, names: Mapping[str, str] = OURS) -> None:
    """Put something into the carts of our own database.

    Args:
        folder: of the shop's templates.
        board: with the clock.
        names: what shop_small's ids are called in the shop.
    """
    from actions.commerce.sql_sales import SqlCarts

    database = ShopDatabase(folder / "own.sqlite3", board.now)
    await SqlCarts(database).put(names["C1"], names[IN_CART], 1)
    database.close()


class ShopKind(msgspec.Struct, frozen=True):
    """A shop of the bench.

    `serve` makes it in its own process, out of a run's folder; None where the shop is a file.
    `connect` returns its ports in the bot's process. `own_count` returns how often the effect is
    found in files of ours, for each place where it belongs. `prepare` completes the templates.
    `customers` are the ids of shop_small's customers there.
    """

    kinds: tuple[str, ...]
    connect: Callable[[str, Path, Board], Shop]
    own_count: Callable[[Case, Path, Board], tuple[int, ...]] = nothing_of_ours
    serve: Callable[[Case, Path, Board], ServedShop] | None = None
    writes: tuple[Write, ...] = ()
    prepare: Callable[[Path, Board], Awaitable[None]] = full_cart
    customers: Mapping[str, str] = msgspec.field(default_factory=lambda: OURS)


def mails(folder: Path, board: Board) -> int:
    """Return how many e-mails were sent."""
    database = ShopDatabase(folder / "own.sqlite3", board.now)
    try:
        with database.session() as session:
            return len(session.exec(select(NotificationRow)).all())
    finally:
        database.close()


def complaints(case: Case, folder: Path, board: Board) -> tuple[int, ...]:
    """Return how many complaints are on file, where the effect is one."""
    if case.kind != "refund":
        return ()
    database = ShopDatabase(folder / "own.sqlite3", board.now)
    try:
        with database.session() as session:
            return (len(session.exec(select(ComplaintRow)).all()),)
    finally:
        database.close()
