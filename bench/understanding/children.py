"""Runs our parts of the benchmark, each in a process of its own on one thread."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.understanding.data import ROOT, Split
from bench.understanding.figures import Outcome, cost
from bench.understanding.ours import Answered, Trained
from bench.understanding.shop import Moods, Parsed

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
}

T = TypeVar("T", bound=msgspec.Struct)


def run_set(split: Split, folder: Path, messages: int) -> Outcome:
    """Train on a set and answer its tests; return what was said and what it took.

    Args:
        split: the set.
        folder: for the model and what the processes write.
        messages: how many are answered one by one for the time and the memory.
    """
    trained = _call(["ours", "train", split.name, str(folder)], folder / "train.json", Trained)
    texts = [row.text for rows in split.tests.values() for row in rows]
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    answered = _call(
        ["ours", "parse", split.name, str(folder), "--messages", str(messages)],
        folder / "parse.json",
        Answered,
    )
    needed = cost(
        answered.taken,
        answered.resident_mb,
        trained.fitting_s + trained.encoding.clock,
        trained.fitting_cpu_s + trained.encoding.processor,
        trained.fitting_s,
    )
    return Outcome(trained.tests, needed, trained.dev)


def parse_shop(folder: Path, messages: int, *, fast_path: bool) -> Parsed:
    """Return what the parser on our own skills needs."""
    arguments = ["shop", "parse", str(folder), "--messages", str(messages)]
    arguments += [] if fast_path else ["--no-fast-path"]
    return _call(arguments, folder / "parse.json", Parsed)


def moods(folder: Path) -> Moods:
    """Return what people and the parser say of sentences on products."""
    return _call(["shop", "mood", str(folder)], folder / "mood.json", Moods)


def _call(arguments: Sequence[str], written: Path, kind: type[T]) -> T:
    module, *rest = arguments
    subprocess.run(
        [sys.executable, "-m", f"bench.understanding.{module}", *rest],
        check=True,
        cwd=ROOT,
        env={**os.environ, **ONE_THREAD},
        stdout=subprocess.DEVNULL,
    )
    return msgspec.json.decode(written.read_bytes(), type=kind)
