"""Rasa's own small projects as data sets: their training examples, split once and for all.

The files stay in a cache outside the repository; `git` brings them the first time.
"""

import json
import random
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import yaml

from bench.understanding.data import CACHE, DataAbsentError, Row, Span, Split

PROJECTS = {
    "financial-demo": ("data/nlu/nlu.yml", "7627cebef1571d55855b886cf4ac20459af9566c"),
    "helpdesk-assistant": ("data/nlu.yml", "2e9f2258c6648488bd02af86ea2803de5a9fde04"),
}
_ORIGIN = "https://github.com/RasaHQ/{name}.git"
_SEED = 20261122
_TEST_SHARE = 0.2
_LIMIT_S = 120
_SLOT = re.compile(r"\[(?P<text>[^\]]+)\](?:\((?P<plain>[^)]+)\)|(?P<full>\{[^}]+\}))")


def project(name: str) -> Split:
    """Return a project's examples, a fifth of each intent's set aside for the test.

    Raises:
        DataAbsentError: the project is neither in the cache nor to be had.
    """
    path = CACHE / "projects" / name / "nlu.yml"
    if not path.is_file():
        _bring(name, path)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]
    rows = list(dict.fromkeys(_rows(content)))
    train, test = stratified(rows, _TEST_SHARE, _SEED)
    extra = [section for section in content if "intent" not in section]
    return Split(name, train, {"": test}, extra=yaml.safe_dump(extra) if extra else "")


def _bring(name: str, path: Path) -> None:
    inside, commit = PROJECTS[name]
    git = shutil.which("git")
    folder = path.parent / "checkout"
    origin = _ORIGIN.format(name=name)
    fetch = (["init", "-q", str(folder)],
             ["-C", str(folder), "fetch", "-q", "--depth", "1", origin, commit],
             ["-C", str(folder), "checkout", "-q", "FETCH_HEAD"])  # fmt: skip
    try:
        for step in fetch:
            subprocess.run([git or "git", *step], check=True, timeout=_LIMIT_S, capture_output=True)
        shutil.copy(folder / inside, path)
    except (OSError, subprocess.SubprocessError) as error:
        message = f"{path} is absent and {origin} is out of reach: put its {inside} there"
        raise DataAbsentError(message) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rows(content: list[dict[str, str]]) -> Iterator[Row]:
    for section in content:
        for line in section["examples"].splitlines() if "intent" in section else ():
            if text := line.strip().removeprefix("-").strip():
                plain, spans = unmark(text)
                yield Row(plain, section["intent"], "en", spans=spans)


def unmark(text: str) -> tuple[str, tuple[Span, ...]]:
    """Return an example without Rasa's marks of slots, and the slots."""
    plain, spans, place = "", [], 0
    for found in _SLOT.finditer(text):
        plain += text[place : found.start()]
        kind = found["plain"] or json.loads(found["full"]).get("entity", "")
        spans.append(Span(len(plain), len(plain) + len(found["text"]), kind.partition(":")[0]))
        plain += found["text"]
        place = found.end()
    return plain + text[place:], tuple(spans)


def stratified(rows: list[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Return rows to train on and rows to test: of each intent the same share, drawn by chance."""
    by_label: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_label[row.label].append(row)
    chance = random.Random(seed)
    train: list[Row] = []
    test: list[Row] = []
    for label in sorted(by_label):
        group = sorted(by_label[label], key=lambda row: row.text)
        chance.shuffle(group)
        count = round(len(group) * share)
        test.extend(group[:count])
        train.extend(group[count:])
    return train, test
