"""Replays recorded operations of tau-retail through our policy, plans and ports.

python -m bench.tau_retail.replay [--shared ../shared] [--limit N]

Each task starts from the same shop; afterwards every changed row is converted back and compared
with the recorded `db_diff` (amounts to the cent), and recorded refusals with ours.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from sqlmodel import select

from actions.commerce import models
from actions.commerce.errors import CommerceError
from actions.commerce.models import Address
from actions.commerce.planner import Planner
from actions.commerce.plans import LineChoice, Plan, PlanKind, PlanRequest
from actions.commerce.requests import CustomerFacts
from actions.commerce.seeds import load_shop
from actions.commerce.shop import sql_shop
from actions.commerce.sql import ShopDatabase, utc_now
from actions.commerce.sql_tables import CustomerRow, OrderRow, ReturnRow, record_of
from actions.payments.demo import DemoPaymentProvider
from actions.policy.policy import Policy
from simulation.tau.convert import apply, changes, write_shop
from simulation.tau.mapping import address_to_shop, order_to_tau, user_to_tau

Raw = dict[str, Any]
KINDS: dict[str, PlanKind] = {
    "cancel_pending_order": "cancel",
    "exchange_delivered_order_items": "exchange",
    "return_delivered_order_items": "return",
    "modify_pending_order_items": "change_items",
    "modify_pending_order_address": "change_address",
    "modify_pending_order_payment": "change_payment",
    "modify_user_address": "default_address",
}
TABLES = ("shop_order", "shop_customer", "shop_return", "shop_variant", "shop_product")
ROOT = Path(__file__).resolve().parents[2]


class Replay:
    """A converted shop that can be put back to its first state in milliseconds."""

    def __init__(self, db: Raw, folder: Path) -> None:
        """Convert and load a database.

        Args:
            db: tau-retail's database.
            folder: an empty directory to work in.
        """
        self._db = db
        write_shop(db, folder / "shop")
        self._path = folder / "shop.sqlite3"
        self._database: ShopDatabase = load_shop(folder / "shop", self._path)
        shop = sql_shop(self._database, DemoPaymentProvider("http://127.0.0.1"))
        self._planner = Planner(shop, Policy(folder / "shop" / "policy.yml"), utc_now)
        self._live = sqlite3.connect(self._path)
        self._base = sqlite3.connect(":memory:")
        self._live.backup(self._base)
        self._rows = self._dump()

    def close(self) -> None:
        """Close the databases."""
        self._live.close()
        self._base.close()
        self._database.close()

    async def run(self, task: Raw) -> list[str]:
        """Return what differs from the record after the task; empty when nothing does."""
        problems = []
        for number, action in enumerate(task["actions"]):
            refused = await self._do(action, f"{task['task_id']}:{number}")
            if "output" in action and refused is not None:
                recorded = action["output"].startswith("Error")
                if recorded != bool(refused):
                    problems.append(f"{action['name']}: recorded {action['output'][:80]!r}, "
                                    f"ours {refused or 'done'!r}")  # fmt: skip
        problems += self.compare(task["db_diff"])
        self.restore()
        return problems

    def restore(self) -> None:
        """Put the shop back to its first state."""
        self._base.backup(self._live)

    async def _do(self, action: Raw, key: str) -> str | None:
        """Do one operation; return "" when done, why it was refused, or None if it is not ours."""
        name, given = action["name"], action.get("arguments") or action.get("kwargs") or {}
        try:
            if name in KINDS:
                return await self._write(self._request(KINDS[name], given), key)
            return await self._look_up(name, given)
        except CommerceError as error:
            return str(error)

    async def _look_up(self, name: str, given: Raw) -> str | None:
        shop = self._planner.shop
        if name.startswith("find_user"):
            postcode = given.get("zip", "")
            rest = {key: value for key, value in given.items() if key != "zip"}
            found = await shop.customers.find(CustomerFacts(**rest, postcode=postcode))
            return "" if len(found) == 1 else f"{len(found)} found"
        if name == "get_order_details":
            owner = self._db["orders"].get(given["order_id"], {}).get("user_id", "")
            await shop.orders.get(given["order_id"], owner)
        elif name == "get_product_details":
            await shop.catalog.product(given["product_id"])
        elif name == "get_item_details":
            await shop.catalog.variant(given["item_id"])
        elif name == "get_user_details":
            await shop.customers.get(given["user_id"])
        else:
            return None
        return ""

    async def _write(self, request: PlanRequest, key: str) -> str:
        plan = await self._planner.plan(request)
        if not isinstance(plan, Plan):
            return plan.text("en")
        await self._planner.commit(plan, plan.hash, key)
        return ""

    def _request(self, kind: PlanKind, given: Raw) -> PlanRequest:
        number = given.get("order_id", "")
        user = given.get("user_id") or self._db["orders"][number]["user_id"]
        address = None
        if "address1" in given:
            address = msgspec.convert(address_to_shop(given), Address)
        return PlanRequest(
            kind=kind,
            customer_id=user,
            order_number=number,
            lines=self._lines(number, given.get("item_ids", []), given.get("new_item_ids", [])),
            method_id=given.get("payment_method_id", ""),
            reason=given.get("reason", ""),
            address=address,
        )

    def _lines(self, number: str, items: list[str], new: list[str]) -> tuple[LineChoice, ...]:
        if not items:
            return ()
        with self._database.session() as session:
            row = session.exec(select(OrderRow).where(OrderRow.number == number)).one()
            left = [(line.id, line.variant_id) for line in record_of(row, models.Order).lines]
        chosen = []
        for position, item in enumerate(items):
            line = next((line for line in left if line[1] == item), ("", ""))
            left = [other for other in left if other != line]
            variant = new[position] if new else ""
            chosen.append(LineChoice(line_id=line[0], new_variant_id=variant))
        return tuple(chosen)

    def _dump(self) -> dict[str, dict[int, tuple[Any, ...]]]:
        rows = {}
        for table in TABLES:
            found = self._live.execute(f"SELECT position, * FROM {table}")  # noqa: S608
            rows[table] = {row[0]: row for row in found}
        return rows

    def compare(self, diff: list[Raw]) -> list[str]:
        """Return where the shop differs from its first state changed by a recorded diff."""
        now = self._dump()
        touched = {
            table: [key for key, row in now[table].items() if self._rows[table].get(key) != row]
            for table in TABLES
        }
        if touched["shop_variant"] or touched["shop_product"]:
            return ["the catalogue changed"]
        ours = self._present(touched)
        theirs = apply(self._db, diff)
        problems = []
        for room in ("orders", "users"):
            keys = ours[room].keys() | theirs[room].keys()
            for key in sorted(keys):
                expected = theirs[room].get(key, self._db[room].get(key))
                found = ours[room].get(key, self._db[room].get(key))
                problems += [
                    f"/{room}/{key}{path}: expected {a!r}, got {b!r}"
                    for path, a, b in changes(expected, found)
                ]
        return problems

    def _present(self, touched: dict[str, list[int]]) -> dict[str, Raw]:
        result: dict[str, Raw] = {"orders": {}, "users": {}}
        with self._database.session() as session:
            rows = [session.get(ReturnRow, key) for key in touched["shop_return"]]
            returns = {row.order_number: _raw(row, models.Return) for row in rows if row}
            for key in touched["shop_order"]:
                order = _raw(session.get(OrderRow, key), models.Order)
                number = order["number"]
                result["orders"][number] = order_to_tau(order, returns.get(number))
            for key in touched["shop_customer"]:
                customer = _raw(session.get(CustomerRow, key), models.Customer)
                numbers = self._db["users"][customer["id"]]["orders"]
                result["users"][customer["id"]] = user_to_tau(customer, numbers)
        return result


def _raw(row: Any, kind: type[msgspec.Struct]) -> Raw:  # noqa: ANN401
    data: Raw = msgspec.to_builtins(record_of(row, kind))
    return data


def replay_file(db: Raw, path: Path, limit: int = 0) -> tuple[int, int, dict[str, list[str]]]:
    """Return how many tasks came out as recorded, of how many, and the others' differences.

    Args:
        db: tau-retail's database.
        path: a file of recorded tasks.
        limit: how many tasks at most; 0 for all.
    """
    tasks = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    tasks = tasks[:limit] if limit else tasks
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own in it; spares the disk
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        replay = Replay(db, Path(folder))
        found = asyncio.run(_all(replay, tasks))
        replay.close()
    failed = {task: problems for task, problems in found.items() if problems}
    return len(tasks) - len(failed), len(tasks), failed


async def _all(replay: Replay, tasks: list[Raw]) -> dict[str, list[str]]:
    return {task["task_id"]: await replay.run(task) for task in tasks}


def main(arguments: list[str] | None = None) -> int:
    """Replay both files and print the tally; 1 when anything differs."""
    parser = argparse.ArgumentParser(prog="bench.tau_retail.replay", description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--limit", type=int, default=0)
    given = parser.parse_args(arguments)
    folder = given.shared / "data" / "tau_retail"
    db = json.loads((folder / "db.json").read_bytes())
    worst = 0
    for name in ("retail_golden_train.jsonl", "tau1_tasks_train.jsonl"):
        good, total, failed = replay_file(db, folder / name, given.limit)
        sys.stdout.write(f"{name}: {good}/{total}\n")
        for task, problems in failed.items():
            worst = 1
            sys.stdout.writelines(f"  {task}: {problem}\n" for problem in problems[:6])
    return worst


if __name__ == "__main__":
    sys.exit(main())
