"""What Twilio tells: messages of customers, and what became of ours. Pure."""

import math
import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from bot.messages import Attachment, InboundMessage, Incoming, Note, Receipt, ReceiptState, Signal
from channels.base import BadRequest, WebhookRequest
from channels.twilio_signature import BODY_HASH, MAX_BODY_BYTES, form_fields
from channels.wire import MAX_MESSAGE_CHARS, clean_text, decode_object, id_field, string_field

_MAX_FILES = 50
_MAX_TOLD_CHARS = 2_000
_STATES: dict[str, ReceiptState] = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), "sent"),
    "delivered": "delivered",
    "read": "read",
    **dict.fromkeys(("undelivered", "failed", "canceled"), "failed"),
}
_STOP = frozenset(
    {"stop", "stopp", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
    | {"abmelden", "abbestellen"}
)
_START = frozenset({"start", "unstop", "anmelden"})
_KINDS = ("image", "audio", "video")
_REFERRAL = {
    "ReferralSourceType": "source",
    "ReferralSourceId": "id",
    "ReferralSourceUrl": "url",
    "ReferralHeadline": "headline",
    "ReferralBody": "body",
    "ReferralMediaUrl": "media_url",
    "ReferralCtwaClid": "click_id",
}
_OPT_OUT: dict[str, Signal] = {"STOP": "opt_out", "START": "opt_in"}
Fields = Mapping[str, object]


class Account(msgspec.Struct, frozen=True):
    """Whose webhook it is: what is told about other accounts and numbers is not for us."""

    channel: str
    sid: str
    numbers: frozenset[str] = frozenset()
    service: str = ""
    advanced_opt_out: bool = False

    def owns(self, fields: Fields, ours: str) -> bool:
        """Return whether the field named by `ours` holds one of our addresses."""
        if fields.get("AccountSid") != self.sid:
            return False
        if fields.get(ours) in self.numbers or not fields.get(ours):
            return True
        told = fields.get("MessagingServiceSid") or self.service
        return bool(self.service) and told == self.service


def incoming(request: WebhookRequest, account: Account, now: datetime) -> list[Incoming]:
    """Return everything that a verified request tells.

    A form is one message or report; JSON is one of these, or a list of events.

    Raises:
        BadRequest: if the body is not what Twilio documents; names the field.
    """
    if BODY_HASH not in request.query:
        fields: Fields = dict(form_fields(request.body))
        return [_told(fields, request, account, now)]
    if not request.body.lstrip().startswith(b"["):
        return [_told(decode_object(request.body, MAX_BODY_BYTES), request, account, now)]
    events = decode_object(b'{"events":' + request.body + b"}", MAX_BODY_BYTES)["events"]
    found = events if isinstance(events, list) else [events]
    return [_event(event, request, account, now) for event in found]


def _event(event: object, request: WebhookRequest, account: Account, now: datetime) -> Incoming:
    """Return what one event of Twilio's Event Streams tells; its names begin in lower case."""
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(data, dict):
        return Note(account.channel, "unknown_event")
    fields = {name[:1].upper() + name[1:]: value for name, value in data.items()}
    try:
        return _told(fields, request, account, now)
    except BadRequest as error:
        return Note(account.channel, "unreadable_event", error.field)


def _told(fields: Fields, request: WebhookRequest, account: Account, now: datetime) -> Incoming:
    """Return the message or the report in these fields.

    Raises:
        BadRequest: naming the field that is wrong.
    """
    name = next((n for n in ("MessageSid", "SmsSid", "SmsMessageSid") if fields.get(n)), "")
    message_id = id_field(fields, name or "MessageSid")
    status = str(fields.get("MessageStatus") or fields.get("SmsStatus") or "received").lower()
    if status not in {"received", "receiving"}:
        return _receipt(fields, message_id, status, request, account, now)
    if not account.owns(fields, "To"):
        return Note(account.channel, "foreign_account")
    return _message(fields, message_id, account, now)


def _receipt(
    fields: Fields,
    message_id: str,
    status: str,
    request: WebhookRequest,
    account: Account,
    now: datetime,
) -> Incoming:
    """Return what became of a message of ours; a status that is not known yet is a note."""
    if fields.get("AccountSid") != account.sid:
        return Note(account.channel, "foreign_account")
    if status not in _STATES:
        shown = status if re.fullmatch(r"[a-z_-]{1,30}", status) else ""
        return Note(account.channel, "unknown_status", shown)
    code = _words(fields, "ErrorCode")
    return Receipt(
        channel=account.channel,
        receipt_id=message_id,
        state=_STATES[status],
        at=now,
        reference=clean_text(request.query.get("reference", ""))[:200],
        sender_id=_words(fields, "To"),
        code="" if code == "0" else code,
        error=status if _STATES[status] == "failed" else "",
    )


def _message(fields: Fields, message_id: str, account: Account, now: datetime) -> InboundMessage:
    """Return what a customer sent.

    Raises:
        BadRequest: naming the field that is wrong.
    """
    sender = id_field(fields, "From")
    body = string_field({"Body": "", **fields}, "Body", MAX_MESSAGE_CHARS)
    text, metadata = _said(fields, body)
    attachments = (*_files(fields), *_place(fields))
    signal = _consent(fields, body, sender, account)
    if signal:
        metadata["keyword"] = text.strip()[:40]
    elif not text.strip() and not attachments:
        signal = "opened" if "referral" in metadata else "unsupported"
        if signal == "unsupported":
            metadata["kind"] = _words(fields, "MessageType").lower() or "empty"
    return InboundMessage(
        channel=account.channel,
        sender_id=sender,
        message_id=message_id,
        text="" if signal else text,
        received_at=now,
        attachments=attachments,
        metadata=metadata,
        signal=signal,
    )


def _said(fields: Fields, body: str) -> tuple[str, dict[str, object]]:
    """Return the text and what else is known; a pressed button brings payload and title."""
    metadata: dict[str, object] = {}
    text = body
    for payload, title in (("ButtonPayload", "ButtonText"), ("ListId", "ListTitle")):
        if pressed := _words(fields, payload):
            text, metadata["title"] = pressed, _words(fields, title) or body
    told = {
        "reply_to": "OriginalRepliedMessageSid",
        "profile_name": "ProfileName",
        "wa_id": "WaId",
        "opt_out_type": "OptOutType",
    }
    metadata |= {key: found for key, name in told.items() if (found := _words(fields, name))}
    if _words(fields, "Forwarded").lower() == "true":
        metadata["forwarded"] = True
    referral = {key: found for name, key in _REFERRAL.items() if (found := _words(fields, name))}
    if referral:
        metadata["referral"] = referral
    return text, metadata


def _consent(fields: Fields, body: str, sender: str, account: Account) -> Signal:
    """Return whether the customer wants no more messages, or messages again.

    Twilio has answered a stop word by itself and lets nothing through any more. Without its
    Advanced Opt-Out it does not say so: then a message that is nothing but a stop word is one.
    """
    told = _words(fields, "OptOutType").upper()
    if told or account.advanced_opt_out or not sender.startswith("+"):
        return _OPT_OUT.get(told, "")
    word = "".join(body.casefold().split()).strip(".!\"'")
    if word in _STOP:
        return "opt_out"
    return "opt_in" if word in _START else ""


def _files(fields: Fields) -> list[Attachment]:
    """Return the files, whatever NumMedia says."""
    found = []
    for number in range(_MAX_FILES):
        url = _words(fields, f"MediaUrl{number}")
        if not url:
            break
        mime_type = _words(fields, f"MediaContentType{number}").lower()
        kind = next((k for k in _KINDS if mime_type.startswith(f"{k}/")), "file")
        found.append(Attachment(kind, f"media:{url}", mime_type=mime_type))  # type: ignore[arg-type]
    return found


def _place(fields: Fields) -> list[Attachment]:
    """Return the place that the customer shared, if it is on this planet."""
    try:
        latitude, longitude = (float(_words(fields, name)) for name in ("Latitude", "Longitude"))
    except ValueError:
        return []
    if not (math.isfinite(latitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
        return []
    name = ", ".join(part for n in ("Label", "Address") if (part := _words(fields, n)))
    return [Attachment("location", f"geo:{latitude},{longitude}", name)]


def _words(fields: Fields, name: str) -> str:
    """Return an optional field, cleaned and not too long; empty if it is missing."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return clean_text(str(value))[:_MAX_TOLD_CHARS]
