"""`tresen simulate`: start the server, play the tasks, print the results."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx

from simulation.errors import SimulationError
from simulation.options import ALL
from simulation.report import as_json, failure, results, table
from simulation.server import Server
from simulation.shop_file import ShopFile
from simulation.stages import Stage, open_stage
from simulation.tasks import Task
from simulation.trials import Trial, Trials
from simulation.voice import STYLES


class OptionInvalid(SimulationError):
    """An option of the command is wrong."""


def simulate(options: argparse.Namespace) -> int:
    """Run the command; 0 when every style reaches what is required.

    Raises:
        SimulationError: an option, the tasks or the server are wrong.
    """
    _check(options)
    styles = list(dict.fromkeys(options.style or ["plain"]))
    styles = list(STYLES) if ALL in styles else styles
    with tempfile.TemporaryDirectory(prefix="tresen-simulate-") as scratch:
        folder = Path(scratch)
        stage = open_stage(options.tasks, options.db, options.demo_shop, folder)
        tasks = _chosen(stage, options)
        with Server(options.root.resolve(), folder, stage.shop_dir) as server:
            trials = _play(stage, server, tasks, styles, options)
    found = results(trials, options.k)
    sys.stdout.write(f"\n{table(found, options.k)}\n")
    if options.json:
        settings = {"tasks": str(options.tasks), "k": options.k, "seed": options.seed}
        options.json.write_bytes(as_json(trials, found, settings))
    return int(any(result.pass_k < options.require for result in found))


def _play(
    stage: Stage,
    server: Server,
    tasks: list[Task],
    styles: list[str],
    options: argparse.Namespace,
) -> list[Trial]:
    shop = ShopFile(server.shop_file)
    try:
        stage.check(shop)
        with httpx.Client(base_url=server.url, timeout=60) as client:
            trials = Trials(stage, shop, client, options.seed)
            return trials.play(styles, tasks, options.k, _teller(everything=options.show))
    finally:
        shop.close()


def _teller(*, everything: bool) -> Callable[[Trial], None]:
    def told(trial: Trial) -> None:
        if everything or not trial.right:
            sys.stdout.write(failure(trial) + "\n\n")
            sys.stdout.flush()

    return told


def _check(options: argparse.Namespace) -> None:
    if not 0 <= options.require <= 1:
        msg = f"--require must be from 0 to 1, not {options.require}"
        raise OptionInvalid(msg)
    if options.k < 1:
        msg = f"--k must be at least 1, not {options.k}"
        raise OptionInvalid(msg)
    if options.limit < 0:
        msg = f"--limit must not be negative, not {options.limit}"
        raise OptionInvalid(msg)


def _chosen(stage: Stage, options: argparse.Namespace) -> list[Task]:
    tasks = stage.tasks
    if options.task:
        known = {task.id for task in tasks}
        unknown = [task_id for task_id in options.task if task_id not in known]
        if unknown:
            msg = f"--task: {options.tasks} has no task {unknown[0]!r}"
            raise OptionInvalid(msg)
        tasks = [task for task in tasks if task.id in options.task]
    return tasks[: options.limit] if options.limit else tasks
