"""One event of a webhook, and what it may become: a message, a signal, a receipt or a note.

Fields of the wire are read leniently here: a field of an unexpected kind counts as missing, so
that a later version of the API costs a field and not the message.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from bot.messages import Attachment, InboundMessage, Note, Receipt, ReceiptState, Signal
from channels.meta_page.account import Page
from channels.wire import MAX_ID_CHARS, MAX_MESSAGE_CHARS, clean_text, has_control

_LAST_MS = 253_402_300_799_000  # the end of the year 9999
_NOTE_CHARS = 120


def text_in(fields: Mapping[str, object], *names: str) -> str:
    """Return the cleaned text of the first named field that holds one; empty if none does."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value:
            return clean_text(value)
    return ""


def id_in(fields: Mapping[str, object], name: str) -> str:
    """Return an identifier; empty if it is missing, too long or has control characters."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_ID_CHARS:
        return ""
    return "" if has_control(value) else value


def object_in(fields: Mapping[str, object], name: str) -> dict[str, object]:
    """Return a nested object; empty if there is none."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def objects_in(fields: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """Return the objects of a list, without what else stands in it."""
    value = fields.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def millis_in(fields: Mapping[str, object], name: str) -> int:
    """Return a moment in milliseconds since 1970; 0 if there is none that a calendar holds."""
    value = fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 < value <= _LAST_MS else 0


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event of one conversation.

    `customer` is empty where the event names none. `standby`: another app has the conversation.
    `at_ms` is the platform's time, 0 where it tells none; `now` the clock's.
    """

    page: Page
    customer: str
    from_page: bool
    standby: bool
    at_ms: int
    now: datetime
    wire: Mapping[str, object]

    @property
    def at(self) -> datetime:
        """Return when it happened."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC) if self.at_ms else self.now

    def own_id(self, *names: object) -> str:
        """Return an id for an event that has none of its own; the same for a repeated delivery."""
        seen = "\n".join([self.customer, str(self.at_ms), *map(str, names)])
        return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest()[:40]

    def message(
        self,
        message_id: str,
        text: str,
        metadata: Mapping[str, object],
        attachments: tuple[Attachment, ...] = (),
    ) -> InboundMessage:
        """Return what the customer said; more words than anybody reads are cut."""
        if len(text) > MAX_MESSAGE_CHARS:
            metadata = {**metadata, "cut_chars": len(text) - MAX_MESSAGE_CHARS}
            text = text[:MAX_MESSAGE_CHARS]
        return self._inbound(message_id, text, metadata, attachments)

    def signal(
        self,
        signal: Signal,
        message_id: str,
        metadata: Mapping[str, object],
        attachments: tuple[Attachment, ...] = (),
    ) -> InboundMessage:
        """Return what the customer, or another app in their conversation, did without words."""
        inbound = self._inbound(message_id, "", metadata, attachments)
        return msgspec.structs.replace(inbound, signal=signal)

    def receipt(
        self, receipt_id: str, state: ReceiptState, at_ms: int = 0, reference: str = ""
    ) -> Receipt:
        """Return what became of a message of ours."""
        when = msgspec.structs.replace(self, at_ms=at_ms or self.at_ms).at
        channel = self.page.channel
        return Receipt(channel, receipt_id, state, when, reference, sender_id=self.customer)

    def note(self, kind: str, detail: str = "") -> Note:
        """Return a note; the detail must hold nothing personal."""
        return Note(self.page.channel, kind, clean_text(detail)[:_NOTE_CHARS])

    def _inbound(
        self,
        message_id: str,
        text: str,
        metadata: Mapping[str, object],
        attachments: tuple[Attachment, ...],
    ) -> InboundMessage:
        known = {name: value for name, value in metadata.items() if value}
        if self.at_ms:
            known["sent_at"] = self.at.isoformat()
        return InboundMessage(
            channel=self.page.channel,
            sender_id=self.customer,
            message_id=message_id,
            text=text,
            received_at=self.now,
            attachments=attachments,
            metadata=known,
            sequence=self.at_ms,
        )
