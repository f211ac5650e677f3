"""`python -m bench.knowledge`: words only, vectors only and ours, side by side in one run."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import structlog

from bench.knowledge import honesty, large, limits, ranking, visual
from bench.knowledge.sides import ROOT, SIDES, VOCABULARY, demo_shop
from bench.knowledge.vectors import KeptEncoder
from bench.run import machine
from knowledge.ingest import Encoders
from knowledge.library import Library

RESULTS = ROOT / "bench" / "results"
CACHE = ROOT / ".data" / "bench" / "knowledge.npz"
PARTS = ("commercetools", "judged", "limits", "honesty", "large", "visual")
_TARGETS = {
    "de name → de description": 0.85,
    "de name → en text": 0.85,
    "de name → de + en description": 0.85,
    "de name → all but that name": 0.85,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print one table, keep it as JSON; 1 if a hard limit was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="only these; repeatable")
    parser.add_argument("--sentences", type=int, default=limits.COUNT, help="with hard limits")
    parser.add_argument("--products", type=int, default=large.COUNT, help="of the large shop")
    text = "texts of the large shop that the network encodes; the others' vectors lie near them"
    parser.add_argument("--encode", type=int, default=large.ENCODED, help=text)
    parser.add_argument("--json", action="store_true", help="keep it in bench/results")
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    parts = options.part or PARTS
    encoder = KeptEncoder(CACHE)
    found = _measure(parts, encoder, options)
    encoder.save()
    found["machine"] = machine() | {"numpy": version("numpy"), "rapidfuzz": version("rapidfuzz")}
    _show(found)
    if options.json:
        _keep(found)
    outcome = found.get("limits")
    return int(isinstance(outcome, limits.Outcome) and outcome.violations > 0)


def _keep(found: dict[str, object]) -> None:
    """Write the day's file; parts that were not run keep what an earlier run of the day found."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"knowledge-{datetime.now(UTC).date()}.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    kept |= {name: msgspec.to_builtins(value) for name, value in found.items() if value}
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _measure(
    parts: Sequence[str], encoder: KeptEncoder, options: argparse.Namespace
) -> dict[str, object]:
    found: dict[str, object] = {}
    rows: list[ranking.Row] = []
    for part, measure in (("commercetools", ranking.commercetools), ("judged", ranking.judged)):
        if part not in parts:
            continue
        print(f"… {part}", file=sys.stderr, flush=True)
        try:
            rows += measure(encoder)
        except ranking.DataAbsent as error:
            print(f"skipped: {error} is not there (TRESEN_SHARED)", file=sys.stderr)
    found["ranking"] = rows
    if {"limits", "honesty"} & set(parts):
        with TemporaryDirectory() as folder:
            encoders = Encoders(encoder.queries, encoder.passages)
            library = Library(demo_shop(), Path(folder), VOCABULARY, encoders)
            library.ingest()
            if "limits" in parts:
                print("… limits", file=sys.stderr, flush=True)
                found["limits"] = limits.limits(library, options.sentences)
            if "honesty" in parts:
                print("… honesty", file=sys.stderr, flush=True)
                found["honesty"] = honesty.measure(library)
    if "large" in parts:
        print("… large", file=sys.stderr, flush=True)
        found["large"] = large.measure(options.products, options.encode)
    if "visual" in parts:
        print("… visual", file=sys.stderr, flush=True)
        found["visual"] = visual.visual()
    found["load"] = round(os.getloadavg()[0], 1)
    return found


def _show(found: dict[str, object]) -> None:
    machine_of = found["machine"]
    if isinstance(machine_of, dict):
        print("\n".join(f"{name:<24}{value}" for name, value in machine_of.items()))
    rows = found["ranking"]
    if isinstance(rows, list) and rows:
        print(f"\n{'set':<31}{'figure':<10}{'n':>5}" + "".join(f"{side:>9}" for side in SIDES))
    for row in rows if isinstance(rows, list) else ():
        values = "".join(f"{row.values[side]:>9.3f}" for side in SIDES)
        print(f"{row.set:<31}{row.figure:<10}{row.count:>5}{values}   {_verdict(row)}")
    outcome = found.get("limits")
    if isinstance(outcome, limits.Outcome):
        print(
            f"\n{outcome.sentences} sentences with hard limits: {outcome.violations} violations "
            f"(must 0), recall {outcome.recall:.3f} (must .95), all found {outcome.whole:.3f}"
        )
        print("\n".join(outcome.failures[:20]))
    answers = found.get("honesty")
    if isinstance(answers, list):
        print(f"\n{'asked for':<14}{'sold':<6}{'n':>5}{'found':>9}{'near':>9}{'nothing':>9}")
    for row in answers if isinstance(answers, list) else ():
        shares = "".join(f"{x:>9.3f}" for x in (row.found, row.near, row.nothing))
        print(f"{row.set:<14}{'yes' if row.is_there else 'no':<6}{row.count:>5}{shares}")
    photos = found.get("visual")
    if isinstance(photos, visual.Visual):
        print("\n".join(visual.lines(photos)))
    figures = found.get("large")
    if isinstance(figures, large.Figures):
        print()
        for name, value in msgspec.to_builtins(figures).items():
            print(f"{name:<26}{value:.1f}" if isinstance(value, float) else f"{name:<26}{value}")


def _verdict(row: ranking.Row) -> str:
    """Return how our value stands to the target, or to the better part."""
    target = _TARGETS.get(row.set, max(row.values["bm25"], row.values["vector"]))
    bound = f" (at most {row.bound:.3f} can be had)" if row.bound < 1 else ""
    return "reached" if row.values["hybrid"] >= target else f"FALLS SHORT of {target:.3f}{bound}"


if __name__ == "__main__":
    sys.exit(main())
