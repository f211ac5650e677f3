"""The words and numbers of a choice: tokens with stems, measures, and the lexicon behind them."""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

import msgspec
from rapidfuzz.distance import OSA

_LEXICON = Path(__file__).parents[2] / "data" / "lexicons" / "choice_words.yml"
_MAX_CHARS = 2000
_FOLDS = str.maketrans({
    "ä": "a",
    "ö": "o",
    "ü": "u",
    "ß": "ss",
    "é": "e",
    "è": "e",
    "à": "a",
    "’": "'",
})
_DIGRAPHS = re.compile(r"(?<![aeq])(ae|oe|ue)")
_ENDINGS = ("en", "er", "es", "em", "e", "n", "s")
_MASKED = re.compile(
    r"(?P<mail>\S+@\S+\w|https?://\S+\w)"
    r"|(?P<id>#\s?[a-z]{0,3}-?\d+|\b[a-z]{1,3}-?\d{4,}\b|\b[a-z]+(?:_[a-z]+)*_\d+\b)"
    r"|(?P<price>[$€£]\s?\d+(?:[.,]\d+)?|\b\d+(?:[.,]\d{1,2})?\s?(?:€|\$|£|(?:eur|euros?|usd|dollars?|chf|franken)\b))"
    r"|(?P<place>(?<=zip )\d{4,5}|(?<=zip code )\d{4,5}|(?<=zip code is )\d{4,5}|(?<=plz )\d{4,5}"
    r"|(?<=postleitzahl )\d{4,5}|(?<=postcode )\d{4,5})"
    r"|(?P<date>\b\d{1,2}\.\d{1,2}\.(?:\d{2,4})?|\b\d{4}-\d\d-\d\d\b)"
)
# "credit card" is one word, or a question between a gift card and PayPal hears "card" in it.
_PAIRS = re.compile(r"\b(credit|gift|debit|store|shop)[ -](cards?\b|credit\b)")
_FUZZY_CHARS = 5
_FUZZY_FLOOR = 0.78
_COMPOUND_CHARS = 4
_SHORT_CHARS = 4
_STRONG = ".;!?\n>"
_SIZED = r"(?<!size )(?<!große )(?<!groesse )(?<!grosse )"
"""Behind these a number with a full stop is no place in a list: "in size 3. please use …"."""


class Token(msgspec.Struct, frozen=True):
    """One word, number or separator of a text.

    `word` is folded, `stem` stands for all its forms and synonyms. `kind` is word, number,
    measure, id, price, other or stop (a separator). `amount` is in `unit`; prices in minor units.
    """

    word: str
    stem: str
    kind: str
    start: int
    end: int
    amount: float = 0.0
    unit: str = ""


class Lexicon(msgspec.Struct, frozen=True):
    """Folded word lists: `words` by purpose, the rest as in `choice_words.yml`."""

    words: dict[str, frozenset[str]]
    phrases: dict[str, dict[str, tuple[tuple[str, ...], ...]]]
    ordinals: dict[str, int]
    counts: dict[str, int]
    synonyms: dict[str, str]
    scales: tuple[tuple[str, ...], ...]
    dimensions: dict[str, tuple[str, ...]]
    units: dict[str, str]
    splitter: re.Pattern[str]


def fold_word(word: str) -> str:
    """Return a word in lower case, without umlauts, their digraphs and a possessive s."""
    folded = _DIGRAPHS.sub(lambda found: found.group()[0], word.lower().translate(_FOLDS))
    return folded.removesuffix("'s")


def stem_word(folded: str) -> str:
    """Return a folded word without the inflection endings of German and English."""
    stem = folded
    while len(stem) > 3:
        ending = next(
            (end for end in _ENDINGS if stem.endswith(end) and len(stem) - len(end) >= 3), None
        )
        if ending is None:
            break
        stem = stem.removesuffix(ending)
    return stem


@cache
def load_lexicon(path: Path = _LEXICON) -> Lexicon:
    """Read the lexicon of choices once.

    Raises:
        OSError: when the file cannot be read.
    """
    raw = msgspec.yaml.decode(path.read_bytes())
    words = {
        key: [str(word) for group in by.values() for word in group]
        for key, by in raw["words"].items()
    }
    folded = {
        key: [" ".join(map(fold_word, word.split())) for word in group]
        for key, group in words.items()
    }
    synonyms = {
        form: stem_word(fold_word(group[0]))
        for group in raw["synonyms"]
        for word in map(fold_word, group)
        for form in ({word, stem_word(word)} if len(word) > _SHORT_CHARS else {word})
    }
    units = {fold_word(word): unit for unit, group in raw["units"].items() for word in group}
    return Lexicon(
        words={key: frozenset(w for w in group if " " not in w) for key, group in folded.items()},
        phrases={
            key: _by_first(w.split() for w in group if " " in w) for key, group in folded.items()
        },
        ordinals={
            fold_word(word): at for at, group in enumerate(raw["ordinals"]) for word in group
        },
        counts={fold_word(word): at for at, group in enumerate(raw["counts"]) for word in group},
        synonyms=synonyms,
        scales=tuple(
            tuple(canonical(fold_word(w), synonyms) for w in scale) for scale in raw["scales"]
        ),
        dimensions={
            key: tuple(fold_word(w) for w in group) for key, group in raw["dimensions"].items()
        },
        units=units,
        splitter=_splitter(units),
    )


def _splitter(units: Iterable[str]) -> re.Pattern[str]:
    unit_words = "|".join(sorted(map(re.escape, units), key=len, reverse=True))
    return re.compile(
        rf"(?P<measure>\d+(?:[.,]\d+)?\s?-?\s?(?:{unit_words})(?![^\W_]))"
        rf"|(?P<ordinal>\d+(?:st|nd|rd|th)\b|{_SIZED}\b\d{{1,2}}\.(?=\s+[a-zäöü]))"
        r"|(?P<word>[^\W\d_]+\d+[^\W_]*)|(?P<number>\d+(?:[.,]\d+)?)"
        r"|(?P<name>[^\W\d_]+(?:'(?:s|m|d|ll|ve|re|t)\b)?)|(?P<stop>[.;,!?\n>&:(){}]+)"
    )


def _by_first(phrases: Iterable[list[str]]) -> dict[str, tuple[tuple[str, ...], ...]]:
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for phrase in phrases:
        found[phrase[0]] = (*found.get(phrase[0], ()), tuple(phrase))
    return found


def canonical(folded: str, synonyms: dict[str, str]) -> str:
    """Return the stem that stands for a folded word and its synonyms."""
    stem = stem_word(folded)
    return synonyms.get(folded) or synonyms.get(stem, stem)


def tokenize(text: str, lexicon: Lexicon) -> list[Token]:
    """Return the tokens of a text; ids, prices, places and dates are never plain numbers.

    Args:
        text: what was typed; only the first 2,000 characters are read.
    """
    lowered = text[:_MAX_CHARS].lower().translate(_FOLDS | {ord("ß"): "ß"})
    lowered = _PAIRS.sub(lambda pair: f"{pair[1]}k".ljust(len(pair[0])), lowered)
    tokens: list[Token] = []
    at = 0
    for found in _MASKED.finditer(lowered):
        tokens += _plain(lowered, at, found.start(), lexicon)
        tokens.append(_masked(found))
        at = found.end()
    return tokens + _plain(lowered, at, len(lowered), lexicon)


def _masked(found: re.Match[str]) -> Token:
    word, start, end = found.group(), found.start(), found.end()
    if found.lastgroup == "price":
        digits = re.search(r"\d+(?:[.,]\d+)?", word)
        amount = round(float(digits.group().replace(",", ".")) * 100) if digits else 0
        return Token(word, word, "price", start, end, amount)
    kind = "id" if found.lastgroup in {"id", "place"} else "other"
    return Token(word, re.sub(r"[^a-z0-9]", "", word), kind, start, end)


def _plain(text: str, start: int, end: int, lexicon: Lexicon) -> list[Token]:
    tokens: list[Token] = []
    for found in lexicon.splitter.finditer(text, start, end):
        raw, kind = found.group(), str(found.lastgroup)
        span = (found.start(), found.end())
        if kind == "measure":
            amount, unit = _measure(raw, lexicon)
            tokens.append(Token(raw, f"{amount:g}{unit}", "measure", *span, amount, unit))
        elif kind == "number":
            amount = float(raw.replace(",", "."))
            tokens.append(Token(raw, f"{amount:g}", "number", *span, amount))
        elif kind == "ordinal":
            tokens.append(Token(f"{int(re.sub(r'[^0-9]', '', raw))}.", raw, "ordinal", *span))
        elif kind == "stop":
            mark = next((char for char in raw if char in _STRONG), "&" if "&" in raw else raw[0])
            tokens.append(Token(mark, mark, "word" if mark == "&" else "stop", *span))
        else:
            folded = fold_word(raw)
            tokens.append(Token(folded, canonical(folded, lexicon.synonyms), "word", *span))
    return tokens


def _measure(raw: str, lexicon: Lexicon) -> tuple[float, str]:
    found = re.match(r"(\d+(?:[.,]\d+)?)[\s-]*(.+)", raw)
    if found is None:
        return 0.0, ""
    amount, unit = float(found.group(1).replace(",", ".")), lexicon.units[fold_word(found.group(2))]
    if unit == "l":
        return amount * 1000, "ml"
    if unit == "tb":
        return amount * 1000, "gb"
    return amount, unit


def similarity(word: Token, other: Token) -> float:
    """Return how well two tokens name the same thing, in [0, 1]."""
    if word.kind != other.kind or word.kind != "word":
        same = word.amount == other.amount and "" in {word.unit, other.unit}
        numeric = {word.kind, other.kind} <= {"number", "measure"}
        return 1.0 if word.stem == other.stem or (same and numeric) else 0.0
    return _word_similarity(word.word, word.stem, other.word, other.stem)


@lru_cache(maxsize=65536)
def _word_similarity(word: str, stem: str, other: str, other_stem: str) -> float:
    if stem == other_stem:
        return 1.0
    short, long = sorted((stem, other_stem), key=len)
    compound = long.endswith(short) or word.endswith(other) or other.endswith(word)
    if compound and min(len(word), len(other)) >= _COMPOUND_CHARS:
        return 0.85
    if len(short) >= _COMPOUND_CHARS and long.startswith(short):
        return 0.6
    if min(len(word), len(other)) < _FUZZY_CHARS or word[0] != other[0]:
        return 0.0
    near: float = OSA.normalized_similarity(word, other, score_cutoff=_FUZZY_FLOOR)
    return near * 0.9


@lru_cache(maxsize=8192)
def name_tokens(name: str) -> tuple[Token, ...]:
    """Return the tokens of an option's name or value, without separators."""
    return tuple(token for token in tokenize(name, load_lexicon()) if token.kind != "stop")


def has(lexicon: Lexicon, purpose: str, words: Sequence[str]) -> bool:
    """Return whether one of the lexicon's words or phrases for a purpose is among the words."""
    return find(lexicon, purpose, words) is not None


def find(lexicon: Lexicon, purpose: str, words: Sequence[str]) -> tuple[int, int] | None:
    """Return the first place of a word or phrase of a purpose, as (first, behind last)."""
    for at in range(len(words)):
        size = starts(lexicon, purpose, words, at)
        if size:
            return at, at + size
    return None


def starts(lexicon: Lexicon, purpose: str, words: Sequence[str], at: int) -> int:
    """Return how many words at a place are a word or phrase of a purpose, 0 for none."""
    word = words[at]
    best = 1 if word in lexicon.words[purpose] else 0
    for phrase in lexicon.phrases[purpose].get(word, ()):
        if len(phrase) > best and tuple(words[at : at + len(phrase)]) == phrase:
            best = len(phrase)
    return best


def content(tokens: Iterable[Token], lexicon: Lexicon) -> list[Token]:
    """Return the tokens that can name something."""
    stop = lexicon.words["stop"] | lexicon.words["all"] | lexicon.words["both"]
    return [
        token for token in tokens if token.kind not in {"stop", "other"} and token.word not in stop
    ]
