"""Plays recorded tasks of tau-retail as conversations in free text with the whole bot.

python -m bench.tau_retail.chat [--style one|steps|polite|terse|all] [--task ID] [--file NAME] \
[--limit N] [--seed N] [--show]

Runs in one process without HTTP. After each task the shop must hold exactly the recorded
`db_diff`; prints the pass rate of each style and the transcripts of the failures.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bench.tau_retail.replay import ROOT, Replay
from bench.tau_retail.shopper import STYLES, Heard, Shopper, writes
from bot.app import Bot, build_bot
from bot.messages import InboundMessage, utc_now
from bot.settings import load_settings

Raw = dict[str, Any]
MOST_TURNS = 16


class Stage:
    """The bot on a converted shop that is put back to its first state after each task."""

    def __init__(self, db: Raw, shop: Replay, bot: Bot) -> None:
        """Play on `bot`, whose shop is `shop`."""
        self._db = db
        self._shop = shop
        self._bot = bot
        self._said = 0

    async def play(self, task: Raw, style: str, seed: int) -> tuple[list[str], list[str]]:
        """Return what differs from the record after the task, and the transcript."""
        shopper = Shopper(self._db, task, style, seed)
        sender = f"{task['task_id']}-{style}-{self._said}"
        transcript: list[str] = []
        text: str | None = shopper.opening()
        for _ in range(MOST_TURNS * max(1, len(writes(task)))):
            if text is None:
                break
            heard = await self._say(sender, text)
            transcript.append(f"> {text}")
            transcript += [f"< [{message.response}] {message.text}" for message in heard]
            text = shopper.answer(heard)
        problems = self._shop.compare(task["db_diff"])
        self._shop.restore()
        return problems, transcript

    async def _say(self, sender: str, text: str) -> list[Heard]:
        self._said += 1
        message = InboundMessage("rest", sender, f"m{self._said}", text, utc_now())
        return [Heard(m.response, m.text) for m in await self._bot.exchange(message)]


async def play_all(
    db: Raw,
    tasks: list[Raw],
    styles: list[str],
    folder: Path,
    seed: int = 0,
    show: Callable[[str, str, list[str], list[str]], None] | None = None,
) -> dict[tuple[str, str], tuple[list[str], list[str]]]:
    """Return, for every task and style, what differs and the transcript.

    Args:
        db: tau-retail's database.
        tasks: recorded tasks.
        styles: some of `STYLES`.
        folder: an empty directory to work in.
        seed: of the customers' choices.
        show: called with task, style, differences and transcript after each conversation.
    """
    shop = Replay(db, folder)
    settings = load_settings(ROOT, folder, folder / "shop")
    endpoints = msgspec.structs.replace(settings.endpoints, store="memory://")
    bot = await build_bot(msgspec.structs.replace(settings, endpoints=endpoints))
    await bot.dispatcher.start()
    stage = Stage(db, shop, bot)
    found = {}
    for style in styles:
        for task in tasks:
            found[task["task_id"], style] = await stage.play(task, style, seed)
            if show is not None:
                show(task["task_id"], style, *found[task["task_id"], style])
    await bot.close()
    bot.database.close()
    shop.close()
    return found


def load_tasks(folder: Path, name: str, limit: int = 0) -> tuple[Raw, list[Raw]]:
    """Return the database and the tasks of a file that change something.

    Args:
        folder: the shared data of tau-retail.
        name: the file of recorded tasks.
        limit: how many tasks at most; 0 for all.
    """
    db = json.loads((folder / "db.json").read_bytes())
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    tasks = [task for task in map(json.loads, lines) if writes(task)]
    return db, tasks[:limit] if limit else tasks


def main(arguments: list[str] | None = None) -> int:
    """Play the tasks and print the tally; 1 when anything differs."""
    parser = argparse.ArgumentParser(prog="bench.tau_retail.chat", description=__doc__)
    shared = Path(os.environ.get("TRESEN_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--shared", type=Path, default=shared)
    parser.add_argument("--file", default="retail_golden_train.jsonl")
    parser.add_argument("--style", choices=STYLES, action="append")
    parser.add_argument("--task", action="append")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print every transcript")
    given = parser.parse_args(arguments)
    db, tasks = load_tasks(given.shared / "data" / "tau_retail", given.file, given.limit)
    tasks = [task for task in tasks if not given.task or task["task_id"] in given.task]
    styles = given.style or list(STYLES)
    start = time.monotonic()
    show = _printer(everything=given.show)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(play_all(db, tasks, styles, Path(folder), given.seed, show))
    for style in styles:
        results = [problems for (_, other), (problems, _) in found.items() if other == style]
        good = sum(not problems for problems in results)
        sys.stdout.write(f"{style}: {good}/{len(results)}\n")
    sys.stdout.write(f"{time.monotonic() - start:.0f} s\n")
    return int(any(problems for problems, _ in found.values()))


def _printer(*, everything: bool) -> Callable[[str, str, list[str], list[str]], None]:
    def show(task: str, style: str, problems: list[str], transcript: list[str]) -> None:
        if problems or everything:
            lines = [f"=== {task} {style}", *transcript, *(f"! {p}" for p in problems[:6])]
            sys.stdout.write("\n".join(lines) + "\n\n")
            sys.stdout.flush()

    return show


if __name__ == "__main__":
    sys.exit(main())
