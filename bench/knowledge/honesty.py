"""What the shop has and what it does not: whether product search says so.

Cases of even number fit the model of relevance (`python -m bench.knowledge.honesty`), the others
judge it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import yaml
from numpy.typing import NDArray

from bench.knowledge.ranking import read_judged
from bench.knowledge.sides import ROOT, Sides, demo_shop
from bench.knowledge.vectors import KeptEncoder
from knowledge.library import Library
from knowledge.relevance import Evidence
from knowledge.retrieve import Has

HERE = Path(__file__).parent
_ASKED = {
    "de": ("{}", "ich suche {}", "{} unter 800 €", "habt ihr {}?", "gute {} für meine Tochter"),
    "en": (
        "{}",
        "I am looking for a {}",
        "{} under 800",
        "do you have {}?",
        "a good {} for my daughter",
    ),
}
_EVERY = 3
_DECAY = 0.02
_STEPS = 60


class Case(msgspec.Struct, frozen=True):
    """A sentence, whether the shop has what it asks for, and the shelves that are taken away."""

    set: str
    number: int
    text: str
    language: str
    is_there: bool
    without: frozenset[str] = frozenset()

    @property
    def judges(self) -> bool:
        """Return whether the case was kept from the fit."""
        return self.number % 2 == 1


class Honesty(msgspec.Struct, frozen=True):
    """How often a set of sentences is answered as had, as something near, or as not had."""

    set: str
    is_there: bool
    count: int
    found: float
    near: float
    nothing: float


def absent() -> Iterator[Case]:
    """Return sentences that ask for what the shop does not have, or for nothing that is sold."""
    things = yaml.safe_load((HERE / "absent.yml").read_text(encoding="utf-8"))
    for number, pair in enumerate(things):
        for language, word in zip(("de", "en"), pair, strict=True):
            for shape in (0, 1 + number % 4):
                text = _ASKED[language][shape].format(word)
                yield Case("not sold", number, text, language, is_there=False)
    for text in yaml.safe_load((HERE / "nonsense.yml").read_text(encoding="utf-8")):
        for language in ("de", "en"):
            yield Case("no thing", 1, str(text), language, is_there=False)


def present() -> Iterator[Case]:
    """Return sentences that ask for what the shop has."""
    for number, need in enumerate(read_judged()):
        for language in ("de", "en"):
            yield Case("judged", number, getattr(need, language), language, is_there=True)
    cases = yaml.safe_load((HERE / "products.yml").read_text(encoding="utf-8"))
    for number, case in enumerate(cases):
        yield Case("limits", number, case["q"], case["lang"], is_there=True)


def taken_away(library: Library) -> Iterator[Case]:
    """Return what the shop would not have if the shelves that meet a sentence were empty."""
    shelf = {product.id: product.category for product in library.products}
    for number, need in enumerate(read_judged()):
        gone = frozenset(shelf[key] for key in need.grades if key in shelf)
        for language in ("de", "en"):
            yield Case("shelf empty", number, getattr(need, language), language, False, gone)
    for number, product in enumerate(library.products[::_EVERY]):
        for language, title in product.title.items():
            text = " ".join(title.split()[:-1]) or title
            yield Case("title", number, text, language, is_there=True)
            gone = frozenset({product.category})
            yield Case("title, shelf empty", number, text, language, False, gone)


def evidence(sides: Sides, case: Case) -> Evidence | None:
    """Return what speaks for the shop having it; None where the sentence says nothing."""
    query = sides.library.read_query(case.text, case.language)
    return sides.evidence(query, case.without) if query.text.strip() else None


def measure(library: Library) -> list[Honesty]:
    """Return how the sentences are answered that were kept from the fit."""
    answers: dict[tuple[str, bool], Counter[Has]] = {}
    for case in (*absent(), *present()):
        if case.judges:
            result = library.search_products(library.read_query(case.text, case.language))
            has: Has = "near" if result.is_near else "found" if result.matches else "nothing"
            if result.relaxations:  # the shop has it, but not within the limits
                has = "found"
            answers.setdefault((case.set, case.is_there), Counter())[has] += 1
    return [
        Honesty(name, there, total, *(counts[has] / total for has in ("found", "near", "nothing")))
        for (name, there), counts in answers.items()
        for total in (sum(counts.values()),)
    ]


def fit(sides: Sides, cases: Iterable[Case]) -> dict[str, float]:
    """Return the weight of each part of the evidence; every set counts alike on its side."""
    found = [(case, told) for case in cases if (told := evidence(sides, case)) is not None]
    sizes = Counter((case.set, case.is_there) for case, _ in found)
    sides = Counter(there for _, there in sizes)
    names = sorted({name for _, told in found for name in told.parts()} - {"none"})
    rows = np.array([[told.parts().get(name, 0.0) for name in names] for _, told in found])
    wanted = np.array([float(case.is_there) for case, _ in found])
    counted = np.array([
        1 / (sizes[case.set, case.is_there] * sides[case.is_there]) for case, _ in found
    ])
    middle, width = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    weights = _regress((rows - middle) / width, wanted, counted / counted.mean())
    fitted = dict(zip(names, (weights[1:] / width).tolist(), strict=True))
    return {"bias": float(weights[0] - (weights[1:] / width) @ middle)} | fitted


def _regress(
    rows: NDArray[np.float64], wanted: NDArray[np.float64], counted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return bias and weights of a logistic regression, by Newton's method."""
    rows = np.hstack([np.ones((len(rows), 1)), rows])
    decay = np.full(rows.shape[1], _DECAY * len(rows) / 100)
    decay[0] = 0.0
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (counted * (likely - wanted)) + decay * weights
        bend = (rows * (counted * likely * (1 - likely))[:, None]).T @ rows + np.diag(decay + 1e-9)
        weights -= np.linalg.solve(bend, slope)
    return np.asarray(weights)


def main() -> None:
    """Print the weights that knowledge/relevance.py holds, and how its cases come out."""
    encoder = KeptEncoder(ROOT / ".data" / "bench" / "knowledge.npz")
    with TemporaryDirectory() as folder:
        sides = Sides(demo_shop(), Path(folder), encoder)
        cases = [*absent(), *present(), *taken_away(sides.library)]
        for name, weight in fit(sides, (c for c in cases if not c.judges)).items():
            print(f'    "{name}": {weight:.3f},')
        groups: dict[tuple[str, bool], list[float]] = {}
        for case in cases:
            told = evidence(sides, case)
            if case.judges and told is not None:
                groups.setdefault((case.set, case.is_there), []).append(told.likelihood())
        for (name, there), values in groups.items():
            spread = np.percentile(values, (5, 10, 25, 50, 75, 90, 95)).round(3).tolist()
            print(f"{name:<20}{'has' if there else 'has not':<9}{len(values):>5}  {spread}")
    encoder.save()


if __name__ == "__main__":
    main()
