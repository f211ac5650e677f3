"""What stands in one WhatsApp message: words, files, places, orders and presses of buttons."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

import msgspec
from babel.numbers import get_currency_precision

from bot.messages import Attachment, Json, Signal
from channels.base import BadRequest
from channels.wire import MAX_ID_CHARS, MAX_MESSAGE_CHARS, clean_text, clean_value, has_control

Fields: TypeAlias = Mapping[str, object]
_Kind: TypeAlias = Literal["image", "audio", "video", "file"]

_MEDIA: Mapping[str, _Kind] = {
    "image": "image",
    "sticker": "image",
    "audio": "audio",
    "voice": "audio",
    "video": "video",
    "document": "file",
}
_CONSENT: Mapping[str, Signal] = {"/opt_in": "opt_in", "/opt_out": "opt_out"}
_REFERRAL = {
    "source_type": "source",
    "source_id": "id",
    "source_url": "url",
    "headline": "headline",
    "body": "body",
    "media_type": "media_type",
    "image_url": "image_url",
    "video_url": "video_url",
    "thumbnail_url": "thumbnail_url",
    "ctwa_clid": "click_id",
}
_CODES = {
    *("event", "status", "direction", "reason", "decision", "initiated_by", "country", "tier"),
    *("message_template_name", "message_template_language", "message_template_category"),
    *("new_category", "previous_category", "correct_category", "category", "current_limit"),
    *("previous_quality_score", "new_quality_score", "rejection_reason", "old_limit"),
    *("violation_type", "restriction_type", "waba_ban_state", "pricing_category", "region"),
    *("alert_type", "alert_severity", "alert_status", "entity_type", "billable", "pricing_model"),
}
_CODE = re.compile(r"[\w .,:/()+-]{1,80}")
MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MAX_GIST_CHARS = 300
_MAX_PAYLOAD_CHARS = 2_000
_MAX_LINES = 100


class Content(msgspec.Struct, frozen=True):
    """What a message says, without who said it and when."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    metadata: dict[str, Json] = msgspec.field(default_factory=dict)
    signal: Signal = ""


def string_in(fields: object, name: str) -> str:
    """Return a string of an object; empty where there is none."""
    value = fields.get(name) if isinstance(fields, Mapping) else None
    return value if isinstance(value, str) else ""


def fields_in(fields: object, name: str) -> Fields:
    """Return an object within an object; empty where there is none."""
    value = fields.get(name) if isinstance(fields, Mapping) else None
    return value if isinstance(value, dict) else {}


def items_in(fields: object, name: str) -> list[Fields]:
    """Return the objects of a list within an object."""
    value = fields.get(name) if isinstance(fields, Mapping) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def clean_id(value: object) -> str:
    """Return an identifier; empty if it is none that can be kept."""
    good = isinstance(value, str) and value.strip() and len(value) <= MAX_ID_CHARS
    return value if good and isinstance(value, str) and not has_control(value) else ""


def masked(text: str, digits: int = 5) -> str:
    """Return a short text of Meta's without runs of `digits` or more, such as phone numbers."""
    return re.sub(rf"\d{{{digits},}}", "…", clean_text(text)).replace("\n", " ")[:200]


def deep_gist(value: object) -> str:
    """Return what an event says in Meta's own codes; names, numbers and texts stay out of it."""
    found: list[str] = []
    left: list[tuple[str, object, int]] = [("", value, 0)]
    while left:
        key, item, depth = left.pop(0)
        if isinstance(item, Mapping) and depth < 5:
            left[:0] = [(str(name), inner, depth + 1) for name, inner in item.items()]
        elif isinstance(item, list) and depth < 5:
            left[:0] = [(key, inner, depth + 1) for inner in item[:20]]
        elif key in _CODES and isinstance(item, (str, int)) and _CODE.fullmatch(str(item)):
            found.append(f"{key}={item}")
    return ", ".join(found)[:_MAX_GIST_CHARS]


def read_content(kind: str, message: Fields) -> Content:
    """Return what a message of this kind says; the signal `unsupported` if nobody can tell."""
    if kind == "edit":
        return _edited(message)
    content = _READERS.get(kind, _unsupported)(kind, message)
    metadata = {**content.metadata, **_around(message)}
    signal: Signal = content.signal
    if not (content.text.strip() or content.attachments or signal):
        signal = "unsupported"
    if signal == "unsupported" and "referral" in metadata:
        signal = "opened"
    if signal == "unsupported":
        metadata.setdefault("kind", kind)
    text = "" if signal else content.text
    if len(text) > MAX_MESSAGE_CHARS:
        metadata["cut_chars"] = len(text) - MAX_MESSAGE_CHARS
        text = text[:MAX_MESSAGE_CHARS]
    return Content(text, content.attachments, metadata, signal)


def _around(message: Fields) -> dict[str, Json]:
    """Return what a message refers to: another message, an advertisement, a product."""
    around: dict[str, Json] = {}
    context = fields_in(message, "context")
    if replied := clean_id(context.get("id")):
        around["reply_to"] = replied
    if context.get("forwarded") is True or context.get("frequently_forwarded") is True:
        around["forwarded"] = True
    product = fields_in(context, "referred_product")
    if retailer_id := clean_id(product.get("product_retailer_id")):
        catalog_id = clean_id(product.get("catalog_id"))
        around["product"] = {"id": retailer_id, "catalog_id": catalog_id}
    if referral := fields_in(message, "referral"):
        around["referral"] = {
            ours: clean_text(string_in(referral, theirs))[:2_000]
            for theirs, ours in _REFERRAL.items()
            if string_in(referral, theirs)
        }
    return around


def _edited(message: Fields) -> Content:
    edit = fields_in(message, "edit")
    inner = fields_in(edit, "message")
    kind = string_in(inner, "type")
    content = read_content(kind, inner) if kind != "edit" else _unsupported(kind, inner)
    edits = {"edits": clean_id(edit.get("original_message_id"))}
    return Content(content.text, content.attachments, {**content.metadata, **edits}, content.signal)


def _unsupported(kind: str, message: Fields) -> Content:
    inner = clean_text(string_in(fields_in(message, kind), "type"))[:60]
    metadata: dict[str, Json] = {"kind": inner or kind or "untyped"}
    for error in items_in(message, "errors")[:1]:
        metadata["code"] = masked(str(error.get("code", "")), digits=12)
    return Content(metadata=metadata, signal="unsupported")


def _text(kind: str, message: Fields) -> Content:
    return Content(clean_text(string_in(fields_in(message, kind), "body")))


def _media(kind: str, message: Fields) -> Content:
    media = fields_in(message, kind)
    media_id = string_in(media, "id")
    if not MEDIA_ID.fullmatch(media_id):
        return _unsupported(kind, message)
    name = PurePosixPath(clean_text(string_in(media, "filename")).replace("\\", "/")).name[:200]
    mime_type = clean_text(string_in(media, "mime_type"))[:120]
    file = Attachment(_MEDIA[kind], f"media:{media_id}", name=name, mime_type=mime_type)
    metadata: dict[str, Json] = {}
    if kind == "voice" or media.get("voice") is True:
        metadata["voice"] = True
    if kind == "sticker":
        metadata["sticker"] = True
    return Content(clean_text(string_in(media, "caption")), (file,), metadata)


def _location(kind: str, message: Fields) -> Content:
    place = fields_in(message, kind)
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if not (_is_degree(latitude, 90) and _is_degree(longitude, 180)):
        return _unsupported(kind, message)
    names = [clean_text(string_in(place, part)) for part in ("name", "address")]
    name = ", ".join(part for part in names if part)[:500]
    return Content(attachments=(Attachment("location", f"geo:{latitude},{longitude}", name=name),))


def _is_degree(value: object, most: int) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and -most <= value <= most  # type: ignore[operator]


def _contacts(kind: str, message: Fields) -> Content:
    lines = []
    for person in items_in(message, kind)[:_MAX_LINES]:
        name = string_in(fields_in(person, "name"), "formatted_name")
        phones = [string_in(phone, "phone") for phone in items_in(person, "phones")]
        emails = [string_in(email, "email") for email in items_in(person, "emails")]
        lines.append(", ".join(part for part in (name, *phones, *emails) if part))
    text = "\n".join(line for line in lines if line)
    return Content(clean_text(text), metadata={"contacts": len(lines)})


def _reaction(kind: str, message: Fields) -> Content:
    reaction = fields_in(message, kind)
    emoji = clean_text(string_in(reaction, "emoji"))[:40]
    metadata = {"emoji": emoji, "reply_to": clean_id(reaction.get("message_id"))}
    return Content(metadata=metadata, signal="reaction")


def _revoke(kind: str, message: Fields) -> Content:
    deleted = clean_id(fields_in(message, kind).get("original_message_id"))
    return Content(metadata={"deletes": deleted}, signal="deleted")


def _welcome(kind: str, message: Fields) -> Content:
    del message
    return Content(metadata={"kind": kind}, signal="opened")


def _button(kind: str, message: Fields) -> Content:
    """Return the press of a template's quick reply."""
    button = fields_in(message, kind)
    return _pressed(string_in(button, "payload"), string_in(button, "text"))


def _interactive(kind: str, message: Fields) -> Content:
    answer = fields_in(message, kind)
    for way in ("button_reply", "list_reply"):
        if reply := fields_in(answer, way):
            return _pressed(string_in(reply, "id"), string_in(reply, "title"))
    form = fields_in(answer, "nfm_reply")
    if not form:
        return _unsupported(kind, message)
    try:
        filled: Json = clean_value("form", json.loads(string_in(form, "response_json")))
    except (ValueError, RecursionError, BadRequest):
        filled = None
    metadata = {"kind": "nfm_reply", "form": filled if isinstance(filled, dict) else {}}
    return Content(metadata=metadata, signal="unsupported")


def _pressed(payload: str, title: str) -> Content:
    payload, title = clean_text(payload), clean_text(title)
    metadata: dict[str, Json] = {"title": title} if title else {}
    signal = _CONSENT.get(payload.strip(), "")
    return Content(payload or title, metadata=metadata, signal=signal)


def _order(kind: str, message: Fields) -> Content:
    """Return an order from the catalogue as the wish to put it into the cart."""
    order = fields_in(message, kind)
    lines = [_line(item) for item in items_in(order, "product_items")]
    if not any(line["variant_id"] for line in lines):
        return _unsupported(kind, message)
    wanted = [{"variant_id": line["variant_id"], "quantity": line["quantity"]} for line in lines]
    slots: dict[str, Json] = {"items": wanted}
    if len(lines) == 1 and lines[0]["quantity"] == 1:
        slots["product_id"] = lines[0]["variant_id"]
    payload = "/cart_add" + json.dumps(slots, ensure_ascii=False)
    metadata: dict[str, Json] = {"order": lines, "catalog_id": clean_id(order.get("catalog_id"))}
    if note := clean_text(string_in(order, "text"))[:MAX_MESSAGE_CHARS]:
        metadata["order_note"] = note
    if len(payload) > _MAX_PAYLOAD_CHARS:
        payload = '/cart_add{"items": "order"}'  # the action reads it from the metadata
    return Content(payload, (), metadata)


def _line(item: Fields) -> dict[str, Json]:
    """Return one line of an order; what cannot be read is empty or 0, for it is not dropped."""
    variant_id = clean_id(item.get("product_retailer_id"))
    quantity = str(item.get("quantity", ""))
    if not (quantity.isascii() and quantity.isdigit() and len(quantity) <= 6):
        quantity = "0"
    currency = string_in(item, "currency")[:3].upper()
    try:
        price = Decimal(str(item.get("item_price"))).scaleb(get_currency_precision(currency))
        minor = int(price.to_integral_value()) if abs(price) < 10**12 else None
    except (ArithmeticError, ValueError):
        minor = None
    return {
        "variant_id": variant_id,
        "quantity": int(quantity),
        "unit_price_minor": minor,
        "currency": currency,
    }


_READERS: Mapping[str, Callable[[str, Fields], Content]] = {
    "text": _text,
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "revoke": _revoke,
    "request_welcome": _welcome,
    "button": _button,
    "interactive": _interactive,
    "order": _order,
    **dict.fromkeys(_MEDIA, _media),
}
