"""A transcript as the page shows it: days, messages, notes and changes of hands in one order."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from operator import itemgetter
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from babel.dates import format_date

from desk.transcript_records import Acted, Handed, Message, Transcript, Turn
from desk.web.interleaving import with_others

SHOWN_AT_FIRST = 120
_MOST_VALUE_CHARS = 200
_TOGETHER = timedelta(minutes=3)
_HIDDEN_SLOTS = frozenset({"plan_view", "policy"})
_MOODS = 20
_PLAIN_STEP = re.compile(r"^(?:end|.*steps\.\d+)$")
_NO_CASE = frozenset({"bot", "closed"})


class File(msgspec.Struct, frozen=True):
    """An attachment; `url` is empty where the address is none that may be followed."""

    kind: str
    url: str
    name: str
    is_picture: bool


class Line(msgspec.Struct, frozen=True):
    """One line of the page.

    `day` is set on the first line of a day. `turn` tells why the bot said it, on the last message
    of its answer. `goes_on` is True where the same speaker spoke just before.
    """

    kind: Literal["message", "note", "handed"]
    seq: int
    at: datetime
    clock: str
    day: str = ""
    message: Message | None = None
    note: Acted | None = None
    handed: Handed | None = None
    turn: Turn | None = None
    files: tuple[File, ...] = ()
    goes_on: bool = False
    is_new_channel: bool = False


class Timeline(msgspec.Struct, frozen=True):
    """The lines of a page; `earlier` is how many are left out before the first."""

    lines: tuple[Line, ...]
    version: int
    earlier: int = 0
    last_customer_seq: int = 0


def timeline(
    transcript: Transcript,
    zone: tzinfo,
    language: str,
    today: date,
    *,
    whole: bool = False,
    beside: Sequence[Transcript] = (),
) -> Timeline:
    """Return what a page shows of a transcript.

    Args:
        transcript: of the conversation.
        zone: of the office.
        language: of the page.
        today: in that zone.
        whole: show everything, not only the end.
        beside: of conversations that are answered in the same case.
    """
    turns = {turn.number: turn for turn in transcript.turns}
    telling = _last_of_each_turn(transcript.messages)
    items: list[tuple[int, Message | Acted | Handed]] = [
        *((message.seq, message) for message in transcript.messages),
        *((note.seq, note) for note in transcript.notes),
        *((handed.seq, handed) for handed in _told(transcript.handoffs)),
    ]
    items.sort(key=itemgetter(0))
    items = list(with_others(items, beside))
    earlier = 0 if whole else max(0, len(items) - SHOWN_AT_FIRST)
    lines: list[Line] = []
    before: Line | None = None
    channel = ""
    for _, item in items[earlier:]:
        local = item.at.astimezone(zone)
        known = before.at.astimezone(zone).date() if before else None
        day = _day(local.date(), today, language) if local.date() != known else ""
        turn = turns.get(item.turn) if isinstance(item, Message) and item.seq in telling else None
        line = _line(item, local, day, turn, before)
        if isinstance(item, Message):
            moved = bool(channel) and item.channel != channel
            line = msgspec.structs.replace(line, is_new_channel=moved)
            channel = item.channel or channel
        lines.append(line)
        before = line
    said = (line for line in lines if line.message and line.message.speaker == "customer")
    heard = [line.seq for line in said]
    version = transcript.version + sum(other.version for other in beside)
    return Timeline(tuple(lines), version, earlier, heard[-1] if heard else 0)


def facts(turn: Turn) -> list[tuple[str, list[str]]]:
    """Return what the bot knew and why it decided, as titles (keys of texts) with their lines."""
    told: dict[str, list[str]] = {}

    def tell(title: str, lines: Iterable[str]) -> None:
        told.setdefault(title, []).extend(lines)

    if reading := turn.reading:
        sure = f" ({reading.confidence:.0%})" if reading.confidence else ""
        tell("intent", [f"{reading.intent}{sure}"] if reading.intent else [])
        tell("entities", (f"{e.get('entity')}: {_short(e.get('value'))}" for e in reading.entities))
        tell("mood", (f"{key}: {_short(value)}" for key, value in reading.mood.items() if value))
        tell("decided", map(_command, reading.commands))
    tell("decided", _moves(turn))
    tell("actions", (a.action + (f" ✗ {a.error}" if a.error else "") for a in turn.actions))
    kept = [s for s in turn.slots if s.name not in _HIDDEN_SLOTS and s.redaction is None]
    tell("set", (f"{s.name} = {_short(s.value)}" for s in kept if s.value is not None))
    sources = [_source(p) for rested in turn.grounding for p in rested.passages]
    tell("sources", dict.fromkeys([*sources, *turn.rules]))
    tell("withheld", (text for rested in turn.grounding for text in rested.withheld))
    return [(title, lines) for title, lines in told.items() if lines]


def _moves(turn: Turn) -> list[str]:
    """Return what happened to each skill, with the steps that have names."""
    told: dict[str, list[str]] = {}
    for move in turn.moves:
        if move.change != "step" or not _PLAIN_STEP.search(move.step):
            told.setdefault(move.flow, []).append(move.step or move.change)
    return [f"{flow}: {' → '.join(steps)}" for flow, steps in told.items()]


def mood_line(transcript: Transcript) -> str:
    """Return the mood of the customer's last messages as points of a line, 0 to 100 by 0 to 24."""
    scores = [
        max(-1.0, min(1.0, float(turn.reading.mood.get("score") or 0.0)))
        for turn in transcript.turns
        if turn.reading is not None
    ][-_MOODS:]
    if len(scores) < 2:
        return ""
    step = 100 / (len(scores) - 1)
    return " ".join(f"{n * step:.1f},{12 - 11 * score:.1f}" for n, score in enumerate(scores))


def safe_url(url: str) -> str:
    """Return an address that may be followed from the desk; empty for any other."""
    parts = urlsplit(url.strip()) if url.isprintable() else urlsplit("")
    if parts.scheme in {"http", "https"} and parts.netloc:
        return url.strip()
    is_here = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    return url.strip() if is_here and "\\" not in url else ""


def _line(
    item: Message | Acted | Handed,
    local: datetime,
    day: str,
    turn: Turn | None,
    before: Line | None,
) -> Line:
    clock = local.strftime("%H:%M")
    if isinstance(item, Acted):
        return Line("note", item.seq, item.at, clock, day, note=item)
    if isinstance(item, Handed):
        return Line("handed", item.seq, item.at, clock, day, handed=item)
    last = before.message if before else None
    same = last and (last.speaker, last.operator) == (item.speaker, item.operator)
    goes_on = bool(same and not day and last and item.at - last.at < _TOGETHER)
    files = tuple(map(_file, item.attachments))
    is_told = turn is not None and item.speaker == "bot" and bool(facts(turn))
    return Line(
        "message",
        item.seq,
        item.at,
        clock,
        day,
        message=item,
        turn=turn if is_told else None,
        files=files,
        goes_on=goes_on,
    )


def _told(handoffs: Sequence[Handed]) -> Iterable[Handed]:
    """Yield the changes of hands that are worth a line: not the bot's own end of a case."""
    state = "bot"
    for handed in handoffs:
        if handed.state in _NO_CASE and state in _NO_CASE:
            continue
        state = handed.state
        yield handed


def _last_of_each_turn(messages: Sequence[Message]) -> set[int]:
    last = {message.turn: message.seq for message in messages if message.speaker == "bot"}
    return set(last.values())


def _file(told: Mapping[str, Any]) -> File:
    kind = str(told.get("kind") or "file")
    url = safe_url(str(told.get("url") or ""))
    name = str(told.get("name") or "") or kind
    return File(kind, url, name, kind == "image" and url.startswith("/"))


def _day(day: date, today: date, language: str) -> str:
    if day == today:
        return "today"
    if day == today - timedelta(days=1):
        return "yesterday"
    return str(format_date(day, "full", locale="de_DE" if language == "de" else "en_GB"))


def _command(told: Mapping[str, Any]) -> str:
    name = str(told.get("command") or told.get("type") or "")
    rest = [
        f"{key}={_short(value)}" for key, value in told.items() if key not in {"command", "type"}
    ]
    return " ".join([name, *rest]).strip()


def _source(passage: Mapping[str, Any]) -> str:
    for key in ("title", "source", "id", "url"):
        if passage.get(key):
            return _short(passage[key])
    return _short(passage)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _MOST_VALUE_CHARS else f"{text[:_MOST_VALUE_CHARS]}…"
