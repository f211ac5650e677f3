"""`tresen ingest`: reads the sources, brings the index up to date, and says what was left out."""

import argparse
import asyncio
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.terminal import printable

if TYPE_CHECKING:
    from bot.nlu_cli import Add, Reader
    from bot.settings import Settings
    from knowledge.gathering import Progress, SourceReport
    from knowledge.image_index import ImageReport
    from knowledge.ingest import IngestReport
    from knowledge.library import Library
    from knowledge.recommend_store import TrainReport
    from knowledge.sources import SourceProblem

SHOWN_PROBLEMS = 20


def add_options(command: argparse.ArgumentParser, add: "Add", settings: "Reader") -> None:
    """Add the options of `tresen ingest`, and its part `suggestions`.

    Args:
        command: the command.
        add: adds a part with the options that all commands share.
        settings: reads both YAML files as the options say.
    """
    from bot.suggestions_cli import add_options as add_review_options
    from bot.suggestions_cli import suggestions

    def review(options: argparse.Namespace) -> int:
        from bot.logs import configure_logs

        configure_logs(quiet=True)
        return suggestions(settings(options), options)

    command.add_argument("--rebuild", action="store_true", help="read and embed everything anew")
    command.add_argument(
        "--source", action="append", metavar="NAME",
        help="read this source of endpoints.yml only; can be repeated (default: all)",
    )  # fmt: skip
    command.add_argument(
        "--ship", action="store_true", help="keep the vectors in models/, to be committed"
    )
    command.add_argument("--all-problems", action="store_true", help="list every problem")
    parts = command.add_subparsers(metavar="PART", title="parts")
    text = "show FAQ entries that conversations suggest; approve or reject them"
    add_review_options(add(parts, "suggestions", review, text))


def ingest(settings: "Settings", options: argparse.Namespace) -> int:
    """Read sources and index what is new; return 1 if anything could not be read."""
    from bot.brain_setup import SHIPPED, open_encoder, open_library
    from bot.photos import open_images
    from bot.understanding.shipped import ShippedVectors

    encoder = open_encoder(settings)
    vectors = ShippedVectors(encoder, settings.models_dir / SHIPPED)
    library = open_library(settings, encoder, vectors)
    with _progress() as progress:
        reports = library.gathering.refresh(
            options.source, rebuild=options.rebuild, progress=progress
        )
        progress("index", 0)
        indexed = library.ingest(rebuild=options.rebuild or options.ship)
        progress("orders", 0)
        learnt = asyncio.run(_learn(settings, library))
        progress("pictures", 0)
        images = open_images(settings)
        seen = None if images is None else images.ingest(library.products)
    if options.ship:
        sys.stdout.write(f"kept {vectors.save()} vectors in {settings.models_dir / SHIPPED}\n")
    most = sys.maxsize if options.all_problems else SHOWN_PROBLEMS
    shown = {problem for report in reports for problem in report.problems}
    others = [problem for problem in indexed.errors if problem not in shown]
    for line in report_lines(reports, indexed, others, most):
        sys.stdout.write(f"{printable(line)}\n")
    if learnt is not None and learnt.made:
        sys.stdout.write(f"learnt from {learnt.lines} order lines what goes with what\n")
    if seen is not None:
        for line in picture_lines(seen, most):
            sys.stdout.write(f"{printable(line)}\n")
    failed = any(report.failure or report.left_out for report in reports)
    return 1 if failed or any(not problem.kept for problem in others) else 0


async def _learn(settings: "Settings", library: "Library") -> "TrainReport | None":
    """Learn recommendations from our own shop's orders; None where they are elsewhere."""
    from actions.payments.demo import DemoPaymentProvider
    from bot.recommending import learn_from_orders
    from bot.shops import open_shop

    if settings.is_outside_shop:
        return None
    opened = await open_shop(settings, DemoPaymentProvider(""))
    try:
        return await learn_from_orders(library, opened.database, opened.database.clock)
    finally:
        await opened.close()


def picture_lines(seen: "ImageReport", most: int) -> Iterator[str]:
    """Yield the report of products' pictures; `most` problems are listed."""
    yield f"pictures: added {seen.added}, removed {seen.removed}, unchanged {seen.unchanged}"
    yield from _problem_lines(seen.problems, most)


def report_lines(
    reports: "Iterable[SourceReport]",
    indexed: "IngestReport",
    others: "list[SourceProblem]",
    most: int,
) -> Iterator[str]:
    """Yield the report, source by source and then of the index.

    Args:
        reports: of the sources.
        indexed: what the index did.
        others: problems that belong to none of them.
        most: how many problems of a source are listed.
    """
    for report in reports:
        yield (
            f"{report.name}: read {report.read}, added {report.added}, changed {report.changed}, "
            f"removed {report.removed}, left out {len(report.left_out)} ({report.seconds:.1f} s)"
        )
        if report.failure:
            yield f"  not read, what it gave before stays: {report.failure}"
        yield from _problem_lines(report.problems, most)
    if others:
        yield "shop and index:"
        yield from _problem_lines(others, most)
    yield (
        f"added {indexed.added}, changed {indexed.changed}, removed {indexed.removed}, "
        f"unchanged {indexed.unchanged}, errors {sum(not p.kept for p in indexed.errors)}"
    )


def _problem_lines(problems: "Iterable[SourceProblem]", most: int) -> Iterator[str]:
    listed = list(problems)
    for problem in listed[:most]:
        mark = "note" if problem.kept else "left out"
        item = f" {problem.item}:" if problem.item else ""
        yield f"  {mark}: {problem.path}:{item} {problem.reason}"
    if len(listed) > most:
        yield f"  … and {len(listed) - most} more (--all-problems lists them)"


@contextmanager
def _progress() -> "Generator[Progress]":
    """Show on a terminal what is being read; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed} documents"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks = {}

        def told(name: str, count: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=None)
            bar.update(tasks[name], completed=count)

        yield told
