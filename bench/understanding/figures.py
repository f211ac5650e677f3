"""What one side says on one set, and the figures made of it."""

import msgspec

from bench.understanding.data import OUTSIDE, Row, Span, Split
from bench.understanding.dates import true_dates
from bench.understanding.metrics import (
    accuracy,
    best_threshold,
    macro_f1,
    micro_f1,
    outside_figures,
    overlap_f1,
    percentile,
    with_threshold,
)


class Said(msgspec.Struct, frozen=True):
    """What one side says of one text.

    Args:
        label: the intent it would act on; `out_of_scope` is one.
        best: the best intent other than `out_of_scope`.
        confidence: of `best`, in [0, 1].
        spans: the slots it found.
    """

    label: str
    best: str
    confidence: float
    spans: tuple[Span, ...] = ()


class Taken(msgspec.Struct, frozen=True):
    """Milliseconds for each message: of the clock and of the processor."""

    clock_ms: list[float]
    cpu_ms: list[float]


class Cost(msgspec.Struct, frozen=True):
    """What a side needs; seconds of the clock unless the name says otherwise.

    Args:
        training_s: from examples to a model, sentence vectors included.
        training_cpu_s: seconds of processor in this; on a busy machine the figure to compare.
        fitting_s: training without the sentence vectors, where a side has such.
        ms_p50: per message, one at a time, one thread.
        ms_p99: likewise.
        cpu_ms_p50: milliseconds of processor in this.
        messages: how many these are of.
        resident_mb: of the process that answers, after those messages.
    """

    training_s: float
    training_cpu_s: float
    fitting_s: float | None
    ms_p50: float
    ms_p99: float
    cpu_ms_p50: float
    messages: int
    resident_mb: float


def cost(
    taken: Taken,
    resident_mb: float,
    training_s: float = 0.0,
    training_cpu_s: float = 0.0,
    fitting_s: float | None = None,
) -> Cost:
    """Return what a side needs, from the time of each message and of training."""
    return Cost(
        training_s=training_s,
        training_cpu_s=training_cpu_s,
        fitting_s=fitting_s,
        ms_p50=percentile(taken.clock_ms, 0.5),
        ms_p99=percentile(taken.clock_ms, 0.99),
        cpu_ms_p50=percentile(taken.cpu_ms, 0.5),
        messages=len(taken.clock_ms),
        resident_mb=resident_mb,
    )


class Outcome(msgspec.Struct, frozen=True):
    """What one side says of a whole set, and what that took.

    Args:
        tests: per test what it says of each row.
        dev: likewise of the rows that thresholds are chosen on.
        cost: time and memory.
        has_slots: whether the side was taught the set's own slots.
    """

    tests: dict[str, list[Said]]
    cost: Cost
    dev: list[Said] = []
    has_slots: bool = False


class Figures(msgspec.Struct, frozen=True, omit_defaults=True):
    """The figures of one side on one test; shares in [0, 1].

    `micro_f1` is over intents of texts with several, `slot_f1` over all slots with their exact
    places, `date_overlap_f1` over days and times that are found at least in part. Figures with
    `threshold` take a text as out of scope when the best intent is less sure than that. `at` is
    when it was measured, `load` the machine's load average then: above 1 or 2 the seconds are too
    long.
    """

    set: str
    side: str
    train: int
    test: int
    accuracy: float | None = None
    macro_f1: float | None = None
    micro_f1: float | None = None
    in_scope_accuracy: float | None = None
    outside_recall: float | None = None
    threshold: float | None = None
    threshold_in_scope_accuracy: float | None = None
    threshold_outside_recall: float | None = None
    slot_f1: float | None = None
    date_overlap_f1: float | None = None
    pearson: float | None = None
    cost: Cost | None = None
    at: str = ""
    load: float | None = None


def score(split: Split, side: str, outcome: Outcome) -> list[Figures]:
    """Return the figures of each test of a set."""
    return [_score(split, side, outcome, name) for name in split.tests]


def _score(split: Split, side: str, outcome: Outcome, name: str) -> Figures:
    rows, said = split.tests[name], outcome.tests[name]
    gold = [row.label for row in rows]
    told = [one.label for one in said]
    found = Figures(
        set=f"{split.name} → {name}" if name else split.name,
        side=side,
        train=len(split.train),
        test=len(rows),
        accuracy=accuracy(gold, told),
        macro_f1=macro_f1(gold, told),
        cost=outcome.cost,
    )
    if OUTSIDE in gold:
        found = _with_outside(found, split, outcome, gold, said)
    return _with_slots(found, outcome, rows, said)


def _with_outside(
    found: Figures, split: Split, outcome: Outcome, gold: list[str], said: list[Said]
) -> Figures:
    inside, recall = outside_figures(gold, [one.label for one in said])
    found = msgspec.structs.replace(found, in_scope_accuracy=inside, outside_recall=recall)
    if not split.dev:
        return found
    threshold = best_threshold(
        [row.label for row in split.dev], [(one.best, one.confidence) for one in outcome.dev]
    )
    ranked = [(one.best, one.confidence) for one in said]
    inside, recall = outside_figures(gold, with_threshold(ranked, threshold))
    return msgspec.structs.replace(
        found,
        threshold=threshold,
        threshold_in_scope_accuracy=inside,
        threshold_outside_recall=recall,
    )


def _with_slots(found: Figures, outcome: Outcome, rows: list[Row], said: list[Said]) -> Figures:
    gold = [row.spans for row in rows]
    told = [one.spans for one in said]
    dates = [true_dates(spans) for spans in gold]
    if outcome.has_slots and any(gold):
        found = msgspec.structs.replace(found, slot_f1=micro_f1(gold, told))
    if any(dates):
        overlap = overlap_f1(dates, [true_dates(spans) for spans in told])
        found = msgspec.structs.replace(found, date_overlap_f1=overlap)
    return found
