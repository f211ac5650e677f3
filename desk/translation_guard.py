"""What no translation may change: numbers, amounts, links, addresses, and names of products."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from desk.translation import CLOSE, OPEN

_CURRENCY = r"(?:[€$£¥₺₴]|zł|Kč|Ft|kr\.?|(?:EUR|USD|CHF|GBP|PLN|CZK|SEK|DKK|NOK|HUF|TRY|UAH)\b)"
_TOKEN = re.compile(
    rf"""
    (?:https?://|www\.)\S*[^\s.,;:!?)\]'"»]
    | (?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+
    | (?<![\w.])(?:[a-z0-9][a-z0-9-]*\.)+[a-z]{{2,}}/\S*[^\s.,;:!?)\]'"»]
    | (?:{_CURRENCY}\s?)?(?P<chunk>[#+]?\w(?:[\w.,:/'’+–-]*\w)?)(?:(?<=\d)\s?(?:{_CURRENCY}|%))?
    """,
    re.VERBOSE,
)
_KEPT = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
_BRACKETS = str.maketrans({OPEN: "[", CLOSE: "]"})
_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")
_LETTER = re.compile(r"[^\W\d_]")
_SHORTEST_NAME = 3


class Guarded(msgspec.Struct, frozen=True):
    """A text with what must not change in it between the marks; `kept` are these passages."""

    text: str
    kept: tuple[str, ...]

    @property
    def has_words(self) -> bool:
        """Whether anything is left to translate."""
        return bool(_LETTER.search(_KEPT.sub(" ", self.text)))


class Names:
    """Names that stay as they are, found in a text by their words."""

    def __init__(self, names: Iterable[str]) -> None:
        """Know `names`, such as titles of products; of two that fit the longer one counts."""
        self._by_word: dict[str, list[str]] = {}
        for name in sorted({" ".join(name.split()) for name in names}, key=len, reverse=True):
            words = _WORD.findall(name)
            if words and len(name) >= _SHORTEST_NAME and _LETTER.search(name):
                self._by_word.setdefault(words[0].casefold(), []).append(name)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where names stand; capitals count only for names of one word."""
        end = 0
        for word in _WORD.finditer(text):
            if word.start() < end:
                continue
            for name in self._by_word.get(word[0].casefold(), ()):
                there = text[word.start() : word.start() + len(name)]
                after = text[word.start() + len(name) :][:1]
                is_one_word = " " not in name
                same = there == name if is_one_word else there.casefold() == name.casefold()
                if same and not (after.isalnum() or after == "_"):
                    end = word.start() + len(name)
                    yield word.start(), end
                    break


NO_NAMES = Names(())


def guarded(text: str, names: Names = NO_NAMES) -> Guarded:
    """Return a text with marks around what must not change.

    Args:
        text: as it was written.
        names: of products and the like.
    """
    plain = text.translate(_BRACKETS)
    spans = [m.span() for m in _TOKEN.finditer(plain) if _stays(m["chunk"])]
    named = [span for span in names.spans(plain) if _is_free(span, spans)]
    spans = sorted([*(span for span in spans if _is_free(span, named)), *named])
    parts, at = [], 0
    for start, end in spans:
        parts += [plain[at:start], OPEN, plain[start:end], CLOSE]
        at = end
    kept = tuple(plain[start:end] for start, end in spans)
    return Guarded("".join([*parts, plain[at:]]), kept)


def restored(translated: str, source: Guarded) -> tuple[str, bool]:
    """Return a translation without the marks, and whether everything is still as it was.

    Args:
        translated: what came back for `source.text`.
        source: what was sent.
    """
    left = Counter(source.kept)

    def put_back(found: re.Match[str]) -> str:
        name = _same_as(found[1], left)
        if not name:
            return found[1]
        left[name] -= 1
        return name

    text = _KEPT.sub(put_back, translated).replace(OPEN, "").replace(CLOSE, "")
    whole = all(text.count(name) >= count for name, count in Counter(source.kept).items())
    return text, whole and _digits(text) == _digits(source.text)


def _stays(chunk: str | None) -> bool:
    """Return whether a passage is a link or an address, or has a digit."""
    return chunk is None or any(map(str.isdigit, chunk))


def _same_as(found: str, left: Counter[str]) -> str:
    """Return the passage that came back; spaces may have become others."""
    wanted = "".join(found.split())
    return next((n for n, count in left.items() if count and "".join(n.split()) == wanted), "")


def _digits(text: str) -> Counter[str]:
    return Counter(_DIGITS.findall(text))


def _is_free(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    """Return whether a passage lies outside others, but for those that it holds whole."""
    start, end = span
    return all(
        end <= other or start >= last or (start <= other and last <= end and span != (other, last))
        for other, last in others
    )
