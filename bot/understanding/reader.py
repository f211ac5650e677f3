"""Reads the value of one slot out of the customer's words; pure, any language with data."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from rapidfuzz.distance import OSA

from bot.commands import Mention
from bot.engine import Expectation, Reading
from bot.messages import Json
from bot.understanding.address import read_address
from bot.understanding.choices import Choice, Option, resolve_many, resolve_one
from bot.understanding.paraphrases import said_otherwise
from bot.understanding.variant_choice import resolve_variant

_NOTHING = Reading()
_CODE = re.compile(r"(?<!\d)(\d{3})[ -]?(\d{3})(?!\d)")
_ORDER = re.compile(r"\b(?:order|bestell\w*|auftrag\w*)\b", re.IGNORECASE)
_SAYS_CODE = re.compile(r"\b\w*code\b", re.IGNORECASE)
_LETTERED = re.compile(r"(?:#|\b[A-Za-z]{1,3}-|[A-Za-z])$")
_PLACE = re.compile(
    r"\W*(?:(\d{1,2})\.?|(?:(?:the|die|der|das|den)\s+)?(?:first|second|third|fourth|fifth|last|"
    r"erste[nrs]?|zweite[nrs]?|dritte[nrs]?|vierte[nrs]?|fünfte[nrs]?|letzte[nrs]?)"
    r"(?:\s+(?:one|version|option|variante|bitte|please))*)\W*",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"(?<![\w.,-])\d{1,6}(?![\w.,]*\d)")
_POSTCODE = re.compile(r"(?<![\w-])(\d{4,5})(?:-\d{4})?(?![\w-])")
_ASKS = re.compile(
    r"(?:^|[:;,.!?]\s*)(?:how|what|when|where|why|who|wie|was|wann|wo|warum|wer)\b[^?]*\?\W*(?:\w+\W*){0,6}$",
    re.IGNORECASE,
)
_KEEPS = re.compile(r"\b(?:keep|behalte\w*)\b", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:not|no|don'?t|without|nicht|kein\w*|ohne)\b", re.IGNORECASE)
_NO_IN_FRONT = re.compile(r"^\W*(?:(?:no|nope|nein|nee)\b(?! (?:longer|more))\W*)+", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_][\w'’.-]*", re.UNICODE)
_MAX_NAME_WORDS = 4
_SHORT_CHARS = 60
_MIN_NAME_WORDS = 1
_MIN_SLIP_WORDS = 2
_MAX_SLIP_WORDS = 6
_ENTITY_TYPES = {
    "order_number": ("order_number",),
    "email": ("email",),
    "phone": ("phone",),
    "postcode": ("postcode",),
    "name": ("name",),
    "date": ("date",),
    "quantity": ("quantity",),
    "number": ("quantity",),
    "rating": ("rating",),
}


class SlotValueReader:
    """Reads slot values: entities by type, options by the words that name them."""

    def read(self, expected: Expectation, mention: Mention, *, asked: bool) -> Reading:
        """Return what the words say about the slot; `asked` if they answer its question."""
        kind = expected.slot.type
        if not asked and kind in _PICKED:
            if _ASKS.search(mention.text):
                return _NOTHING  # "how long does a refund take?" picks nothing that is shown later
            mention = mention_without_no(mention)
        if kind in _CHOICES:
            return self._choice(expected, mention, asked=asked)
        if kind == "category":
            return self._category(expected, mention, asked=asked)
        if kind == "yes_no":
            return Reading(True) if asked and _takes(mention.text, expected) else _NOTHING
        if kind == "address":
            address = read_address(mention.text, asked=asked)
            return Reading(address) if address else _NOTHING
        if kind in {"text", "product", "any"}:
            text = mention.text.strip()
            return Reading(text) if asked and text else _NOTHING
        if kind == "order_number" and expected.options:
            return self._order_number(expected, mention, asked=asked)
        found = self._entity(kind, mention)
        if found is None and asked:
            found = _when_asked(kind, mention.text)
        return Reading(found)

    def about(self, expected: Expectation, mention: Mention) -> Mention:
        """Return an answer with the name of what it is about, to be read again later."""
        name = expected.item_name.partition(" / ")[0]
        if expected.slot.type != "variant" or not name:
            return mention
        return Mention(f"{name}: {mention.text}", mention.language, mention.entities)

    def code(self, text: str) -> str:
        """Return a one-time code if it is the only number said, else an empty text."""
        match = _CODE.search(text)
        if not match or any(map(str.isdigit, text[: match.start()] + text[match.end() :])):
            return ""
        other = _ORDER.search(text) and not _SAYS_CODE.search(text)
        written = _LETTERED.search(text[: match.start()])  # "TR-104711" is an order number
        return "" if other or written else match.group(1) + match.group(2)

    def is_title(self, expected: Expectation, text: str) -> bool:
        """Return whether a text is no more than the title of an option shown."""
        said = text.casefold().strip(" .!")
        options = map(as_option, expected.options)
        return any(said in {o.title.casefold(), *map(str.casefold, o.words)} for o in options)

    def names(self, expected: Expectation, mention: Mention) -> bool:
        """Return whether a text holds one of the question's options word for word."""
        if expected.slot.type == "category":
            named = [
                {"value": o.value, "title": o.title, "words": sum(o.words.values(), ())}
                for o in expected.slot.options
            ]
        else:
            named = list(expected.options)
        return any(_says_word(mention.text, as_option(option)) for option in named)

    def _entity(self, kind: str, mention: Mention) -> Json:
        wanted = _ENTITY_TYPES.get(kind, ())
        for entity in mention.entities:
            if entity["type"] in wanted:
                return entity["value"]
        return None

    def _order_number(self, expected: Expectation, mention: Mention, *, asked: bool) -> Reading:
        """Read a number, else the words that tell one of the shown orders from the others."""
        named = self._entity("order_number", mention)
        if named is not None:
            same = [o for o in expected.options if _plain(o["value"]) == _plain(named)]
            return Reading(str(same[0]["value"]) if same else named)
        return self._choice(expected, mention, asked=asked)

    def _choice(self, expected: Expectation, mention: Mention, *, asked: bool) -> Reading:
        options = tuple(as_option(option) for option in expected.options)
        if not options or not mention.text.strip():
            return _NOTHING
        language = mention.language or "en"
        kind = expected.slot.type
        if kind == "variant":
            return self._variant(expected, mention, options, asked=asked)
        if kind == "choice" and asked and (kept := _kept(mention.text, options)):
            return Reading(kept)
        if kind == "choices":
            choice = resolve_many(mention.text, options, language, shown=asked)
        else:
            choice = resolve_one(mention.text, options, language, shown=asked)
        if asked and not (choice.values or choice.ambiguous):
            choice = _otherwise(mention.text, options, language) or choice
            said = [option for option in options if _says_word(mention.text, option)]
            if not choice.values and len(said) == 1 and not _DENIES.search(mention.text):
                return _as_reading(Choice((said[0].value,)), many=kind == "choices", asked=True)
        return _as_reading(choice, many=kind == "choices", asked=asked)

    def _variant(
        self, expected: Expectation, mention: Mention, options: tuple[Option, ...], *, asked: bool
    ) -> Reading:
        """Read a version: what was said of the item before counts, the newest words most."""
        language = mention.language or "en"
        if asked and _picks_by_place(mention.text, options):
            return _as_reading(resolve_one(mention.text, options, language), many=False, asked=True)
        current = as_option(expected.current) if expected.current else None
        if len(expected.all_options) > len(options):  # those offered are not all there are
            options = tuple(as_option(option) for option in expected.all_options)

        def resolved(text: str) -> Choice:
            name, others = expected.item_name, expected.other_names
            return resolve_variant(text, current, options, name, language, others)

        choice = resolved(mention.text)
        if asked and expected.said:
            name = expected.item_name.partition(" / ")[0]
            all_said = resolved(f"{'. '.join(expected.said)}. {name}: {mention.text}")
            choice = all_said if _keeps(all_said, choice, current, options) else choice
        says_nothing = len(choice.ambiguous) == sum(option.available for option in options)
        if not choice.certain and (says_nothing or not choice.ambiguous):
            return _NOTHING
        return _as_reading(choice, many=False, asked=asked)

    def _category(self, expected: Expectation, mention: Mention, *, asked: bool) -> Reading:
        options = tuple(
            Option(
                value=option.value,
                title=option.title.get(mention.language) or next(iter(option.title.values())),
                words=tuple(
                    dict.fromkeys([
                        *option.title.values(),
                        *(w for ws in option.words.values() for w in ws),
                    ])
                ),
            )
            for option in expected.slot.options
        )
        mention = _without_denied(mention, options)
        choice = resolve_one(mention.text, options, mention.language or "en", shown=asked)
        brief = not asked or len(mention.text) <= _SHORT_CHARS
        said = [option for option in options if brief and _says_word(mention.text, option)]
        if brief and not said:
            slips = [option for option in options if _slips_into(mention.text, option)]
            if len(slips) == 1:
                return Reading(slips[0].value)
        if asked and not said and not (choice.values or choice.ambiguous):
            choice = _otherwise(mention.text, options, mention.language or "en") or choice
        if not asked or not (choice.values or choice.ambiguous):
            return Reading(said[0].value) if len(said) == 1 else _NOTHING
        return _as_reading(choice, many=False, asked=True)


def mention_without_no(mention: Mention) -> Mention:
    """Return words without a "no" in front, which is no "no longer needed"."""
    return Mention(_NO_IN_FRONT.sub("", mention.text), mention.language, mention.entities)


def _without_denied(mention: Mention, options: tuple[Option, ...]) -> Mention:
    """Leave out the option in "too big, not too small", where another one is named."""
    text = mention.text
    for name in sorted((n for o in options for n in (o.title, *o.words)), key=len, reverse=True):
        text = re.sub(rf"\b(?:not|nicht)\s+{re.escape(name)}(?!\w)", " ", text, flags=re.IGNORECASE)
    if text == mention.text or not any(_says_word(text, option) for option in options):
        return mention
    return Mention(text, mention.language, mention.entities)


def _takes(text: str, expected: Expectation) -> bool:
    """Return whether a text names what a yes would be to: "store credit then, please"."""
    if text.rstrip().endswith("?") or _DENIES.search(text):
        return False
    plain = f" {' '.join(_LETTERS.findall(text.casefold()))} "
    return any(f" {name} " in plain for names in expected.slot.words.values() for name in names)


def _kept(text: str, options: tuple[Option, ...]) -> str:
    """Return the one option that means keeping a thing, where a text says "I'll keep it"."""
    if not _KEEPS.search(text) or _DENIES.search(text):
        return ""
    found = [o for o in options if any(_KEEPS.search(name) for name in (o.title, *o.words))]
    return found[0].value if len(found) == 1 else ""


def _otherwise(text: str, options: tuple[Option, ...], language: str) -> Choice | None:
    """Return the choice of an option that a text names in other words than the shop's."""
    found = (resolve_one(usual, options, language) for usual in said_otherwise(text))
    return next((choice for choice in found if choice.values), None)


def as_option(data: Mapping[str, Any]) -> Option:
    """Return an option dict (`value`, `title`, `words`, `attributes`, `price` …) as an Option."""
    title = data.get("title") or ""
    titles = [str(t) for t in title.values() if t] if isinstance(title, Mapping) else [str(title)]
    price = data.get("price")
    return Option(
        value=str(data["value"]),
        title=titles[0] if titles else "",
        words=tuple(dict.fromkeys([*titles[1:], *map(str, data.get("words") or ())])),
        attributes={str(k): str(v) for k, v in (data.get("attributes") or {}).items()},
        attribute_words={
            str(k): tuple(map(str, v)) for k, v in (data.get("attribute_words") or {}).items()
        },
        price_minor=price["amount_minor"] if isinstance(price, Mapping) else None,
        available=bool(data.get("available", True)),
    )


def _says_word(text: str, option: Option) -> bool:
    """Return whether one of an option's names stands in a text word for word."""
    names = map(_spaced, (option.title, *option.words))
    return any(name in _spaced(text) for name in names if name.strip())


def _slips_into(text: str, option: Option) -> bool:
    """Return whether a short text names an option with a slip of the fingers: "es ist zu kein"."""
    said = _spaced(text).split()
    for name in (option.title, *option.words):
        wanted = _spaced(name).split()
        size = len(wanted)
        if size < _MIN_SLIP_WORDS or len(said) > _MAX_SLIP_WORDS:
            continue
        runs = (" ".join(said[at : at + size]) for at in range(len(said) - size + 1))
        if any(OSA.distance(run, " ".join(wanted)) == 1 for run in runs):
            return True
    return False


def _spaced(text: str) -> str:
    """Return a text's words with a space around each, without the signs between them."""
    return f" {' '.join(word.rstrip('.-’') for word in _LETTERS.findall(text.casefold()))} "


def _keeps(
    later: Choice, newest: Choice, current: Option | None, options: tuple[Option, ...]
) -> bool:
    """Return whether a choice from all words keeps what the newest words alone change."""
    if not newest.certain or not newest.values:
        return True
    known = {option.value: option.attributes for option in options}
    wanted, held = known[newest.values[0]], current.attributes if current else {}
    changed = {name: value for name, value in wanted.items() if held.get(name) != value}
    meant = later.values or later.ambiguous
    return bool(meant) and all(changed.items() <= known[value].items() for value in meant)


def _picks_by_place(text: str, options: tuple[Option, ...]) -> bool:
    """Return whether the answer points into the shown list: a bare number, "the second one"."""
    bare = _PLACE.fullmatch(text.strip())
    if not bare:
        return False
    values = {value.casefold() for option in options for value in option.attributes.values()}
    return bare.group(1) is None or bare.group(1) not in values


def _plain(number: Json) -> str:
    """Return an order number without its punctuation, for comparing."""
    return re.sub(r"[^0-9a-z]", "", str(number).casefold())


def _as_reading(choice: Choice, *, many: bool, asked: bool) -> Reading:
    if choice.ambiguous:
        return Reading(None, tuple(choice.ambiguous))
    if not choice.values or not (choice.certain or asked):
        return _NOTHING
    return Reading(list(choice.values) if many else choice.values[0])


def _code(text: str) -> Json:
    match = _CODE.search(text)
    return match.group(1) + match.group(2) if match else None


def _number(text: str) -> Json:
    match = _DIGITS.search(text)
    return int(match.group()) if match else None


def _rating(text: str) -> Json:
    value = _number(text)
    stars = text.count("⭐") or text.count("★")
    return value if value is not None and 1 <= value <= 5 else stars or None


def _name(text: str) -> Json:
    words = _LETTERS.findall(text)
    bare = re.sub(r"[^\w\s'’.,-]", "", text).strip()
    if _MIN_NAME_WORDS <= len(words) <= _MAX_NAME_WORDS and len(" ".join(words)) >= len(bare) - 4:
        return " ".join(words)
    return None


def _postcode(text: str) -> Json:
    match = _POSTCODE.search(text)
    return match.group(1) if match else None


_WHEN_ASKED: dict[str, Callable[[str], Any]] = {
    "code": _code,
    "number": _number,
    "quantity": _number,
    "rating": _rating,
    "name": _name,
    "postcode": _postcode,
}
_CHOICES = frozenset({"choice", "choices", "variant"})
_PICKED = frozenset({"choice", "category"})


def _when_asked(kind: str, text: str) -> Json:
    read = _WHEN_ASKED.get(kind)
    return read(text) if read else None
