"""What of an operator's answer is worth saying again, and what in it has to be filled anew.

A place that must be filled is a gap: `«…name»`, with one of GAPS as its name.
"""

import re
from typing import Literal

from rapidfuzz import fuzz

Warned = Literal["gaps", "changes", "old"]
GAPS = (
    "name",
    "email",
    "phone",
    "address",
    "postcode",
    "order_number",
    "tracking_number",
    "number",
    "link",
    "amount",
    "date",
)
_GAP = re.compile(r"«…\s?[^«»\n]{0,60}»")
_NAMED = re.compile(r"«…([a-z_]+)»")
_MONTHS = (
    r"(?:Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
    r"|January|February|March|May|June|July|October|December)"
)
_AMOUNT = re.compile(
    r"(?:[€$£]|\b(?:EUR|CHF|USD|GBP))\s?\d[\d.,]{0,30}\d|(?:[€$£]|\b(?:EUR|CHF|USD|GBP))\s?\d"
    r"|\b\d[\d.,]{0,30}(?:,[-–])?\s?(?:[€$£]|(?:EUR|CHF|USD|GBP|Euros?|euros?|Franken|Cent|dollars?|pounds?)\b)"
)
_DATE = re.compile(
    rf"\b\d{{4}}-\d{{2}}-\d{{2}}\b|\b\d{{1,2}}\.\s?\d{{1,2}}\.(?:\s?\d{{2,4}}\b)?"
    rf"|\b\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?\b"
    rf"|\b\d{{1,2}}(?:\.|st|nd|rd|th)?\s(?:of\s)?{_MONTHS}\b(?:,?\s\d{{4}}\b)?"
    rf"|\b{_MONTHS}\s\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s\d{{4}}\b)?"
)
_CHANGES = re.compile(
    r"(?i)\b(?:heute|morgen|übermorgen|gestern|(?:diese|nächste|kommende)[rn]? (?:woche|monat)"
    r"|(?:am|bis|on|by|until) (?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
    r"|today|tomorrow|yesterday|(?:this|next) (?:week|month)"
    r"|auf lager|vorrätig|lieferbar|ausverkauft|verfügbar|nachschub|lagerbestand"
    r"|in stock|out of stock|sold out|restock\w*|available|availability"
    r"|rabatt|aktion|preis\w*|price\w*|discount|sale)\b|\d\s?%"
)
_GREETING = re.compile(
    r"(?i:sehr geehrte[rs]?|guten (?:tag|morgen|abend)|hallo|hi|hey|moin|servus|grüezi|liebe[rs]?"
    r"|dear|hello|good (?:morning|afternoon|evening))"
    r"(?:\s+(?:there|zusammen|again|nochmals?|«…name»|[A-ZÄÖÜ][\w.’'-]*)){0,4}\s*(?:[,!.:]+|\n)\s*"
)
_TITLED = re.compile(r"(?:Frau|Herr|Mrs?\.?|Ms\.?)\s+(?:«…name»|[A-ZÄÖÜ][\w’'-]*)\s*[,!.]\s*")
_ADDRESSED = re.compile(
    r"\b(Frau|Herrn?|Mrs?\.?|Ms\.?|Miss)\s+[A-ZÄÖÜ][\w’'-]+(?:\s[A-ZÄÖÜ][\w’'-]+)?"
)
_INTRODUCED = re.compile(
    r"(?i)(?:mein name ist|ich bin|hier ist|my name is|i am|i['’]m|this is)\s+«…name»"
    r"[^.!?,\n]*[.!?,]?\s*"
)
_CLOSING = re.compile(
    r"(?i)(?:^|\n|(?<=[.!?])\s)\s*(?:mit (?:freundlichen|besten|herzlichen) grüßen"
    r"|(?:viele|beste|liebe|herzliche|schöne|freundliche) grüße|l\.?g\.?|v\.?g\.?|mfg"
    r"|(?:kind|best|warm) regards|regards|best wishes|sincerely|cheers|yours)\b[\s\S]{0,80}\Z"
)
_HOLDING = re.compile(
    r"(?i)\b(?:moment|augenblick|ich (?:schaue|sehe|prüfe|kläre|frage)\b"
    r"|let me (?:check|look|see|ask)|i['’]?ll (?:check|look|ask)|i am (?:checking|looking)"
    r"|bear with me|just a (?:sec|second|minute)"
    r"|gern geschehen|you['’]re welcome|kann ich (?:ihnen |dir )?(?:sonst|noch)|anything else"
    r"|schönen tag|a nice day|bitte sehr)"
)
MOST_HOLDING_CHARS = 110
_SAME = 90.0


def gap(name: str) -> str:
    """Return what stands where something has to be filled in."""
    return f"«…{name}»"


def has_gap(text: str) -> bool:
    """Return whether something still has to be filled in."""
    return _GAP.search(text) is not None


def gaps(text: str) -> list[str]:
    """Return the names of what has to be filled in, in order."""
    return _NAMED.findall(text)


def with_words(text: str, words: dict[str, str]) -> str:
    """Return a text whose gaps say in somebody's words what belongs there."""
    return _NAMED.sub(lambda found: f"«… {words.get(found[1], found[1])}»", text)


def without_gaps(text: str) -> str:
    """Return a text as it is compared: without the gaps."""
    return " ".join(_NAMED.sub(" ", text).split())


def unnamed(text: str) -> str:
    """Return a text without the names of people who are addressed by a title."""
    return _ADDRESSED.sub(lambda found: f"{found[1]} {gap('name')}", text)


def timeless(text: str) -> str:
    """Return an answer with gaps for amounts and dates, without greeting and signature."""
    text = _bare(text.strip())
    return _DATE.sub(gap("date"), _AMOUNT.sub(gap("amount"), text)).strip()


def changes(text: str) -> bool:
    """Return whether an answer tells of prices, dates or stock, which were true back then."""
    return bool(_CHANGES.search(text) or {"amount", "date"} & set(gaps(text)))


def is_same(one: str, other: str) -> bool:
    """Return whether two answers say the same in nearly the same words, whatever fills the gaps."""
    return fuzz.ratio(without_gaps(one), without_gaps(other)) >= _SAME


def is_answer(text: str) -> bool:
    """Return whether an operator's message tells something, rather than asks, waits or thanks."""
    text = _bare(text.strip())
    if len(text) <= MOST_HOLDING_CHARS and _HOLDING.search(text):
        return False
    sentences = [part for part in re.split(r"(?<=[.!?])\s+", text) if part.strip()]
    return bool(sentences) and not all(part.endswith("?") for part in sentences)


def _bare(text: str) -> str:
    before = None
    while text != before:
        before = text
        for head in (_GREETING, _TITLED, _INTRODUCED):
            if found := head.match(text):
                text = text[found.end() :]
    text = _CLOSING.sub("", text).strip()
    return text[:1].upper() + text[1:]
