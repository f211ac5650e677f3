"""`tresen transcript`: export a conversation, prove that it is whole, take personal content out."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from bot.storage.verification import Verdict
from bot.terminal import printable

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.storage.ports import Store

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
Run: TypeAlias = Callable[[argparse.Namespace], int | None]
Add: TypeAlias = Callable[[Commands, str, Run, str], argparse.ArgumentParser]
KEY = "TRESEN_TRANSCRIPT_KEY"
"""The environment variable with the secret of the seals."""
_PAGE = 500
T = TypeVar("T")


def add_transcript_tools(
    commands: Commands, add: Add, settings: Callable[[argparse.Namespace], "Settings"]
) -> None:
    """Add the commands.

    Args:
        commands: those of `tresen`.
        add: adds one with the options that all share.
        settings: reads both YAML files as the options say.
    """
    parts = commands.add_parser("transcript", help="work with what was said").add_subparsers(
        required=True, metavar="COMMAND"
    )
    text = "write a conversation to a file, with what the bot knew and why it decided"
    command = add(parts, "export", lambda options: _export(settings(options), options), text)
    command.add_argument("conversation", metavar="CONVERSATION", help="such as webchat:8f3a")
    command.add_argument("--format", choices=("json", "pdf"), default="json")
    command.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    command.add_argument("--notes", action="store_true", help="with the operators' internal notes")
    command.add_argument("--language", choices=("de", "en"), default="en", help="of the PDF")
    text = "tell whether transcripts are as they were written"
    command = add(parts, "verify", lambda options: _verify(settings(options), options), text)
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("conversation", nargs="?", default="", metavar="CONVERSATION")
    which.add_argument("--all", action="store_true", help="every conversation")
    which.add_argument("--file", type=Path, metavar="FILE", help="an export, without the store")
    command.add_argument(
        "--against", type=Path, metavar="FILE",
        help="an earlier export: what it holds must still be so",
    )  # fmt: skip
    _add_redact(add, parts, settings)


def _add_redact(
    add: Add, parts: Commands, settings: Callable[[argparse.Namespace], "Settings"]
) -> None:
    text = "take personal content out of a conversation, for good; that it went stays visible"
    command = add(parts, "redact", lambda options: _redact(settings(options), options), text)
    command.add_argument("conversation", metavar="CONVERSATION")
    command.add_argument(
        "--event", type=int, action="append", default=[], metavar="N",
        help="the event's number, as in the export; may be repeated",
    )  # fmt: skip
    command.add_argument(
        "--field", action="append", default=[], metavar="PATH",
        help="only this of the events, such as parse_data.entities; may be repeated",
    )  # fmt: skip
    command.add_argument(
        "--text", action="append", default=[], metavar="WORDS",
        help="only these words; may be repeated",
    )  # fmt: skip
    command.add_argument("--everywhere", action="store_true", help="the words, wherever they are")
    command.add_argument("--by", required=True, metavar="NAME", help="who does it")
    command.add_argument("--reason", required=True, metavar="TEXT", help="why")


def _export(settings: "Settings", options: argparse.Namespace) -> int:
    from bot.messages import utc_now
    from desk.transcript_export import exported, read_transcript

    async def read(store: "Store") -> bytes | None:
        sealed = await read_transcript(store, options.conversation, utc_now(), _key())
        if not sealed.chain.links:
            return None
        if options.format == "pdf":
            from desk.transcript_pdf import as_pdf

            return as_pdf(sealed, options.language, with_notes=options.notes)
        told = exported(sealed, with_notes=options.notes)
        return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"

    data = _with_store(settings, read)
    if data is None:
        sys.stderr.write(f"there is no conversation {printable(options.conversation)}\n")
        return 1
    if options.out is None:
        sys.stdout.buffer.write(data)
        return 0
    options.out.write_bytes(data)
    sys.stdout.write(f"wrote {options.out}\n")
    return 0


def _verify(settings: "Settings", options: argparse.Namespace) -> int:
    from bot.storage.verification import verify

    if options.file:
        return _verify_file(options.file)

    async def check(store: "Store") -> list[Verdict]:
        names = _names(store) if options.all else _one(options.conversation)
        return [verify(await store.chains.read(name)) async for name in names]

    verdicts = _with_store(settings, check)
    if not options.all and not verdicts[0].events and verdicts[0].state == "intact":
        sys.stderr.write(f"there is no conversation {printable(options.conversation)}\n")
        return 1
    bad = [verdict for verdict in verdicts if verdict.state != "intact"]
    for verdict in bad if options.all else verdicts:
        _tell(verdict)
    if options.all:
        sys.stdout.write(f"{len(verdicts)} conversations, {len(bad)} not as they were written\n")
    rewritten = options.against and _rewritten(settings, options)
    return 1 if bad or rewritten else 0


async def _names(store: "Store") -> AsyncIterator[str]:
    after = ""
    while page := await store.events.conversations(after, _PAGE):
        for one in page:
            yield one.conversation_id
        after = page[-1].conversation_id


async def _one(conversation_id: str) -> AsyncIterator[str]:
    yield conversation_id


def _rewritten(settings: "Settings", options: argparse.Namespace) -> bool:
    """Say whether a conversation still begins as an earlier export has it."""
    from desk.transcript_export import still_holds

    text = options.against.read_bytes()
    problem = _with_store(settings, lambda store: still_holds(store, text, _key()))
    sys.stdout.write(f"  against {options.against}: {problem or 'all of it is still so'}\n")
    return bool(problem)


def _verify_file(path: Path) -> int:
    from desk.transcript_export import verify_file

    found = verify_file(path.read_bytes(), _key())
    _tell(found.chain)
    if found.withheld:
        sys.stdout.write(f"  internal notes withheld: {found.withheld}; their hashes are there\n")
    if found.problem:
        sys.stdout.write(f"  {found.problem}\n")
    seals = {
        "none": "no seal: whoever could write to the database could compute all of it anew",
        "unchecked": f"sealed; set {KEY} to check it",
        "right": "the seal is right",
        "wrong": "the seal is WRONG: another key, or another chain",
    }
    sys.stdout.write(f"  {seals[found.seal]}\n")
    return 0 if found.is_good else 1


def _tell(verdict: Verdict) -> None:
    """Print what verification found."""
    state = {
        "intact": f"intact, {verdict.events} events",
        "broken": f"BROKEN at event {verdict.seq}: {verdict.problem}",
        "tail_missing": f"CUT OFF from event {verdict.seq} on: {verdict.problem}",
    }[verdict.state]
    redacted = f", {len(verdict.redacted)} redacted" if verdict.redacted else ""
    sys.stdout.write(f"{printable(verdict.conversation_id)}: {state}{redacted}\n")
    for one in verdict.redacted:
        parts = ", ".join(one.parts)
        line = f"event {one.seq}, {one.at:%Y-%m-%d %H:%M} UTC, by {one.by}: {one.reason} ({parts})"
        sys.stdout.write(f"  redacted {printable(line)}\n")


def _redact(settings: "Settings", options: argparse.Namespace) -> int:
    from bot.messages import utc_now
    from bot.redaction import Wanted, redact

    wanted = Wanted(
        options.by,
        options.reason,
        tuple(options.event),
        tuple(options.field),
        tuple(options.text),
        options.everywhere,
    )
    name = options.conversation
    done = _with_store(settings, lambda store: redact(store, name, wanted, utc_now()))
    events = ", ".join(map(str, done.events))
    sys.stdout.write(
        f"redacted event {events}; copies: {done.inbox} that came in, {done.outbox} that went out\n"
    )
    if done.elsewhere:
        left = ", ".join(map(str, done.elsewhere))
        sys.stdout.write(f"the same words still stand in event {left}\n")
    if not done.wiped:
        sys.stdout.write("another reader keeps the words in the store's log for a while\n")
    return 0


def _key() -> bytes:
    return os.environ.get(KEY, "").encode()


def _with_store(settings: "Settings", work: Callable[["Store"], Awaitable[T]]) -> T:
    """Run something on the store.

    Raises:
        FileNotFoundError: the bot has not run with this data directory.
        StorageError: the store cannot be read, or not written.
    """
    path = settings.data_dir / "tresen.sqlite3"
    if not settings.endpoints.store and not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such store; has the bot run here?")

    async def opened() -> T:
        from bot.storage.open import open_store

        store = await open_store(settings.store_url)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(opened())
