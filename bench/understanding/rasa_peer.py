"""Rasa beside ours: writes its files, runs it in its own environment, reads what it said."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

from bench.understanding.data import OUTSIDE, Row, Span, Split
from bench.understanding.figures import Outcome, Said, Taken, cost

VERSION = "3.6.21"
FALLBACK = "nlu_fallback"
_SIDE = Path(__file__).with_name("rasa_side.py")
_SLASH = "__slash__"
_MARKS = str.maketrans("[](){}\n", "‹›‹›‹› ")
_TRAINING_LIMIT_S = 6 * 3_600
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_INTRA_OP_PARALLELISM_THREADS": "1",
    "TF_INTER_OP_PARALLELISM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "RASA_TELEMETRY_ENABLED": "false",
    "LOG_LEVEL": "ERROR",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
}


class RasaMissingError(Exception):
    """Rasa's environment is not there; the message says how to make it."""


class RasaFailedError(Exception):
    """Rasa ended with an error; the message has the end of its log."""


def python_of(environment: Path) -> Path:
    """Return the Python of Rasa's environment.

    Raises:
        RasaMissingError: there is no Rasa in it.
    """
    python = environment / "bin" / "python"
    if not (environment / "bin" / "rasa").is_file():
        message = f"no Rasa in {environment}: bench/understanding/rasa_environment.sh makes it"
        raise RasaMissingError(message)
    return python


def run(split: Split, python: Path, folder: Path, epochs: int) -> Outcome:
    """Train Rasa's default pipeline on a set and have it answer the tests.

    Args:
        split: the set.
        python: of Rasa's environment.
        folder: for its files.
        epochs: of DIET; its default is 100.

    Raises:
        RasaFailedError: training or answering ended with an error.
        TimeoutExpired: it took more than six hours.
    """
    (folder / "config.yml").write_text(config(split.train[0].language, epochs), encoding="utf-8")
    (folder / "nlu.yml").write_text(training_file(split), encoding="utf-8")
    _call(python, "train", folder)
    rows = {**split.tests, " dev": split.dev}
    texts = [_plain(row.text) for listed in rows.values() for row in listed]
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    _call(python, "parse", folder)
    trained = json.loads((folder / "rasa-train.json").read_text(encoding="utf-8"))
    answered = json.loads((folder / "rasa-parse.json").read_text(encoding="utf-8"))
    said = iter(map(_said, answered["said"]))
    tests = {name: [next(said) for _ in listed] for name, listed in rows.items()}
    dev = tests.pop(" dev")
    needed = cost(
        Taken(answered["clock_ms"], answered["cpu_ms"]),
        answered["resident_mb"],
        trained["training_s"],
        trained["training_cpu_s"],
    )
    return Outcome(tests, needed, dev, has_slots=any(row.spans for row in split.train))


def _call(python: Path, what: str, folder: Path) -> None:
    log = folder / f"rasa-{what}.log"
    with log.open("w", encoding="utf-8") as written:
        done = subprocess.run(
            [str(python), "-I", "-W", "ignore", str(_SIDE), what, str(folder)],
            check=False,
            timeout=_TRAINING_LIMIT_S,
            env={**os.environ, **_ONE_THREAD},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    if done.returncode:
        end = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
        message = f"{what} ended with {done.returncode}: {' '.join(end)}"
        raise RasaFailedError(message)


def config(language: str, epochs: int) -> str:
    """Return the pipeline that `rasa init` gives a new project."""
    return yaml.safe_dump(
        {
            "recipe": "default.v1",
            "assistant_id": "bench",
            "language": language.partition("-")[0],
            "pipeline": [
                {"name": "WhitespaceTokenizer"},
                {"name": "RegexFeaturizer"},
                {"name": "LexicalSyntacticFeaturizer"},
                {"name": "CountVectorsFeaturizer"},
                {
                    "name": "CountVectorsFeaturizer",
                    "analyzer": "char_wb",
                    "min_ngram": 1,
                    "max_ngram": 4,
                },
                {"name": "DIETClassifier", "epochs": epochs},
                {"name": "EntitySynonymMapper"},
                {"name": "ResponseSelector", "epochs": epochs},
                {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
            ],
        },
        sort_keys=False,
    )


def training_file(split: Split) -> str:
    """Return the training examples as Rasa reads them, slots marked in the text."""
    by_label: dict[str, list[str]] = {}
    for row in split.train:
        by_label.setdefault(row.label.replace("/", _SLASH), []).append(marked(row))
    sections: list[object] = [
        {"intent": label, "examples": "".join(f"- {text}\n" for text in texts)}
        for label, texts in by_label.items()
    ]
    sections.extend(yaml.safe_load(split.extra) if split.extra else [])
    return yaml.safe_dump({"version": "3.1", "nlu": sections}, allow_unicode=True, width=10_000)


def marked(row: Row) -> str:
    """Return a text with its slots in Rasa's notation."""
    text, place = "", 0
    for span in sorted(row.spans):
        if span.start < place:  # Rasa's notation knows no slot within a slot
            continue
        kind = json.dumps({"entity": span.type.replace("/", _SLASH)})
        slot = _plain(row.text[span.start : span.end])
        text += f"{_plain(row.text[place : span.start])}[{slot}]{kind}"
        place = span.end
    return text + _plain(row.text[place:])


def _plain(text: str) -> str:
    """Replace, one for one, the signs that Rasa would read as notation."""
    return text.translate(_MARKS)


def _said(found: Mapping[str, object]) -> Said:
    ranking, spans = found["ranking"], found["spans"]
    assert isinstance(ranking, list)
    assert isinstance(spans, list)
    named = [(str(name).replace(_SLASH, "/"), float(share)) for name, share in ranking]
    whole = [one for one in named if one[0] != FALLBACK]
    inside = [one for one in whole if one[0] != OUTSIDE]
    best, confidence = inside[0] if inside else ("", 0.0)
    return Said(
        label=whole[0][0] if whole else "",
        best=best,
        confidence=confidence,
        spans=tuple(Span(start, end, kind.replace(_SLASH, "/")) for start, end, kind in spans),
    )
