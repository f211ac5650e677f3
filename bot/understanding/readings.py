"""What is known of a text before its intent, and of the parts of it."""

import re
from collections.abc import Sequence

import msgspec

from bot.understanding.clauses import Clause
from bot.understanding.normalise import mask
from bot.understanding.rankings import Rankings
from bot.understanding.result import Entity, Intent, ParseResult

CONTACT = frozenset({"email", "phone", "name", "postcode"})
NAMES_GOODS = frozenset({
    "cart_add",
    "check_stock",
    "compare_products",
    "find_product",
    "product_question",
})
"""Wishes that read a product's name out of all their words."""
_PIECE = re.compile(r"(?:[^,;!?.\n]|\.(?=\S))+[!?]?")


class Reading(msgspec.Struct, frozen=True):
    """What is known of a text before its intent.

    `told` is the text without small talk and contact details, `cleaned` what wishes are looked
    for in; both are as long as `text`, which is the `source` without what nobody sees. `places`
    are those of its characters in the source, if they differ; `rankings` what its parts mean.
    """

    text: str
    told: str
    cleaned: str
    language: str
    language_score: float
    entities: tuple[Entity, ...]
    source: str
    rankings: Rankings
    places: Sequence[int] = ()


def placed(result: ParseResult, reading: Reading) -> ParseResult:
    """Return a result with its entities where they stand in the text as it was written."""
    places, source = reading.places, reading.source
    if not places:
        return result
    spans = ((places[entity.start], places[entity.end - 1] + 1) for entity in result.entities)
    entities = tuple(
        msgspec.structs.replace(entity, start=start, end=end, text=source[start:end])
        for entity, (start, end) in zip(result.entities, spans, strict=True)
    )
    text = source if result.text == reading.text else result.text
    return msgspec.structs.replace(result, text=text, entities=entities)


def within(entities: Sequence[Entity], part: Clause) -> tuple[Entity, ...]:
    """Return the entities inside a part of their text."""
    return tuple(
        entity for entity in entities if part.start <= entity.start and entity.end <= part.end
    )


def beside_contact(reading: Reading, part: Clause) -> str:
    """Return a clause without the pieces that hold contact details, masked; "" without any."""
    told = [e for e in within(reading.entities, part) if e.type in CONTACT]
    if not told:
        return ""
    pieces = []
    for match in _PIECE.finditer(reading.cleaned, part.start, part.end):
        piece = Clause(match.group(), match.start(), match.end())
        if any(e.start < piece.end and piece.start < e.end for e in told):
            continue
        pieces.append(mask(piece.text, within(reading.entities, piece), piece.start).strip())
    return ", ".join(piece for piece in pieces if piece)


def values(reading: Reading, part: Clause, kind: str) -> frozenset[str]:
    """Return the order numbers, or other values of a kind, in a part."""
    return frozenset(str(e.value) for e in within(reading.entities, part) if e.type == kind)


def result_of(reading: Reading, part: Clause, ranking: tuple[Intent, ...]) -> ParseResult:
    """Return what a part of a text says, with the intents of its words."""
    named = ranking[0].name in NAMES_GOODS
    return ParseResult(
        text=(reading.told if named else reading.text)[part.start : part.end],
        language=reading.language,
        intent=ranking[0],
        ranking=ranking,
        entities=within(reading.entities, part),
        language_score=reading.language_score,
    )
