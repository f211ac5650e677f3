"""Orders that are named only to be left out: "cancel everything except TR-104711"."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from bot.understanding.result import Entity

EXCLUDED = "excluded_order"

_FLAGS = re.IGNORECASE
_LEAD_CHARS = 80
_CORRECTION_CHARS = 120
_SO_CALLED = (
    r"(?:[\s,:(„\"'-]*\b(?:for|the|my|this|that|those|order|orders|number|numbers|no|nr|nummer|nummern|"
    r"bestellung|bestellungen|bestellnummer|auftrag|aufträge|die|der|den|das|dem|diese[mnrs]?|"
    r"meine[mnrs]?|one|ones|with|mit|of|only|just|bitte|please)\b\.?){0,6}[\s,:#(„\"'-]*$"
)
_ALL = r"(?:all|everything|anything|every\s+(?:\w+\s+)?order|alles?|allen|sämtliche[ns]?|jede[ns]?)"
_EXCEPT = (
    r"(?:except(?:ing)?|excluding|exclude|excl\.?|exkl\.?|exklusive|apart\s+from|aside\s+from|other\s+than|"
    r"save\s+for|barring|not\s+including|with\s+the\s+exception\s+of|leave\s+out|leaving\s+out|minus|"
    r"(?:but|just|only|and|though)\s+not|"
    r"außer|ausser|ausgenommen|ausgeschlossen|abgesehen\s+von|mit\s+ausnahme\s+(?:von|der|des)|bis\s+auf|"
    r"(?:nur|aber|bloß|bloss|jedoch|allerdings|und|doch|lediglich)\s+(?:bitte\s+)?nicht|nicht\s+aber|ohne|"
    rf"{_ALL}(?:\s+(?:of\s+)?(?:my\s+|meine\s+)?(?:orders|bestellungen))?\s+but)"
)
_EXCLUDED = re.compile(rf"\b{_EXCEPT}(?!\w){_SO_CALLED}", _FLAGS)
_SPARED = re.compile(
    r"\b(?:not|nicht|don'?t|never|keep|keeping|spare|leave|behalte|behalten|lass|lasse|lassen)\b"
    rf"{_SO_CALLED}",
    _FLAGS,
)
_ALL_WORD = re.compile(rf"\b(?:{_ALL}|rest|others?|anderen?|übrigen?)\b", _FLAGS)
_NOTHING_BUT = re.compile(
    r"\b(?:nothing|none|no(?:\s+(?:orders?|other\s+orders?))|nichts|keine?n?|niemals|never)\b[^.!?;]{0,40}$",
    _FLAGS,
)
_LEFT_OUT = re.compile(
    r"\s*[,(]?\s*(?:is\s+|being\s+|ist\s+|davon\s+)?(?:excepted|excluded|ausgenommen|ausgeschlossen)\b"
    r"|\s*,?\s*(?:aber\s+|jedoch\s+|bitte\s+|allerdings\s+)*(?:nicht|not)\s*(?:$|[.!,;)])",
    _FLAGS,
)
_STAYS = re.compile(
    r"\s*,?\s*(?:aber\s+|jedoch\s+|bitte\s+|allerdings\s+)*(?:(?:soll|muss|darf|should|must|can|may)\s+)?"
    r"(?:bleib\w*|bestehen|stays?|remains?|behalte\w*)\b",
    _FLAGS,
)
_LISTED = re.compile(r"\s*(?:,|&|\b(?:und|and|or|oder|sowie|nor|noch|plus)\b|\s)*#?\s*", _FLAGS)
_NOT_MEANT = re.compile(
    r"(?:\b(?:not|nicht|keep|behalte|instead of|statt|anstatt)|,\s*nicht)"
    r"\s+(?:the |die |order |bestellung |auftrag )*#?$",
    _FLAGS,
)
_CORRECTED = re.compile(
    r"[\s,.;!–-]*(?:(?:no|nope|nein|nee|ach|oh|oops|sorry|wait|moment|quatsch|halt|stopp|falsch|wrong|"
    r"i mean|ich meine|ich meinte|vielmehr|or rather|actually|doch|äh|ähm|uh)\b[\s,.;!–-]*){1,4}"
    r"(?:(?:it's|its|es ist|the|die|order|bestellung|auftrag|nummer|number)\s+){0,3}#?",
    _FLAGS,
)


def excluded(orders: Iterable[Entity], text: str) -> list[Entity]:
    """Return the orders that a message takes out of what it asks for, and those listed with them.

    Args:
        orders: the order numbers found in the text; several readings of one place count.
        text: cleaned text.
    """
    found: list[Entity] = []
    for order in sorted(orders, key=lambda each: (each.start, -each.end)):
        before = found[-1] if found else None
        again = before is not None and order.start < before.end
        listed = before is not None and _LISTED.fullmatch(text, before.end, order.start)
        if again or listed or _is_left_out(text, order):
            found.append(order)
    return found


def marked(orders: Sequence[Entity]) -> list[Entity]:
    """Return orders that are left out as such, one for each place."""
    kept: list[Entity] = []
    for order in sorted(orders, key=lambda each: (each.start, -each.end)):
        if not kept or order.start >= kept[-1].end:
            kept.append(msgspec.structs.replace(order, type=EXCLUDED))
    return kept


def meant(orders: Iterable[Entity], text: str) -> list[Entity]:
    """Leave out the order in "not TR-1 but TR-2" and "TR-1, no wait, TR-2", but never all."""
    found = sorted(orders, key=lambda order: (order.start, -order.end))
    kept = [
        order
        for at, order in enumerate(found)
        if not _NOT_MEANT.search(_lead(text, order)) and not _is_corrected(text, found, at)
    ]
    return kept or found


class Span(Protocol):
    """A part of a text."""

    @property
    def start(self) -> int:
        """Return where it begins, in characters."""

    @property
    def end(self) -> int:
        """Return where it ends."""


def outside(taken: Sequence[Span]) -> Callable[[Entity], bool]:
    """Return what tells whether an entity lies beside some parts of its text."""
    return lambda entity: all(
        other.end <= entity.start or entity.end <= other.start for other in taken
    )


def _is_left_out(text: str, order: Entity) -> bool:
    lead = _lead(text, order)
    if said := _EXCLUDED.search(lead):
        return not _NOTHING_BUT.search(lead[: said.start()])
    if not _ALL_WORD.search(text):
        return False
    after = text[order.end : order.end + _LEAD_CHARS]
    return bool(_SPARED.search(lead) or _LEFT_OUT.match(after) or _STAYS.match(after))


def _is_corrected(text: str, found: Sequence[Entity], at: int) -> bool:
    """Return whether another order takes the place of one: "TR-1, no wait, TR-2"."""
    end = found[at].end
    for other in found[at + 1 :]:
        if other.start > end + _CORRECTION_CHARS:
            return False
        if other.start > end and _CORRECTED.fullmatch(text, end, other.start):
            return True
    return False


def _lead(text: str, order: Entity) -> str:
    return text[max(0, order.start - _LEAD_CHARS) : order.start]
