"""From an outbound message to the messages of a page: as rich as the platform takes them."""

from collections.abc import Sequence
from urllib.parse import urljoin

import msgspec
from semantic_text_splitter import TextSplitter

from bot.messages import Attachment, Button, Card, OutboundMessage
from channels.base import Payload
from channels.meta_page.account import Traits
from channels.meta_page.receipt import receipt_of
from channels.shaping import ELLIPSIS, in_groups, numbered, shorten, with_listing
from channels.wire import clean_text

HUMAN_TAG = "HUMAN_AGENT"
TAG_KEY = "tag"
_TELLING = ("https://", "http://", "geo:")
_NO_PICTURE = (".svg", ".svgz", ".webp", ".avif")


class Renderer:
    """Renders for one platform.

    Text comes first, then pictures and files, the receipt, cards, and last what can be pressed:
    quick replies go away with the next message.
    """

    def __init__(self, traits: Traits, base_url: str, *, lasting_buttons: bool) -> None:
        """Render by the traits; addresses without a host are under `base_url`."""
        self._traits = traits
        self._limits = traits.limits
        self._base_url = base_url
        self._lasting = lasting_buttons
        self._size = _utf8 if traits.counts == "utf8" else _utf16
        self._splitter = TextSplitter.from_callback(self._size, self._limits.text_chars)

    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the payloads that show the message."""
        messages = self._messages(outbound)
        to: Payload = {"recipient": {"id": recipient}, "messaging_type": "RESPONSE"}
        if outbound.custom.get(TAG_KEY) == HUMAN_TAG:
            to = {**to, "messaging_type": "MESSAGE_TAG", "tag": HUMAN_TAG}
        payloads: list[Payload] = [{**to, "message": message} for message in messages]
        handed = outbound.custom.get("hand_over_to")
        if isinstance(handed, str) and handed:
            payloads.append({"recipient": {"id": recipient}, "target_app_id": handed})
        return payloads

    def _messages(self, outbound: OutboundMessage) -> list[Payload]:
        cards = [card for card in outbound.cards if self._fits(card)]
        spoken = [card for card in outbound.cards if not self._fits(card)]
        rich = self._files(outbound) + self._receipt(outbound) + self._carousels(cards)
        links = [button for button in outbound.buttons if _is_link(button)]
        presses = [button for button in outbound.buttons if not _is_link(button)]
        text = with_listing(outbound.text, cards=spoken)
        if links and not self._lasts(text, outbound.buttons, rich):
            text = "\n".join([text, *(f"{link.title}: {link.payload}" for link in links)])
            links = []
        if links or (self._lasting and self._lasts(text, outbound.buttons, rich)):
            return self._lasting_buttons(text, outbound.buttons)
        return self._with_replies(text, rich, presses)

    def _with_replies(
        self, text: str, rich: list[Payload], buttons: Sequence[Button]
    ) -> list[Payload]:
        """Return the messages with quick replies on the last one.

        If any button does not fit, all are listed too: the number that picks one is then right.
        """
        fitting = [button for button in buttons if self._is_pressable(button)]
        chips = fitting[: self._limits.buttons]
        plain = all(self._size(b.title) <= self._limits.button_chars for b in buttons)
        listing = "" if plain and len(chips) == len(buttons) else numbered(buttons)
        if listing and not rich:
            text = "\n\n".join(part for part in (text, listing) if part.strip())
        messages = [*self._texts(text), *rich]
        if not buttons:
            return messages
        carries = not rich or self._traits.replies_on_files
        if (listing and rich) or not messages or not carries:
            messages += self._texts(numbered(buttons))
        if chips:
            messages[-1] = {**messages[-1], "quick_replies": [self._chip(b) for b in chips]}
        return messages

    def _is_pressable(self, button: Button) -> bool:
        """Return whether a button has a title to show and a payload that comes back whole."""
        has_title = bool(clean_text(button.title).strip())
        is_whole = bool(button.payload.strip()) and clean_text(button.payload) == button.payload
        return has_title and is_whole and self._size(button.payload) <= self._traits.payload_chars

    def _chip(self, button: Button) -> Payload:
        title = self._cut(button.title, self._limits.button_chars)
        return {"content_type": "text", "title": title, "payload": button.payload}

    def _lasts(self, text: str, buttons: Sequence[Button], rich: Sequence[Payload]) -> bool:
        """Return whether text and buttons fit a template whose buttons stay."""
        fits = 0 < len(buttons) <= self._traits.card_buttons and not rich
        short = 0 < self._size(text.strip()) <= self._traits.lasting_text_chars
        small = all(
            self._is_pressable(button) and self._size(button.title) <= self._limits.button_chars
            for button in buttons
        )
        return fits and short and small

    def _lasting_buttons(self, text: str, buttons: Sequence[Button]) -> list[Payload]:
        shown = [self._card_button(button) for button in buttons]
        return [_template({"template_type": "button", "text": clean_text(text), "buttons": shown})]

    def _texts(self, text: str) -> list[Payload]:
        """Return the text as messages, split at sentences."""
        text = clean_text(text)
        if self._size(text) <= self._limits.text_chars:
            return [{"text": text}] if text.strip() else []
        return [{"text": piece} for piece in self._splitter.chunks(text) if piece.strip()]

    def _files(self, outbound: OutboundMessage) -> list[Payload]:
        """Return pictures and files; what cannot be sent as one is named with its address."""
        files = [Attachment("image", outbound.image_url)] if outbound.image_url else []
        messages: list[Payload] = []
        for file in [*files, *outbound.attachments]:
            url = self._absolute(file.url)
            shows = file.kind != "image" or _is_picture(url)
            if shows and file.kind in self._traits.file_kinds and url.startswith("https://"):
                content = {"type": file.kind, "payload": {"url": url, "is_reusable": False}}
                messages.append({"attachment": content})
            else:
                told = url if url.startswith(_TELLING) else ""
                messages += self._texts(" ".join(part for part in (file.name, told) if part))
        return messages

    def _receipt(self, outbound: OutboundMessage) -> list[Payload]:
        if not self._traits.has_receipts or "receipt" not in outbound.custom:
            return []
        receipt = receipt_of(outbound.custom["receipt"], self._absolute)
        return [_template(receipt)] if receipt else []

    def _fits(self, card: Card) -> bool:
        """Return whether a card can be an element: a title and anything beside it."""
        beside = card.subtitle or card.price or card.url or card.buttons or card.image_url
        return bool(clean_text(card.title).strip() and beside and self._limits.cards)

    def _carousels(self, cards: Sequence[Card]) -> list[Payload]:
        elements = [element for card in cards for element in self._elements(card)]
        size = self._limits.cards or 1
        groups = [elements[start : start + size] for start in range(0, len(elements), size)]
        return [_template({"template_type": "generic", "elements": group}) for group in groups]

    def _elements(self, card: Card) -> list[Payload]:
        """Return a card as one element, or as several if it has more buttons than one may have."""
        parts = (clean_text(part).strip() for part in (card.price, card.subtitle))
        subtitle = " · ".join(part for part in parts if part)
        element: Payload = {"title": self._cut(card.title, self._limits.card_title_chars)}
        if subtitle:
            element["subtitle"] = self._cut(subtitle, self._limits.card_subtitle_chars)
        url, picture = self._absolute(card.url), self._absolute(card.image_url)
        if url.startswith("https://"):
            element["default_action"] = {"type": "web_url", "url": url}
        if picture.startswith("https://") and _is_picture(picture):
            element["image_url"] = picture
        pressable = [button for button in card.buttons if self._is_pressable(button)]
        groups = in_groups(pressable, self._traits.card_buttons) or [()]
        if len(element) == 1 and not groups[0]:
            element["subtitle"] = ELLIPSIS
        return [
            {**element, "buttons": [self._card_button(b) for b in group]} if group else element
            for group in groups
        ]

    def _card_button(self, button: Button) -> Payload:
        title = self._cut(button.title, self._limits.button_chars)
        if _is_link(button):
            return {"type": "web_url", "title": title, "url": button.payload}
        return {"type": "postback", "title": title, "payload": button.payload}

    def _absolute(self, url: str) -> str:
        return urljoin(f"{self._base_url}/", url) if url.startswith("/") else url

    def _cut(self, text: str, size: int) -> str:
        """Return the text, cut to a size that is counted as the platform counts."""
        room, cut = size, clean_text(text).strip()
        while room > 1 and self._size(cut) > size:
            cut = shorten(cut, room)
            room -= 1
        return cut


def _template(payload: Payload) -> Payload:
    return {"attachment": {"type": "template", "payload": payload}}


def _is_link(button: Button) -> bool:
    return button.payload.startswith("https://")


def _is_picture(url: str) -> bool:
    return not url.partition("?")[0].lower().endswith(_NO_PICTURE)


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _utf8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def as_tagged(outbound: OutboundMessage, tag: str) -> OutboundMessage:
    """Return the message with the tag under which it is sent; none with an empty tag."""
    custom = {name: value for name, value in outbound.custom.items() if name != TAG_KEY}
    if tag:
        custom[TAG_KEY] = tag
    return msgspec.structs.replace(outbound, custom=custom)
