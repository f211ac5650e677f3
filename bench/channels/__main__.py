"""`make bench-channels`: acknowledgement under load, and a bot that is killed while it works."""

import argparse
import asyncio
import json
import os
import platform as machine
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.channels import kills, load
from bench.channels.platforms import PLATFORMS

RESULTS = Path(__file__).resolve().parents[1] / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; return 1 if anything was lost, doubled or reordered, or was too slow."""
    options = _options(arguments)
    loads, outcomes = asyncio.run(_run(options))
    for item in loads:
        print(msgspec.json.format(msgspec.json.encode(item)).decode())
    for outcome in outcomes:
        print(msgspec.json.encode(outcome).decode())
    if options.json:
        _write(loads, outcomes)
    slow = any(
        item.p99_ms > options.p99_ms or item.refused or item.kept < item.sent for item in loads
    )
    return int(slow or any(outcome.is_bad for outcome in outcomes))


async def _run(options: argparse.Namespace) -> tuple[list[load.Load], list[kills.Outcome]]:
    loads, outcomes = [], []
    for whole in (False, True) if options.seconds else ():
        with tempfile.TemporaryDirectory(prefix="tresen-load-") as name:
            fake = PLATFORMS["whatsapp"]()
            loads.append(
                await load.run(fake, Path(name), options.rate, options.seconds, whole=whole)
            )
    for channel in options.channel or PLATFORMS if options.kills else ():
        with tempfile.TemporaryDirectory(prefix="tresen-kills-") as name:
            fake = PLATFORMS[channel]()
            outcomes.append(await kills.run(fake, Path(name), options.kills, options.seed))
    return loads, outcomes


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-channels", description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="webhooks a second")
    parser.add_argument("--seconds", type=int, default=60, help="of load; 0: none")
    parser.add_argument("--p99-ms", type=float, default=100.0)
    parser.add_argument("--kills", type=int, default=200, help="for each channel; 0: none")
    parser.add_argument("--channel", action="append", choices=sorted(PLATFORMS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="write bench/results")
    return parser.parse_args(arguments)


def _write(loads: list[load.Load], outcomes: list[kills.Outcome]) -> None:
    now = datetime.now(UTC)
    found = {
        "at": now.isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "system": machine.platform()},
        "python": sys.version.split()[0],
        "load": msgspec.to_builtins(loads),
        "kills": msgspec.to_builtins(outcomes),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"channels-{now:%Y-%m-%d}.json"
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
