"""What a text wishes of a variant: values, directions, prices, and what it leaves open."""

from collections.abc import Sequence

import msgspec

from bot.understanding.choices_words import Lexicon, Token, similarity, starts
from bot.understanding.variant_attributes import Attribute

_PARTIAL_CHARS = 4
_NEAR = 4
_PARTIAL = 0.8
_NO = "no"
_YES = "yes"


class Wish(msgspec.Struct):
    """What is wished of one attribute: `values` best first, then `fallback`.

    `ranked` says that the order was given, so that even the value held now keeps its place.
    """

    values: list[str] = []
    fallback: list[str] = []
    refused: list[str] = []
    free: bool = False
    direction: int = 0
    extreme: bool = False
    delta: float = 0.0
    at_least: bool = False
    ranked: bool = False
    another: bool = False


class Wishes(msgspec.Struct):
    """All wishes by attribute; `price` is "", cheaper, cheapest or dearest."""

    by_key: dict[str, Wish] = {}
    price: str = ""
    free_rest: bool = False

    def of(self, key: str) -> Wish:
        """Return the wish for an attribute, made when missing."""
        return self.by_key.setdefault(key, Wish())


class _Hit(msgspec.Struct):
    keys: list[tuple[str, str]]
    size: int


def _first_key(token: Token) -> str:
    return f"{token.amount:g}" if token.kind in {"number", "measure"} else token.stem


class Reader:
    """Reads the wishes of one item's part of a text, from left to right."""

    def __init__(self, attributes: Sequence[Attribute], lexicon: Lexicon, text: str) -> None:
        self.attributes = attributes
        self.lexicon = lexicon
        self.text = text
        self.wishes = Wishes()
        self._mode = ""
        self._demoted = False
        self._prefer = False
        self._index: dict[str, list[tuple[str, str, list[Token]]]] = {}
        self._partials: dict[str, _Hit | None] = {}
        for one in attributes:
            for value, forms in one.forms.items():
                for form in forms:
                    if form and form[0].stem not in {_NO, _YES}:
                        self._index.setdefault(_first_key(form[0]), []).append((
                            one.key,
                            value,
                            form,
                        ))

    def read(self, runs: Sequence[Sequence[Token]], current: dict[str, str]) -> Wishes:
        """Return what the runs of tokens wish, given the options of the variant held now."""
        before = Wishes()
        for run in runs:
            words = [token.word for token in run]
            self._mode, self._demoted, self._prefer = "", False, False
            at = 0
            while at < len(run):
                if starts(self.lexicon, "change_of_mind", words, at) and self.wishes.by_key:
                    before, self.wishes = self.wishes, Wishes()
                at += self._step(run, words, at, current)
        if not self.wishes.by_key and not self.wishes.price:
            return before
        return self.wishes

    def _step(
        self, run: Sequence[Token], words: Sequence[str], at: int, current: dict[str, str]
    ) -> int:
        for purpose in ("unavailable", "indifferent", "other_features"):
            size = starts(self.lexicon, purpose, words, at)
            if size:
                self._open(purpose)
                return size
        self._prefer = (
            self._prefer or words[at] == ">" or bool(starts(self.lexicon, "prefer", words, at))
        )
        self._punctuate(words[at])
        size = self._misfit(run, words, at)
        if size:
            return size
        named = self._full_name(run, at)
        if named:
            self._named(run, words, at + named - 1)
            return named
        priced = self._price(words, at)
        if priced:
            return priced
        hit = self._hit(run, at)
        if hit is not None:
            self._value(run, words, at, hit, current)
            return hit.size
        if starts(self.lexicon, "instead_of", words, at):
            self._demoted = True
            return starts(self.lexicon, "instead_of", words, at)
        self._named(run, words, at)
        self._direction(run, words, at)
        return 1

    def _punctuate(self, word: str) -> None:
        if word in {".", ";", "!", "?"}:
            self._mode, self._prefer = "", False
        elif word == "," and self._mode == "indifferent":
            self._mode = "names"

    def _misfit(self, run: Sequence[Token], words: Sequence[str], at: int) -> int:
        """Read "too small" as a wish for the next bigger one, and the other way round."""
        for purpose, sign in (("too_much", -1), ("too_little", 1)):
            size = starts(self.lexicon, purpose, words, at)
            key = self._dimension(run, words, at + 1) if size else None
            rising = [one for one in self.attributes if len(one.order) > 1]
            key = key or (self._first(rising, self.lexicon.dimensions["big"]) if size else None)
            if key is not None:
                self.wishes.of(key).direction = sign
                return size
        return 0

    def _full_name(self, run: Sequence[Token], at: int) -> int:
        """Return the length of an attribute's name of several words that begins at a token."""
        for one in self.attributes:
            size = len(one.name)
            if size > 1 and [token.stem for token in run[at : at + size]] == [
                token.stem for token in one.name
            ]:
                return size
        return 0

    def _open(self, purpose: str) -> None:
        if purpose == "other_features":
            self.wishes.free_rest = self.wishes.free_rest or self._mode == "indifferent"
            return
        self._mode = purpose

    def _price(self, words: Sequence[str], at: int) -> int:
        for purpose, price in (("cheapest", "cheapest"), ("cheap", "cheaper"), ("dear", "dearest")):
            size = starts(self.lexicon, purpose, words, at)
            if size:
                tie = self._mode == "indifferent"
                self.wishes.price = "cheaper" if tie and price == "cheapest" else price
                return size
        return 0

    def _hit(self, run: Sequence[Token], at: int) -> _Hit | None:
        """Return the longest value that begins at a token, or the value that one word tells."""
        best = _Hit([], 0)
        for key, value, form in self._index.get(_first_key(run[at]), ()):
            size = self._length(run, at, form)
            if size > best.size:
                best = _Hit([(key, value)], size)
            elif size and size == best.size and (key, value) not in best.keys:
                best.keys.append((key, value))
        if best.size:
            return best
        token = run[at]
        if token.word not in self._partials:
            self._partials[token.word] = self._partial(token)
        return self._partials[token.word]

    def _length(self, run: Sequence[Token], at: int, form: Sequence[Token]) -> int:
        if at + len(form) > len(run):
            return 0
        same = all(
            similarity(token, other) >= 1.0 for token, other in zip(run[at:], form, strict=False)
        )
        if same and len(form) == 1 and len(form[0].word) == 1 and not self._letter(run, at):
            return 0
        return len(form) if same else 0

    def _letter(self, run: Sequence[Token], at: int) -> bool:
        token = run[at]
        around = {other.word for other in (*run[max(0, at - 2) : at], *run[at + 1 : at + 2])}
        return (
            self.text[token.start : token.end].isupper()
            or bool(around & {"size", "grosse"})
            or len(run) <= 2
        )

    def _partial(self, token: Token) -> _Hit | None:
        telling = token.kind == "measure" or (
            token.kind == "word" and len(token.word) >= _PARTIAL_CHARS
        )
        if not telling or token.word in self.lexicon.words["stop"]:
            return None
        keys: list[tuple[str, str]] = []
        for one in self.attributes:
            if any(similarity(token, part) >= _PARTIAL for part in one.name):
                continue
            scores = {
                value: max(
                    (similarity(token, part) for form in forms for part in form), default=0.0
                )
                for value, forms in one.forms.items()
            }
            top = max(scores.values(), default=0.0)
            fitting = [value for value, score in scores.items() if score == top]
            if top >= _PARTIAL and len(fitting) == 1:
                keys.append((one.key, fitting[0]))
        return _Hit(keys, 1) if keys else None

    def _value(
        self,
        run: Sequence[Token],
        words: Sequence[str],
        at: int,
        hit: _Hit,
        current: dict[str, str],
    ) -> None:
        key, value = min(hit.keys, key=lambda pair: self._distance(run, at, hit.size, pair[0]))
        wish, held = self.wishes.of(key), current.get(key)
        before, behind = max(0, at - 2), at + hit.size
        moved = self._delta(run, words, at, hit, wish)
        if moved:
            return
        if self._mode == "indifferent":
            wish.free = True
        elif (denied := self._denied(key, words, at)) is not None:
            wish.values += [denied] if denied and denied not in wish.values else []
            wish.refused += [value] if not denied and value not in wish.values else []
        elif self._mode == "unavailable":
            wish.fallback += (
                []
                if value in {*wish.values, *wish.fallback} or (value == held and not wish.values)
                else [value]
            )
        elif self._demoted:
            wish.fallback += [value] if value not in wish.values else []
            self._demoted = False
        elif value not in wish.values:
            wish.values.append(value)
            wish.ranked = wish.ranked or self._prefer
        if behind < len(words) and starts(self.lexicon, "at_least", words, behind):
            wish.at_least = True
        if any(starts(self.lexicon, "at_least", words, place) for place in range(before, at)):
            wish.at_least = True

    def _denied(self, key: str, words: Sequence[str], at: int) -> str | None:
        """Return what "no" or "not" before a value leaves: "no" for yes, else empty; None without.

        "No waterproof" says no where the option is yes or no; "not red" only rules red out.
        """
        before = words[at - 1] if at else ""
        if before not in self.lexicon.words["not"] | self.lexicon.words["lacking"]:
            return None
        one = next(one for one in self.attributes if one.key == key)
        polar = _polar_values(one)
        if _YES in polar and _NO in polar:
            return polar[_NO]
        return "" if before in self.lexicon.words["not"] else None

    def _delta(
        self, run: Sequence[Token], words: Sequence[str], at: int, hit: _Hit, wish: Wish
    ) -> bool:
        """Read "1000 more pieces" or "500 Teile weniger"."""
        if run[at].kind not in {"measure", "number"}:
            return False
        for word in words[at + hit.size : at + hit.size + 2]:
            if word in {"more", "mehr", "less", "fewer", "weniger"}:
                wish.delta = run[at].amount * (1 if word in {"more", "mehr"} else -1)
                return True
        return False

    def _distance(self, run: Sequence[Token], at: int, size: int, key: str) -> float:
        """Return how far from a value its attribute is named; the name mostly comes before."""
        name = next(one.name for one in self.attributes if one.key == key)
        best = float(_NEAR + 2)
        for place in range(max(0, at - _NEAR), min(len(run), at + size + 2)):
            if not name or similarity(run[place], name[-1]) < 1.0:
                continue
            whole = [t.stem for t in run[max(0, place - len(name) + 1) : place + 1]] == [
                t.stem for t in name
            ]
            gap = at - place if place < at else place - at - size + 1.4
            best = min(best, gap + (0.0 if whole else 0.5))
        return best - 0.01 * len(name)

    def _named(self, run: Sequence[Token], words: Sequence[str], at: int) -> None:
        """Read an attribute's name where it says yes or no: "waterproof", "no backlight"."""
        named = [
            one
            for one in self.attributes
            if any(similarity(run[at], part) >= 1.0 for part in one.name)
        ]
        whole = [one for one in named if self._ends(run, at, one)]
        for one in whole or named:
            if self._mode in {"indifferent", "names"}:
                self.wishes.of(one.key).free = True
                continue
            if at and words[at - 1] in self.lexicon.words["another"]:
                self.wishes.of(one.key).another = True
                continue
            polar = _polar_values(one)
            said = next((token.stem for token in run[at + 1 : at + 3] if token.kind == "word"), "")
            keyed = at + 1 < len(run) and run[at + 1].word == ":"
            denied = bool(set(words[max(0, at - 2) : at]) & self.lexicon.words["lacking"])
            if said in {_NO, _YES}:
                self._polar(one.key, polar.get(said))
            elif denied:
                self._polar(one.key, polar.get(_NO))
            elif not keyed and len(one.name) == 1:
                self._polar(one.key, polar.get(_YES))

    @staticmethod
    def _ends(run: Sequence[Token], at: int, one: Attribute) -> bool:
        size = len(one.name)
        return at + 1 >= size and [t.stem for t in run[at + 1 - size : at + 1]] == [
            t.stem for t in one.name
        ]

    def _polar(self, key: str, value: str | None) -> None:
        if value is None:
            return
        wish = self.wishes.of(key)
        known = wish.fallback if self._mode == "unavailable" else wish.values
        if value not in known:
            known.append(value)

    def _direction(self, run: Sequence[Token], words: Sequence[str], at: int) -> None:
        """Read "bigger", "less bright", "the longest" as a direction on an attribute."""
        turns = (("most", 1, True), ("least", -1, True), ("more", 1, False), ("less", -1, False))
        found = next((turn for turn in turns if words[at] in self.lexicon.words[turn[0]]), None)
        if found is None:
            return
        _, sign, extreme = found
        key = self._dimension(run, words, at)
        if key is None or self._mode == "indifferent":
            return
        wish = self.wishes.of(key)
        number = run[at - 1] if at and run[at - 1].kind in {"number", "measure"} else None
        if number is not None:
            wish.delta = number.amount * sign
            return
        wish.direction, wish.extreme = sign, extreme

    def _dimension(self, run: Sequence[Token], words: Sequence[str], at: int) -> str | None:
        rising = [one for one in self.attributes if len(one.order) > 1]
        near = [*run[at + 1 : at + 4], *reversed(run[max(0, at - 3) : at])]
        for token in near:
            for one in rising:
                if any(similarity(token, part) >= 1.0 for part in one.name):
                    return one.key
        for token in run[at : at + 2]:
            for stem, keys in self.lexicon.dimensions.items():
                if token.word.startswith(stem):
                    return self._first(rising, keys)
        general = words[at] in {
            "bigger",
            "larger",
            "smaller",
            "biggest",
            "largest",
            "smallest",
        } or words[at].startswith(("gross", "klein"))
        return self._first(rising, self.lexicon.dimensions["big"]) if general else None

    @staticmethod
    def _first(rising: Sequence[Attribute], keys: Sequence[str]) -> str | None:
        names = {" ".join(token.word for token in one.name): one.key for one in rising}
        return next((names[key] for key in keys if key in names), None)


def _polar_values(one: Attribute) -> dict[str, str]:
    """Return the values of an attribute by how their words begin, such as yes and no."""
    polar = {form[0].stem: value for value, forms in one.forms.items() for form in forms if form}
    if "not" in polar:
        polar.setdefault(_NO, polar["not"])
    return polar
