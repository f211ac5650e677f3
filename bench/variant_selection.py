"""How often the variant a customer means is found in texts from the retail benchmark."""

import argparse
import collections
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from bot.understanding.choices import Option
from bot.understanding.variant_choice import resolve_variant

_SHARED = Path(os.environ.get("TRESEN_SHARED", Path(__file__).parents[2] / "shared"))
_ROWS = _SHARED / "data" / "tau_retail" / "variant_selection_train.jsonl"


def _option(row: dict[str, Any]) -> Option:
    return Option(
        value=row["item_id"],
        title=" ".join(row["options"].values()),
        attributes=row["options"],
        price_minor=round(row["price"] * 100),
        available=row["available"],
    )


def half(text: str) -> str:
    """Return the half that a text belongs to: dev was looked at while building, test was not."""
    return "dev" if hashlib.sha256(text.encode()).digest()[0] % 2 == 0 else "test"


def measure(
    rows: list[dict[str, Any]], *, with_others: bool
) -> tuple[dict[str, list[bool]], list[float], list[str]]:
    """Return right or wrong by group, CPU milliseconds per row, and a line for every miss.

    Args:
        rows: rows of the data set.
        with_others: pass the names of the text's other products, as a bot that knows the order can.
    """
    products: dict[str, set[str]] = collections.defaultdict(set)
    for row in rows:
        products[row["text"]].add(row["product_name"])
    right: dict[str, list[bool]] = collections.defaultdict(list)
    spent: list[float] = []
    misses: list[str] = []
    for row in rows:
        options = [_option(one) for one in row["candidates"]]
        current = next((one for one in options if one.value == row["old_item_id"]), None)
        others = sorted(products[row["text"]] - {row["product_name"]}) if with_others else []
        start = time.process_time()
        choice = resolve_variant(row["text"], current, options, row["product_name"], "en", others)
        spent.append((time.process_time() - start) * 1000)
        hit = choice.values == (row["gold_item_id"],)
        kind = "listed" if "{" in row["text"] else "prose"
        for group in ("all", half(row["text"]), f"{half(row['text'])} {kind}"):
            right[group].append(hit)
        right["certain"] += [hit] if choice.certain else []
        if not hit:
            got = choice.values or choice.ambiguous
            change = f"{json.dumps(row['old_options'])} -> {json.dumps(row['gold_options'])}"
            misses.append(
                f"{half(row['text'])} {change} got {got} | {row['product_name']} | {row['text']}"
            )
    return right, spent, misses


def main() -> int:
    """Print the share of rows where the right variant comes out, by half and kind of text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", choices=["dev"], help="print the misses of the dev half")
    arguments = parser.parse_args()
    if not _ROWS.exists():
        sys.stdout.write(f"skipped: {_ROWS} is absent (set TRESEN_SHARED)\n")
        return 0
    rows = [json.loads(line) for line in _ROWS.read_text(encoding="utf-8").splitlines()]
    for with_others in (False, True):
        right, spent, misses = measure(rows, with_others=with_others)
        sys.stdout.write("\nother items of the order known\n" if with_others else "text alone\n")
        for group, hits in sorted(right.items()):
            sys.stdout.write(f"  {group:12} {sum(hits) / len(hits):.3f} of {len(hits)}\n")
        sys.stdout.write(
            f"  CPU ms per row: mean {sum(spent) / len(spent):.2f}, max {max(spent):.2f}\n"
        )
    if arguments.misses:
        sys.stdout.writelines(f"{line}\n" for line in misses if line.startswith(arguments.misses))
    return 0


if __name__ == "__main__":
    sys.exit(main())
