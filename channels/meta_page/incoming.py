"""From a webhook's body to what it tells: every event of every entry, in the platform's order."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from bot.messages import Incoming, Note
from channels.base import BadRequest
from channels.meta_page.account import Page
from channels.meta_page.content import Content, content_of, referral_of
from channels.meta_page.event import (
    Event,
    id_in,
    millis_in,
    object_in,
    objects_in,
    text_in,
)
from channels.wire import clean_text, decode_object, kind_of

MAX_BODY_BYTES = 3 * 1024 * 1024
_ENVELOPE = {"sender", "recipient", "timestamp", "hop_context", "prior_message", "is_self"}
_STOPPED = "STOP_NOTIFICATIONS"
_BY_PAGE = {"message", "pass_thread_control", "take_thread_control"}

Reader: TypeAlias = Callable[[Event, Mapping[str, object]], list[Incoming]]


def read_batch(body: bytes, page: Page, now: datetime) -> list[Incoming]:
    """Return everything a body tells.

    Args:
        body: the raw bytes, whose signature was checked.
        page: whose events are read; those of other accounts become notes.
        now: the moment of receipt, aware UTC.

    Raises:
        BadRequest: if the body is not a batch of events; names the field.
    """
    fields = decode_object(body, MAX_BODY_BYTES)
    name, entries = fields.get("object"), fields.get("entry")
    if not isinstance(name, str):
        raise BadRequest("object", f"must be a string, got {kind_of(name)}")
    if not isinstance(entries, list):
        raise BadRequest("entry", f"must be a list, got {kind_of(entries)}")
    if name != page.traits.object_name:
        return [Note(page.channel, "foreign_object", clean_text(name)[:60])]
    return [item for entry in entries for item in _entry(entry, page, now)]


def _entry(entry: object, page: Page, now: datetime) -> list[Incoming]:
    if not isinstance(entry, dict):
        return [Note(page.channel, "malformed", "entry")]
    if entry.get("id") != page.settings.account_id:
        return [Note(page.channel, "foreign_account")]
    read: list[Incoming] = []
    for name in ("messaging", "standby", "changes"):
        events = entry.get(name)
        if events is None:
            continue
        if not isinstance(events, list):
            read.append(Note(page.channel, "malformed", name))
            continue
        for event in events:
            if name == "changes":
                read += _change(event, page, now)
            else:
                read += _event(event, page, now, standby=name == "standby")
    return read or [Note(page.channel, "empty_entry")]


def _change(change: object, page: Page, now: datetime) -> list[Incoming]:
    """Read a change; messages of Instagram may come in this shape, all else is a feed's."""
    if not isinstance(change, dict):
        return [Note(page.channel, "malformed", "changes")]
    value = change.get("value")
    if isinstance(value, dict) and "sender" in value and "recipient" in value:
        return _event(value, page, now, standby=False)
    return [Note(page.channel, "change", text_in(change, "field")[:60])]


def _event(fields: object, page: Page, now: datetime, *, standby: bool) -> list[Incoming]:
    if not isinstance(fields, dict):
        return [Note(page.channel, "malformed", "event")]
    ours = page.settings.account_id
    sender = id_in(object_in(fields, "sender"), "id")
    recipient = id_in(object_in(fields, "recipient"), "id")
    event = Event(
        page=page,
        customer=recipient if sender == ours else sender,
        from_page=sender == ours,
        standby=standby,
        at_ms=millis_in(fields, "timestamp"),
        now=now,
        wire=fields,
    )
    kinds = [name for name in fields if name in _READERS]
    unknown = [name for name in fields if name not in _ENVELOPE]
    if sender and recipient and ours not in {sender, recipient}:
        return [event.note("foreign_account")]
    if not kinds and unknown:
        return _unknown(event, clean_text(unknown[0])[:60])
    if not kinds:
        return [event.note("empty_event")]
    return [item for kind in kinds for item in _read(event, kind)]


def _read(event: Event, kind: str) -> list[Incoming]:
    value = event.wire[kind]
    if not isinstance(value, dict):
        return [event.note("malformed", kind)]
    if kind in _NOTED:
        return [event.note(kind.replace("-", "_"), _NOTED[kind](value))]
    if not event.customer or event.customer == event.page.settings.account_id:
        return [event.note("no_sender", kind)]
    if event.from_page and kind not in _BY_PAGE:
        return [event.note("page_event", kind)]
    if event.standby and kind in {"message", "postback", "message_edit"}:
        return _standby(event, kind, value)
    return _READERS[kind](event, value)


def _unknown(event: Event, kind: str) -> list[Incoming]:
    if event.customer and not event.from_page and not event.standby:
        return [event.signal("unsupported", event.own_id("unknown", kind), {"kind": kind})]
    return [event.note("unknown_event", kind)]


def _message(event: Event, message: Mapping[str, object]) -> list[Incoming]:
    mid = id_in(message, "mid")
    if message.get("is_echo") is True or event.from_page:
        return _echo(event, mid, message)
    if message.get("is_deleted") is True:
        return [event.signal("deleted", event.own_id("deleted", mid), {"deletes": mid})]
    content = content_of(message)
    known = mid or event.own_id("message", content.text, len(content.attachments))
    if content.text.strip() or content.attachments:
        metadata = {**content.metadata, "unread": ", ".join(content.unread)[:200]}
        return [event.message(known, content.text, metadata, tuple(content.attachments))]
    metadata = {**content.metadata, "kind": _unread_kind(message, content)}
    return [event.signal("unsupported", known, metadata)]


def _unread_kind(message: Mapping[str, object], content: Content) -> str:
    if message.get("is_unsupported") is True:
        return "unsupported"
    return content.unread[0][:60] if content.unread else "empty"


def _echo(event: Event, mid: str, message: Mapping[str, object]) -> list[Incoming]:
    """Read a message that the page sent: our own, a person's, or another app's.

    An answer of a person in the inbox means that they took over, whether or not the handover
    protocol is set up. Other apps, such as one that sends vouchers, do not silence the bot; if they
    take the conversation, the protocol tells so. Where echoes do not name the app, nobody can tell
    whose message it is: it counts as ours, and only the protocol hands over.
    """
    settings, app_id = event.page.settings, _app_id(message, "app_id")
    if app_id == settings.app_id or not (app_id or event.page.traits.echoes_name_app):
        if not mid:
            return [event.note("malformed", "echo")]
        return [event.receipt(mid, "sent", reference=text_in(message, "metadata"))]
    if app_id and app_id not in settings.inbox_app_ids:
        return [event.note("other_app_wrote", app_id)]
    if not app_id and not settings.inbox_app_ids:
        return [event.note("page_wrote")]
    said = content_of(message)
    metadata = {"by": "inbox", "said": said.text, "platform_id": mid}
    known = event.own_id("echo", mid, said.text)
    return [event.signal("handed_over", known, metadata, tuple(said.attachments))]


def _standby(event: Event, kind: str, fields: Mapping[str, object]) -> list[Incoming]:
    """Keep what is said while another app has the conversation; it is that app's to answer."""
    if fields.get("is_echo") is True or event.from_page:
        return _echo(event, id_in(fields, "mid"), fields)
    said = content_of(fields)
    mid = id_in(fields, "mid")
    words = said.text or text_in(fields, "title")
    metadata = {**said.metadata, "by": "standby", "said": words, "platform_id": mid}
    known = event.own_id("standby", kind, mid, words)
    return [event.signal("handed_over", known, metadata, tuple(said.attachments))]


def _postback(event: Event, postback: Mapping[str, object]) -> list[Incoming]:
    title = text_in(postback, "title")
    text = text_in(postback, "payload") or title
    metadata: dict[str, object] = {"title": title}
    if referral := referral_of(object_in(postback, "referral")):
        metadata["referral"] = referral
    known = id_in(postback, "mid") or event.own_id("postback", text)
    if not text:
        return [event.signal("opened", known, metadata)]
    return [event.message(known, text, metadata)]


def _reaction(event: Event, reaction: Mapping[str, object]) -> list[Incoming]:
    mid, action = id_in(reaction, "mid"), text_in(reaction, "action")
    emoji = text_in(reaction, "emoji", "reaction")
    metadata = {"emoji": "" if action == "unreact" else emoji[:60], "reply_to": mid}
    if action == "unreact":
        return [event.signal("reaction", event.own_id(action, mid), {**metadata, "removed": True})]
    return [event.signal("reaction", event.own_id("react", mid, emoji), metadata)]


def _edit(event: Event, edit: Mapping[str, object]) -> list[Incoming]:
    mid, text = id_in(edit, "mid"), text_in(edit, "text")
    number = edit.get("num_edit")
    known = event.own_id("edit", mid, number if isinstance(number, (int, str)) else "", text)
    if not text:
        return [event.signal("unsupported", known, {"kind": "message_edit", "edits": mid})]
    return [event.message(known, text, {"edits": mid})]


def _delivery(event: Event, delivery: Mapping[str, object]) -> list[Incoming]:
    """Read a delivery; without ids it only tells up to when, which names no message."""
    watermark = millis_in(delivery, "watermark")
    mids = delivery.get("mids")
    known = [mid for mid in mids if isinstance(mid, str)] if isinstance(mids, list) else []
    receipts = [
        event.receipt(mid, "delivered", watermark) for mid in known if id_in({"mid": mid}, "mid")
    ]
    return [*receipts] if receipts else [event.note("delivered_up_to")]


def _seen(event: Event, read: Mapping[str, object]) -> list[Incoming]:
    """Read that a customer read: Instagram names the message, Messenger only up to when.

    A receipt without an id would have to be guessed; what cannot be told of a message is a note.
    """
    mid = id_in(read, "mid")
    return [event.receipt(mid, "read") if mid else event.note("read_up_to")]


def _referral(event: Event, referral: Mapping[str, object]) -> list[Incoming]:
    known = event.own_id("referral", text_in(referral, "ref"), text_in(referral, "ad_id"))
    return [event.signal("opened", known, {"referral": referral_of(referral)})]


def _optin(event: Event, optin: Mapping[str, object]) -> list[Incoming]:
    status = text_in(optin, "notification_messages_status")
    known = event.own_id("optin", status, text_in(optin, "type", "ref"))
    metadata = {"kind": text_in(optin, "type")[:60], "ref": text_in(optin, "ref", "payload")[:1000]}
    signal: Incoming = event.signal("opt_out" if status == _STOPPED else "opt_in", known, metadata)
    return [signal]


def _control(event: Event, control: Mapping[str, object]) -> list[Incoming]:
    """Read that the conversation changed hands; nobody's conversation is ours to answer."""
    owner = _app_id(control, "new_owner_app_id")
    known = event.own_id("control", owner, _app_id(control, "previous_owner_app_id"))
    ours = owner in {"", event.page.settings.app_id}
    return [event.signal("handed_back" if ours else "handed_over", known, {"app_id": owner})]


def _feedback(event: Event, feedback: Mapping[str, object]) -> list[Incoming]:
    """Read a filled form of a feedback template: its stars and its words are what was said."""
    said: list[str] = []
    for screen in objects_in(feedback, "feedback_screens"):
        for question in object_in(screen, "questions").values():
            answer = question if isinstance(question, dict) else {}
            if text_in(answer, "type") == "csat" and text_in(answer, "payload"):
                said.append(f"rating: {text_in(answer, 'payload')[:5]}")
            said.append(text_in(object_in(answer, "follow_up"), "payload"))
    text = "\n".join(part for part in said if part)
    known = event.own_id("feedback", text)
    if not text:
        return [event.signal("unsupported", known, {"kind": "feedback"})]
    return [event.message(known, text, {"title": text})]


def _app_id(fields: Mapping[str, object], name: str) -> str:
    """Return an app's id, which comes as a number in some events and as text in others."""
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63:
        return str(value)
    return id_in(fields, name)[:60]


def _policy(value: Mapping[str, object]) -> str:
    return f"{text_in(value, 'action')}: {text_in(value, 'reason')}"


_NOTED: dict[str, Callable[[Mapping[str, object]], str]] = {
    "policy_enforcement": _policy,
    "policy-enforcement": _policy,
    # The code in it is a secret, and who is who is proved in the conversation instead.
    "account_linking": lambda value: text_in(value, "status"),
    "app_roles": lambda value: f"{len(value)} apps",
    "request_thread_control": lambda value: _app_id(value, "requested_owner_app_id"),
}
_READERS: dict[str, Reader] = {
    "message": _message,
    "postback": _postback,
    "reaction": _reaction,
    "message_edit": _edit,
    "delivery": _delivery,
    "read": _seen,
    "referral": _referral,
    "optin": _optin,
    "pass_thread_control": _control,
    "take_thread_control": _control,
    "messaging_feedback": _feedback,
    **dict.fromkeys(_NOTED, lambda event, _: [event.note("noted")]),
}
