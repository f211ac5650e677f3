"""The fonts of printed transcripts, and text in which nothing is left out for want of one."""

import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from desk.errors import DeskError

FOLDER = "TRESEN_TRANSCRIPT_FONTS"
"""The environment variable with a folder of further fonts, which are looked into first."""
_PLACES = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "/Library/Fonts",
    "~/Library/Fonts",
)
_PLAIN, _BOLD, _MONO = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"
_FURTHER = (
    "NotoColorEmoji.ttf",
    "DroidSansFallbackFull.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
)
_KEPT = frozenset("\n\t\u200c\u200d\ufe0f")
"""Invisible signs that a text needs: line ends, and what joins letters and emoji."""


class MissingFonts(DeskError):
    """PDF transcripts need the DejaVu fonts: apt install fonts-dejavu-core fonts-noto-color-emoji.

    Or set TRESEN_TRANSCRIPT_FONTS to a folder that holds them.
    """


class Fonts(msgspec.Struct, frozen=True):
    """Font files: for text, for hashes, and for signs that the first lacks."""

    plain: Path
    bold: Path
    mono: Path
    further: tuple[Path, ...]


def find_fonts(places: Sequence[Path] | None = None) -> Fonts:
    """Return the fonts of this machine.

    Args:
        places: folders to look into, in this order; None for those of the system.

    Raises:
        MissingFonts: those for text are not there.
    """
    if places is None:
        own = os.environ.get(FOLDER)
        places = [Path(own)] if own else []
        places = [*places, *(Path(place).expanduser() for place in _PLACES)]
    found = {path.name: path for place in reversed(places) for path in _files(place)}
    try:
        known = found[_PLAIN], found[_BOLD], found[_MONO]
    except KeyError as error:
        raise MissingFonts(f"({error.args[0]})") from error
    further = [found[name] for name in _FURTHER if name in found]
    return Fonts(*known, tuple(further))


def _files(place: Path) -> Iterator[Path]:
    return place.rglob("*.ttf") if place.is_dir() else iter(())


class Drawable:
    """Makes texts drawable and counts what no font has."""

    def __init__(self, signs: frozenset[int]) -> None:
        """Know what can be drawn.

        Args:
            signs: the code points that the fonts have.
        """
        self._signs = signs
        self.undrawn = 0

    def __call__(self, text: str) -> str:
        """Return a text whose other signs, and those that hide or turn others, are named."""
        lines = unicodedata.normalize("NFC", "\n".join(text.splitlines())).replace("\t", "    ")
        return "".join(map(self._sign, lines))

    def _sign(self, sign: str) -> str:
        if sign in _KEPT or (ord(sign) in self._signs and unicodedata.category(sign)[0] != "C"):
            return sign
        self.undrawn += 1
        return f"⟨U+{ord(sign):04X}⟩"


def is_right_to_left(text: str) -> bool:
    """Return whether a text begins in a script that is written from right to left."""
    for sign in text:
        direction = unicodedata.bidirectional(sign)
        if direction in {"L", "R", "AL"}:
            return direction != "L"
    return False
