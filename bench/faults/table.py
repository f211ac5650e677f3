"""The table of the fault bench."""

from collections import Counter
from collections.abc import Callable, Iterable

from bench.faults.verdict import Verdict

OUTCOMES = ("once", "refused", "doubled", "lost", "denied", "unknown")
HEADINGS = ("runs", *OUTCOMES, "told wrong")
LEGEND = (
    "once: done at the shop exactly once, the ledger says done. refused: not done, the ledger and "
    "the customer know. doubled: done more often than agreed. lost: the ledger says done, the shop "
    "has nothing. denied: done, and the ledger says refused. unknown: open after reconciliation. "
    "told wrong: not exactly one final outcome told, or not one e-mail for each effect."
)


def rows(
    verdicts: Iterable[Verdict], key: Callable[[Verdict], tuple[str, ...]]
) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Return the counts of `HEADINGS` for each key, in the keys' order."""
    groups: dict[tuple[str, ...], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(key(verdict), []).append(verdict)
    return [(name, counts(group)) for name, group in sorted(groups.items())]


def counts(group: list[Verdict]) -> tuple[int, ...]:
    """Return the counts of `HEADINGS`."""
    found = Counter(verdict.outcome for verdict in group)
    told = sum(bool(verdict.wrong) for verdict in group)
    return (len(group), *(found[outcome] for outcome in OUTCOMES), told)


def table(
    title: tuple[str, ...], lines: list[tuple[tuple[str, ...], tuple[int, ...]]]
) -> list[str]:
    """Return a table as lines of text."""
    names = [title, *(name for name, _ in lines)]
    widths = [max(len(name[column]) for name in names) for column in range(len(title))]
    text = []
    for name, values in [(title, HEADINGS), *lines]:
        cells = [cell.ljust(width) for cell, width in zip(name, widths, strict=True)]
        numbers = [
            str(value or "·" if isinstance(value, int) else value).rjust(max(5, len(heading)))
            for value, heading in zip(values, HEADINGS, strict=True)
        ]
        text.append("  ".join([*cells, *numbers]))
    return text


def by_shop_and_kind(verdict: Verdict) -> tuple[str, ...]:
    """Group by shop and kind of effect."""
    return verdict.case.shop, verdict.case.kind


def by_everything(verdict: Verdict) -> tuple[str, ...]:
    """Group by kind, behaviour of the shop, and moment of death."""
    case = verdict.case
    return f"{case.kind} at {case.shop}", case.behaviour, case.kill, case.scenario


def by_behaviour(verdict: Verdict) -> tuple[str, ...]:
    """Group by what the shop does wrong."""
    return (verdict.case.behaviour,)


def by_death(verdict: Verdict) -> tuple[str, ...]:
    """Group by the moment of death."""
    return (verdict.case.kill,)


def by_scenario(verdict: Verdict) -> tuple[str, ...]:
    """Group by scenario."""
    return (verdict.case.scenario or "plain",)
