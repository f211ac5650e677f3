"""How a message looks over Twilio: SMS in segments, WhatsApp with pictures, or a template.

Pure. Buttons become text: a number, or the words themselves, pick one.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urljoin, urlsplit

import msgspec

from bot.messages import Card, OutboundMessage
from channels.base import Payload
from channels.shaping import numbered, split_text, utf16_units
from channels.wire import clean_text, has_control

WHATSAPP = "whatsapp:"
TEXT_CHARS = 1_600
"""What Twilio takes in one message, of SMS and WhatsApp alike."""
CAPTION_CHARS = 1_024
"""What WhatsApp shows below a picture."""
MAX_SEGMENTS = 10
"""More parts than this are not put together again by every carrier."""
MAX_PICTURES = 10
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("\f^{}\\[~]|€")
_PLAINER = str.maketrans({
    **dict.fromkeys("–—−‑‐", "-"),
    **dict.fromkeys("„“”«»", '"'),
    **dict.fromkeys("‚‘’", "'"),
    **dict.fromkeys("\u00a0\u202f\u2009\t", " "),
    **dict.fromkeys("•·", "-"),
    "…": "...",
    "→": "->",
    "×": "x",
    "ẞ": "ß",
})
_NO_PICTURE = (".svg", ".svgz", ".html", ".pdf")
_VARIABLE = re.compile(r"[A-Za-z0-9_]{1,16}")


class Look(msgspec.Struct, frozen=True):
    """What rendering needs to know beside the message.

    `public_url` completes addresses that begin with a slash. `mms`: whether pictures go by SMS.
    `templates`: the SIDs of approved templates by name and language.
    """

    public_url: str = ""
    mms: bool = False
    templates: Mapping[str, Mapping[str, str]] = {}
    languages: Sequence[str] = ("de", "en")


def septets(text: str) -> int | None:
    """Return how many GSM-7 septets a text takes; None if it has letters that GSM-7 lacks."""
    twice = sum(char in _GSM_TWICE for char in text)
    if twice + sum(char in _GSM for char in text) < len(text):
        return None
    return len(text) + twice


def segments(text: str) -> int:
    """Return in how many parts a text goes by SMS, each of which is paid for."""
    units = septets(text)
    one, each = (160, 153) if units is not None else (70, 67)
    length = utf16_units(text) if units is None else units
    return 1 if length <= one else -(-length // each)


def plainer(text: str) -> str:
    """Return the text with dashes, quotes and spaces that GSM-7 has, if that makes it fit in.

    It saves more than half of the segments, and is all that is changed.
    """
    simple = text.translate(_PLAINER)
    return text if septets(simple) is None else simple


def sms_pieces(text: str) -> list[str]:
    """Return the text in pieces that every carrier puts together again."""
    text = plainer(text)
    if septets(text) is None:
        return split_text(text, 67 * MAX_SEGMENTS, utf16_units)
    return split_text(text, 153 * MAX_SEGMENTS, _septets)


def _septets(text: str) -> int:
    return septets(text) or 0


def template_of(outbound: OutboundMessage, look: Look) -> Payload | None:
    """Return the approved template that `custom.template` asks for; None if there is none.

    Its parameters are checked as Meta does: words, without line breaks.
    """
    asked = outbound.custom.get("template")
    if not isinstance(asked, dict):
        return None
    sid = asked.get("content_sid") or _configured(asked, outbound.language, look)
    variables = _variables(asked.get("parameters") or {})
    if not isinstance(sid, str) or not sid.startswith("HX") or variables is None:
        return None
    payload: Payload = {"content_sid": sid}
    if variables:
        payload["content_variables"] = json.dumps(variables, ensure_ascii=False)
    return payload


def _configured(asked: Mapping[str, object], language: str, look: Look) -> str | None:
    by_language = look.templates.get(str(asked.get("name", "")), {})
    wanted = str(asked.get("language") or language or look.languages[0])
    return by_language.get(wanted) or by_language.get(re.split(r"[-_]", wanted)[0])


def _variables(parameters: object) -> dict[str, str] | None:
    """Return a template's variables by name or number; None if Meta would refuse them."""
    if isinstance(parameters, Sequence) and not isinstance(parameters, str):
        parameters = {str(number): value for number, value in enumerate(parameters, start=1)}
    if not isinstance(parameters, dict):
        return None
    shown = {str(name): str(value).strip() for name, value in parameters.items()}
    fine = all(
        _VARIABLE.fullmatch(name) and value and not has_control(value) and " " * 5 not in value
        for name, value in shown.items()
    )
    return shown if fine else None


def render(outbound: OutboundMessage, recipient: str, look: Look) -> list[Payload]:
    """Return the payloads that show a message to a phone number or a WhatsApp address."""
    template = template_of(outbound, look)
    if template is not None and not has_words(outbound):
        return [{"to": recipient, **template}]
    pictures = recipient.startswith(WHATSAPP) or look.mms
    page = _Page(recipient, look, pictures=pictures)
    shown = _pictured(outbound, page) if pictures else _written(outbound, page)
    return [{"to": recipient, **payload} for payload in shown]


def has_words(outbound: OutboundMessage) -> bool:
    """Return whether the message says something beside the template it names."""
    return bool(outbound.text.strip() or outbound.cards or outbound.buttons or outbound.image_url)


class _Page:
    """Addresses and pieces as one recipient can have them."""

    def __init__(self, recipient: str, look: Look, *, pictures: bool) -> None:
        self._look = look
        self._pictures = pictures
        is_sms = not recipient.startswith(WHATSAPP)
        self.pieces: Callable[[str], list[str]] = sms_pieces if is_sms else _whatsapp_pieces

    def address(self, url: str) -> str:
        """Return the whole address of what a message names; empty if there is none."""
        if not url or has_control(url):
            return ""
        try:
            whole = urljoin(f"{self._look.public_url}/", url)
            named = urlsplit(whole).hostname
        except ValueError:
            return ""
        return whole if whole.startswith(("https://", "http://")) and named else ""

    def picture(self, url: str) -> str:
        """Return the address if Twilio can show what is there, else an empty string."""
        whole = self.address(url)
        shows = self._pictures and not urlsplit(whole).path.lower().endswith(_NO_PICTURE)
        return whole if shows else ""


def _whatsapp_pieces(text: str) -> list[str]:
    return split_text(text, TEXT_CHARS, utf16_units)


def _written(outbound: OutboundMessage, page: _Page) -> list[Payload]:
    """Return everything as text, links included."""
    listing = "\n".join(_card(number, card, page) for number, card in _numbered(outbound.cards))
    links = [page.address(url) for url in (outbound.image_url, *_files(outbound))]
    parts = (outbound.text, listing, "\n".join(filter(None, links)), _choices(outbound))
    return _texts("\n\n".join(part for part in parts if part.strip()), page)


def _pictured(outbound: OutboundMessage, page: _Page) -> list[Payload]:
    """Return texts, and pictures with what belongs to them below; the choices come last."""
    cards = list(_numbered(outbound.cards))
    shown = [card for card in cards if page.picture(card[1].image_url)][:MAX_PICTURES]
    listed = "\n".join(_card(*card, page) for card in cards if card not in shown)
    choices = _choices(outbound)
    picture = page.picture(outbound.image_url)
    lost = page.address(outbound.image_url) if not picture else ""
    head = [outbound.text, lost, listed, *(() if shown else (choices,))]
    payloads = _texts("\n\n".join(part for part in head if part.strip()), page)
    if picture:
        payloads = _with_picture(payloads, picture)
    for number, card in shown:
        below = _texts(_card(number, card, page), page)
        payloads += _with_picture(below, page.picture(card.image_url))
    for url in _files(outbound):
        whole = page.address(url)
        payloads += [{"media_url": [whole]}] if whole else []
    return payloads + (_texts(choices, page) if shown else [])


def _with_picture(payloads: list[Payload], picture: str) -> list[Payload]:
    """Return the payloads with the picture above the first of them, or before a long one."""
    if not payloads or utf16_units(str(payloads[0]["body"])) > CAPTION_CHARS:
        return [{"media_url": [picture]}, *payloads]
    return [{**payloads[0], "media_url": [picture]}, *payloads[1:]]


def _texts(text: str, page: _Page) -> list[Payload]:
    return [{"body": piece} for piece in page.pieces(clean_text(text))]


def _numbered(cards: Sequence[Card]) -> list[tuple[int, Card]]:
    return list(enumerate(cards, start=1))


def _card(number: int, card: Card, page: _Page) -> str:
    head = " – ".join(part for part in (card.title, card.price) if part)
    lines = [f"{number}. {head}", card.subtitle, page.address(card.url)]
    return "\n".join(line for line in lines if line)


def _choices(outbound: OutboundMessage) -> str:
    """Return the buttons: numbered, or as words where the numbers are the cards'."""
    if not outbound.cards:
        return numbered(outbound.buttons)
    titles = [button.title for card in outbound.cards for button in card.buttons]
    titles += [button.title for button in outbound.buttons]
    return "\n".join(f"· {title}" for title in dict.fromkeys(titles))


def _files(outbound: OutboundMessage) -> list[str]:
    return [file.url for file in outbound.attachments]
