"""Remarks about the products just shown: "cheaper?", "and in L?", "what does it cost?"."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bot.understanding.result import Entity, ParseResult

_LIMITS = frozenset({"color", "size", "material", "price_max", "price_min"})
_SHOWN = _LIMITS | {"ordinal"}
_OPTIONS = frozenset({"color", "size"})
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_MOST_WORDS = 8
_NOTHING = re.compile(r"(?!)")
_PRICE = re.compile(
    r"(?<!\w)(?:(?:um\s+die|circa|ca\.?|etwa|rund|ungefähr|around|about|roughly)\s+)?"
    r"(?:[€$£]\s*\d+(?:[.,]\d\d?)?|\d+(?:[.,]\d\d?)?\s*(?:[€$£]|(?:euros?|eur|dollars?|pounds?)\b))",
    re.IGNORECASE,
)
_STOCK = "availability"
_NO = frozenset({"no", "nope", "nein", "nee", "nö", "sorry"})
_NAME_CHARS = 4
_OWN_WISH = 0.85
_TELLING = frozenset({
    "out_of_scope", "chitchat", "find_product", "recommend", "advise", "product_question",
})  # fmt: skip
"""What "he likes cooking" alone may be read as."""
_COURTESIES = frozenset({"thanks", "goodbye", "affirm", "deny"})
SEARCH, QUESTION, STOCK, BUNDLE = "find_product", "product_question", "check_stock", "find_bundle"


class FollowUps(msgspec.Struct, frozen=True):
    """The words of `data/lexicons/product_words.yml` that speak of what was shown.

    `words` say nothing by themselves, `moves` ask for others, `pronouns` mean the product last
    spoken of, `properties` are what can be asked of it, `stock` those about availability,
    `narrows` keep or leave out one of them, `adds` begin a further wish, `choosing`
    ask which of those shown, `others` mean another of them than the one spoken of, `exchanges`
    another one of several things put together, `persons` and `likes` what somebody likes for whom
    something is looked for; `shopping` are the skills whose questions they may interrupt.
    """

    words: re.Pattern[str] = _NOTHING
    moves: re.Pattern[str] = _NOTHING
    pronouns: re.Pattern[str] = _NOTHING
    properties: re.Pattern[str] = _NOTHING
    stock: re.Pattern[str] = _NOTHING
    narrows: re.Pattern[str] = _NOTHING
    adds: re.Pattern[str] = _NOTHING
    choosing: re.Pattern[str] = _NOTHING
    others: re.Pattern[str] = _NOTHING
    exchanges: re.Pattern[str] = _NOTHING
    persons: re.Pattern[str] = _NOTHING
    likes: re.Pattern[str] = _NOTHING
    shopping: frozenset[str] = frozenset()

    def skill(self, parse: ParseResult, slots: Mapping[str, Any]) -> str:
        """Return the skill that a remark about the shown products means; "" for other words."""
        focus = slots.get("focus_product")
        spoken = 0 < len(_WORD.findall(parse.text)) <= _MOST_WORDS
        if not spoken:
            return ""
        if slots.get("last_search") and self._likes_something(parse):
            return SEARCH
        if not (focus or slots.get("shown_products")):
            found = self._remark(parse, None) if slots.get("last_search") else ""
            return found if found == SEARCH else ""  # the last search found nothing to point at
        if self._exchanges_one(parse.text, slots.get("shown_products") or ()):
            return BUNDLE
        if focus and self._means_another(parse.text):
            return QUESTION
        return self._remark(parse, focus)

    def _likes_something(self, parse: ParseResult) -> bool:
        """Return whether words say what somebody else likes: "he likes cooking"."""
        text = parse.text
        if not (self.persons.search(text) and self.likes.search(text)):
            return False
        name, sure = parse.intent.name, parse.intent.confidence
        if name in _COURTESIES or (name not in _TELLING and sure >= _OWN_WISH):
            return False
        left = self._left(self.likes.sub(" ", self.persons.sub(" ", text)))
        return any(len(word) >= _NAME_CHARS for word in left)

    def _remark(self, parse: ParseResult, focus: object) -> str:
        """Return the skill that a remark about the product spoken of or a list means."""
        named = [e for e in parse.entities if not self.properties.fullmatch(e.text.strip())]
        kinds = {entity.type for entity in named}
        limits, place = kinds & _LIMITS, "ordinal" in kinds
        asked = bool(focus) and parse.text.rstrip().endswith("?")
        points = place or asked or bool(self.pronouns.search(parse.text))
        rest = _blanked(parse.text, (e for e in named if e.type in _SHOWN))
        if not limits and self.properties.search(rest):
            said = self._left(self.properties.sub(" ", rest))
            if points and not said:
                return STOCK if self.stock.search(rest) else QUESTION
            if self.narrows.search(rest) and not self.narrows.sub(" ", " ".join(said)).strip():
                return SEARCH
        unpriced = rest if asked else _PRICE.sub(" ", rest)
        if limits and not asked and self.narrows.search(rest):
            return "" if self._left(self.narrows.sub(" ", unpriced)) else SEARCH  # "nicht rot"
        if self._left(unpriced):
            return ""
        moves = bool(self.moves.search(rest))
        if moves and self.choosing.search(rest):
            return ""
        if limits == {"material"} and focus and self.pronouns.search(parse.text):
            return QUESTION
        if limits & _OPTIONS and (place or (focus and (points or not moves))):
            return STOCK
        return SEARCH if moves or limits or unpriced != rest else ""

    def asks(self, parse: ParseResult, slots: Mapping[str, Any], root_flow: str) -> str:
        """Return the skill that a remark means while another skill's question is open."""
        found = self.skill(parse, slots) if root_flow in self.shopping else ""
        return found if found != SEARCH or self.moves.search(parse.text) else ""

    def adds_another(self, parse: ParseResult, product: object) -> bool:
        """Return whether words add a wish for another thing than the product in question."""
        if not isinstance(product, Mapping):
            return False
        own = {f"category:{name}" for name in product.get("categories") or ()}
        named = {str(e.value) for e in parse.entities if e.type == "product"}
        other = bool(named) and not named & own and bool(own)
        if other:
            return all(value.startswith("category:") for value in named)
        return bool(named and self.adds.search(parse.text) and not self._is(parse, product))

    def means_other(self, parse: ParseResult, root_flow: str) -> bool:
        """Return whether a wish said twice means another of the shown products."""
        place = any(entity.type == "ordinal" for entity in parse.entities)
        return root_flow in self.shopping and bool(place or self.moves.search(parse.text))

    def _means_another(self, text: str) -> bool:
        """Return whether words only say that another one is meant: "no, the other one"."""
        if not self.others.search(text):
            return False
        return all(word.casefold() in _NO for word in self._left(self.others.sub(" ", text)))

    def _exchanges_one(self, text: str, shown: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether words want another one of things put together: "a different towel"."""
        if not shown or not shown[0].get("together") or not self.exchanges.search(text):
            return False
        known = " ".join(str(word) for one in shown for word in one.get("words") or ()).casefold()
        said = (word.casefold() for word in _WORD.findall(self.exchanges.sub(" ", text)))
        return any(len(word) >= _NAME_CHARS and word.rstrip("sn") in known for word in said)

    def _is(self, parse: ParseResult, product: Mapping[str, Any]) -> bool:
        titles = (product.get("title") or {}).values()
        said = {w.casefold() for w in _WORD.findall(parse.text)}
        return any(said & {w.casefold() for w in _WORD.findall(str(t))} for t in titles)

    def _left(self, text: str) -> list[str]:
        for known in (self.moves, self.words, self.pronouns, self.persons):
            text = known.sub(" ", text)
        return [word for word in _WORD.findall(text) if not word.isdigit()]


def load_follow_ups(path: Path) -> FollowUps:
    """Read the words from `product_words.yml`.

    Raises:
        OSError: The file is missing.
    """
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    aspects = data["aspects"]
    return FollowUps(
        words=_pattern(_all(data["follow_up"])),
        moves=_pattern(_all(data["moves"])),
        pronouns=_pattern(_all(data["pronouns"])),
        properties=_pattern(word for aspect in aspects.values() for word in _all(aspect)),
        stock=_pattern(_all(aspects[_STOCK])),
        narrows=_pattern(_all(data["narrows"])),
        choosing=_pattern(_all(data["choosing"])),
        adds=_pattern(_all(data["adds"])),
        others=_pattern(_all(data.get("others", {}))),
        exchanges=_pattern(_all(data["exchanges"])),
        persons=_pattern(_all(data.get("persons", {}))),
        likes=_pattern(_all(data.get("likes", {}))),
        shopping=frozenset(data["shopping"]),
    )


def _all(group: Mapping[str, Any]) -> list[str]:
    return [str(word) for language in ("en", "de") for word in group.get(language) or ()]


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for whole words, longest first; `*` stands for any ending."""
    known = {form for word in words for form in (word.lower(), word.casefold())}  # ß and ss
    known |= {word.translate(_PLAIN) for word in known}
    parts = (re.escape(w).replace(r"\*", r"\w*") for w in sorted(known, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)


def _blanked(text: str, entities: Iterable[Entity]) -> str:
    for entity in entities:
        size = entity.end - entity.start
        text = f"{text[: entity.start]}{' ' * size}{text[entity.end :]}"
    return text
