"""`tresen ingest suggestions`: FAQ entries that conversations suggest, for a person to decide."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings
    from knowledge.sources import SourceDirs
    from knowledge.suggestions import AnsweredQuestion, Suggestion

SHOWN_CHARS = 300


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `tresen ingest suggestions`."""
    command.add_argument(
        "what", nargs="?", choices=("list", "approve", "reject"), default="list",
        help="list reads the conversations first (default: list)",
    )  # fmt: skip
    command.add_argument("ids", nargs="*", metavar="ID", help="of those to approve or reject")


def suggestions(settings: "Settings", options: argparse.Namespace) -> int:
    """List suggestions, or decide about some.

    Raises:
        KnowledgeError: There is no such suggestion, it cannot go live, or a file is broken.
        StorageError: The conversations cannot be read.
    """
    from bot.answered import personal_mask
    from bot.knowledge_sources import shop_file, shop_texts
    from bot.messages import utc_now
    from knowledge.sources import SUGGESTED
    from knowledge.suggestions import SuggestionBook

    dirs = shop_texts(settings)
    path = settings.data_dir / "knowledge" / "suggestions.yml"
    book = SuggestionBook(path, personal_mask(shop_file(settings).order_number_pattern))
    for key in options.ids:
        if options.what == "approve" and dirs.faq is not None:
            book.approve(key, dirs.faq / SUGGESTED, utc_now().date())
            sys.stdout.write(f"{key} is in {dirs.faq / SUGGESTED}; now run: tresen ingest\n")
        elif options.what == "reject":
            book.reject(key)
    if options.what != "list":
        if not options.ids:
            sys.stderr.write("name the ids of those to decide about\n")
        return 0 if options.ids else 1
    questions, answers = _known(dirs)
    new = book.gather(asyncio.run(_answered(settings)), questions, answers)
    for item in book.suggestions():
        sys.stdout.write(_shown(item))
    sys.stdout.write(f"{len(book.suggestions())} open, {new} of them new; edit: {path}\n")
    return 0


async def _answered(settings: "Settings") -> "list[AnsweredQuestion]":
    """Return the marked questions of all conversations.

    Raises:
        FileNotFoundError: The bot has not run with this data directory.
    """
    from bot.answered import answered_questions
    from bot.storage.open import open_store

    path = settings.data_dir / "tresen.sqlite3"
    if not settings.endpoints.store and not path.is_file():
        msg = f"{path}: there is no such store; has the bot run here?"
        raise FileNotFoundError(msg)
    store = await open_store(settings.store_url)
    try:
        language = settings.config.languages[0]
        return [item async for item in answered_questions(store.events, language)]
    finally:
        await store.close()


def _known(dirs: "SourceDirs") -> tuple[list[str], dict[str, str]]:
    """Return the questions of the FAQ, and the id of its entry by the text of its answer."""
    from knowledge.sources import read_shop

    catalogue, _ = read_shop(dirs)
    entries = [passage for passage in catalogue.passages if passage.kind == "faq"]
    questions = [text for entry in entries for text in (entry.title, *entry.variants)]
    return questions, {entry.text: entry.topic_id.removeprefix("faq:") for entry in entries}


def _shown(item: "Suggestion") -> str:
    """Return a suggestion for the terminal."""
    marked = "answered by an operator" if item.marked_by == "operator" else "customers were content"
    lines = [f"{item.id}  {item.count} ×  {item.language}  {marked}", f"  Q: {item.question}"]
    lines += [f"     {text}" for text in item.variants]
    if item.same_as:
        lines.append(f"  further wordings of the entry {item.same_as}")
    else:
        lines.append(f"  A: {' '.join(item.answer.split())[:SHOWN_CHARS]}")
    if item.note:
        lines.append(f"  note: {item.note}")
    text = "".join(f"{line}\n" for line in lines)
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)
