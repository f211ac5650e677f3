"""Takes personal content out of a conversation that is kept: marked, told of, never silent."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from bot import events as ev
from bot.messages import InboundMessage, Json, OutboundMessage, is_trigger_id
from bot.storage.chain import content_hash, new_salt
from bot.storage.chain_ports import Redaction, Rewritten
from bot.storage.codec import dump, to_us
from bot.storage.errors import EraseIncomplete, StorageError, UnknownEvent, VersionConflict
from bot.storage.paging import all_received, all_sent
from bot.storage.ports import InboxEntry, NewEvent, OutboxEntry, Store, StoredEvent

MARK = ev.REDACTED
"""What stands where something was taken out."""
SHORTEST_CHARS = 2
_TRIES = 5
_PERSONAL: dict[str, tuple[str, ...]] = {
    "user": ("text", "parse_data", "attachments", "metadata"),
    "bot": ("text", "data", "metadata.original"),
    "slot": ("value",),
    "triggered": ("slots",),
    "flow_started": ("mentions", "slots"),
    "mentioned": ("mention",),
    "options_narrowed": ("values",),
    "wish_queued": ("mention",),
    "grounding": ("withheld", "passages"),
    "operator_acted": ("data",),
}
"""Where an event can hold what a customer or an operator said."""
_STRUCTURE = frozenset({
    "event", "input_channel", "step", "slot", "name", "response", "plan_hash", "state", "order",
    "index", "keys", "act", "operator", "refusal", "dropped",
})  # fmt: skip
"""What holds a conversation together, and so is not searched for texts; nor are ids."""


class BadRedaction(StorageError):
    """The redaction is not possible: nothing was changed."""


class Wanted(msgspec.Struct, frozen=True):
    """What is to be taken out, by whom and why.

    `fields` of the events `seqs` as dotted paths, such as "parse_data.entities", and `texts`, word
    for word; with neither, everything personal in them. `everywhere` takes the texts out of all
    events and messages of the conversation.
    """

    by: str
    reason: str
    seqs: tuple[int, ...] = ()
    fields: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    everywhere: bool = False


class Done(msgspec.Struct, frozen=True):
    """What a redaction changed.

    `elsewhere` are the events, as they are now, in which something of what was taken out still
    stands. Not `wiped`: another reader keeps old pages of the database's log alive for a while.
    """

    version: int
    events: tuple[int, ...]
    inbox: int
    outbox: int
    elsewhere: tuple[int, ...] = ()
    wiped: bool = True


async def redact(store: Store, conversation_id: str, wanted: Wanted, now: datetime) -> Done:
    """Take content out of a conversation's events and of the copies in inbox and outbox.

    Args:
        store: where it is kept.
        conversation_id: of what.
        wanted: what, by whom and why.
        now: aware UTC.

    Raises:
        BadRedaction: nobody or no reason is named, nothing of it is there, or an event cannot be
            without it.
        UnknownEvent: the conversation has no event with such a number.
        VersionConflict: the conversation kept changing.
    """
    _check(wanted)
    for attempt in range(_TRIES):
        try:
            return await _redact(store, conversation_id, wanted, now)
        except VersionConflict:
            if attempt == _TRIES - 1:
                raise
    raise BadRedaction


def _check(wanted: Wanted) -> None:
    if not wanted.by.strip() or not wanted.reason.strip():
        raise BadRedaction("(who does it, and why?)")
    if any(len(text) < SHORTEST_CHARS for text in wanted.texts):
        raise BadRedaction(f"(a text has at least {SHORTEST_CHARS} characters)")
    if wanted.everywhere and (not wanted.texts or wanted.fields):
        raise BadRedaction("(only texts can be taken out everywhere)")
    if not wanted.everywhere and not wanted.seqs:
        raise BadRedaction("(of which event?)")


async def _redact(store: Store, conversation_id: str, wanted: Wanted, now: datetime) -> Done:
    events, version = await store.events.load(conversation_id)
    known = {event.seq: event for event in events}
    if unknown := [seq for seq in wanted.seqs if seq not in known]:
        raise UnknownEvent(f"(number {unknown[0]})")
    chosen = events if wanted.everywhere else [known[seq] for seq in sorted(set(wanted.seqs))]
    changes = [change for event in chosen if (change := _changed(event, wanted))]
    if not changes:
        raise BadRedaction("(nothing of it is there)")
    copies = _Copies(wanted, events, changes)
    inbox = copies.received(await all_received(store.inbox, conversation_id))
    outbox = copies.sent(await all_sent(store.outbox, conversation_id))
    rewritten, marks = [], []
    for change in changes:
        event, salt = change.event, new_salt()
        digest = content_hash(salt, event.seq, (event.type, dump(change.data), to_us(event.at)))
        told = ev.Redacted(event.seq, wanted.by, wanted.reason, digest.hex(), change.parts)
        rewritten.append(Rewritten(event.seq, change.data, salt))
        marks.append(NewEvent("redacted", ev.to_wire(told), now))
    redaction = Redaction(conversation_id, version, rewritten, marks, inbox, outbox)
    seqs = tuple(change.event.seq for change in changes)
    left = _left(events, changes, wanted)
    done = Done(version + len(marks), seqs, len(inbox), len(outbox), left)
    try:
        await store.chains.redact(redaction)
    except EraseIncomplete:
        return msgspec.structs.replace(done, wiped=False)
    return done


class _Change(msgspec.Struct, frozen=True):
    """An event as it is without what is taken out: where that stood, and its words."""

    event: StoredEvent
    data: dict[str, Any]
    parts: tuple[str, ...]
    removed: frozenset[str]


def _changed(event: StoredEvent, wanted: Wanted) -> _Change | None:
    """Return an event without what is taken out; None where nothing of it is in there.

    Raises:
        BadRedaction: the event cannot be without it.
    """
    if event.type == "redacted":
        return None
    wire = event.data
    parts: list[str] = []
    removed: set[str] = set()
    fields = wanted.fields or (() if wanted.texts else _PERSONAL.get(event.type, ()))
    if event.type == "bot" and "text" in fields:  # the same in the operator's language
        fields = (*dict.fromkeys((*fields, "metadata.original")),)
    for path in fields:
        wire, found = _blanked(wire, path.split("."))
        if found is not None:
            parts.append(path)
            removed.update(_strings(found))
    if wanted.texts:
        open_to = [n for n in wire if n not in _STRUCTURE and not n.endswith("_id")]
        scrubbed = {name: scrub(wire[name], wanted.texts) for name in open_to}
        parts += [name for name, value in scrubbed.items() if value != wire[name]]
        wire = {**wire, **scrubbed}
    if not parts:
        return None
    try:
        ev.from_wire(wire)
    except msgspec.ValidationError as error:
        raise BadRedaction(f"(event {event.seq}: {error})") from error
    return _Change(event, wire, tuple(dict.fromkeys(parts)), frozenset(removed))


def _blanked(value: dict[str, Any], path: Sequence[str]) -> tuple[dict[str, Any], Json]:
    """Return an object without what stands at a path, and what stood there, None if nothing."""
    name, *rest = path
    found = value.get(name)
    if found in (None, "", [], {}, MARK):
        return value, None
    if not rest:
        return {**value, name: _nothing_like(found)}, found
    if not isinstance(found, dict):
        return value, None
    inner, removed = _blanked(found, rest)
    return {**value, name: inner}, removed


def _nothing_like(value: Json) -> Json:
    if isinstance(value, str):
        return MARK
    return type(value)() if isinstance(value, dict | list | tuple) else None


def scrub(value: Json, texts: Sequence[str]) -> Json:
    """Return a JSON value in whose strings the mark stands instead of the texts."""
    if isinstance(value, str):
        for text in sorted(texts, key=len, reverse=True):
            value = value.replace(text, MARK)
        return value
    if isinstance(value, dict):
        return {name: scrub(item, texts) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(scrub(item, texts) for item in value)
    return value


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


class _Copies:
    """The same messages in inbox and outbox."""

    def __init__(
        self, wanted: Wanted, events: Sequence[StoredEvent], changes: Sequence[_Change]
    ) -> None:
        said = [event.seq for event in events if event.type == "bot"]
        self._wanted = wanted
        self._by_place = {said.index(c.event.seq) + 1: c for c in changes if c.event.type == "bot"}
        self._by_message: dict[str, list[_Change]] = {}
        for change in changes:
            data = change.event.data
            name = data.get("message_id") or (data.get("metadata") or {}).get("message_id")
            self._by_message.setdefault(str(name or ""), []).append(change)

    def received(self, entries: Sequence[InboxEntry]) -> list[tuple[int, InboundMessage]]:
        """Return the accepted messages that change."""
        changed = []
        for entry in entries:
            wire: dict[str, Any] = msgspec.to_builtins(entry.message)
            new = wire
            for change in self._by_message.get(entry.message.message_id, []):
                new = self._as_received(new, change)
            if self._wanted.everywhere:
                new = self._scrubbed(new, ("text", "metadata", "attachments", "trigger"))
            if new != wire:
                changed.append((entry.inbox_id, msgspec.convert(new, InboundMessage)))
        return changed

    def _as_received(self, wire: dict[str, Any], change: _Change) -> dict[str, Any]:
        if self._wanted.texts:
            wire = self._scrubbed(wire, ("text", "metadata", "attachments", "trigger"))
        if is_trigger_id(str(wire["message_id"])):
            trigger = wire.get("trigger") or {}
            slots = _without(trigger.get("slots") or {}, change.removed)
            return {**wire, "trigger": {**trigger, "slots": slots}}
        for path in change.parts:
            if path in {"text", "metadata", "attachments"} and not self._wanted.texts:
                wire, _ = _blanked(wire, [path])
        return wire

    def sent(self, entries: Sequence[OutboxEntry]) -> list[tuple[int, OutboundMessage]]:
        """Return the messages to customers that change: one for each `bot` event, in order."""
        changed = []
        for entry in entries:
            wire: dict[str, Any] = msgspec.to_builtins(entry.message)
            new = wire
            change = self._by_place.get(entry.seq)
            if change and change.event.data.get("text", "") == wire.get("text", ""):
                new = self._as_sent(wire, change)
            if self._wanted.everywhere:
                new = self._scrubbed(new, tuple(wire))
            if new != wire:
                changed.append((entry.outbox_id, msgspec.convert(new, OutboundMessage)))
        return changed

    def _as_sent(self, wire: dict[str, Any], change: _Change) -> dict[str, Any]:
        if self._wanted.texts:
            wire = self._scrubbed(wire, tuple(wire))
        if "text" in change.parts and not self._wanted.texts:
            wire, _ = _blanked(wire, ["text"])
        if "data" in change.parts and not self._wanted.texts:
            wire = {name: wire[name] for name in ("text", "language", "response") if name in wire}
        return wire

    def _scrubbed(self, wire: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
        return {**wire, **{n: scrub(wire[n], self._wanted.texts) for n in names if n in wire}}


def _without(value: Json, strings: frozenset[str]) -> Json:
    if isinstance(value, str):
        return MARK if value in strings else value
    if isinstance(value, dict):
        return {name: _without(item, strings) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without(item, strings) for item in value)
    return value


def _left(
    events: Sequence[StoredEvent], changes: Sequence[_Change], wanted: Wanted
) -> tuple[int, ...]:
    """Return the events that still hold a text, or the whole text of what was taken out."""
    texts = set(wanted.texts)
    for change in changes:
        texts |= {t for t in (change.event.data.get("text"),) if t and "text" in change.parts}
    if not texts:
        return ()
    now = {change.event.seq: change.data for change in changes}
    return tuple(
        event.seq
        for event in events
        if any(text in said for said in _strings(now.get(event.seq, event.data)) for text in texts)
    )
