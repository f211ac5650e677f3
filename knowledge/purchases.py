"""What was bought, as recommendations learn it."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

_DAY_S = 86_400.0


class Purchase(msgspec.Struct, frozen=True):
    """A product in an order that was kept; `customer` and `basket` only tell them apart."""

    customer: str
    basket: str
    product_id: str
    at: datetime


class Past(msgspec.Struct, frozen=True):
    """Something that the person asking bought; `kept` is false for what went back."""

    product_id: str
    at: datetime
    kept: bool = True


class PurchaseLog(msgspec.Struct, frozen=True):
    """Purchases as columns; `days` and `as_of_day` count from the same day."""

    customers: NDArray[np.int64]
    baskets: NDArray[np.int64]
    products: NDArray[np.int64]
    days: NDArray[np.float32]
    product_ids: tuple[str, ...]
    as_of_day: float


def log_of(purchases: Iterable[Purchase], as_of: datetime) -> PurchaseLog:
    """Return purchases as columns.

    Args:
        purchases: in any order.
        as_of: the present, aware UTC; what was bought later is as fresh as can be.
    """
    customers: dict[str, int] = {}
    baskets: dict[str, int] = {}
    products: dict[str, int] = {}
    rows: list[tuple[int, int, int]] = []
    days: list[float] = []
    for one in purchases:
        rows.append((
            customers.setdefault(one.customer, len(customers)),
            baskets.setdefault(one.basket, len(baskets)),
            products.setdefault(one.product_id, len(products)),
        ))
        days.append(-max((as_of - one.at).total_seconds(), 0.0) / _DAY_S)
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return PurchaseLog(
        columns[:, 0],
        columns[:, 1],
        columns[:, 2],
        np.array(days, dtype=np.float32),
        tuple(products),
        0.0,
    )
