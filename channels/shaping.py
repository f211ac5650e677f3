"""Fitting a message to a platform: long text split at sentences, buttons and cards as text.

Pure; the platform's limits come in as data.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from semantic_text_splitter import TextSplitter

from bot.messages import Button, Card
from channels.wire import cards_as_text

ELLIPSIS = "…"


def split_text(text: str, max_chars: int, measure: Callable[[str], int] | None = None) -> list[str]:
    """Return the text in pieces of at most `max_chars` characters, none of them blank.

    Split at paragraphs if that is enough, else at sentences, else at words.

    Args:
        text: without lone surrogates.
        max_chars: of a piece, as the platform counts them.
        measure: how it counts, where it does not count code points.
    """
    if (measure or len)(text) <= max_chars:
        return [text] if text.strip() else []
    splitter = (
        TextSplitter.from_callback(measure, max_chars) if measure else TextSplitter(max_chars)
    )
    found = (
        part for piece in splitter.chunks(text) for part in _cut(piece, max_chars, measure or len)
    )
    return [piece for piece in found if piece.strip()]


def _cut(piece: str, most: int, measure: Callable[[str], int]) -> Iterator[str]:
    """Yield a piece in parts that fit: the splitter may go over where letters count twice."""
    while measure(piece) > most:
        end = bisect_right(range(len(piece) + 1), most, key=lambda size: measure(piece[:size])) - 1
        yield piece[: max(1, end)]
        piece = piece[max(1, end) :]
    yield piece


def utf16_units(text: str) -> int:
    """Return how long the text is as most phones and Telegram count it: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, max_chars: int) -> str:
    """Return the text, cut at a word and with an ellipsis if it is longer than `max_chars`."""
    if len(text) <= max_chars:
        return text
    cut = text[: max_chars - 1].rstrip()
    head, space, _ = cut.rpartition(" ")
    whole = head if space and len(head) > max_chars // 2 else cut
    return whole.rstrip(" ,;:–-") + ELLIPSIS


def numbered(buttons: Sequence[Button], start: int = 1) -> str:
    """Return the buttons as a numbered list, for surfaces without any; a number picks one.

    Args:
        buttons: to list.
        start: the first number; buttons stand behind the cards of their message.
    """
    return "\n".join(f"{number}. {button.title}" for number, button in enumerate(buttons, start))


def with_listing(text: str, buttons: Sequence[Button] = (), cards: Sequence[Card] = ()) -> str:
    """Return the text followed by cards and buttons as lists."""
    parts = (text, cards_as_text(cards), numbered(buttons, len(cards) + 1))
    return "\n\n".join(part for part in parts if part)


def in_groups(buttons: Sequence[Button], size: int) -> list[tuple[Button, ...]]:
    """Return the buttons in groups of at most `size`, in order."""
    return [tuple(buttons[start : start + size]) for start in range(0, len(buttons), size)]
