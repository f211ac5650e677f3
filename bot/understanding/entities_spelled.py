"""Order numbers that are spelled: with spaces, letter by letter, or in spoken digits."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from bot.understanding.entities_numbers import word_value
from bot.understanding.normalise import fold
from bot.understanding.result import Entity

_DIGITS = {
    word: str(value)
    for value, listed in enumerate((
        "null zero oh", "eins ein one", "zwei zwo two", "drei three", "vier four",
        "fuenf funf five", "sechs six", "sieben seven", "acht eight", "neun nine",
    ))
    for word in listed.split()
}  # fmt: skip
_TWICE = frozenset({"double", "doppel", "doppelt"})
_SIGNS = frozenset({
    "dash", "hyphen", "minus", "slash", "strich", "bindestrich", "schraegstrich", "hash",
    "raute",
})  # fmt: skip
_TENS = frozenset({
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
})  # fmt: skip
_SPOKEN = range(10, 1_000)
"""Numbers that are said as one where digits are spelled: "forty-seven eleven"."""
_TOKEN = re.compile(r"[^\W_]+")
_GAP = re.compile(r"[ ,._/#:–-]{0,3}")
_ANNOUNCED = re.compile(
    r"(?:bestell\w*|auftrag\w*|order|purchase|invoice|rechnung\w*|nummer|number|nr\.?|no\.?|#)"
    r"[\s:.#-]*(?:(?:nummer|number|nr\.?|no\.?|id|is|ist|lautet|mit|der|with|the)[\s:.#-]*){0,4}$",
    re.IGNORECASE,
)
_MOST_TOKENS = 400
_TEXTS_KEPT = 16
_LEAST_ALONE = 4
_LONG = 10
_LOOKS_LIKE = str.maketrans("OoIl", "0011")


class _Piece(msgspec.Struct, frozen=True):
    """A token of a spelled number: its letters and digits, and its place."""

    chars: str
    start: int
    end: int
    is_letters: bool = False


class SpelledNumbers:
    """Finds a shop's order numbers in pieces, for any pattern.

    Args:
        pattern: regular expression of the shop's numbers.
        example: one of them; gives the form.

    Raises:
        re.error: the pattern is not a regular expression.
    """

    def __init__(self, pattern: str, example: str) -> None:
        self._pattern = re.compile(pattern, re.IGNORECASE)
        self._example = example
        self._size = sum(char.isalnum() for char in example)
        self._parts = {part.casefold() for part in re.findall(r"[^\W\d_]+", example)}
        lead = re.match(r"[^\W\d_]+", example)
        self._lead = lead.group() if lead else ""

    def find(self, text: str) -> list[Entity]:
        """Find numbers that are spelled; written ones are left to others."""
        found: list[Entity] = []
        for run in self._runs(text):
            at = 0
            while at < len(run):
                size, value = self._at(run, at, text)
                if value:
                    start, end = run[at].start, run[at + size - 1].end
                    found.append(Entity("order_number", value, text[start:end], start, end, 0.85))
                at += max(size, 1)
        return found

    def _runs(self, text: str) -> Iterator[list[_Piece]]:
        """Yield tokens that may be pieces of one number, with nothing but signs between them."""
        run: list[_Piece] = []
        is_double, last = False, 0
        for match in list(_TOKEN.finditer(text))[:_MOST_TOKENS]:
            piece = self._piece(match)
            gap = text[last : match.start()]
            apart = run and (not _GAP.fullmatch(gap) or ("," in gap and piece and piece.is_letters))
            if apart and not is_double:
                yield run
                run = []
            last = match.end()
            if run and fold(match.group()) in _SIGNS:
                continue
            if run and _ends_in_tens(run[-1], text) and piece and _is_one(piece, text):
                chars = f"{run[-1].chars[:-1]}{piece.chars}"
                run[-1] = _Piece(chars, run[-1].start, match.end())
                continue
            if piece is None and fold(match.group()) in _TWICE:
                is_double = True
                continue
            if piece is None:
                yield run
                run, is_double = [], False
                continue
            chars = piece.chars * 2 if is_double and len(piece.chars) == 1 else piece.chars
            run.append(msgspec.structs.replace(piece, chars=chars))
            is_double = False
        yield run

    def _piece(self, match: re.Match[str]) -> _Piece | None:
        token = match.group()
        plain = fold(token)
        if plain in _DIGITS:
            return _Piece(_DIGITS[plain], *match.span())
        spoken = word_value(plain)
        if spoken is not None and spoken in _SPOKEN:
            return _Piece(str(spoken), *match.span())
        if any(char.isdigit() for char in token):
            return _Piece(token, *match.span()) if token.isascii() else None
        if len(token) == 1 or token.casefold() in self._parts:
            return _Piece(token, *match.span(), is_letters=True)
        return None

    def _at(self, run: Sequence[_Piece], at: int, text: str) -> tuple[int, str]:
        """Return how many pieces of a run from a place on are a number, and the number."""
        chars, pieces = "", run[at:]
        for count, piece in enumerate(pieces, 1):
            chars += piece.chars
            if len(chars) > self._size:
                break
            used = pieces[:count]
            beside = [*run[max(0, at - 1) : at], *pieces[count : count + 1]]
            if chars.isdigit() and any(each.chars.isdigit() for each in beside):
                continue  # a part of a longer number
            value = self._value(chars)
            if value and (count > 1 or not chars.isdigit()) and self._is_meant(used, text):
                return count, value
        return 0, ""

    def _value(self, chars: str) -> str:
        """Return what is meant by letters and digits without signs, or an empty text."""
        for letters in (chars, self._lead + chars):
            if len(letters) != self._size:
                continue
            for candidate in (letters, self._read_as_digits(letters)):
                formed = self._formed(candidate)
                if self._pattern.fullmatch(formed):
                    return formed
        return ""

    def _formed(self, chars: str) -> str:
        """Return letters and digits in the form of the example, with its signs."""
        given = iter(chars.upper())
        return "".join(next(given) if char.isalnum() else char for char in self._example)

    def _read_as_digits(self, chars: str) -> str:
        """Return O and I as digits where the example has digits: "TR-1O4711"."""
        shape = [char for char in self._example if char.isalnum()]
        return "".join(
            char.translate(_LOOKS_LIKE) if form.isdigit() else char
            for char, form in zip(chars, shape, strict=True)
        )

    def _is_meant(self, pieces: Sequence[_Piece], text: str) -> bool:
        """Return whether pieces are one number, and not two numbers side by side."""
        if any(piece.is_letters or not piece.chars.isdigit() for piece in pieces):
            return True
        sizes = [len(piece.chars) for piece in pieces]
        even = max(sizes) - min(sizes) <= 1 or sum(sizes) >= _LONG
        before, after = text[: pieces[0].start], text[pieces[-1].end :]
        alone = not before.strip(" #") and not after.strip(" .!?")
        one_by_one = max(sizes) <= 2 and len(sizes) >= _LEAST_ALONE
        return even and (alone or one_by_one or bool(_ANNOUNCED.search(before)))


def _ends_in_tens(piece: _Piece, text: str) -> bool:
    return fold(text[piece.start : piece.end]) in _TENS


def _is_one(piece: _Piece, text: str) -> bool:
    return piece.chars in set("123456789") and text[piece.start : piece.end].isalpha()


@lru_cache(_TEXTS_KEPT)
def find_spoken_digits(text: str) -> tuple[tuple[str, int, int], ...]:
    """Return runs of at least four spoken digits and where they stand: "null vier eins null"."""
    return tuple(_spoken_digits(text))


def _spoken_digits(text: str) -> Iterator[tuple[str, int, int]]:
    said: list[tuple[str, int, int]] = []
    for match in [*list(_TOKEN.finditer(text))[:_MOST_TOKENS], None]:
        digit = _DIGITS.get(fold(match.group()), "") if match else ""
        beside = not said or (match and _GAP.fullmatch(text[said[-1][2] : match.start()]))
        if match and digit and beside:
            said.append((digit, *match.span()))
            continue
        if len(said) >= _LEAST_ALONE:
            yield "".join(each for each, _, _ in said), said[0][1], said[-1][2]
        said = [(digit, *match.span())] if match and digit else []
