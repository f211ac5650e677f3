"""Text cleaning that never moves an offset, and folding for comparisons."""

import re
from collections.abc import Sequence
from functools import lru_cache

from bot.understanding.result import Entity

MAX_TEXT_CHARS = 2_000
"""Longest text that the encoder, the classifier and the language detector look at."""

_UNSAFE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff\ufeff\ufffe\uffff]"
)
_UNSEEN = re.compile(r"(?<=[\w#@.+'’–-])[\u200b-\u200d\u2060\ufeff\u00ad]+(?=[\w#@.+'’–-])")
"""Signs without a width inside a word; between pictures they join them to one."""
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
EMOJI = re.compile(
    r"[\u2190-\u21ff\u2300-\u23ff\u2460-\u27bf\u2900-\u2bff\u3030\U0001f000-\U0001faff]"
    r"[\u200d\ufe0f\U0001f3fb-\U0001f3ff\u2600-\u27bf\U0001f000-\U0001faff]*"
)
"""A run of pictures, arrows and dingbats."""
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_SHOUTED = 0.7
_WORD_CHARS = 24
_TEXTS_KEPT = 128
"""Words of so many texts are kept: many parts of the parser ask for those of one."""
_LEAST_SHOUTED = 2
_FOLDS = str.maketrans({
    "ä": "ae",
    "ö": "oe",
    "ü": "ue",
    "ß": "ss",
    "’": "'",
    "é": "e",
    "è": "e",
    "ê": "e",
    "á": "a",
    "à": "a",
})
_GOODS = "product"
_MASKS = {
    "order_number": "ORDERNUMBER",
    "excluded_order": "ORDERNUMBER",
    "tracking_number": "TRACKINGNUMBER",
    "email": "EMAILADDRESS",
    "phone": "PHONENUMBER",
    "postcode": "POSTCODE",
    "price_min": "PRICE",
    "price_max": "PRICE",
    "date": "DATE",
    "name": "PERSON",
    _GOODS: "PRODUCT",
}
_TOKENS = frozenset(_MASKS.values())


class Plain:
    """A normaliser that leaves the words as they are."""

    def clean(self, text: str) -> str:
        """Return the text without what libraries choke on, as long as before."""
        return clean(text)

    def corrected(self, text: str) -> str:
        """Return the text."""
        return text


def clean(text: str) -> str:
    """Replace every character that libraries choke on by a space, one for one.

    Control characters, lone surrogates, bidirectional marks and non-characters go; the
    length stays, so that offsets into the result are offsets into `text`.
    """
    return _UNSAFE.sub(" ", text)


def seen(text: str) -> tuple[str, Sequence[int]]:
    """Return a text without the signs that nobody sees, and where each of its characters stood.

    The places are empty where nothing had to go.
    """
    if not _UNSEEN.search(text):
        return text, ()
    kept: list[int] = []
    at = 0
    for match in _UNSEEN.finditer(text):
        kept.extend(range(at, match.start()))
        at = match.end()
    kept.extend(range(at, len(text)))
    return "".join(text[place] for place in kept), kept


def squeeze(text: str) -> str:
    """Collapse white space to single spaces and trim the ends."""
    return _SPACES.sub(" ", text).strip()


def fold(text: str) -> str:
    """Return the text in lower case with German umlauts written out."""
    return _folded(text) if len(text) <= _WORD_CHARS else text.lower().translate(_FOLDS)


@lru_cache(16_384)
def _folded(word: str) -> str:
    return word.lower().translate(_FOLDS)


def words(text: str) -> list[tuple[str, int, int]]:
    """Return the words of a text with their start and end offsets."""
    return list(_words(text)) if len(text) <= MAX_TEXT_CHARS else _cut(text)


@lru_cache(_TEXTS_KEPT)
def _words(text: str) -> Sequence[tuple[str, int, int]]:
    return _cut(text)


def _cut(text: str) -> list[tuple[str, int, int]]:
    return [(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]


def mask(text: str, entities: Sequence[Entity], start: int = 0) -> str:
    """Replace order numbers, addresses, prices, products' full names and the like by their kind.

    A product that is all a text says keeps its name, and so does one of a single word: "jacket"
    tells more than that it is some product.

    Args:
        text: the text, or a part of it.
        entities: entities with offsets into the whole text, not overlapping.
        start: offset of `text` in the whole text, in characters.
    """
    named = [
        e for e in entities if e.type != _GOODS or " " in text[e.start - start : e.end - start]
    ]
    masked = _masked(text, named, start)
    if any(e.type == _GOODS for e in named) and not content_words(masked):
        return _masked(text, [e for e in named if e.type != _GOODS], start)
    return masked


def _masked(text: str, entities: Sequence[Entity], start: int) -> str:
    parts: list[str] = []
    position = 0
    for entity in sorted(entities, key=lambda found: found.start):
        token = _MASKS.get(entity.type)
        begin, end = entity.start - start, entity.end - start
        if token is None or begin < position or end > len(text):
            continue
        parts.extend((text[position:begin], token))
        position = end
    parts.append(text[position:])
    return "".join(parts)


def spoken(masked: str) -> str:
    """Return what a masked text says in words: without pictures, and not shouted.

    Pictures stay where there is no word beside them; "👍" says something.
    """
    text = EMOJI.sub(" ", masked)
    if not content_words(text):
        return masked
    said = [word for word in _LETTERS.findall(text) if word not in _TOKENS]
    shouted = [word for word in said if word.isupper()]
    if len(shouted) < max(_LEAST_SHOUTED, _SHOUTED * len(said)):
        return text
    return _WORD.sub(lambda m: m.group() if m.group() in _TOKENS else m.group().lower(), text)


def content_words(text: str) -> list[str]:
    """Return the words of a masked text that are neither numbers nor mask tokens."""
    return [
        word
        for word, _, _ in words(text)
        if word not in _TOKENS and any(char.isalpha() for char in word)
    ]
