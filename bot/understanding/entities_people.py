"""Names of persons who introduce themselves."""

import re

from bot.understanding.result import Entity

_NAME_PART = r"[^\W\d_][\w'’-]{0,30}"
_CAPITAL_PART = r"[A-ZÄÖÜÀ-Þ][\w'’-]{0,30}"
_PARTICLE = r"(?:(?:von|van|de|der|den|di|da|el|al|zu|vom|le|la)\s+)"
_INTRODUCED = re.compile(
    r"(?<!\w)(?:ich\s+hei(?:ß|ss)e|mein\s+name\s+(?:ist|lautet|wäre)|name\s*(?:ist|:|is)|my\s+name(?:'s|\s+is)|"
    r"i\s+am\s+called|(?:it's|its)\s+under\s+the\s+name|auf\s+den\s+namen|unter\s+dem\s+namen|under\s+the\s+name(?:\s+of)?)[\s:]{1,3}",
    re.IGNORECASE,
)
_WEAKLY_INTRODUCED = re.compile(
    r"(?<!\w)(?:[Ii]ch\s+bin(?:'s)?(?:\s+(?:der|die))?|[Hh]ier\s+(?:ist|spricht|schreibt)|[Tt]his\s+is|[Ii](?:'|’)?m|[Ii]\s+am|"
    r"[Mm]y\s+n\w{1,5}\s+is|[Mm]ein\s+[Nn]\w{1,5}\s+(?:ist|lautet)|[Ii]ch\s+h\w{2,5}e|"
    r"[Gg]r(?:u|ü)(?:ß|ss)e?n?,?(?:\s+von)?|[Bb]est\s+regards,?|[Kk]ind\s+regards,?|[Rr]egards,?)\s+"
)
_FREE = re.compile(rf"{_NAME_PART}(?:\s+{_PARTICLE}?{_NAME_PART}){{0,2}}")
_CAPITALS = re.compile(rf"{_CAPITAL_PART}(?:\s+{_PARTICLE}?{_CAPITAL_PART}){{1,2}}")
_BEFORE_POSTCODE = re.compile(
    rf"(?<![\w'’-])(?!I['’]?m\s|Hi\s|Hello\s|Hey\s|Hallo\s|Ich\s)"
    rf"({_CAPITAL_PART}(?:\s+{_PARTICLE}?{_CAPITAL_PART}){{1,2}})\s*,?\s+(?:(?:zip|plz|postcode|postleitzahl)\s*:?\s*)?(?=\d{{5}}(?!\w))"
)
_BEFORE_HERE = re.compile(rf"(?<![\w-])({_CAPITAL_PART}\s+{_CAPITAL_PART})\s+(?:here|hier)(?!\w)")
_STOP = re.compile(
    r"\s+(?:und|and|aus|from|in|mit|with|meine?|my|the|die|der|plz|zip|i|ich|hier|here|bitte|please|but|aber|postcode|"
    r"postleitzahl|email|e-mail|wohnhaft|wohne|living|live|not|nicht|so|von)(?!\w).*$",
    re.IGNORECASE | re.DOTALL,
)
_BARE, _WITHIN = 0.7, 0.6
"""Scores of names that nobody introduced: the whole text, a part of it."""
_NO_NAMES = frozenset({
    "abend",
    "afternoon",
    "angry",
    "anything",
    "bestellnummer",
    "bestellung",
    "bitte",
    "blöde",
    "cancel",
    "color",
    "colour",
    "customer",
    "danke",
    "das",
    "dear",
    "der",
    "die",
    "disappointed",
    "doofe",
    "dumme",
    "email",
    "es",
    "etwas",
    "evening",
    "farbe",
    "forget",
    "frustrated",
    "give",
    "good",
    "größe",
    "guten",
    "hallo",
    "happy",
    "hello",
    "help",
    "here",
    "hey",
    "hi",
    "hier",
    "hilfe",
    "how",
    "i",
    "ich",
    "interested",
    "it",
    "ja",
    "kein",
    "keine",
    "kunde",
    "kundennummer",
    "kundin",
    "lass",
    "lasst",
    "leave",
    "liebe",
    "lieber",
    "liebes",
    "looking",
    "mein",
    "meine",
    "missing",
    "moin",
    "morgen",
    "morning",
    "my",
    "nein",
    "never",
    "nicht",
    "nichts",
    "niemand",
    "no",
    "nobody",
    "not",
    "nothing",
    "number",
    "nummer",
    "ok",
    "okay",
    "order",
    "paket",
    "parcel",
    "please",
    "plz",
    "postcode",
    "postleitzahl",
    "really",
    "sauer",
    "sehr",
    "servus",
    "size",
    "something",
    "sorry",
    "stop",
    "stupid",
    "support",
    "tag",
    "team",
    "thank",
    "thanks",
    "that",
    "the",
    "this",
    "too",
    "unhappy",
    "vergiss",
    "very",
    "wann",
    "warum",
    "was",
    "wer",
    "weshalb",
    "what",
    "whatever",
    "when",
    "where",
    "who",
    "why",
    "wie",
    "wieso",
    "wo",
    "yes",
    "zip",
    "zu",
})


def find_names(text: str, *, expected: bool) -> list[Entity]:
    """Find the name of a person who introduces themself; the value is title case.

    Args:
        text: cleaned text.
        expected: the bot has just asked for a name, so that a bare name counts.
    """
    spans: list[tuple[int, int, float]] = []
    for match in _INTRODUCED.finditer(text):
        name = _FREE.match(text, match.end())
        if name:
            spans.append((name.start(), name.start() + len(_STOP.sub("", name.group())), 0.95))
    for match in _WEAKLY_INTRODUCED.finditer(text):
        name = _CAPITALS.match(text, match.end())
        if name:
            spans.append((*name.span(), 0.85))
    spans.extend((*match.span(1), 0.8) for match in _BEFORE_POSTCODE.finditer(text))
    spans.extend((*match.span(1), 0.85) for match in _BEFORE_HERE.finditer(text))
    if expected and not spans:
        spans.extend(_bare(text))
    return [entity for start, end, score in spans if (entity := _entity(text, start, end, score))]


def is_bare_name(entity: Entity) -> bool:
    """Return whether a name was read only because one was asked for."""
    return entity.type == "name" and entity.score <= _BARE


def _bare(text: str) -> list[tuple[int, int, float]]:
    head = re.match(
        rf"\s*({_NAME_PART}(?:\s+{_PARTICLE}?{_NAME_PART}){{0,2}})\s*(?:[,.!]|\d|$)", text
    )
    if head is None or head.group(1).split()[0].lower() in _NO_NAMES:
        within = [match for match in _CAPITALS.finditer(text) if _is_name(match.group())]
        return [(*match.span(), _WITHIN) for match in within[:1]]
    name = _STOP.sub("", head.group(1))  # "Anna Berg and 12345"
    return [(head.start(1), head.start(1) + len(name), _BARE)]


def _is_name(text: str) -> bool:
    return not any(part.lower() in _NO_NAMES for part in text.split())


def _entity(text: str, start: int, end: int, score: float) -> Entity | None:
    parts = text[start:end].split()
    while parts and parts[0].lower() in _NO_NAMES:
        start = text.index(parts[0], start) + len(parts[0])
        start += len(text[start:end]) - len(text[start:end].lstrip())
        parts = parts[1:]
    if not parts or any(part.lower() in _NO_NAMES for part in parts):
        return None
    raw = text[start:end].rstrip("-' ’")
    value = raw if raw != raw.lower() else " ".join(part.capitalize() for part in parts)
    return Entity("name", " ".join(value.split()), raw, start, start + len(raw), score)
