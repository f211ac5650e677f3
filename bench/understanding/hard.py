"""How the bot reads 300 hard messages, by kind and language; it never says which it got wrong."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.run import machine
from bench.understanding.hard_messages import (
    LANGUAGES,
    Judged,
    Message,
    Value,
    conversation_of,
    judge,
    load_messages,
)
from bot.brain_setup import build_brain_only
from bot.settings import load_settings
from bot.turn import Brain
from bot.understanding.router import Understood

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
STRICT = frozenset({
    "order_number",
    "email",
    "phone",
    "postcode",
    "price_max",
    "price_min",
    "color",
    "size",
})
"""Kinds that a message with entities lists in full, so that one too many is a mistake."""
MOODS: Mapping[str, tuple[str, ...]] = {
    "anger": ("anger",),
    "urgent": ("urgent", "urgency"),
    "threat": ("threat",),
    "vulnerable": ("vulnerable", "vulnerability"),
}
_LEAST_SURE = 0.5


class Reading(msgspec.Struct, frozen=True):
    """One message and what was made of it."""

    language: str
    message: Message
    judged: Judged
    found: tuple[Value, ...]
    mood: dict[str, bool | None]


async def read_all(folder: Path) -> list[Reading]:
    """Return what the bot makes of every message; its data lies in `folder` meanwhile.

    Raises:
        HardMessagesError: The messages cannot be used.
        SourceError: A skill, pattern or setting is wrong.
    """
    brain = await build_brain_only(load_settings(ROOT, folder))
    return [
        _read(brain, message, language)
        for language in LANGUAGES
        for message in load_messages(language)
    ]


def _read(brain: Brain, message: Message, language: str) -> Reading:
    conversation = conversation_of(message, brain.flows, language)
    understood = brain.router.understand(message.text, conversation, NOW)
    return Reading(
        language=language,
        message=message,
        judged=judge(message, understood.commands, brain.flows),
        found=tuple(
            Value(e.type, e.value)
            for e in understood.parse.entities
            if isinstance(e.value, (str, int))
        ),
        mood={name: _mood(understood, names) for name, names in MOODS.items()},
    )


def _mood(understood: Understood, names: Sequence[str]) -> bool | None:
    """Return whether a mood was seen; None where the parser does not look for it."""
    told = [getattr(understood.parse.sentiment, name, None) for name in names]
    seen = [value for value in told if value is not None]
    if not seen:
        return None
    return any(v >= _LEAST_SURE if isinstance(v, (int, float)) else bool(v) for v in seen)


def shares(readings: Sequence[Reading]) -> dict[str, float]:
    """Return how many there are, and the share in [0, 1] that is right in each way."""
    count = len(readings)
    return {
        "messages": count,
        **{
            name: round(sum(getattr(r.judged, name) for r in readings) / count, 4)
            for name in ("right", "first", "false_start", "asked")
        },
    }


def entity_figures(readings: Sequence[Reading]) -> dict[str, float]:
    """Return precision, recall and F1 of the kinds listed in full, and recall of all others."""
    right = told = true = other_right = other_true = 0
    for reading in readings:
        if reading.message.entities is None:
            continue
        gold, found = set(reading.message.entities), set(reading.found)
        strict = {one for one in gold if one.kind in STRICT}
        true += len(strict)
        told += len({one for one in found if one.kind in STRICT})
        right += len(strict & found)
        other_true += len(gold - strict)
        other_right += len((gold - strict) & found)
    return {
        "entities": true,
        "precision": round(right / told, 4) if told else 0.0,
        "recall": round(right / true, 4) if true else 0.0,
        "f1": round(2 * right / (true + told), 4) if true + told else 0.0,
        "others": other_true,
        "others_recall": round(other_right / other_true, 4) if other_true else 0.0,
    }


def mood_figures(readings: Sequence[Reading]) -> dict[str, dict[str, int] | None]:
    """Return seen and labelled messages of each mood, and alarms among those without it."""
    figures: dict[str, dict[str, int] | None] = {}
    for name in MOODS:
        if any(r.mood[name] is None for r in readings):
            figures[name] = None
            continue
        has = [r for r in readings if r.message.mood.get(name) is True]
        lacks = [r for r in readings if not r.message.mood.get(name)]
        figures[name] = {
            "hits": sum(bool(r.mood[name]) for r in has),
            "of": len(has),
            "alarms": sum(bool(r.mood[name]) for r in lacks),
            "of_others": len(lacks),
        }
    return figures


def figures_of(readings: Sequence[Reading]) -> dict[str, Any]:
    """Return all figures of both languages together and of each."""
    groups = {"all": readings}
    groups |= {la: [r for r in readings if r.language == la] for la in LANGUAGES}
    return {
        group: {
            "kinds": {kind: shares(rows) for kind, rows in _by_kind(chosen)},
            "entities": entity_figures(chosen),
            "mood": mood_figures(chosen),
        }
        for group, chosen in groups.items()
    }


def _by_kind(readings: Sequence[Reading]) -> Iterator[tuple[str, list[Reading]]]:
    yield "all", list(readings)
    for kind in sorted({kind for r in readings for kind in r.message.kinds}):
        yield kind, [r for r in readings if kind in r.message.kinds]


def table(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that are printed."""
    for group, chosen in figures.items():
        yield f"{group:<14}{'n':>5}{'right':>8}{'first':>8}{'false start':>13}{'asked':>8}"
        for kind, row in chosen["kinds"].items():
            yield (
                f"  {kind:<12}{row['messages']:>5}{row['right']:>8.1%}{row['first']:>8.1%}"
                f"{row['false_start']:>13.1%}{row['asked']:>8.1%}"
            )
        entity = chosen["entities"]
        yield (
            f"  entities: F1 {entity['f1']:.1%} (precision {entity['precision']:.1%}, recall "
            f"{entity['recall']:.1%}, {entity['entities']} of them); dates, quantities and the "
            f"like: recall {entity['others_recall']:.1%} of {entity['others']}"
        )
        for name, mood in chosen["mood"].items():
            if mood is None:
                yield f"  {name}: not looked for"
                continue
            yield (
                f"  {name}: {mood['hits']} of {mood['of']} seen, "
                f"{mood['alarms']} false alarms in {mood['of_others']}"
            )
        yield ""


def main() -> int:
    """Print the figures, and keep them with `--json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="write bench/results/hard-DATE.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tresen-hard-") as name:
        readings = asyncio.run(read_all(Path(name)))
    figures, here = figures_of(readings), machine()
    lines = [f"commit {here['commit']}, {here['at']}, {here['processor']}", "", *table(figures)]
    sys.stdout.write("\n".join(lines))
    if options.json:
        path = RESULTS / f"hard-{here['at'][:10]}.json"
        path.write_text(json.dumps({"machine": here, "results": figures}, indent=2) + "\n")
        sys.stdout.write(f"written to {path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
