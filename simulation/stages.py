"""Where tasks are played: a shop to start with, tasks, and what the shop must be afterwards."""

import json
import os
from pathlib import Path
from typing import Any, Protocol

import msgspec

from simulation.difference import check_change, differences, index
from simulation.errors import TasksInvalid
from simulation.shop_file import ShopFile
from simulation.shop_view import ShopView
from simulation.tasks import AnyWish, Buy, Item, Task, read_lines, read_tasks
from simulation.tau.convert import apply, changes, to_db, write_shop
from simulation.tau.mapping import order_to_tau, user_to_tau
from simulation.tau.tasks import task_of

Raw = dict[str, Any]


class Stage(Protocol):
    """A set of tasks with their shop."""

    tasks: list[Task]
    shop_dir: Path | None

    def check(self, shop: ShopFile) -> None:
        """Check the tasks against the shop."""

    def problems(self, task: Task, shop: ShopFile) -> list[str]:
        """Return where the shop is not what the task expects."""


class OwnStage:
    """Tasks in our own format, for a shop folder."""

    def __init__(self, path: Path, shop_dir: Path | None) -> None:
        """Read the tasks of `path`; `shop_dir` None is the demo shop."""
        self.tasks = read_tasks(path)
        self.shop_dir = shop_dir
        self._path = path

    def check(self, shop: ShopFile) -> None:
        """Check that orders, lines, variants and expected records exist.

        Raises:
            TasksInvalid: one does not; names file, task and field.
        """
        view = ShopView(shop.before, shop.vocabulary())
        for task in self.tasks:
            where = f"{self._path} (task {task.id!r})"
            if task.customer and view.customer(task.customer) is None:
                msg = f"{where}: `customer`: there is no {task.customer!r} in the shop"
                raise TasksInvalid(msg)
            for number, wish in enumerate(task.wishes):
                _check_wish(view, wish, f"{where}: `wishes[{number}]`")
            for number, change in enumerate(task.expected or ()):
                try:
                    check_change(shop.before, change)
                except TasksInvalid as error:
                    msg = f"{where}: `expected[{number}]`: {error}"
                    raise TasksInvalid(msg) from error

    def problems(self, task: Task, shop: ShopFile) -> list[str]:
        """Return where the shop is not what the task expects."""
        return differences(shop.before, shop.present(), task.expected or ())


class TauStage:
    """Tasks of tau-retail with its database."""

    def __init__(self, path: Path, db_path: Path, folder: Path) -> None:
        """Read tasks and database, and write the shop into `folder`.

        Raises:
            TasksInvalid: a file or a task is missing or wrong.
        """
        self._db = _read_db(db_path)
        self._diffs: dict[str, list[Raw]] = {}
        self.tasks: list[Task] = []
        for where, raw in read_lines(path):
            task, diff = task_of(raw, self._db, where)
            if task.id in self._diffs:
                msg = f"{where}: the id {task.id!r} was used before"
                raise TasksInvalid(msg)
            self._diffs[task.id] = diff
            self.tasks.append(task)
        self.shop_dir: Path | None = folder / "shop"
        write_shop(self._db, folder / "shop")
        self._first: Raw = {}

    def check(self, shop: ShopFile) -> None:
        """Check that the shop says the same as the database.

        Raises:
            TasksInvalid: the database does not survive the way into the shop and out of it.
        """
        self._first = to_db(shop.before)
        found = changes(self._db, self._first)
        if found:
            msg = f"the database cannot be read as a shop without loss: {found[0]}"
            raise TasksInvalid(msg)

    def problems(self, task: Task, shop: ShopFile) -> list[str]:
        """Return where the shop is not the database changed by the task's `db_diff`."""
        now = shop.present()
        rest = {name: rows for name, rows in now.items() if name not in _IN_DB}
        before = {name: shop.before[name] for name in rest}
        found = differences(before, rest, ())
        ours, theirs = self._touched(now, shop.before), apply(self._db, self._diffs[task.id])
        for room, records in ours.items():
            for key in sorted(records.keys() | theirs[room].keys()):
                first = self._first[room].get(key)
                expected, got = theirs[room].get(key, first), records.get(key, first)
                found += [
                    f"{room}/{key}{path}: expected {a!r}, got {b!r}"
                    for path, a, b in changes(expected, got)
                ]
        return found

    def _touched(self, now: Raw, before: Raw) -> dict[str, Raw]:
        """Return the orders and users that changed, as the database writes them."""
        changed = {name: _changed(now[name], before[name]) for name in _IN_DB}
        returns = {item["order_number"]: item for item in now["returns"]}
        numbers = {item["order_number"] for item in changed["returns"]}
        numbers |= {order["number"] for order in changed["orders"]}
        owned = self._first["users"]
        return {
            "orders": {
                order["number"]: order_to_tau(order, returns.get(order["number"]))
                for order in now["orders"]
                if order["number"] in numbers
            },
            "users": {
                user["id"]: user_to_tau(user, owned[user["id"]]["orders"])
                for user in changed["customers"]
            },
        }


_IN_DB = ("orders", "customers", "returns")


def _changed(now: list[Raw], before: list[Raw]) -> list[Raw]:
    if now is before:
        return []
    known = index(before)
    return [record for key, record in index(now).items() if known.get(key) != record]


def open_stage(path: Path, db: Path | None, shop_dir: Path | None, folder: Path) -> Stage:
    """Return the stage of a file of tasks, in the format that its first line is in.

    Args:
        path: the file.
        db: tau-retail's database; None to look for it.
        shop_dir: the shop of our own tasks; None for the demo shop.
        folder: a scratch folder.

    Raises:
        TasksInvalid: the file, a line or a field is missing or wrong.
    """
    _, first = next(read_lines(path))
    if "db_diff" not in first:
        return OwnStage(path, shop_dir)
    return TauStage(path, db or _find_db(path), folder)


def _find_db(path: Path) -> Path:
    root = Path(__file__).resolve().parents[1]
    shared = Path(os.environ.get("TRESEN_SHARED", root.parent / "shared"))
    places = (path.parent / "db.json", shared / "data" / "tau_retail" / "db.json")
    for place in places:
        if place.is_file():
            return place
    msg = f"no database for {path}: give it with --db (looked at {places[0]} and {places[1]})"
    raise TasksInvalid(msg)


def _read_db(path: Path) -> Raw:
    try:
        db = json.loads(path.read_bytes())
        if not {"orders", "users", "products"} <= db.keys():
            msg = f"{path}: expected the keys orders, users and products"
            raise TasksInvalid(msg)
    except (OSError, ValueError, AttributeError) as error:
        if isinstance(error, TasksInvalid):
            raise
        msg = f"{path} is no database of tau-retail: {error}"
        raise TasksInvalid(msg) from error
    found: Raw = db
    return found


def _check_wish(view: ShopView, wish: AnyWish, where: str) -> None:
    number = str(getattr(wish, "order", ""))
    if number and view.order(number) is None:
        msg = f"{where}: `order`: there is no {number!r} in the shop"
        raise TasksInvalid(msg)
    items: tuple[Item, ...] = getattr(wish, "items", ())
    lines = {line["id"]: line for line in view.lines(number)}
    for place, item in enumerate(items):
        if item.line not in lines:
            msg = f"{where}: `items[{place}].line`: order {number} has no line {item.line!r}"
            raise TasksInvalid(msg)
        _check_version(view, lines[item.line], item, f"{where}: `items[{place}].to`")
    if isinstance(wish, Buy):
        for place, goods in enumerate(wish.goods):
            if view.variant(goods.variant) is None:
                msg = f"{where}: `goods[{place}].variant`: there is no {goods.variant!r}"
                raise TasksInvalid(msg)
    for place, other in enumerate(wish.otherwise):
        _check_wish(view, other, f"{where}.otherwise[{place}]")


def _check_version(view: ShopView, line: Raw, item: Item, where: str) -> None:
    product = view.product(line["product_id"])
    if product is None or not item.to:
        return
    wanted = line["options"] | item.to
    if all(variant["options"] != wanted for variant in product["variants"]):
        shown = msgspec.json.encode(wanted).decode()
        msg = f"{where}: {line['product_id']} has no variant {shown}"
        raise TasksInvalid(msg)
