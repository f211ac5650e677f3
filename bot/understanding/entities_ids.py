"""Order numbers, tracking numbers, e-mail addresses, phone numbers and postcodes."""

import re

import phonenumbers

from bot.understanding.entities_spelled import SpelledNumbers, find_spoken_digits
from bot.understanding.result import Entity

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}\s?(?:@|\(at\)|\[at\])\s?(?:[\w-]{1,63}\.){1,4}[a-zA-Z]{2,24}(?![\w@])"
)
_DOT = r"\s+(?:punkt|dot)\s+"
_EMAIL_SAID = re.compile(
    rf"(?<![\w.@])(?P<name>[\w+-]{{1,40}}(?:\.[\w+-]{{1,30}}){{0,3}}(?:(?:{_DOT}|\s+(?:unterstrich|underscore|minus|dash|bindestrich)\s+)[\w+-]{{1,30}}){{0,4}})"
    rf"\s+(?:at|ät|aet|klammeraffe)\s+(?P<host>[\w-]{{1,63}}(?:(?:{_DOT}|\.)[a-z][\w-]{{1,30}}){{1,3}})(?![\w@])",
    re.IGNORECASE,
)
_EMAIL_WORD = re.compile(r"mail|adress|erreich|reach", re.IGNORECASE)
_SAID_SIGNS = (
    (re.compile(_DOT, re.IGNORECASE), "."),
    (re.compile(r"\s+(?:unterstrich|underscore)\s+", re.IGNORECASE), "_"),
    (re.compile(r"\s+(?:minus|dash|bindestrich)\s+", re.IGNORECASE), "-"),
)
_EMAIL_LEADS = 60
_TRACKING = re.compile(
    r"(?<!\w)(?:1Z[0-9A-Z]{16}|JJD\d{12,20}|JVGL\d{10,20}|00340\d{15}|[A-Z]{2}\d{9}[A-Z]{2}|[A-Z]{3,4}\d{10,20}|\d{12}|\d{14}|\d{20})(?!\w)"
)
_TRACKING_WORD = re.compile(
    r"(?<!\w)(?:sendungs?(?:verfolgungs)?(?:nummer|nr\.?|id)|tracking(?:[\s-]?(?:number|nummer|nr\.?|no\.?|id|code))?|"
    r"paketnummer|parcel\s+number)(?:\s+(?:is|ist|lautet))?[\s:#]{1,3}([A-Z0-9]{8,30})(?!\w)",
    re.IGNORECASE,
)
_ORDER_WORD = (
    r"(?:bestell\w*|auftrag\w*|auftr\.|order(?:s|number|ed)?|purchase|kauf|rechnung\w*|invoice)"
    r"(?:[\s-]?(?:number|nummer|nr\.?|no\.?|id|num))?(?:\s+(?:is|ist|lautet|mit\s+der\s+nummer|with\s+(?:the\s+)?number))?"
)
_ORDER_VERB = (
    r"(?:stornier\w*|storno|cancel|track\w*|verfolg\w*|bleibt|wo\s+ist|where(?:'s|\s+is)|retournier\w*|return|status|"
    r"what\s+about|was\s+ist\s+mit|and|und|nummer|number|nr\.?|no\.?|#)"
)
_BARE_AFTER_WORD = re.compile(
    rf"(?<!\w){_ORDER_WORD}[\s:.#-]{{0,4}}(\d{{4,12}})(?![\w€$%]|[.,]\d)", re.IGNORECASE
)
_BARE_AFTER_VERB = re.compile(
    rf"(?:(?<!\w)|(?=#)){_ORDER_VERB}[\s:.#]{{0,3}}(\d{{4,12}})(?![\w€$%]|[.,]\d)", re.IGNORECASE
)
_BARE_BEFORE_VERB = re.compile(
    r"(?<![\w.,/+@€$-])(\d{4,12})\s+(?:bitte\s+|please\s+)?"
    r"(?:stornier|verfolg|zurück|retour|umtausch|tausch|änder|wieder\s|nochmal|cancel|angekommen)",
    re.IGNORECASE,
)
_BARE_DIGITS = re.compile(r"(?<![\w.,/+@€$-])#?(\d{4,12})(?![\w€$%/@]|[.,]\d|-\d)")
_NEXT_LISTED = re.compile(
    r"\s*(?:[,;&+/]|\b(?:und|and|sowie|plus|or|oder)\b)(?:\s*(?:und|and|sowie|auch|also)\b)?\s*#?"
    r"(\d{4,12})(?![\w€$%/@]|[.,]\d|-\d|\s+[A-ZÄÖÜ][a-zäöüß]|\s*(?:€|euro|eur\b))"
)
_POSTCODE_WORD = re.compile(
    r"(?<!\w)(?:plz|postleitzahl|post\s?code|postal\s?code|zip(?:\s?code)?)(?:\s+(?:is|ist|lautet|von|vom))?[\s:,=]{0,3}"
    r"([A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]\d[\dW]\s?[A-Z\d]{4}|\d{5}(?:-\d{4})?|\d{4})(?!\w)",
    re.IGNORECASE,
)
_POSTCODE_LEAD = re.compile(
    r"(?<!\w)(?:plz|postleitzahl|post\s?code|postal\s?code|zip(?:\s?code)?)(?:\s+(?:is|ist|lautet))?[\s:,=]{0,3}$",
    re.IGNORECASE,
)
_SPOKEN_POSTCODE = (4, 5)
_LEAST_PHONE = 9
_POSTCODE_UK = re.compile(
    r"(?<!\w)([A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}|[A-Z]\d[\dW]\s(?=[A-Z\d]*\d)[A-Z\d]{4})(?!\w)"
)
_POSTCODE_PLACE = re.compile(
    r"(?<![\w.,#-])((?:[DAFLI]|CH|AT|DE)-)?(\d{5}|\d{4})\s+(?=[A-ZÄÖÜ][a-zäöüß]{2,})"
)
_POSTCODE_AFTER_NAME = re.compile(
    r"(?<![\w-])[A-ZÄÖÜ][\w'’-]{1,30}\s+[A-ZÄÖÜ][\w'’-]{1,30}\s*,?\s+(?:(?:in|from|aus)\s+)?(\d{5})(?![\w€$%]|[.,]\d)"
)
_POSTCODE_BARE = re.compile(
    r"(?<![\w.,#-])\d{5}(?![\w€$%-]|[.,]\d|\s*(?:€|euro|eur)\b)", re.IGNORECASE
)
_POSTCODE_ALONE = re.compile(r"\s*(?:[DA]-|CH-)?(\d{5}(?:-\d{4})?|\d{4})\s*[.!]?\s*")
_POSTCODE_IN = re.compile(
    r"(?<!\w)(?:wohne?\s+in|live\s+in|living\s+in|from|aus)\s+(?:[DA]-|CH-)?(\d{5})(?!\w)",
    re.IGNORECASE,
)
_PHONE_LIKE = re.compile(r"(?<!\w)[+(]?\d(?:[\s()/.-]{0,2}\d){6,17}(?!\w)")


class OrderNumbers:
    """Recognises a shop's order numbers, also written carelessly.

    Args:
        pattern: regular expression of the shop's numbers, searched without regard to case.
        example: one such number; gives the form that values are brought to.

    Raises:
        re.error: the pattern is not a regular expression.
    """

    def __init__(self, pattern: str, example: str) -> None:
        self._strict = re.compile(rf"(?<![\w-])#?(?:{pattern})(?![\w])", re.IGNORECASE)
        self._example = example
        self._letters = "".join(char for char in example if char.isalpha())
        self._digits = sum(char.isdigit() for char in example)
        spelled = r"[\s._–-]{0,2}".join(re.escape(char) for char in self._letters)
        lead = rf"{spelled}[\s._:#/–-]{{0,3}}" if self._letters else r"#\s?"
        digits = rf"\d(?:[ ._-]?\d){{{max(0, self._digits - 1)}}}"
        self._spelled = SpelledNumbers(pattern, example)
        self._loose = re.compile(rf"(?<![\w-])(?:#\s?)?{lead}{digits}(?!\w)", re.IGNORECASE)

    def find(self, text: str) -> list[Entity]:
        """Find order numbers; a bare number after an order word scores less."""
        found = [self._entity(text, match.span(), 1.0) for match in self._strict.finditer(text)]
        found += [self._entity(text, match.span(), 0.95) for match in self._loose.finditer(text)]
        found += [
            self._entity(text, match.span(1), 0.8) for match in _BARE_AFTER_WORD.finditer(text)
        ]
        found += [
            self._entity(text, match.span(1), 0.6) for match in _BARE_AFTER_VERB.finditer(text)
        ]
        found += [
            self._entity(text, match.span(1), 0.6) for match in _BARE_BEFORE_VERB.finditer(text)
        ]
        found += [
            self._entity(text, match.span(), 0.7)
            for match in _BARE_DIGITS.finditer(text)
            if len(match.group(1)) == self._digits
        ]
        found += self._listed(text, found)
        return [*found, *self._spelled.find(text)]

    def _listed(self, text: str, found: list[Entity]) -> list[Entity]:
        """Find the numbers that go on a list of order numbers: "cancel 4711, 4712 and 4713"."""
        more: list[Entity] = []
        for order in found:
            digits, end = sum(map(str.isdigit, order.text)), order.end
            while following := _NEXT_LISTED.match(text, end):
                if len(following.group(1)) != digits:
                    break
                more.append(self._entity(text, following.span(1), 0.6))
                end = following.end()
        return more

    def _entity(self, text: str, span: tuple[int, int], score: float) -> Entity:
        raw = text[span[0] : span[1]]
        return Entity("order_number", self.canonical(raw), raw, span[0], span[1], score)

    def canonical(self, raw: str) -> str:
        """Return the number in the form of the shop's example, as far as it fits."""
        digits = [char for char in raw if char.isdigit()]
        letters = [char.upper() for char in raw if char.isalpha()] or list(self._letters)
        if len(digits) != self._digits or len(letters) != len(self._letters):
            return re.sub(r"[\s#]", "", raw).upper()
        sources = {"digit": iter(digits), "letter": iter(letters)}
        parts = []
        for char in self._example:
            kind = "digit" if char.isdigit() else "letter" if char.isalpha() else ""
            parts.append(next(sources[kind]) if kind else char)
        return "".join(parts)


def find_emails(text: str) -> list[Entity]:
    """Find e-mail addresses; values are in lower case."""
    found = []
    for match in _EMAIL.finditer(text):
        value = re.sub(r"\(at\)|\[at\]", "@", match.group()).replace(" ", "").lower()
        found.append(Entity("email", value, match.group(), *match.span()))
    return [*found, *_spoken_emails(text)]


def _spoken_emails(text: str) -> list[Entity]:
    """Find addresses that are said, after a word for them: "max punkt muster at post punkt de"."""
    found = []
    for match in _EMAIL_SAID.finditer(text):
        name, host = match.group("name"), match.group("host")
        for sign, written in _SAID_SIGNS:
            name, host = sign.sub(written, name), sign.sub(written, host)
        before = text[max(0, match.start() - _EMAIL_LEADS) : match.start()]
        is_spelled = name != match.group("name")
        if is_spelled or _EMAIL_WORD.search(before):
            value = f"{name}@{host}".lower()
            found.append(Entity("email", value, match.group(), *match.span(), 0.9))
    return found


def find_tracking_numbers(text: str) -> list[Entity]:
    """Find carriers' tracking numbers, by form or after a word for them."""
    found = []
    for match in _TRACKING.finditer(text):
        score = 0.6 if match.group().isdigit() else 0.95
        found.append(
            Entity("tracking_number", match.group().upper(), match.group(), *match.span(), score)
        )
    found += [
        Entity("tracking_number", match.group(1).upper(), match.group(1), *match.span(1))
        for match in _TRACKING_WORD.finditer(text)
        if sum(char.isdigit() for char in match.group(1)) >= 6
    ]
    return found


def find_phones(text: str, region: str) -> list[Entity]:
    """Find phone numbers; values are in E.164.

    Args:
        text: cleaned text.
        region: ISO country code for numbers without a country prefix.
    """
    written = [(match.group(), *match.span()) for match in _PHONE_LIKE.finditer(text)]
    spoken = [each for each in find_spoken_digits(text) if len(each[0]) >= _LEAST_PHONE]
    found = []
    for raw, start, end in [*written, *spoken]:
        if not raw.startswith(("+", "0", "(")):
            continue
        try:
            number = phonenumbers.parse(raw, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number):
            value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            found.append(Entity("phone", value, text[start:end], start, end, 0.9))
    return found


def find_postcodes(text: str, *, expected: bool) -> list[Entity]:
    """Find postcodes that a word, a place, a name or the question before announces.

    Args:
        text: cleaned text.
        expected: the bot has just asked for one.
    """
    found = []
    for pattern, score in (
        (_POSTCODE_WORD, 1.0),
        (_POSTCODE_UK, 0.9),
        (_POSTCODE_AFTER_NAME, 0.85),
        (_POSTCODE_IN, 0.85),
    ):
        found += [
            Entity("postcode", match.group(1).upper(), match.group(1), *match.span(1), score)
            for match in pattern.finditer(text)
        ]
    found += [
        Entity("postcode", match.group(2), match.group(2), *match.span(2), 0.7)
        for match in _POSTCODE_PLACE.finditer(text)
        if match.group(1) or len(match.group(2)) == 5 or expected
    ]
    for said, start, end in find_spoken_digits(text):
        if len(said) in _SPOKEN_POSTCODE and (expected or _POSTCODE_LEAD.search(text[:start])):
            found.append(Entity("postcode", said, text[start:end], start, end, 0.9))
    alone = _POSTCODE_ALONE.fullmatch(text)
    if alone and (expected or len(alone.group(1)) >= 5):
        found.append(
            Entity(
                "postcode", alone.group(1), alone.group(1), *alone.span(1), 0.9 if expected else 0.6
            )
        )
    if expected and not found:
        found.extend(
            Entity("postcode", match.group(1), match.group(1), *match.span(1), 0.8)
            for match in re.finditer(
                r"(?<![\w.,-])(\d{5}(?:-\d{4})?|\d{4})(?![\w€$%]|[.,]\d)", text
            )
        )
    return found


def find_bare_postcodes(text: str) -> list[Entity]:
    """Find the only number of five digits beside an order number: "cancel TR-104653 now 40213"."""
    found = list(_POSTCODE_BARE.finditer(text))
    if len(found) != 1:
        return []
    return [Entity("postcode", found[0].group(), found[0].group(), *found[0].span(), 0.75)]
