"""All entities of a text, without overlaps."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from bot.understanding.dates import find_dates
from bot.understanding.entities_ids import (
    OrderNumbers,
    find_bare_postcodes,
    find_emails,
    find_phones,
    find_postcodes,
    find_tracking_numbers,
)
from bot.understanding.entities_numbers import (
    find_ordinals,
    find_quantities,
    find_ratings,
    small_number,
    with_tens,
)
from bot.understanding.entities_people import find_names
from bot.understanding.entities_words import Gazetteer, WordFinder
from bot.understanding.exclusions import excluded, marked, meant, outside
from bot.understanding.normalise import fold, words
from bot.understanding.prices import find_prices
from bot.understanding.result import Entity

_RANK = {
    kind: rank
    for rank, kind in enumerate((
        "email",
        "price_min",
        "price_max",
        "rating",
        "date",
        "tracking_number",
        "phone",
        "order_number",
        "name",
        "postcode",
        "size",
        "quantity",
        "ordinal",
        "product",
        "color",
        "material",
    ))
}
_WEAK = 0.75
_DEFINITE = re.compile(r"\b(?:the|der|die|den|these|those|diese|beiden)\s+$", re.IGNORECASE)
_MEASURED = re.compile(
    r"\s*(?:mm?|cm|kg|g|gramm?|kilo|ml|l|liter|litres?|zoll|inch|%)(?!\w)"
    r"|[\s-]{0,3}(?:person(?:en|s)?|man|mann|people|season|jahreszeiten|teilig\w*|piece|er|fach)(?!\w)"
    r"|-[^\W\d_]",
    re.IGNORECASE,
)
"""What follows a number that tells how large a thing is, not how many: "2-Personen-Zelt"."""
_SOME_OF = re.compile(
    r"(?<![\w.,])(?P<count>[^\W_]{1,14})\s+(?:(?:out\s+)?of|von)\s+(?P<all>[^\W_]{1,14})\s+(?:[^\W\d_]+\s+){0,2}$",
    re.IGNORECASE,
)
_ALL = frozenset({
    "the", "these", "those", "your", "den", "diesen", "euren", "ihren",
})  # fmt: skip
_MAX_CHARS = 2_000
_MAX_ENTITIES = 60
_MAY_SHARE = frozenset({"product", "color", "material"})


class EntitySettings(msgspec.Struct, frozen=True):
    """What the entity extractors need to know about a shop.

    Args:
        order_number_pattern: regular expression, searched without regard to case.
        order_number_example: one order number; gives the form of values.
        region: ISO country code for phone numbers.
        time_zone: IANA name; dates are days there when the customer's own zone is not known.
        gazetteer: entity type → canonical value → language → words.
        known_words: everyday words never taken for a misspelt shop word.
    """

    order_number_pattern: str = r"[A-Z]{2}-?\d{6}"
    order_number_example: str = "TR-104711"
    region: str = "DE"
    time_zone: str = "Europe/Berlin"
    gazetteer: Gazetteer = msgspec.field(default_factory=dict)
    known_words: Sequence[str] = ()


class LiveWords:
    """Tells who reads the shop's words that its catalogue has changed."""

    def __init__(self) -> None:
        """Begin with nobody to tell."""
        self._followers: list[Callable[[Gazetteer], None]] = []

    def follow(self, learn: Callable[[Gazetteer], None]) -> None:
        """Have `learn` called with the words of the catalogue whenever they change."""
        self._followers.append(learn)

    def renew(self, gazetteer: Gazetteer) -> None:
        """Tell everybody the words that count from now on; takes a moment for a large shop."""
        for learn in self._followers:
            learn(gazetteer)


class EntityExtractor:
    """Finds everything in a text that has a value.

    Args:
        settings: of the shop.

    Raises:
        re.error: the order number pattern is not a regular expression.
        ZoneInfoNotFoundError: the time zone does not exist.
    """

    def __init__(self, settings: EntitySettings) -> None:
        self._region = settings.region
        self._zone = ZoneInfo(settings.time_zone)
        self._orders = OrderNumbers(settings.order_number_pattern, settings.order_number_example)
        self._known = frozenset(fold(word) for word in settings.known_words)
        self._words = WordFinder(settings.gazetteer, self._known)

    def learn(self, gazetteer: Gazetteer) -> None:
        """Read by other words of the shop from now on; texts being read keep the old ones."""
        self._words = WordFinder(gazetteer, self._known)

    def extract(
        self, text: str, language: str, now: datetime, expected: Collection[str] = ()
    ) -> tuple[Entity, ...]:
        """Return the entities in the order of the text; spans do not overlap.

        Only one word may carry two readings: a product that is also a colour or a material.

        Args:
            text: cleaned text; only the first 2,000 characters are read.
            language: language of the text.
            now: aware moment the text was written, on the customer's clock; in UTC when that is
                not known, and the shop's days count.
            expected: entity types that the bot has just asked for; they win and need less
                context.
        """
        text = text[:_MAX_CHARS]
        found = [*find_emails(text), *find_prices(text), *find_ratings(text)]
        own = now.tzinfo if now.tzinfo not in {None, UTC} else None
        found += find_dates(text, language, now, own or self._zone, self._known)
        found += find_tracking_numbers(text)
        found += find_phones(text, self._region)
        named = self._orders.find(text)
        left_out = excluded(named, text)
        beside = outside(left_out)
        orders = meant(filter(beside, named), text)
        found += orders
        found += find_names(text, expected="name" in expected)
        found += find_postcodes(text, expected="postcode" in expected)
        if orders and all(entity.type != "postcode" for entity in found):
            found += find_bare_postcodes(text)
        found += self._words.find(text, size_expected="size" in expected)
        found += find_quantities(text)
        found += find_ordinals(text)
        found += _expected_number(text, expected)
        kept = _without_overlaps(list(filter(beside, found)), expected)
        return tuple(
            sorted(
                (*kept, *_counted_products(text, kept), *marked(left_out)),
                key=lambda entity: entity.start,
            )
        )


def _without_overlaps(found: list[Entity], expected: Collection[str]) -> list[Entity]:
    def strength(entity: Entity) -> tuple[bool, bool, int, int, float]:
        weak = entity.score < _WEAK
        return (
            entity.type not in expected,
            weak,
            _RANK.get(entity.type, 99),
            entity.start - entity.end,
            -entity.score,
        )

    kept: list[Entity] = []
    for entity in sorted(found, key=strength):
        if entity.end <= entity.start or len(kept) >= _MAX_ENTITIES:
            continue
        if all(
            other.end <= entity.start or entity.end <= other.start or _share(entity, other)
            for other in kept
        ):
            kept.append(entity)
    return kept


def _share(entity: Entity, other: Entity) -> bool:
    same_span = (entity.start, entity.end) == (other.start, other.end)
    return same_span and entity.type != other.type and {entity.type, other.type} <= _MAY_SHARE


def _expected_number(text: str, expected: Collection[str]) -> list[Entity]:
    """Read a bare number as the quantity or rating that was asked for."""
    tokens = words(text)
    wanted = [kind for kind in ("quantity", "rating") if kind in expected]
    if not wanted or len(tokens) > 4:
        return []
    for token, start, end in sorted(tokens, key=lambda token: not token[0].isdigit()):  # "eine 4"
        value = small_number(token)
        if value and (wanted[0] == "quantity" or value <= 5):
            return [Entity(wanted[0], value, token, start, end, 0.9)]
    return []


def _counted_products(text: str, kept: list[Entity]) -> list[Entity]:
    """Find numbers that stand before a product: "zwei blaue Jacken", "3 red mugs"."""
    tokens = words(text)
    found: list[Entity] = []
    for product in kept:
        if product.type != "product":
            continue
        counts = [token for token in tokens if token[2] <= product.start][-3:][::-1]
        some = _SOME_OF.search(text[: product.start])
        if some and (fold(some.group("all")) in _ALL or small_number(some.group("all"))):
            counts = [(some.group("count"), *some.span("count"))]  # "three of the blue mugs"
        for token, start, end in counts:
            taken = any(e.start < end and start < e.end for e in (*kept, *found))
            value = 0 if taken else small_number(token)
            gap = text[end : product.start]
            if value and (1 < value < 100 or (value >= 100 and not gap.strip())):
                if not _is_other(text, start, gap):
                    first, whole = with_tens(text, start, value)
                    found.append(Entity("quantity", whole, text[first:end], first, end, 0.85))
                break
    return found


def _is_other(text: str, start: int, gap: str) -> bool:
    """Return whether a number before a product does not count it: a size, or "the two"."""
    if _MEASURED.match(gap) or set(gap) & set(".,;:!?€$"):
        return True
    return _DEFINITE.search(text[max(0, start - 12) : start]) is not None
