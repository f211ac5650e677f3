"""`tresen effects`: shows what the bot did outside, and what became of it."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING, get_args

import msgspec

from bot.effect_amounts import amount_text
from bot.storage.effects import EffectEntry, EffectQuery, EffectState

if TYPE_CHECKING:
    from bot.settings import Settings

_COLUMNS = ("intended", "state", "step", "operation", "subject", "amount", "conversation", "key")


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    command.add_argument("key", nargs="?", default="", metavar="KEY", help="show this one in full")
    command.add_argument(
        "--state", action="append", default=[], choices=get_args(EffectState),
        help="only these; may be repeated",
    )  # fmt: skip
    command.add_argument(
        "--conversation", default="", metavar="ID", help="only this conversation's"
    )
    command.add_argument(
        "--after", default="", metavar="KEY", help="those that come after this one"
    )
    command.add_argument("--limit", type=_count, default=100, metavar="N", help="default: 100")
    command.add_argument("--json", action="store_true", help="everything, one JSON object per line")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, is {number}")
    return number


def show_effects(settings: "Settings", options: argparse.Namespace) -> int:
    """Print effects, the oldest first, and return the exit status.

    Raises:
        FileNotFoundError: The bot has not run with this data directory.
        StorageError: The store cannot be read.
    """
    path = settings.data_dir / "tresen.sqlite3"
    if not settings.endpoints.store and not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such store; has the bot run here?")
    url = settings.endpoints.store or f"sqlite:///{path}"
    entries = asyncio.run(_find(url, options))
    if entries is None:
        sys.stderr.write(f"there is no effect {_printable(options.key or options.after)}\n")
        return 1
    shown = entries[: options.limit]
    more = f"; more: --after {_printable(shown[-1].key)}" if len(entries) > len(shown) else ""
    if options.key or options.json:
        lines = _json(shown, indent=bool(options.key))
    else:
        lines = [*_table(shown), f"{len(shown)} effects{more}"]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


async def _find(url: str, options: argparse.Namespace) -> list[EffectEntry] | None:
    """Return the effects asked for, and one more if there are more; None if one is unknown."""
    from bot.storage.open import open_store

    store = await open_store(url)
    try:
        key = options.key or options.after
        entry = await store.effects.get(key) if key else None
        if key and entry is None:
            return None
        if options.key:
            return [entry] if entry else []
        query = EffectQuery(
            states=tuple(options.state),
            conversation_id=options.conversation,
            after_key=options.after,
            limit=options.limit + 1,
        )
        return await store.effects.find(query)
    finally:
        await store.close()


def _json(entries: list[EffectEntry], indent: bool) -> list[str]:
    shown = [msgspec.json.encode(entry) for entry in entries]
    return [(msgspec.json.format(item, indent=2) if indent else item).decode() for item in shown]


def _table(entries: list[EffectEntry]) -> list[str]:
    """Return aligned lines; without entries there is no heading."""
    rows = [_COLUMNS, *(_row(entry) for entry in entries)] if entries else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(entry: EffectEntry) -> tuple[str, ...]:
    attempts = f" ×{entry.attempts}" if entry.attempts > 1 else ""
    cells = (
        entry.intended_at.strftime("%Y-%m-%d %H:%M:%S"),
        entry.state + attempts,
        entry.step,
        entry.operation,
        entry.subject,
        amount_text(entry),
        entry.conversation_id,
        f"{entry.key} {entry.error}".strip(),
    )
    return tuple(map(_printable, cells))


def _printable(text: str) -> str:
    """Return a text that cannot steer the terminal: a sender chooses their own id."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
