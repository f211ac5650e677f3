"""The command line of the fault bench."""

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
import structlog

from bench.faults import table as tables
from bench.faults.bot_process import ROOT, preload
from bench.faults.cases import Case, plan_cases
from bench.faults.folder import make_templates
from bench.faults.pool import Pool
from bench.faults.shop_kind import FIXTURE
from bench.faults.shops import SHOPS
from bench.faults.verdict import Verdict
from bench.faults.warm import warm

RESULTS = ROOT / "bench" / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; return 1 if anything happened twice, was lost or stayed open."""
    options = _options(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    began = time.monotonic()
    kinds = {name: shop.kinds for name, shop in SHOPS.items() if options.shop in name}
    if options.case:
        kinds = {case.shop: SHOPS[case.shop].kinds for case in options.case}
    chosen = options.case or plan_cases(kinds, options.runs, options.seed)
    with tempfile.TemporaryDirectory(prefix="tresen-faults-") as name:
        folder = Path(name)
        templates = folder / "templates"
        templates.mkdir()
        shops = {name: SHOPS[name] for name in kinds}
        make_templates(templates, shops)
        preloaded = preload(FIXTURE, folder / "knowledge")
        warm(preloaded, templates, folder / "warm")
        pool = Pool(preloaded, templates, folder, options.workers)
        verdicts, failures = pool.run(chosen)
    seconds = time.monotonic() - began
    _print(verdicts, failures, options, seconds)
    if options.json:
        _write(options.json, verdicts, failures, options, seconds)
    bad = any(verdict.is_bad for verdict in verdicts)
    return int(bad or bool(failures) or len(verdicts) != len(chosen))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--shop", default="", help="only shops with this in their name")
    parser.add_argument(
        "--case",
        type=lambda text: msgspec.json.decode(text, type=list[Case]),
        help="only these runs, a JSON list as in the results, in detail",
    )
    parser.add_argument("--json", type=Path, nargs="?", const=RESULTS, help="write the results")
    return parser.parse_args(arguments)


def _print(
    verdicts: list[Verdict],
    failures: list[tuple[Case, str]],
    options: argparse.Namespace,
    seconds: float,
) -> None:
    say = sys.stdout.write
    title = ("kind", "the shop answers", "killed", "scenario")
    everything = tables.rows(verdicts, tables.by_everything)
    say("\n".join(tables.table(title, everything)) + "\n\n")
    for name, key in (
        (("shop", "kind"), tables.by_shop_and_kind),
        (("the shop answers",), tables.by_behaviour),
        (("killed",), tables.by_death),
        (("scenario",), tables.by_scenario),
    ):
        say("\n".join(tables.table(name, tables.rows(verdicts, key))) + "\n\n")
    say("\n".join(tables.table(("",), [(("all",), tables.counts(verdicts))])) + "\n")
    say(f"{tables.LEGEND}\n")
    for verdict in verdicts:
        if verdict.is_bad or options.case:
            say(_details(verdict))
    for case, error in failures:
        say(f"run {case.number} could not be carried out: {error}\n")
    kills = sum(verdict.kills for verdict in verdicts)
    machine = ", ".join(f"{key} {value}" for key, value in _machine().items())
    say(f"{len(verdicts)} runs, {kills} times SIGKILL, {seconds:.0f} s; {machine}\n")


def _details(verdict: Verdict) -> str:
    case, found = verdict.case, verdict.found
    said = [[(m.get("response"), m.get("text", "")[:100]) for m in told] for told in found.told]
    return (
        f"run {case.number}: {verdict.outcome} {'; '.join(verdict.wrong)}\n  {case}\n"
        f"  at the shop {found.counts}, ledger {found.writes}, mails {found.mails} {found.sent}\n"
        f"  told {said}\n"
    )


def _machine() -> dict[str, object]:
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False)
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "tresen": version("tresen"),
        "commit": commit.stdout.strip() or "none",
    }


def _write(
    path: Path,
    verdicts: list[Verdict],
    failures: list[tuple[Case, str]],
    options: argparse.Namespace,
    seconds: float,
) -> None:
    if path == RESULTS:
        path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-faults.json"
    record = {
        "machine": _machine(),
        "runs": len(verdicts),
        "seed": options.seed,
        "seconds": round(seconds, 1),
        "kills": sum(verdict.kills for verdict in verdicts),
        "not_carried_out": len(failures),
        "total": dict(zip(tables.HEADINGS, tables.counts(verdicts), strict=True)),
        "rows": [
            {"kind": name[0], "answers": name[1], "killed": name[2], "scenario": name[3]}
            | dict(zip(tables.HEADINGS, values, strict=True))
            for name, values in tables.rows(verdicts, tables.by_everything)
        ],
        "bad": [msgspec.to_builtins(verdict) for verdict in verdicts if verdict.is_bad],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
