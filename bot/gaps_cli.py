"""`tresen gaps`: what the bot could not answer, and which texts and products need work."""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bot.terminal import printable

if TYPE_CHECKING:
    from bot.gaps import GapReport
    from bot.settings import Settings

_SHOWN = 10
_MOST_IN_PAGE = 100


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `tresen gaps`."""
    command.add_argument(
        "--days", type=_days, default=0, metavar="N", help="only what was asked in the last N days"
    )
    command.add_argument("--html", type=Path, metavar="FILE", help="write everything as a page")
    command.add_argument("--json", action="store_true", help="everything, as one JSON object")


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 3650:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to 3650, is {text}")
    return int(text)


def show_gaps(settings: "Settings", options: argparse.Namespace) -> int:
    """Print the report, or write it as a page.

    Raises:
        FileNotFoundError: the bot has not run with this data directory.
        StorageError: the store cannot be read.
    """
    report = asyncio.run(_report(settings, options.days))
    if options.html:
        options.html.write_text(gaps_page(report), encoding="utf-8")
    if options.json:
        from bot.gaps import as_json

        sys.stdout.write(f"{msgspec.json.encode(as_json(report)).decode()}\n")
        return 0
    for line in report_lines(report):
        sys.stdout.write(f"{printable(line)}\n")
    if options.html:
        sys.stdout.write(f"everything: {options.html}\n")
    return 0


async def _report(settings: "Settings", days: int) -> "GapReport":
    from bot.answered import personal_mask
    from bot.brain_setup import open_encoder, open_library
    from bot.gaps import make_report, stored_questions
    from bot.knowledge_sources import shop_file
    from bot.messages import utc_now
    from bot.storage.open import open_store

    path = settings.data_dir / "tresen.sqlite3"
    if not settings.endpoints.store and not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such store; has the bot run here?")
    now = utc_now()
    since = now - timedelta(days=days) if days else None
    masked = personal_mask(shop_file(settings).order_number_pattern)
    store = await open_store(settings.store_url, utc_now)
    try:
        questions, count = await stored_questions(store.events, masked, since)
    finally:
        await store.close()
    encoder = await asyncio.to_thread(open_encoder, settings)
    library = await asyncio.to_thread(open_library, settings, encoder)
    report = make_report(library, questions, encoder.encode, now)
    return msgspec.structs.replace(report, since=since, conversations=count)


def report_lines(report: "GapReport") -> Iterator[str]:
    """Yield the report for a terminal, the most frequent first."""
    yield f"{report.questions} messages of {report.conversations} conversations had no good answer"
    for gap in report.gaps[:_SHOWN]:
        languages = ", ".join(f"{name} {count}" for name, count in gap.languages.items())
        yield f"  {gap.count} × {gap.title} ({languages}; {', '.join(gap.reasons)})"
        if gap.nearest:
            yield f"      near: {gap.nearest[0].question} ({gap.nearest[0].score:.2f})"
    if len(report.gaps) > _SHOWN:
        yield f"  … and {len(report.gaps) - _SHOWN} more"
    yield f"{len(report.contradictions)} contradictions"
    for one in report.contradictions[:_SHOWN]:
        yield f"  {one.one}: {one.says} | {one.other}: {one.but} ({one.unit})"
    yield f"{len(report.stale)} texts are old, or nobody knows how old"
    yield f"{len(report.products)} products lack something"
    for lack in report.products[:_SHOWN]:
        yield f"  {lack.product_id} {lack.title}: {', '.join(lack.missing)}"


def gaps_page(report: "GapReport") -> str:
    """Return the report as one HTML file that needs nothing beside it."""
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    from knowledge.gaps import REASONS

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "understanding" / "templates"),
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = templates.get_template("gaps.html")
    return page.render(report=report, reasons=REASONS, most=_MOST_IN_PAGE)
