"""`python -m bench.desk`: the operators' desk under load, on a virtual clock."""

import argparse
import json
import os
import platform as machine
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.desk import interleavings, routing
from bench.desk.floor import Size

RESULTS = Path(__file__).resolve().parents[1] / "results"


def _routing(options: argparse.Namespace) -> tuple[msgspec.Struct, bool]:
    size = Size(
        options.operators, options.waiting, options.hours * 3600, options.load, options.seed
    )
    figures = routing.measure(size)
    return figures, figures.is_bad or figures.round_p99_ms > options.p99_ms


def _interleavings(options: argparse.Namespace) -> tuple[msgspec.Struct, bool]:
    figures = interleavings.measure(options.conversations, options.kills)
    return figures, figures.is_bad


PARTS: Mapping[str, Callable[[argparse.Namespace], tuple[msgspec.Struct, bool]]] = {
    "routing": _routing,
    "interleavings": _interleavings,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts asked for; return 1 if one of them came out bad."""
    options = _options(arguments)
    is_bad = False
    found = {}
    for name in options.part or PARTS:
        figures, bad = PARTS[name](options)
        is_bad |= bad
        found[name] = msgspec.to_builtins(figures)
        print(msgspec.json.format(msgspec.json.encode(figures)).decode())
    if options.json:
        _write(found)
    return int(is_bad)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.desk", description=__doc__)
    parser.add_argument("--part", action="append", choices=sorted(PARTS))
    parser.add_argument("--operators", type=int, default=200)
    parser.add_argument("--waiting", type=int, default=5000, help="at the beginning")
    parser.add_argument("--hours", type=int, default=3, help="on the virtual clock")
    parser.add_argument("--load", type=float, default=1.4, help="arrivals by what can be served")
    parser.add_argument("--p99-ms", type=float, default=200.0, help="of one round of assignment")
    parser.add_argument("--conversations", type=int, default=1000, help="of interleavings")
    parser.add_argument("--kills", type=int, default=10, help="of interleavings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="write bench/results")
    return parser.parse_args(arguments)


def _write(parts: Mapping[str, object]) -> None:
    now = datetime.now(UTC)
    found = {
        "at": now.isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "system": machine.platform()},
        "python": sys.version.split()[0],
        **parts,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"desk-{now:%Y-%m-%d}.json"
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
