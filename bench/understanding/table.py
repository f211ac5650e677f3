"""The table: a row for each set and side, and what the issue asks beside what was reached."""

from collections.abc import Callable, Sequence

import msgspec

from bench.understanding.figures import Figures

_COLUMNS: tuple[tuple[str, Callable[[Figures], float | None], str], ...] = (
    ("accuracy", lambda row: row.accuracy, "share"),
    ("macro-F1", lambda row: row.macro_f1, "share"),
    ("micro-F1", lambda row: row.micro_f1, "share"),
    ("in scope", lambda row: row.in_scope_accuracy, "share"),
    ("OOS recall", lambda row: row.outside_recall, "share"),
    ("in scope*", lambda row: row.threshold_in_scope_accuracy, "share"),
    ("OOS rec.*", lambda row: row.threshold_outside_recall, "share"),
    ("slot F1", lambda row: row.slot_f1, "share"),
    ("dates F1", lambda row: row.date_overlap_f1, "share"),
    ("Pearson r", lambda row: row.pearson, "plain"),
    ("train s", lambda row: row.cost.training_s if row.cost else None, "seconds"),
    ("fit s", lambda row: row.cost.fitting_s if row.cost else None, "seconds"),
    ("train cpu s", lambda row: row.cost.training_cpu_s if row.cost else None, "seconds"),
    ("ms p50", lambda row: row.cost.ms_p50 if row.cost else None, "ms"),
    ("ms p99", lambda row: row.cost.ms_p99 if row.cost else None, "ms"),
    ("cpu ms p50", lambda row: row.cost.cpu_ms_p50 if row.cost else None, "ms"),
    ("MB", lambda row: row.cost.resident_mb if row.cost else None, "mb"),
)
_FORMATS = {
    "share": "{:.1%}",
    "plain": "{:.3f}",
    "seconds": "{:.1f}",
    "ms": "{:.1f}",
    "mb": "{:.0f}",
}


class Target(msgspec.Struct, frozen=True):
    """What a figure has to be; `less` where smaller is better."""

    set: str
    figure: str
    must: float
    aim: float
    less: bool = False


TARGETS = (
    Target("banking77", "accuracy", 0.93, 0.94),
    Target("banking77-10", "accuracy", 0.825, 0.87),
    Target("clinc150", "in scope*", 0.94, 0.96),
    Target("clinc150", "OOS rec.*", 0.65, 0.75),
    Target("xsid-de → de", "accuracy", 0.94, 0.96),
    Target("xsid-en → de", "accuracy", 0.85, 0.90),
    Target("xsid-en → gsw", "accuracy", 0.60, 0.70),
    Target("roboai-de", "accuracy", 0.92, 0.94),
    Target("roboai-de+en", "accuracy", 0.92, 0.94),
    Target("roboai-en", "accuracy", 0.95, 0.96),
    Target("vader products", "Pearson r", 0.70, 0.80),
    Target("parser, fast path", "ms p50", 3, 1, less=True),
    Target("parser, no fast path", "ms p50", 20, 15, less=True),
    Target("parser, fast path", "MB", 300, 200, less=True),
    Target("skills", "train s", 5, 2, less=True),
    Target("banking77", "train s", 30, 30, less=True),
)


def table(rows: Sequence[Figures]) -> str:
    """Return the rows as a table of fixed width; columns that nobody fills are left out."""
    used = [column for column in _COLUMNS if any(column[1](row) is not None for row in rows)]
    wide = max([len(row.set) for row in rows], default=3) + 2
    lines = [f"{'set':<{wide}}{'side':<8}" + "".join(f"{name:>12}" for name, _, _ in used)]
    lines.extend(
        f"{row.set:<{wide}}{row.side:<8}"
        + "".join(f"{_shown(get(row), kind):>12}" for _, get, kind in used)
        for row in rows
    )
    return "\n".join(lines)


def verdicts(rows: Sequence[Figures]) -> list[str]:
    """Return a line for each target whose set was run."""
    getters = {name: (get, kind) for name, get, kind in _COLUMNS}
    found = {row.set: row for row in rows if row.side == "tresen"}
    lines = []
    for target in TARGETS:
        get, kind = getters[target.figure]
        value = get(found[target.set]) if target.set in found else None
        if value is None:
            continue
        lines.append(
            f"{target.set + ', ' + target.figure:<36}{_shown(value, kind):>9}"
            f"   must {_shown(target.must, kind):>6}, aim {_shown(target.aim, kind):>6}"
            f"   {verdict(target, value)}"
        )
    return lines


def verdict(target: Target, value: float) -> str:
    """Return how a value stands to a target."""
    sign = -1 if target.less else 1
    if sign * value >= sign * target.aim:
        return "aim reached"
    return "reached" if sign * value >= sign * target.must else "FALLS SHORT"


def _shown(value: float | None, kind: str) -> str:
    return "" if value is None else _FORMATS[kind].format(value)
