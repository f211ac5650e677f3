"""The form that a written text must have: plain words in known parts, and not too many."""

import re

from desk.writing.instructions import LABELS, MOST_REPLY_WORDS, MOST_WORDS, NONE, REPLY
from desk.writing.material import clean

MOST_ANSWER_CHARS = 20_000
"""With what a model thinks aloud."""
MOST_CHARS = 1500
_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[a-z!/?]|&(?:#\w+|[a-z]+);|!?\[[^\]\n]*\]\s?\(", re.IGNORECASE)
_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*://|\bwww\.|\b(?:javascript|data|mailto|tel):"
    r"|\b[\w-]+\.(?:com|de|net|org|eu|at|ch|io|info|shop|example|co|uk|ru|app|dev|biz|me|ly)\b(?!\w)",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MARKDOWN = re.compile(r"(?m)^\s{0,3}(?:#{1,6}|[-*•]|>)\s+|\*+|__+|`+")
_LABEL = re.compile(rf"(?m)^\s*({'|'.join(LABELS)})\s*:\s*", re.IGNORECASE)
_REPLY = re.compile(rf"^\s*{REPLY}\s*:\s*", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


class Misshapen(ValueError):
    """The text has not the form that was asked for.

    Args:
        why: in one word.
    """

    def __init__(self, why: str) -> None:
        """Say why."""
        super().__init__(why)
        self.why = why


def plain(text: str) -> str:
    """Return an answer without what a model thinks aloud and without emphasis.

    Raises:
        Misshapen: it holds markup or a link, or is far too long.
    """
    if len(text) > MOST_ANSWER_CHARS:
        raise Misshapen("too_long")
    text = clean(_THOUGHT.sub("", text))
    if len(text) > MOST_CHARS:
        raise Misshapen("too_long")
    if _TAG.search(text) or "<<<" in text:
        raise Misshapen("markup")
    if _LINK.search(_EMAIL.sub(" ", text)):
        raise Misshapen("link")
    return _MARKDOWN.sub("", text).strip()


def summary_parts(text: str) -> dict[str, str]:
    """Return the parts of a summary by their names in lower case, within the words allowed.

    Raises:
        Misshapen: a part is missing, is there twice, or nothing fits.
    """
    pieces = _LABEL.split(plain(text))
    names = [name.upper() for name in pieces[1::2]]
    if pieces[0].strip() or sorted(names) != sorted(LABELS):
        raise Misshapen("form")
    parts = {
        name.lower(): " ".join(piece.split())
        for name, piece in zip(names, pieces[2::2], strict=True)
    }
    parts = {name: "" if _is_none(piece) else piece for name, piece in parts.items()}
    if not parts["problem"] or not parts["next"]:
        raise Misshapen("form")
    return _within(parts)


def reply_text(text: str) -> str:
    """Return the text of a drafted reply; empty if the model says that there is none.

    Raises:
        Misshapen: it does not begin as it should, or is too long.
    """
    text = plain(text)
    begun = _REPLY.match(text)
    if begun is None:
        raise Misshapen("form")
    body = re.sub(r"\n{3,}", "\n\n", text[begun.end() :].strip())
    if len(body.split()) > MOST_REPLY_WORDS:
        raise Misshapen("too_long")
    return "" if _is_none(body) else body


def _is_none(text: str) -> bool:
    return text.strip(" .-–—").upper() in {"", NONE}


def _within(parts: dict[str, str]) -> dict[str, str]:
    """Return the parts without the last sentences of the longest ones, until they are short.

    Raises:
        Misshapen: a single sentence is too long.
    """
    cut = dict(parts)
    while sum(len(part.split()) for part in cut.values()) > MOST_WORDS:
        longest = max(cut, key=lambda name: len(cut[name].split()))
        sentences = _SENTENCE.split(cut[longest])
        if len(sentences) < 2:
            raise Misshapen("too_long")
        cut[longest] = " ".join(sentences[:-1])
    return cut
