"""The sets that understanding is measured on: rows with their intents and slots, in splits.

The real sets lie outside the repository, below `TRESEN_SHARED`; a set that is absent says so.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from zlib import crc32

import msgspec

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".data" / "bench"
OUTSIDE = "out_of_scope"
_BESIDE = 21
"""So many English examples of each intent stand beside the German ones of roboai."""


class DataAbsentError(Exception):
    """A data set is not on this machine; the message says where it is looked for."""


class Span(msgspec.Struct, frozen=True, order=True):
    """A slot in a text; `start` and `end` are offsets in characters."""

    start: int
    end: int
    type: str


class Row(msgspec.Struct, frozen=True):
    """One text with what it means.

    Args:
        text: as it was written.
        label: its intent; empty where a text has several (see `labels`).
        language: ISO code, with a dialect's suffix where there is one.
        labels: all intents, of sets with several to a text.
        spans: its slots.
    """

    text: str
    label: str
    language: str
    labels: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


class Split(msgspec.Struct, frozen=True):
    """What is trained on and what is scored.

    Args:
        name: of the set.
        train: rows to learn from.
        tests: rows to score, by the name of the test.
        dev: rows that thresholds may be chosen on.
        extra: sections of a Rasa project's training file beside its intents, as YAML.
    """

    name: str
    train: list[Row]
    tests: dict[str, list[Row]]
    dev: list[Row] = []
    extra: str = ""


def shared() -> Path:
    """Return the folder of the real sets."""
    return Path(os.environ.get("TRESEN_SHARED", ROOT.parent / "shared")) / "data"


def read_lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the rows of a file in JSON lines.

    Raises:
        DataAbsentError: there is no such file.
    """
    if not path.is_file():
        message = f"{path} is absent: set TRESEN_SHARED to the folder that holds data/"
        raise DataAbsentError(message)
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def banking77() -> Split:
    """Return the whole of banking77."""
    rows = list(read_lines(shared() / "banking77" / "banking77.jsonl"))
    test = _plain(rows, split="test")
    return Split("banking77", _plain(rows, split="train"), {"": test})


def banking77_ten() -> Split:
    """Return banking77 with the first ten examples of each intent."""
    whole = banking77()
    return Split("banking77-10", first_of_each(whole.train, 10), whole.tests)


def clinc150() -> Split:
    """Return clinc150 with its out-of-scope texts, 100 of them to train on."""
    rows = [
        {**row, "label": OUTSIDE if row["label"] == "oos" else row["label"]}
        for row in read_lines(shared() / "clinc150" / "clinc150_full.jsonl")
    ]
    return Split(
        "clinc150",
        _plain(rows, split="train"),
        {"": _plain(rows, split="test")},
        dev=_plain(rows, split="val"),
    )


def xsid(language: str, *others: str) -> Split:
    """Return xSID: trained on one language's 300 sentences, scored on several languages' 500."""
    by_part: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in read_lines(shared() / "xsid" / "xsid-0.7_germanic_it.jsonl"):
        by_part[str(row["lang"]), str(row["split"])].append(_with_slots(row))
    tests = {name: by_part[name, "test"] for name in (language, *others)}
    return Split(f"xsid-{language}", by_part[language, "valid"], tests)


def roboai(language: str) -> Split:
    """Return the messages to a company's bot in one language."""
    rows = list(read_lines(shared() / "roboai_faq_de_en" / "roboai.jsonl"))
    return Split(
        f"roboai-{language}",
        _plain(rows, split="train", lang=language),
        {"": _plain(rows, split="test", lang=language)},
    )


def roboai_in_both() -> Split:
    """Return the German messages to that bot, and beside them English ones of the same intents.

    More would be beyond what the kernel looks at in whole (`MOST_EXACT`).
    """
    german = roboai("de")
    known = {row.label for row in german.train}
    english = [row for row in roboai("en").train if row.label in known]
    english.sort(key=lambda row: crc32(row.text.encode()))
    beside = first_of_each(english, _BESIDE)
    return Split("roboai-de+en", [*german.train, *beside], german.tests)


def nlupp(domain: str) -> list[list[Row]]:
    """Return the 20 folds of a domain of NLU++, texts with several intents each."""
    folds: dict[str, list[Row]] = {f"fold{number}": [] for number in range(20)}
    for row in read_lines(shared() / "nlupp" / "nlupp.jsonl"):
        if row["domain"] == domain:
            slots = row["slots"]
            assert isinstance(slots, dict)
            spans = tuple(
                sorted(Span(slot["span"][0], slot["span"][1], kind) for kind, slot in slots.items())
            )
            labels = tuple(map(str, _list(row["labels"])))
            folds[str(row["split"])].append(Row(str(row["text"]), "", "en", labels, spans))
    return list(folds.values())


class Review(msgspec.Struct, frozen=True):
    """A sentence on a product, what 20 people scored it (-4 to 4), its review's number."""

    text: str
    score: float
    number: int


def product_reviews() -> list[Review]:
    """Return the sentences on products."""
    path = shared() / "sentiment_en_vader" / "vader_icwsm2014.jsonl"
    return [
        Review(str(row["text"]), float(str(row["score"])), int(str(row["id"]).partition("_")[0]))
        for row in read_lines(path)
        if str(row["source"]).startswith("amazon")
    ]


def first_of_each(rows: Iterable[Row], count: int) -> list[Row]:
    """Return the first rows of each intent."""
    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        seen[row.label] += 1
        if seen[row.label] <= count:
            kept.append(row)
    return kept


def _plain(rows: Iterable[Mapping[str, object]], **wanted: str) -> list[Row]:
    return [
        Row(str(row["text"]), str(row["label"]), str(row["lang"]))
        for row in rows
        if all(row[key] == value for key, value in wanted.items())
    ]


def _with_slots(row: Mapping[str, object]) -> Row:
    text = str(row["text"])
    spans = bio_spans(text, list(map(str, _list(row["tokens"]))), list(map(str, _list(row["bio"]))))
    return Row(text, str(row["label"]), str(row["lang"]), spans=tuple(spans))


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def bio_spans(text: str, tokens: list[str], tags: list[str]) -> list[Span]:
    """Return the slots that tags on tokens mark, as offsets into the text."""
    spans: list[Span] = []
    place = 0
    for token, tag in zip(tokens, tags, strict=True):
        start = text.find(token, place)
        if start < 0:  # the tokeniser changed a sign: the slot cannot be placed
            continue
        place = start + len(token)
        if tag.startswith("I-") and spans and spans[-1].type == tag[2:]:
            spans[-1] = Span(spans[-1].start, place, tag[2:])
        elif tag != "O":
            spans.append(Span(start, place, tag[2:]))
    return spans


DIALECTS = ("gsw", "de-ba", "de-st", "de-muc")
SPLITS: dict[str, Callable[[], Split]] = {
    "banking77": banking77,
    "banking77-10": banking77_ten,
    "clinc150": clinc150,
    "xsid-de": lambda: xsid("de", *DIALECTS),
    "xsid-en": lambda: xsid("en", "de", *DIALECTS, "nl"),
    "roboai-de": lambda: roboai("de"),
    "roboai-en": lambda: roboai("en"),
    "roboai-de+en": roboai_in_both,
}
