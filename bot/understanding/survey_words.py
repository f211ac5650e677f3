"""Reads how satisfied, or how likely, somebody says that they are after a case: pure.

A number counts only where it is the answer, not where it counts something ("2 more shirts please").
Words count by themselves: "sehr zufrieden", "could be better".
"""

import re
from collections.abc import Sequence

from bot.engine import Expectation
from bot.understanding.entities_numbers import small_number
from bot.understanding.normalise import words

SURVEY = "pattern_case_closed"
"""The flow that asks."""
LIKELY = "likelihood"
"""Its slot from 0 to 10; the other one is from 1 to 5."""
_MOST_WORDS = 14
_NUMBER = r"(?P<mark>\d{1,2}|[^\W\d_]{3,7})"
_ALONE = re.compile(
    r"\W*(?:(?:i(?:'d|’d| would)? (?:give|say|rate)|ich (?:gebe|sage|würde sagen|vergebe)|"
    r"(?:it'?s|das ist|ist|klar\w*|glatt\w*|solide\w*|volle?|rating|bewertung|note|euch|ihnen|you|"
    r"that|it|an?|eine?n?|ne|the|die|so|well|na|hm+|oh|also|nur|just|only|maybe|vielleicht|ca|etwa|"
    r"about)\b)\W+)*"
    + _NUMBER
    + r"(?:\W*$|\W*[,;.!–—:(-]|\s+(?:(?:von|out of|of|aus|auf)\s+(?:5|10|fünf|five|zehn|ten)\b|"
    r"sterne?n?|stars?|points?|punkte?n?|bitte|please|danke|thanks?|"
    r"thank you|because|weil|war|was|denn|da|since|for|für|and|und|but|aber)\b)",
    re.IGNORECASE,
)
_STARS = re.compile(r"(?:[★⭐]\ufe0f?\s*){1,5}[.!]*")
_GOOD = (
    r"zufrieden|gut|easy|einfach|leicht|unkompliziert|simple|good|satisfied|happy|pleased|helpful|"
    r"hilfreich|freundlich|friendly"
)
_TOP = (
    r"super|perfekt|perfect|toll|klasse|prima|spitze|top|hervorragend|ausgezeichnet|wunderbar|"
    r"excellent|great|awesome|amazing|fantastic|fantastisch|brilliant|wonderful|bestens|optimal"
)
_BAD = (
    r"unzufrieden|schlecht|mühsam|schwer|schwierig|kompliziert|umständlich|enttäuscht\w*|"
    r"dissatisfied|unsatisfied|unhappy|bad|poor|hard|difficult|complicated|tedious|disappoint\w*|"
    r"mies"
)
_WORST = (
    r"katastroph\w*|furchtbar|schrecklich|grauenhaft|unterirdisch|terrible|awful|horrible|"
    r"catastroph\w*|worst|mangelhaft|ungenügend"
)
_MIDDLING = (
    r"geht so|so lala|mittelmäßig|mittel|teils[ /,-]*teils|es ging|na ja|naja|in ordnung|neutral|"
    r"so so|so-so|average|mediocre|halbwegs|weder noch|could be better|könnte besser sein|"
    r"ging besser|passabel|befriedigend|ausreichend"
)
_VERY = (
    r"(?:sehr|äußerst|extrem|total|völlig|absolut|voll(?: und ganz)?|super|mega|really|very|so|"
    r"extremely|completely|totally|absolutely|rundum|überaus|echt|wirklich)"
)
_NOT = r"(?:nicht|not|n['’]t|kein\w*|wasn['’]?t|isn['’]?t|never|hardly|kaum)"
_AT_ALL = (
    r"(?:gar nicht|überhaupt nicht|kein bisschen|garnicht|not at all|absolut nicht|"
    r"not .{0,20}\bat all)"
)
_SATISFIED: tuple[tuple[str, int], ...] = (
    (rf"\b{_AT_ALL}\b(?:.{{0,20}}\b(?:{_GOOD}|{_TOP})\b)?", 1),
    (rf"\b(?:{_WORST})\b", 1),
    (rf"\b{_NOT}\s+(?:so\s+|ganz\s+|{_VERY}\s+)?(?:{_GOOD}|{_TOP})\b", 2),
    (rf"\b{_NOT}\s+(?:so\s+|{_VERY}\s+|too\s+|zu\s+)?(?:{_BAD})\b", 4),
    (rf"\b{_VERY}\s+(?:{_BAD})\b", 1),
    (rf"\b(?:{_BAD})\b", 2),
    (rf"\b(?:{_MIDDLING})\b|\b(?:war|was|ist|is)\s+(?:\w+\s+)?ok(?:ay)?\b", 3),
    (rf"\b(?:{_VERY}\s+)(?:{_GOOD})\b", 5),
    (rf"\b(?:{_TOP})\b", 5),
    (rf"\b(?:{_GOOD})\b", 4),
)
_SURE = (
    r"auf jeden fall|definitiv|sicher|bestimmt|definitely|certainly|absolutely|for sure|unbedingt"
)
_NEVER = (
    rf"{_AT_ALL}|niemals|nie|never|auf keinen fall|keinesfalls|no way|(?:{_SURE}) (?:not|nicht)"
)
_LIKELY: tuple[tuple[str, int], ...] = (
    (rf"\b(?:{_NEVER})\b", 0),
    (r"\b(?:sehr unwahrscheinlich|very unlikely)\b", 1),
    (r"\b(?:eher nicht|unwahrscheinlich|unlikely|probably not|wahrscheinlich nicht)\b", 3),
    (r"\b(?:vielleicht|maybe|perhaps|kommt drauf an|it depends|mal sehen)\b", 5),
    (r"\b(?:sehr wahrscheinlich|very likely|höchstwahrscheinlich|most likely)\b", 9),
    (r"\b(?:wahrscheinlich|likely|probably|eher ja|vermutlich)\b", 8),
    (rf"\b(?:{_SURE}|of course|natürlich|jederzeit|any time)\b", 10),
)
_PATTERNS = {
    name: tuple((re.compile(pattern, re.IGNORECASE), mark) for pattern, mark in told)
    for name, told in (("rating", _SATISFIED), (LIKELY, _LIKELY))
}
_BESIDE = frozenset({
    "bot_identity", "chitchat", "give_feedback", "goodbye", "greet", "handle_complaint",
    "store_faq", "thanks",
})  # fmt: skip
"""Skills that a word of praise or blame seems to name as well."""


def asks_mark(expected: Expectation) -> bool:
    """Return whether a question is one of the survey's that a mark answers."""
    return expected.flow_id == SURVEY and expected.slot.name in _PATTERNS


def read_mark(text: str, slot: str, skills: Sequence[str] = ()) -> int | None:
    """Return the mark that an answer gives; None if it gives none.

    Args:
        text: the answer.
        slot: `rating` or `likelihood`.
        skills: what else the text may ask for; words do not count beside another wish.
    """
    most = 10 if slot == LIKELY else 5
    if _STARS.fullmatch(text.strip()):
        return text.count("★") + text.count("⭐")
    if number := _ALONE.match(text):
        said = number["mark"]
        value = int(said) if said.isdecimal() else _as_word(said)
        if value is not None:
            return value if value <= most else None
    if "?" in text or len(words(text)) > _MOST_WORDS or not _BESIDE.issuperset(skills):
        return None
    return next((mark for found, mark in _PATTERNS[slot] if found.search(text)), None)


def _as_word(said: str) -> int | None:
    return 0 if said.casefold() in {"null", "zero"} else small_number(said)
