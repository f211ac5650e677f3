"""Messages as WhatsApp shows them: texts, pictures, buttons, lists, products, templates.

Pure. What WhatsApp has no room for becomes numbered text, and no button's payload is ever cut.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bot.messages import Attachment, Button, Card, Json, OutboundMessage
from channels.base import Payload
from channels.push import ChannelLimits
from channels.shaping import shorten, split_text, with_listing
from channels.wire import cards_as_text

LIMITS: Final = ChannelLimits(
    text_chars=4096,
    buttons=10,
    button_chars=72,
    cards=10,
    card_title_chars=1024,
    card_subtitle_chars=1024,
    caption_chars=1024,
    per_second=80,
    window_h=24,
)
"""Three buttons of 20 characters are shown as such, up to ten of 72 as a list."""
BODY_CHARS = 1024
REPLY_BUTTONS, REPLY_TITLE_CHARS, REPLY_ID_CHARS = 3, 20, 256
ROWS, ROW_TITLE_CHARS, ROW_DESCRIPTION_CHARS, ROW_ID_CHARS = 10, 24, 72, 200
PRODUCTS = 30
_FILENAME_CHARS = 240
_MAX_URL_CHARS = 2_000
_USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
_OTHER_PICTURES = (".svg", ".gif", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".ico")
_MEDIA = {"image": "image", "audio": "audio", "video": "video", "file": "document"}
_GEO = re.compile(r"geo:(-?\d{1,3}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)")


class Words(msgspec.Struct, frozen=True):
    """The few words that the channel itself has to say."""

    choose: str
    prompt: str
    view: str
    products: str


_WORDS = {
    "de": Words("Auswählen", "Bitte wählen Sie:", "Ansehen", "Artikel"),
    "en": Words("Choose", "Please choose:", "View", "Items"),
}


def render(
    outbound: OutboundMessage, recipient: str, catalog_id: str = "", public_url: str = ""
) -> list[Payload]:
    """Return the payloads that show a message, in order.

    Args:
        outbound: the message; `custom` may hold `template`, `products`, `cta_url`, `reply_to`.
        recipient: a phone number, or the id of a person who hides theirs.
        catalog_id: the catalogue that `products` are in; without one cards are shown instead.
        public_url: completes addresses that begin with a slash.
    """
    page = _Page(_WORDS.get(outbound.language[:2], _WORDS["en"]), catalog_id, public_url)
    to = "recipient" if _USER_ID.fullmatch(recipient) else "to"
    address = {"messaging_product": "whatsapp", "recipient_type": "individual", to: recipient}
    payloads: list[Payload] = [{**address, **content} for content in page.contents(outbound)]
    reply_to = outbound.custom.get("reply_to")
    if payloads and isinstance(reply_to, str) and reply_to:
        payloads[0]["context"] = {"message_id": reply_to}
    return payloads


def template_of(custom: Mapping[str, Json]) -> Payload:
    """Return Meta's template object for `custom.template`.

    Its `parameters` fill the body; texts or Meta's own objects. `header` is such a parameter, and
    `buttons` are the payloads of quick replies, in order.
    """
    header, buttons = custom.get("header"), custom.get("buttons")
    parameters = custom.get("parameters")
    groups: list[Payload] = []
    if header:
        groups.append({"type": "header", "parameters": [_parameter(header)]})
    if isinstance(parameters, (list, tuple)) and parameters:
        groups.append({"type": "body", "parameters": [_parameter(item) for item in parameters]})
    for index, payload in enumerate(buttons if isinstance(buttons, (list, tuple)) else ()):
        told = [{"type": "payload", "payload": str(payload)}]
        groups.append({
            "type": "button",
            "sub_type": "quick_reply",
            "index": str(index),
            "parameters": told,
        })
    template: Payload = {
        "name": str(custom.get("name") or ""),
        "language": {"code": str(custom.get("language") or "")},
    }
    return {**template, "components": groups} if groups else template


def _parameter(value: Json) -> Payload:
    """Return a template's parameter; its text must stand in one line."""
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    return {"type": "text", "text": " ".join(str(value).split())}


class _Page:
    """Lays one message out."""

    def __init__(self, words: Words, catalog_id: str, public_url: str) -> None:
        self._words = words
        self._catalog_id = catalog_id
        self._public_url = public_url

    def contents(self, outbound: OutboundMessage) -> list[Payload]:
        """Return what is sent, still without its address."""
        template = outbound.custom.get("template")
        if isinstance(template, Mapping) and template.get("name"):
            return [{"type": "template", "template": template_of(template)}]
        products = self._products_in(outbound)
        cards = () if products else outbound.cards
        link = outbound.custom.get("cta_url")
        link = link if isinstance(link, Mapping) and _is_link(str(link.get("url", ""))) else {}
        image = self._picture(outbound.image_url)
        text = outbound.text
        if outbound.image_url and not image and not text.strip():
            text = self._absolute(outbound.image_url)
        followed = bool(products or cards or outbound.attachments or link)
        buttons = () if followed else outbound.buttons
        shown: list[Payload] = []
        if products:
            shown += [*_picture_only(image), *self._shop_window(text, products)]
        elif link:
            title = str(link.get("display_text") or self._words.view)
            shown += self._linked(text or title, image, title, str(link["url"]))
        else:
            shown += self._worded(text, image, buttons)
        shown += self._cards(cards)
        shown += [part for item in outbound.attachments for part in self._attached(item)]
        if followed and outbound.buttons:
            shown += self._worded(self._words.prompt, "", outbound.buttons)
        return shown

    def _worded(self, text: str, image: str, buttons: Sequence[Button]) -> list[Payload]:
        """Return a text with a picture above and buttons below."""
        way = _way(buttons)
        if way == "numbered":
            return self._worded(with_listing(text, buttons), image, ())
        if not way:
            if image and len(text) <= LIMITS.caption_chars:
                caption = {"caption": text} if text.strip() else {}
                return [{"type": "image", "image": {"link": image, **caption}}]
            return [*_picture_only(image), *_texts(text)]
        head, body = _parted(text.strip() or self._words.prompt)
        above = way == "reply" and not head
        interactive: Payload = {"type": "button" if way == "reply" else "list"}
        if image and above:
            interactive["header"] = {"type": "image", "image": {"link": image}}
        interactive["body"] = {"text": body}
        interactive["action"] = _replies(buttons) if way == "reply" else self._rows(buttons)
        picture = [] if above else _picture_only(image)
        return [*picture, *_texts(head), {"type": "interactive", "interactive": interactive}]

    def _rows(self, buttons: Sequence[Button]) -> Payload:
        rows = []
        for button in buttons:
            title = _one_line(button.title)
            row = {"id": button.payload, "title": shorten(title, ROW_TITLE_CHARS)}
            if len(title) > ROW_TITLE_CHARS:
                row["description"] = title
            rows.append(row)
        return {"button": self._words.choose, "sections": [{"rows": rows}]}

    def _linked(self, text: str, image: str, title: str, url: str) -> list[Payload]:
        """Return a text with one button that opens an address."""
        head, body = _parted(text.strip() or self._words.view)
        interactive: Payload = {"type": "cta_url"}
        if image and not head:
            interactive["header"] = {"type": "image", "image": {"link": image}}
        label = shorten(_one_line(title), REPLY_TITLE_CHARS) or self._words.view
        interactive["body"] = {"text": body}
        parameters = {"display_text": label, "url": url}
        interactive["action"] = {"name": "cta_url", "parameters": parameters}
        picture = _picture_only(image) if head else []
        return [*picture, *_texts(head), {"type": "interactive", "interactive": interactive}]

    def _products_in(self, outbound: OutboundMessage) -> list[str]:
        ids = outbound.custom.get("products")
        if not self._catalog_id or not isinstance(ids, (list, tuple)):
            return []
        return list(dict.fromkeys(str(item) for item in ids if str(item).strip()))

    def _shop_window(self, text: str, ids: Sequence[str]) -> list[Payload]:
        """Return products of the catalogue, which the customer can put into a cart."""
        head, body = _parted(text.strip())
        shown = _texts(head)
        if len(ids) == 1:
            action = {"catalog_id": self._catalog_id, "product_retailer_id": ids[0]}
            one: Payload = {"type": "product", "action": action}
            if body:
                one["body"] = {"text": body}
            return [*shown, {"type": "interactive", "interactive": one}]
        for start in range(0, len(ids), PRODUCTS):
            items = [{"product_retailer_id": item} for item in ids[start : start + PRODUCTS]]
            sections = [{"title": self._words.products, "product_items": items}]
            several = {
                "type": "product_list",
                "header": {"type": "text", "text": self._words.products},
                "body": {"text": body or self._words.prompt},
                "action": {"catalog_id": self._catalog_id, "sections": sections},
            }
            shown.append({"type": "interactive", "interactive": several})
        return shown

    def _cards(self, cards: Sequence[Card]) -> list[Payload]:
        """Return cards as pictures with words; plain ones, and those past the tenth, as a list."""
        if not any(self._is_rich(card) for card in cards):
            return _texts(cards_as_text(cards))
        shown = [part for card in cards[: LIMITS.cards] for part in self._card(card)]
        for card in cards[LIMITS.cards :]:
            shown += _texts(with_listing(_described(card, with_url=True), card.buttons))
        return shown

    def _is_rich(self, card: Card) -> bool:
        return bool(card.buttons or self._picture(card.image_url) or _is_link(card.url))

    def _card(self, card: Card) -> list[Payload]:
        image = self._picture(card.image_url)
        if _is_link(card.url) and not card.buttons:
            words = _described(card, with_url=False)
            return self._linked(words, image, self._words.view, card.url)
        return self._worded(_described(card, with_url=True), image, card.buttons)

    def _attached(self, attachment: Attachment) -> list[Payload]:
        url = self._absolute(attachment.url)
        if place := _GEO.fullmatch(attachment.url):
            where: Payload = {"latitude": place[1], "longitude": place[2]}
            if attachment.name:
                where["name"] = attachment.name
            return [{"type": "location", "location": where}]
        kind = _MEDIA.get(attachment.kind, "")
        if not _is_link(url) or not kind or (kind == "image" and not self._picture(url)):
            return _texts("\n".join(part for part in (attachment.name, url) if part))
        media = {"link": url}
        if kind == "document" and attachment.name:
            media["filename"] = attachment.name[-_FILENAME_CHARS:]
        return [{"type": kind, kind: media}]

    def _absolute(self, url: str) -> str:
        return f"{self._public_url}{url}" if url.startswith("/") and self._public_url else url

    def _picture(self, url: str) -> str:
        """Return the address of a picture that Meta can fetch and show; empty if it cannot."""
        url = self._absolute(url)
        shows = _is_link(url) and not urlsplit(url).path.lower().endswith(_OTHER_PICTURES)
        return url if shows else ""


def _way(buttons: Sequence[Button]) -> str:
    """Return how buttons can be shown: as such, as a list, numbered, or not at all."""
    if not buttons:
        return ""
    titles = [_one_line(button.title) for button in buttons]
    ids = [button.payload for button in buttons]
    clean = all(titles) and all(item and item == item.strip() for item in ids)
    if not clean or len(set(ids)) < len(ids):
        return "numbered"
    longest, longest_id = max(map(len, titles)), max(map(len, ids))
    few = len(buttons) <= REPLY_BUTTONS and len(set(titles)) == len(titles)
    if few and longest <= REPLY_TITLE_CHARS and longest_id <= REPLY_ID_CHARS:
        return "reply"
    fits = longest <= ROW_DESCRIPTION_CHARS and longest_id <= ROW_ID_CHARS
    return "list" if len(buttons) <= ROWS and fits else "numbered"


def _replies(buttons: Sequence[Button]) -> Payload:
    replies = [{"id": button.payload, "title": _one_line(button.title)} for button in buttons]
    return {"buttons": [{"type": "reply", "reply": reply} for reply in replies]}


def _parted(text: str) -> tuple[str, str]:
    """Return what goes ahead as plain text, and the end that fits above buttons."""
    if len(text) <= BODY_CHARS:
        return "", text
    body = split_text(text, BODY_CHARS)[-1]
    return text[: text.rindex(body)].rstrip(), body


def _texts(text: str) -> list[Payload]:
    pieces = split_text(text, LIMITS.text_chars)
    return [{"type": "text", "text": {"preview_url": False, "body": piece}} for piece in pieces]


def _picture_only(image: str) -> list[Payload]:
    return [{"type": "image", "image": {"link": image}}] if image else []


def _described(card: Card, *, with_url: bool) -> str:
    head = " – ".join(part for part in (card.title, card.price) if part)
    lines = (head, card.subtitle, card.url if with_url else "")
    return "\n".join(line for line in lines if line)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _is_link(url: str) -> bool:
    """Return whether Meta can fetch, or a customer open, what lies there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    clean = len(url) <= _MAX_URL_CHARS and not any(char.isspace() for char in url)
    return clean and parts.scheme == "https" and bool(parts.hostname)
