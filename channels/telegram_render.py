"""How a message looks in Telegram: text, pictures, albums, and buttons below. Pure.

No parse mode is used anywhere: what somebody wrote can be no markup. A button whose payload is
longer than Telegram takes is not cut; it becomes a line of text.
"""

from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from bot.messages import Button, Card, OutboundMessage
from channels.base import Payload
from channels.shaping import split_text, utf16_units
from channels.wire import clean_text, has_control

TEXT_CHARS = 4_096
CAPTION_CHARS = 1_024
MAX_BUTTONS = 100
MAX_DATA_BYTES = 64
BUTTON_CHARS = 64
ALBUM = range(2, 11)
_SHORT_CHARS = 18
_NO_PICTURE = (".svg", ".svgz", ".html", ".pdf")
Row = list[dict[str, str]]


def render(outbound: OutboundMessage, recipient: str, public_url: str = "") -> list[Payload]:
    """Return the payloads that show a message.

    Args:
        outbound: what to show.
        recipient: the chat's id.
        public_url: completes addresses that begin with a slash.
    """
    page = _Page(public_url)
    listed = "\n".join(_card(number, card, page) for number, card in enumerate(outbound.cards, 1))
    keyboard, words = _choices(outbound)
    links = "\n".join(page.links(outbound))
    parts = (outbound.text, listed, links, words)
    text = clean_text("\n\n".join(part for part in parts if part.strip()))
    if not text.strip() and keyboard:
        text = "\n".join(f"· {button['text']}" for row in keyboard for button in row)
    pictures = page.pictures(outbound)
    if len(pictures) == 1 and utf16_units(text) <= CAPTION_CHARS:
        shown = [_photo(pictures[0], text, keyboard)]
    else:
        shown = [*_album(pictures), *_messages(text, keyboard)]
    return [{"chat_id": recipient, **payload} for payload in shown]


class _Page:
    """Whole addresses."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def address(self, url: str) -> str:
        """Return the whole address of what a message names; empty if there is none."""
        if not url or has_control(url):
            return ""
        try:
            whole = urljoin(f"{self._public_url}/", url)
            named = urlsplit(whole).hostname
        except ValueError:
            return ""
        return whole if whole.startswith(("https://", "http://")) and named else ""

    def picture(self, url: str) -> str:
        """Return the address of a picture that Telegram can show, else an empty string."""
        whole = self.address(url)
        return "" if urlsplit(whole).path.lower().endswith(_NO_PICTURE) else whole

    def pictures(self, outbound: OutboundMessage) -> list[str]:
        """Return the pictures of a message and of its cards, each once."""
        files = [file.url for file in outbound.attachments if file.kind == "image"]
        urls = [outbound.image_url, *(card.image_url for card in outbound.cards), *files]
        return list(dict.fromkeys(filter(None, map(self.picture, urls))))

    def links(self, outbound: OutboundMessage) -> list[str]:
        """Return what is no picture as lines of text."""
        files = [(file.name, file.url) for file in outbound.attachments]
        named = [("", outbound.image_url), *files]
        lines = [(name, self.address(url)) for name, url in named if not self.picture(url)]
        return [f"{name}: {url}" if name else url for name, url in lines if url]


def _card(number: int, card: Card, page: _Page) -> str:
    head = " – ".join(part for part in (card.title, card.price) if part)
    lines = [f"{number}. {head}", card.subtitle, page.address(card.url)]
    return "\n".join(line for line in lines if line)


def _choices(outbound: OutboundMessage) -> tuple[list[Row], str]:
    """Return the keyboard, and the buttons that do not fit in it as text.

    The buttons of a card carry its number and share a row; a lone card needs no number.
    """
    rows: list[Row] = []
    words: list[str] = []
    several = len(outbound.cards) > 1
    for number, card in enumerate(outbound.cards, 1):
        mark = f"{number}. " if several else ""
        row = [_key(button, mark) for button in card.buttons if _fits(button, mark)]
        rows += [row] if row else []
        words += [f"· {mark}{b.title}" for b in card.buttons if not _fits(b, mark)]
    own = [button for button in outbound.buttons if _fits(button)]
    rows += _rows(own)
    for number, button in enumerate(outbound.buttons, 1):
        sign = "·" if outbound.cards else f"{number}."
        words += [] if _fits(button) else [f"{sign} {button.title}"]
    kept, left = _cut(rows)
    words += [f"· {key['text']}" for row in left for key in row]
    return kept, "\n".join(line for line in words if line.strip(" .·0123456789"))


def _cut(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows that one keyboard may hold, and the others."""
    count = 0
    for at, row in enumerate(rows):
        count += len(row)
        if count > MAX_BUTTONS:
            return rows[:at], rows[at:]
    return rows, []


def _rows(buttons: Sequence[Button]) -> list[Row]:
    """Return short buttons in pairs, and a long one alone."""
    rows: list[Row] = []
    for button in buttons:
        key = _key(button)
        beside = rows and len(rows[-1]) == 1 and len(rows[-1][0]["text"]) <= _SHORT_CHARS
        if beside and len(key["text"]) <= _SHORT_CHARS:
            rows[-1].append(key)
        else:
            rows.append([key])
    return rows


def _key(button: Button, mark: str = "") -> dict[str, str]:
    title = " ".join(clean_text(button.title).split())
    return {"text": f"{mark}{title}", "callback_data": button.payload}


def _fits(button: Button, mark: str = "") -> bool:
    data = button.payload
    title = _key(button, mark)["text"]
    return (
        bool(data.strip())
        and not has_control(data)
        and len(data.encode("utf-8", "surrogatepass")) <= MAX_DATA_BYTES
        and bool(title.removeprefix(mark).strip())
        and utf16_units(title) <= BUTTON_CHARS
    )


def _photo(url: str, caption: str, keyboard: list[Row]) -> Payload:
    """Return a picture; if Telegram cannot fetch it, its text goes without it."""
    payload: Payload = {"photo": url, "instead": caption if caption.strip() else url}
    if caption.strip():
        payload["caption"] = caption
    if keyboard:
        payload["keyboard"] = keyboard
    return payload


def _album(urls: Sequence[str]) -> list[Payload]:
    """Return pictures in as few albums as hold them."""
    albums: list[Payload] = []
    for start in range(0, len(urls), ALBUM[-1]):
        group = list(urls[start : start + ALBUM[-1]])
        if len(group) in ALBUM:
            instead = split_text("\n".join(group), TEXT_CHARS, utf16_units)[0]
            albums.append({"album": group, "instead": instead})
        else:
            albums.append(_photo(group[0], "", []))
    return albums


def _messages(text: str, keyboard: list[Row]) -> list[Payload]:
    """Return the text in pieces, with the keyboard below the last one."""
    pieces: list[Payload] = [{"text": piece} for piece in split_text(text, TEXT_CHARS, utf16_units)]
    if keyboard and pieces:
        pieces[-1]["keyboard"] = keyboard
    return pieces
