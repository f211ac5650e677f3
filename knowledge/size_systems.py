"""Sizes of other countries, trousers in inches, and amounts, as the shop's own options say them."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec
import yaml

from knowledge.prices import alternation
from knowledge.query import Values

_NUMBER = r"\d{1,2}(?:[.,]5|\s?½|\s1/2)?"
_NO_PRICE = r"(?![\d.,]*\s*(?:€|\$|£|%|eur(?:o|os)?\b|dollar|pounds?))"
_AMOUNT = re.compile(r"(?<![\w.,])(\d+(?:[.,]\d+)?)\s?([a-z]+)(?!\w)", re.IGNORECASE)
_AREA = re.compile(
    r"(?<![\w.,])(\d{2,3})\s?(?:cm)?\s?[x×]\s?(\d{2,3})(?:\s?cm)?(?!\w)", re.IGNORECASE
)
_INCHES = re.compile(r"(?<!\w)W\s?(\d{2})(?:\s?[/x,-]?\s?L\s?(\d{2}))?(?!\w)", re.IGNORECASE)
_PAIR = re.compile(r"(?<![\w/.,])(\d{2})\s?/\s?(\d{2})(?![\w/])")
_SYSTEMS = ("eu", "uk", "us")
Row = tuple[float, float, float]
Span = tuple[int, int]


class Inches(msgspec.Struct, frozen=True):
    """How customers and the shop call one of the two measures of trousers."""

    words: Values
    options: Values


class SizeTables(msgspec.Struct, frozen=True):
    """The file sizes.yml."""

    marks: dict[str, Values]
    who: dict[str, Values]
    shoes: Values
    tables: dict[str, dict[str, tuple[Row, ...]]]
    waist: Inches
    length: Inches
    units: dict[str, dict[str, float]]
    bounds: Values


class Sized(msgspec.Struct, frozen=True):
    """What was said: sizes and options as the shop keys them, and where it stood."""

    sizes: Values = ()
    options: dict[str, Values] = {}
    spans: tuple[Span, ...] = ()


def read_size_tables(path: Path) -> SizeTables | None:
    """Return the tables of a file, or None when there is none.

    Raises:
        msgspec.ValidationError: When the file has the wrong shape.
    """
    if not path.is_file():
        return None
    raw = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    return msgspec.convert(raw, SizeTables)


class SystemReader:
    """Reads "UK 8", "US women's 9", "size 42 EU", "W32 L34" and "0.5 l" by the shop's options."""

    def __init__(
        self,
        tables: SizeTables,
        size_words: Iterable[str],
        known: AbstractSet[str],
        stated: Mapping[str, AbstractSet[str]],
    ) -> None:
        """Prepare the patterns.

        Args:
            tables: of sizes.yml.
            size_words: "size", "Größe".
            known: the sizes that occur in the shop, as its keys.
            stated: the values of each option and attribute, as keys.
        """  # fmt: skip
        self._tables, self._known, self._stated = tables, known, stated
        self._systems = {w.casefold(): s for s, words in tables.marks.items() for w in words}
        self._who = {w.casefold(): who for who, words in tables.who.items() for w in words}
        size = rf"(?P<word>{alternation(list(size_words))}\.?\s*:?\s*)"
        mark = rf"(?P<mark>{alternation(list(self._systems))})"
        who = rf"(?:(?P<who>{alternation(list(self._who))})(?!\w)\s*)"
        again = rf"(?P<again>{alternation(list(size_words))}\.?\s*:?\s*)"
        self._before = re.compile(
            rf"(?<!\w){size}?{mark}(?!\w)[\s.:-]*{who}?{again}?(?P<value>{_NUMBER})(?!\w){_NO_PRICE}",
            re.IGNORECASE,
        )
        self._after = re.compile(
            rf"(?<![\w.,]){size}?(?P<value>{_NUMBER})\s*{mark}(?!\w)(?!\s*(?:\$|dollar))(?P<who>)(?P<again>)",
            re.IGNORECASE,
        )
        self._shoes = re.compile("|".join(map(re.escape, tables.shoes)), re.IGNORECASE)
        self._people = re.compile(rf"(?<!\w){alternation(list(self._who))}", re.IGNORECASE)
        self._worded = {
            name: re.compile(
                rf"(?<!\w){alternation(list(inches.words))}\s*:?\s*(\d{{2}})(?!\w)", re.IGNORECASE
            )
            for name, inches in (("waist", tables.waist), ("length", tables.length))
        }
        self._bound = re.compile(rf"(?<!\w){alternation(list(tables.bounds))}\s*$", re.IGNORECASE)
        self._amounts = self._collect()

    def read(self, text: str) -> Sized:
        """Return what a sentence says."""
        sizes: list[str] = []
        options: dict[str, Values] = {}
        spans: list[Span] = []
        for found, where in self._foreign(text):
            sizes += found
            spans += where
        for name, value, place in (*self._inches(text), *self._measured(text)):
            options[name] = tuple(dict.fromkeys((*options.get(name, ()), value)))
            spans.append(place)
        return Sized(tuple(dict.fromkeys(sizes)), options, tuple(dict.fromkeys(spans)))

    def _foreign(self, text: str) -> Iterator[tuple[list[str], list[Span]]]:
        taken: set[int] = set()
        for match in (*self._before.finditer(text), *self._after.finditer(text)):
            mark, is_sized = match["mark"], match["word"] or match["who"]
            if match.start("value") in taken or (mark == "us" and not is_sized):
                continue  # "show us 9"
            system = self._systems[mark.casefold()]
            sizes = self._converted(text, match["who"] or "", system, _number(match["value"]))
            if sizes:
                taken.add(match.start("value"))
                groups = ("word", "mark", "again", "value")
                yield sizes, [match.span(name) for name in groups if match[name]]

    def _converted(self, text: str, who: str, system: str, value: float) -> list[str]:
        """Return the shop's sizes for one of another system; its own where it carries them."""
        if system == "eu":
            return self._carried([value])
        kinds = ["shoes"] if self._shoes.search(text) else ["clothes"]
        if kinds == ["clothes"] and value != int(value):
            kinds = ["shoes"]
        said = {self._who[w.casefold()] for w in self._people.findall(f"{who} {text}")}
        column = _SYSTEMS.index(system)
        found = [
            row[0]
            for kind in kinds
            for person, rows in self._tables.tables[kind].items()
            if (person in said if said else person != "kids")
            for row in rows
            if row[column] == value
        ]
        return self._carried(found)

    def _carried(self, sizes: Iterable[float]) -> list[str]:
        """Return sizes as keys; for a half one that the shop has not, its neighbours."""
        found: list[str] = []
        for size in sizes:
            near = {_key(math.floor(size)), _key(math.ceil(size))} & self._known
            exact = _key(size)
            found += [exact] if exact in self._known or not near else sorted(near)
        return found

    def _inches(self, text: str) -> Iterator[tuple[str, str, Span]]:
        for match in _INCHES.finditer(text):
            for name, group in (("waist", 1), ("length", 2)):
                if match[group] and (option := self._option(name)):
                    yield option, match[group], match.span()
        for name, pattern in self._worded.items():
            for match in pattern.finditer(text):
                option = self._option(name)
                if option and match[1] in self._stated[option]:
                    yield option, match[1], match.span()
        for match in _PAIR.finditer(text):
            waist, length = self._option("waist"), self._option("length")
            both = waist and match[1] in self._stated[waist] and match[0] not in self._known
            if both and length and match[2] in self._stated[length]:
                yield waist, match[1], match.span()
                yield length, match[2], match.span()

    def _option(self, name: str) -> str:
        """Return what the shop calls the waist or length of trousers, "" without such an option."""
        inches = self._tables.waist if name == "waist" else self._tables.length
        return next((option for option in inches.options if option in self._stated), "")

    def _measured(self, text: str) -> Iterator[tuple[str, str, Span]]:
        for match in (*_AMOUNT.finditer(text), *_AREA.finditer(text)):
            if self._bound.search(text[: match.start()]):
                continue
            for option, value in self._amounts.get(self._amount(match[0]), ()):
                yield option, value, match.span()

    def _collect(self) -> dict[object, list[tuple[str, str]]]:
        found: dict[object, list[tuple[str, str]]] = {}
        for option, values in self._stated.items():
            for value in values:
                amount = self._amount(value)
                if amount is not None:
                    found.setdefault(amount, []).append((option, value))
        return {a: places for a, places in found.items() if len({o for o, _ in places}) == 1}

    def _amount(self, text: str) -> object:
        """Return what tells an amount from others: its kind and how much; None for other text."""
        if match := _AREA.fullmatch(text.strip()):
            return ("area", int(match[1]), int(match[2]))
        match = _AMOUNT.fullmatch(text.strip())
        if match is None:
            return None
        for kind, units in self._tables.units.items():
            if factor := units.get(match[2].casefold()):
                return (kind, round(_number(match[1]) * factor, 3))
        return None


def _number(text: str) -> float:
    whole = re.sub(r"\s?½|\s1/2", ".5", text)
    return float(whole.replace(",", "."))


def _key(size: float) -> str:
    return f"{size:g}"
