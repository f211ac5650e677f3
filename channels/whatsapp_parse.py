"""What WhatsApp's webhooks tell, read as messages, receipts and notes.

Pure. Everything that happened yields something: what nobody can read is a message with the signal
`unsupported`, what is nobody's message is a note, and neither stops what comes after it.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from bot.messages import InboundMessage, Incoming, Note, Receipt, ReceiptState
from channels.base import BadRequest
from channels.whatsapp_content import (
    Content,
    Fields,
    clean_id,
    deep_gist,
    fields_in,
    items_in,
    masked,
    read_content,
    string_in,
)
from channels.wire import clean_text, decode_object

MAX_BODY_BYTES = 3 * 1024 * 1024
"""The largest webhook that Meta sends."""
_STATES: Mapping[str, ReceiptState] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
_SYSTEM = {
    "user_changed_number": "number_changed",
    "customer_changed_number": "number_changed",
    "user_changed_user_id": "user_id_changed",
    "customer_identity_changed": "identity_changed",
}
_PREFERENCES = {"stop": "opt_out", "resume": "opt_in", "signup": "opt_in"}
_FRAME = {"messaging_product", "metadata", "contacts"}
_LAST_SECOND = 253_402_300_799  # of the year 9999


class Reader:
    """Reads the webhooks of one phone number."""

    def __init__(self, channel: str, phone_number_id: str, now: datetime) -> None:
        """Read what is meant for `phone_number_id`, as of `now` (aware UTC)."""
        self._channel = channel
        self._phone_number_id = phone_number_id
        self._now = now
        self._lists = {
            "messages": self._message,
            "statuses": self._status,
            "calls": self._call,
            "user_preferences": self._preference,
            "message_echoes": self._echo,
            "errors": self._error,
        }
        self._read_in = {
            "messages": {"messages", "statuses", "errors"},
            "calls": {"calls", "statuses", "errors"},
            "user_preferences": {"user_preferences", "errors"},
            "smb_message_echoes": {"message_echoes", "errors"},
        }

    def read(self, body: bytes) -> list[Incoming]:
        """Return everything a webhook tells, in Meta's order.

        Raises:
            BadRequest: if the body is not JSON, or not the envelope that Meta documents.
        """
        envelope = decode_object(body, MAX_BODY_BYTES)
        if envelope.get("object") != "whatsapp_business_account":
            raise BadRequest("object", "must be whatsapp_business_account")
        entries = envelope.get("entry")
        if not isinstance(entries, list):
            raise BadRequest("entry", "must be a list")
        found: list[Incoming] = []
        for entry in entries:
            changes = entry.get("changes") if isinstance(entry, dict) else None
            if not isinstance(changes, list):
                found.append(self._note("malformed", "entry.changes"))
                continue
            for change in changes:
                found.extend(self._change(change))
        return found

    def _change(self, change: object) -> Iterator[Incoming]:
        field = string_in(change, "field") if isinstance(change, dict) else ""
        value = change.get("value") if isinstance(change, dict) else None
        if not field or not isinstance(value, dict):
            yield self._note("malformed", "changes.field or changes.value")
            return
        name = clean_text(field)[:60]
        lists = self._read_in.get(field)
        account = fields_in(value, "metadata")
        if (lists or account) and account.get("phone_number_id") != self._phone_number_id:
            yield self._note("foreign_account" if account else "malformed", name)
            return
        if lists is None:
            yield self._note(name, deep_gist(value))
            return
        told = False
        for key, items in value.items():
            if key in _FRAME:
                continue
            told = True
            if key not in lists or not isinstance(items, list):
                yield self._note("unknown_field", f"{name}.{clean_text(key)[:60]}")
                continue
            for item in items:
                if isinstance(item, dict):
                    yield from self._lists[key](value, item)
                else:
                    yield self._note("malformed", f"{name}.{key}")
        if not told:
            yield self._note("empty", name)

    def _note(self, kind: str, detail: str = "") -> Note:
        return Note(self._channel, kind, detail)

    def _message(self, value: Fields, message: Fields) -> Iterator[Incoming]:
        kind = clean_text(string_in(message, "type"))[:60] or "untyped"
        sender, message_id = _sender(value, message), clean_id(message.get("id"))
        if message.get("group_id"):
            yield self._note("group_message", kind)
            return
        if kind == "system":
            what = string_in(fields_in(message, "system"), "type")
            detail = "" if what in _SYSTEM else deep_gist({"status": what})
            yield self._note(_SYSTEM.get(what, "system"), detail)
            return
        if not sender or not message_id:
            yield self._note("malformed", f"messages.{'from' if message_id else 'id'} of {kind}")
            return
        permission = fields_in(fields_in(message, "interactive"), "call_permission_reply")
        if permission:
            yield self._note("call_permission", deep_gist({"status": permission.get("response")}))
            return
        content = read_content(kind, message)
        yield self._inbound(value, message, content, (sender, message_id))

    def _inbound(
        self, value: Fields, message: Fields, content: Content, ids: tuple[str, str]
    ) -> InboundMessage:
        """Return a message with what came around its content; `ids` are sender and message."""
        sent_at = _moment(message.get("timestamp"))
        metadata = dict(content.metadata)
        if sent_at is not None:
            metadata["sent_at"] = sent_at.isoformat()
        if name := _profile_name(value, message):
            metadata["profile_name"] = name
        return InboundMessage(
            channel=self._channel,
            sender_id=ids[0],
            message_id=ids[1],
            text=content.text,
            received_at=self._now,
            attachments=content.attachments,
            metadata=metadata,
            sequence=int(sent_at.timestamp()) if sent_at else 0,
            signal=content.signal,
        )

    def _status(self, value: Fields, status: Fields) -> Iterator[Incoming]:
        del value
        said = string_in(status, "status")
        if status.get("type") == "call":
            yield self._note("call_status", deep_gist({"status": said}))
            return
        state, receipt_id = _STATES.get(said), clean_id(status.get("id"))
        if state is None or not receipt_id:
            yield self._note("status", deep_gist({"status": said}))
            return
        error = next(iter(items_in(status, "errors")), {})
        names = ("recipient_participant_id", "recipient_id", "recipient_user_id")
        yield Receipt(
            self._channel,
            receipt_id,
            state,
            _moment(status.get("timestamp")) or self._now,
            reference=clean_text(string_in(status, "biz_opaque_callback_data")),
            sender_id=next((i for name in names if (i := clean_id(status.get(name)))), ""),
            code=masked(str(error.get("code", "")), digits=12),
            error=masked(string_in(error, "title") or string_in(error, "message")),
        )
        if state == "sent" and (pricing := fields_in(status, "pricing")):
            yield self._note("pricing", deep_gist(pricing))

    def _call(self, value: Fields, call: Fields) -> Iterator[Incoming]:
        sender, call_id = _sender(value, call), clean_id(call.get("id"))
        ours = call.get("direction") == "BUSINESS_INITIATED"
        if call.get("event") != "connect" or ours or not sender or not call_id:
            yield self._note("call", deep_gist(call))
            return
        content = Content(signal="call", metadata={"kind": "call"})
        yield self._inbound(value, call, content, (sender, call_id))

    def _preference(self, value: Fields, preference: Fields) -> Iterator[Incoming]:
        sender = clean_id(preference.get("wa_id")) or clean_id(preference.get("user_id"))
        said = string_in(preference, "value").lower()
        category = deep_gist({"category": preference.get("category")})
        if said not in _PREFERENCES or not sender:
            yield self._note("user_preference", category)
            return
        at = clean_text(str(preference.get("timestamp", "")))[:20]
        message_id = f"preference:{sender[:150]}:{at}:{said}"
        content = Content(
            signal="opt_out" if said == "stop" else "opt_in",
            metadata={"kind": "user_preference", "category": category.removeprefix("category=")},
        )
        yield self._inbound(value, preference, content, (sender, message_id))

    def _echo(self, value: Fields, echo: Fields) -> Iterator[Incoming]:
        del value
        yield self._note("echo", deep_gist({"status": echo.get("type")}))

    def _error(self, value: Fields, error: Fields) -> Iterator[Incoming]:
        del value
        title = string_in(error, "title") or string_in(error, "message")
        code = masked(str(error.get("code", "")), digits=12)
        yield self._note("error", f"{code} {masked(title)}".strip())


def _sender(value: Fields, message: Fields) -> str:
    """Return the phone number, or the business-scoped id of a person who hides it."""
    contacts = items_in(value, "contacts")
    only = contacts[0].get("user_id") if len(contacts) == 1 else None
    said = (message.get("from"), message.get("from_user_id"), only)
    return next((sender for item in said if (sender := clean_id(item))), "")


def _profile_name(value: Fields, message: Fields) -> str:
    names = ("from", "from_user_id", "wa_id", "user_id")
    ids = {string_in(message, name) for name in names} - {""}
    for contact in items_in(value, "contacts"):
        if {string_in(contact, "wa_id"), string_in(contact, "user_id")} & ids:
            return clean_text(string_in(fields_in(contact, "profile"), "name"))[:255]
    return ""


def _moment(timestamp: object) -> datetime | None:
    """Return the moment of a Unix timestamp in seconds; None if there is none to tell."""
    text = str(timestamp)
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    seconds = int(text)
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _LAST_SECOND else None
