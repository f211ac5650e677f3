"""How often the items of an order that a customer means are found in the retail benchmark's tasks.

A task's text often holds several wishes, and some rows need what a policy or a person says
later; the figure is a floor for one reading of the whole text.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.understanding.choices import Option, resolve_many

_SHARED = Path(os.environ.get("TRESEN_SHARED", Path(__file__).parents[2] / "shared"))
_ROWS = _SHARED / "data" / "tau_retail" / "retail_golden_train.jsonl"
_ON_ITEMS = frozenset({
    "return_delivered_order_items",
    "exchange_delivered_order_items",
    "modify_pending_order_items",
})


def cases(task: dict[str, Any]) -> Iterator[tuple[str, list[Option], set[str]]]:
    """Yield text, items as options and the right items, for each order that a task changes."""
    orders = {
        action["arguments"]["order_id"]: json.loads(action["output"])["items"]
        for action in task["actions"]
        if action["name"] == "get_order_details" and action["output"].startswith("{")
    }
    for action in task["actions"]:
        items = orders.get(action["arguments"].get("order_id", ""), [])
        if action["name"] not in _ON_ITEMS or len(items) < 2:
            continue
        options = [
            Option(one["item_id"], one["name"], (), one["options"], {}, round(one["price"] * 100))
            for one in items
        ]
        yield task["user"]["reason_for_call"], options, set(action["arguments"]["item_ids"])


def main() -> int:
    """Print how many cases come out exactly, and how many at least hold the right items."""
    if not _ROWS.exists():
        sys.stdout.write(f"skipped: {_ROWS} is absent (set TRESEN_SHARED)\n")
        return 0
    exact = held = count = 0
    for line in _ROWS.read_text(encoding="utf-8").splitlines():
        for text, options, wanted in cases(json.loads(line)):
            choice = resolve_many(text, options, "en")
            count += 1
            exact += set(choice.values) == wanted
            held += wanted <= {*choice.values, *choice.ambiguous}
    sys.stdout.write(f"exact {exact} of {count}, right items among those found {held} of {count}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
