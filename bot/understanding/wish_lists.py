"""Wishes listed under one verb: "I'd like to cancel, exchange and get an invoice".

Only words for what a shop does make an item a wish: "return the shirt and the mug" is one.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from bot.understanding.clauses import Clause
from bot.understanding.normalise import fold, words

_MOST_CHARS = 400
_MOST_ITEMS = 6
_FLAGS = re.IGNORECASE
_CALL = (
    r"(?:(?:hi|hello|hey|hallo|moin|servus|guten\s+(?:tag|morgen|abend)|good\s+(?:morning|evening|day)|also|so|ok|"
    r"okay|und|and|please|bitte)\b[\s,!.:-]*)*"
)
_ALSO = (
    r"(?:\s+(?:please|bitte|gerne?|mal|noch|auch|also|jetzt|heute|erst|first|now|just|zuerst|"
    r"einmal))*"
)
_HEAD = re.compile(
    rf"\s*{_CALL}(?P<head>"
    r"ich\s+(?:möchte|moechte|will|wollte|würde|muss|müsste|brauche|bräuchte|hätte)|"
    r"wir\s+(?:möchten|wollen|wollten|würden|müssen|brauchen)|"
    r"(?:kann|könnte|darf)\s+ich|(?:können|könnten|würden)\s+(?:sie|wir)|(?:könnt|könntet)\s+ihr|"
    r"(?:kannst|könntest|würdest)\s+du|"
    r"i(?:'d|’d|\s+would)\s+(?:like|love)(?:\s+to)?|(?:i|we)\s+(?:want|need|wish|wanna|have|wanted)(?:\s+to)?|"
    r"(?:can|could|may)\s+(?:i|we|you)|(?:would|will)\s+you|help\s+me(?:\s+to)?|let\s+me"
    rf"){_ALSO}\s+",
    _FLAGS,
)
_JOINT = re.compile(
    r"\s*(?:[,;&+]\s*)?\b(?:und|and|sowie|plus|as\s+well\s+as|then|dann|danach|anschließend|afterwards|finally)\b"
    r"(?:\s*,?\s*(?:then|dann|also|auch|noch|danach|anschließend|zum\s+schluss|schließlich|finally|after\s+that|"
    r"afterwards|außerdem|zusätzlich|to|lastly|zuletzt|am\s+ende)\b)*\s*,?\s*|\s*[,;]\s*|\s+[&+]\s+",
    _FLAGS,
)
_SHARES_VERB = re.compile(r"kann|könn|könnt|darf|würd", _FLAGS)
_VERB = re.compile(
    r"\b(?!(?:[mdsk]?einen|diesen|jeden|allen|ihren|unseren|euren)\b)[a-zäöüß]{3,}(?:en|ern|eln)\b"
)
_GERMAN = re.compile(
    r"\s*(?P<head>(?:ich|wir)\s+(?:möchte|möchten|will|wollen|würde|würden)|(?:kann|könnte|darf)\s+ich|"
    r"(?:können|könnten)\s+(?:sie|wir)|(?:könnt|könntet)\s+ihr|(?:kannst|könntest)\s+du)\b",
    _FLAGS,
)
_FINAL_VERB = re.compile(r"\b([a-zäöüß]{3,}(?:en|ern|eln))[\s.!?]*$")
_TALKING = frozenset({"sprechen", "reden"})


class Item(msgspec.Struct, frozen=True):
    """A part of a message that names what the shop shall do.

    Args:
        clause: where it stands.
        said: the item as a wish of its own, with the verb that governs the list.
        start: where `clause` begins within `said`, in characters.
    """

    clause: Clause
    said: str
    start: int


def items(clause: Clause, names_service: Callable[[str], bool]) -> list[Item]:
    """Return the wishes that a clause lists; none where it lists fewer than two.

    Args:
        clause: a part of a text.
        names_service: tells whether a word, folded, stands for something that a shop does.
    """
    text = clause.text
    if len(text) > _MOST_CHARS:
        return []
    opening = _HEAD.match(text)
    head = opening.group("head") if opening else ""
    begin = opening.end() if opening else 0
    spans: list[tuple[int, int]] = []
    for start, end in _parts(text, begin):
        named = _names(text[start:end], names_service)
        before = text[slice(*spans[-1])] if spans else ""
        lacks_verb = _SHARES_VERB.match(head) and not _VERB.search(
            before
        )  # "Kann ich A und B machen"
        if spans and (lacks_verb or not (named and _names(before, names_service))):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    if not 1 < len(spans) <= _MOST_ITEMS:
        return []
    return [_item(clause, span, head, first=span[0] == begin) for span in spans]


def is_one(clause: Clause, names_service: Callable[[str], bool]) -> bool:
    """Return whether the verb at the end governs all of a clause: "ich möchte A und B umtauschen".

    Args:
        clause: a part of a text.
        names_service: tells whether a word, folded, stands for something that a shop does.
    """
    opening = _GERMAN.match(clause.text)
    if opening is None or len(clause.text) > _MOST_CHARS:
        return False
    *others, last = _parts(clause.text, opening.end())
    said = [clause.text[start:end] for start, end in others]
    final = _FINAL_VERB.search(clause.text[slice(*last)])
    if not said or final is None or any(map(_VERB.search, said)):
        return False
    asked = _SHARES_VERB.match(opening.group("head")) is not None
    named = any(_names(part, names_service) for part in said)
    return asked or (
        not named and names_service(fold(final.group(1))) and final.group(1) not in _TALKING
    )


def _parts(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """Yield where the parts between the joints of a list begin and end."""
    for joint in _JOINT.finditer(text, begin):
        yield begin, joint.start()
        begin = joint.end()
    yield begin, len(text)


def _item(clause: Clause, span: tuple[int, int], head: str, *, first: bool) -> Item:
    start, end = (0 if first else span[0]), span[1]
    text = clause.text[start:end]
    said = text if first or not head else f"{head} {text}"
    part = Clause(text, clause.start + start, clause.start + end)
    return Item(part, said, len(said) - len(text))


def _names(text: str, names_service: Callable[[str], bool]) -> bool:
    return any(names_service(fold(word)) for word, _, _ in words(text))
