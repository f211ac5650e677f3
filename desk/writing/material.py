"""What a language model is given: a case's lines, each under the name of who said it."""

import re
import secrets
from collections.abc import Iterable, Sequence

import msgspec

from desk.writing.hiding import Hiding
from desk.writing.ports import Line, Source

MOST_CHARS = 8000
MOST_LINES = 40
MOST_LINE_CHARS = 900
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]"
)


class Material(msgspec.Struct, frozen=True):
    """The lines as they are sent; `trusted` are the shop's, `claimed` the customer's."""

    text: str
    trusted: str
    claimed: str

    @property
    def whole(self) -> str:
        """All that may be written."""
        return f"{self.trusted}\n{self.claimed}"


def clean(text: str) -> str:
    """Return a text without the characters that nobody sees."""
    return _UNSEEN.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def material_of(source: Source, hiding: Hiding) -> Material:
    """Return what is sent of a case, within the limits of a small model.

    Args:
        source: of the case.
        hiding: keeps what is taken out.
    """
    sections = {
        "WHAT THE DESK KNOWS": _cut(source.facts, MOST_CHARS // 4),
        "CONVERSATION, OLDEST FIRST": _last(source.talk, MOST_CHARS // 2),
        "HELP TEXTS OF THE SHOP": _cut(source.help, MOST_CHARS // 4),
    }
    sent = {
        title: [Line(line.by, hiding.hide(line.text)) for line in lines]
        for title, lines in sections.items()
        if lines
    }
    every = [line for lines in sent.values() for line in lines]
    text = "\n\n".join(
        "\n".join([title, *(_quoted(line) for line in lines)]) for title, lines in sent.items()
    )
    trusted = "\n".join(line.text for line in every if line.by != "customer")
    claimed = "\n".join(line.text for line in every if line.by == "customer")
    return Material(text, trusted, claimed)


def fenced(text: str) -> str:
    """Return a text between marks that nobody can have written into it."""
    mark = secrets.token_hex(6)
    return f"<<<MATERIAL {mark}>>>\n{text}\n<<<END {mark}>>>"


def _quoted(line: Line) -> str:
    """Return a line with its speaker before each row: nobody can speak for somebody else."""
    return "\n".join(f"{line.by}> {row}" for row in line.text.split("\n"))


def _short(line: Line) -> Line:
    text = clean(line.text)
    if len(text) <= MOST_LINE_CHARS:
        return Line(line.by, text)
    whole_words = text[:MOST_LINE_CHARS].rpartition(" ")[0]
    is_cut_well = len(whole_words) > MOST_LINE_CHARS // 2
    return Line(line.by, f"{whole_words if is_cut_well else text[:MOST_LINE_CHARS]} …")


def _cut(lines: Iterable[Line], most_chars: int) -> list[Line]:
    """Return the first lines that fit."""
    kept: list[Line] = []
    for line in map(_short, lines):
        most_chars -= len(line.text)
        if most_chars < 0:
            break
        kept += [line] if line.text else []
    return kept


def _last(lines: Sequence[Line], most_chars: int) -> list[Line]:
    """Return the last lines that fit, in their order."""
    return _cut(reversed(lines[-MOST_LINES:]), most_chars)[::-1]
