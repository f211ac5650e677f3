"""Speaking: a message as short words for the ear, and those words as SSML or plain text. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias
from xml.sax.saxutils import escape

from babel.core import UnknownLocaleError
from babel.dates import format_date, get_month_names
from babel.numbers import get_currency_name

from bot.messages import Button, Card, OutboundMessage

MAX_SSML_CHARS = 8_000
MAX_CARDS = 3
MAX_BUTTONS = 4
_GROUP_BREAK = '<break time="250ms"/>'
_LINE_BREAK = '<break time="400ms"/>'
_MAX_WORD_CHARS = 200

Kind: TypeAlias = Literal["words", "spelled"]
Piece: TypeAlias = tuple[Kind, str]
"""Words as they are said, or a number that is spelled out character by character."""

_ORDINALS = {"de": ("erstens", "zweitens", "drittens"), "en": ("first", "second", "third")}
_MORE = {"de": "und {} weitere", "en": "and {} more"}
_SAY = {"de": "Sie können sagen: {}.", "en": "You can say: {}."}
_OR = {"de": " oder ", "en": " or "}
_OTHERS = {"de": "eine von {} weiteren Möglichkeiten", "en": "one of {} more choices"}
_AT = {"de": (" ät ", " Punkt "), "en": (" at ", " dot ")}
_WRITTEN = {
    "de": {
        "z. B.": "zum Beispiel", "z.B.": "zum Beispiel", "d. h.": "das heißt", "ca.": "circa",
        "inkl.": "inklusive", "zzgl.": "zuzüglich", "bzw.": "beziehungsweise", "Nr.": "Nummer",
        "MwSt.": "Mehrwertsteuer", "PLZ": "Postleitzahl", "×": " mal ", "&": " und ",
        "→": " nach ", "°C": " Grad", "°": " Grad",
    },
    "en": {
        "e.g.": "for example", "i.e.": "that is", "approx.": "approximately",
        "incl.": "including", "No.": "number", "×": " times ", "&": " and ", "→": " to ",
        "°C": " degrees", "°": " degrees",
    },
}  # fmt: skip
_LOCALES = {"de": "de_DE", "en": "en_GB"}
# One and several of the main unit; the smaller one. Other currencies take Babel's name.
_MONEY = {
    ("EUR", "de"): ("Euro", "Euro", "Cent"),
    ("USD", "de"): ("Dollar", "Dollar", "Cent"),
    ("GBP", "de"): ("Pfund", "Pfund", "Pence"),
    ("CHF", "de"): ("Franken", "Franken", "Rappen"),
    ("EUR", "en"): ("euro", "euros", "cents"),
    ("USD", "en"): ("dollar", "dollars", "cents"),
    ("GBP", "en"): ("pound", "pounds", "pence"),
    ("CHF", "en"): ("franc", "francs", "rappen"),
}
_SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP"}
_UNIT = r"(?:[€$£]|\b(?:EUR|USD|GBP|CHF|PLN|CZK|SEK|DKK|NOK|HUF)\b)"
_AMOUNT = r"\d{1,3}(?:[.,'’]\d{3})+(?:[.,]\d{2})?(?!\d)|\d{1,9}(?:[.,]\d{2})?(?!\d)"
_PRICE = re.compile(
    rf"(?P<sign>(?<!\w)[-−])?(?:(?P<before>{_UNIT})[ \u00a0\u202f]?(?P<late_sign>[-−])?"
    rf"(?P<first>{_AMOUNT})|(?<![\w.,])(?P<last>{_AMOUNT})[ \u00a0\u202f]?(?P<after>{_UNIT}))"
)
_ISO_DAY = re.compile(r"(?<![\w-])(\d{4})-(\d\d)-(\d\d)(?![\w-])")
_GERMAN_DAY = re.compile(r"(?<![\w.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?![\w])")
_TIME = re.compile(r"(?<![\w:.,])([01]?\d|2[0-3]):([0-5]\d)(?![\w:])( Uhr)?")
_MONTH = re.compile(r"(?<=\d )[A-Z][a-zä]{2,3}\b\.?|(?<=\d\. )[A-Z][a-zä]{2,3}\b\.?")
_LONG_NUMBER = re.compile(r"(?<!\w)\+?(?=[A-Z0-9]*\d{4})[A-Z0-9]{10,40}(?!\w)")

_HEARD_NUMBER = re.compile(
    r"(?<![\w.-])(?P<letters>[A-Za-z]{1,3}(?=-?\d)-?|[A-Za-z]\.?[ -](?:[A-Za-z]\.?[ -])?)?"
    r"(?P<digits>\d(?:[ -]?\d){4,24})(?!\w|[.,]\d| ?[€$£%])"
)

_IMAGE_OR_LINK = re.compile(r"!?\[([^\]\n]{0,500})\]\([^)\s]{0,2000}\)")
_URL = re.compile(r"[(<]?(?:https?://|www\.)[^\s<>]*[^\s<>.,;:!?)]\)?>?", re.IGNORECASE)
_MAIL = re.compile(r"(?<![\w.@])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}(?![\w@])")
_BLOCK_MARK = re.compile(
    r"^ ?(?:(?:[-*+•◦▪‣·–—]|#{1,6}|>+) )*(?:\d{1,2}[.)] (?!(?:Ja|Fe|M[äa]|Ap|Ju|Au|Se|Ok|No|De)))?",
    re.MULTILINE,
)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,80}>")
_RULE = re.compile(r"^ ?(?:[-*_=]{3,}|`{3,}\w*) ?$", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*{1,3}|~~|`+)(?=\S)(.{1,2000}?)(?<=\S)\1")
_UNDERSCORED = re.compile(r"(?<!\w)(_{1,2})(?=\S)(.{1,2000}?)(?<=\S)\1(?!\w)")
_DASH = re.compile(r"\s*[–—]\s+|\s+[–—]\s*|\s+-\s+|\s*[|·]\s*")
_BRACKETS = re.compile(r"[(\[]([^()\[\]\n]{0,300})[)\]]")
_QUOTES = str.maketrans("", "", '„“”"«»‚‘*`~<>{}\\')
_MARKS = re.compile(r"[ \t]*([,;:.!?])(?:[ \t]*[,;:])+")
_SPACES = re.compile(r"[^\S\n]+")
_NOT_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def spoken_text(outbound: OutboundMessage, language: str) -> str:
    """Return what is said for a message; empty where there is nothing to say.

    A `voice` form is said alone, as it was written for the ear. Without one it is the text, then
    up to three cards, then the buttons if something is asked. Numbers stay as they are written.
    """
    language = _known(language or outbound.language)
    if outbound.voice.strip():
        return _tidy(outbound.voice, language)
    parts = [_tidy(outbound.text, language), _cards(outbound.cards, language)]
    if asks(outbound) or not any(parts):
        parts.append(_choices(outbound.buttons, language))
    return "\n".join(part for part in parts if part)


def asks(outbound: OutboundMessage) -> bool:
    """Return whether a message waits for an answer of the customer."""
    if outbound.response.startswith("utter_ask"):
        return True
    text = outbound.voice or outbound.text
    return "?" in _URL.sub("", text) or (text.rstrip().endswith(":") and bool(outbound.buttons))


def holds_link(outbound: OutboundMessage) -> bool:
    """Return whether a message's text has an address in it, which nobody can say aloud."""
    return bool(_URL.search(outbound.text))


def ssml(text: str, language: str, order_number_pattern: str = "") -> str:
    """Return spoken text as an SSML document of at most 8000 characters.

    Args:
        text: what `spoken_text` returned.
        language: how prices, dates and times are read.
        order_number_pattern: the shop's regular expression for its order numbers.
    """
    room = MAX_SSML_CHARS - len("<speak></speak>")
    units: list[str] = []
    for unit in _ssml_units(_pieces(text, _known(language), order_number_pattern)):
        room -= len(unit)
        if room < 0:
            units = _whole_sentences(units)
            break
        units.append(unit)
    return f"<speak>{''.join(units).strip()}</speak>"


def plain_speech(text: str, language: str, order_number_pattern: str = "") -> str:
    """Return spoken text for a voice that knows no markup: numbers as `T R, 1 0 4, 7 1 1`."""
    pieces = _pieces(text, _known(language), order_number_pattern)
    said = (_spelled_plainly(part) if kind == "spelled" else part for kind, part in pieces)
    return " ".join("".join(said).split())


def as_written(heard: str) -> str:
    """Return what a speech recogniser heard, with spelled numbers as they are written.

    `t. r. 104 711` becomes `TR104711`, and `1 0 4 7 1 1` becomes `104711`.
    """
    return _HEARD_NUMBER.sub(_joined, heard)


def _joined(match: re.Match[str]) -> str:
    letters = "".join(char for char in match["letters"] or "" if char.isalpha())
    return letters.upper() + "".join(char for char in match["digits"] if char.isdecimal())


def _known(language: str) -> str:
    return "de" if language.lower().startswith("de") else "en"


def _tidy(text: str, language: str) -> str:
    """Return the text without what only eyes can use; each line is a sentence."""
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text.replace("\r", "\n")))
    text = _URL.sub("", _IMAGE_OR_LINK.sub(r"\1", text))
    text = _BLOCK_MARK.sub("", _RULE.sub("", _TAG.sub("", text)))
    text = _UNDERSCORED.sub(r"\2", _EMPHASIS.sub(r"\2", text))
    text = _MONTH.sub(lambda match: _month(match.group(), language), text)
    text = _MAIL.sub(lambda match: _address(match.group(), language), text)
    for written, said in _WRITTEN[language].items():
        text = _standing_alone(written).sub(said, text)
    text = "".join(char for char in text if _can_be_said(char))
    text = _BRACKETS.sub(r", \1,", text).translate(_QUOTES)
    lines = (_sentence(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _standing_alone(written: str) -> re.Pattern[str]:
    if not written[0].isalpha():
        return re.compile(rf"[ \t]*{re.escape(written)}[ \t]*")
    return re.compile(rf"(?<!\w){re.escape(written)}(?!\w)")


def _can_be_said(char: str) -> bool:
    return unicodedata.category(char) not in {"So", "Sk", "Cs", "Co", "Me"} and char not in {
        "\u200d",
        "\ufe0f",
        "\ufe0e",
    }


def _sentence(line: str) -> str:
    line = _SPACES.sub(" ", _DASH.sub(", ", line))
    line = re.sub(r" +([,;:.!?])", r"\1", _MARKS.sub(r"\1", line)).strip(" \t,;-")
    line = re.sub(r",+([.!?;:])", r"\1", _MARKS.sub(r"\1", line))
    if not any(char.isalnum() for char in line):
        return ""
    return line if line[-1] in ".!?:…" else f"{line}."


def _address(mail: str, language: str) -> str:
    at, dot = _AT[language]
    name, _, host = mail.partition("@")
    return f"{name}{at}{host.replace('.', dot)}"


def _phrase(parts: Sequence[str], language: str) -> str:
    tidied = (_tidy(part, language).replace("\n", " ").rstrip(".:… ") for part in parts)
    return ", ".join(part for part in tidied if part)


def _cards(cards: Sequence[Card], language: str) -> str:
    named = [_phrase((card.title, card.subtitle, card.price), language) for card in cards]
    named = [name for name in named if name]
    said = named[:MAX_CARDS]
    if len(named) > 1:
        said = [f"{nth}, {name}" for nth, name in zip(_ORDINALS[language], said, strict=False)]
    if len(named) > MAX_CARDS:
        said.append(_MORE[language].format(len(named) - MAX_CARDS))
    listing = "; ".join(said)
    return f"{listing[0].upper()}{listing[1:]}." if listing else ""


def _choices(buttons: Sequence[Button], language: str) -> str:
    titles = [_phrase((button.title,), language).rstrip("?! ") for button in buttons]
    titles = [title for title in titles if title]
    if len(titles) > MAX_BUTTONS + 1:
        more = _OTHERS[language].format(len(titles) - MAX_BUTTONS)
        titles = [*titles[:MAX_BUTTONS], more]
    *first, last = titles or [""]
    listing = _OR[language].join((", ".join(first), last)) if first else last
    return _SAY[language].format(listing) if listing else ""


def _pieces(text: str, language: str, order_number_pattern: str) -> Iterator[Piece]:
    """Yield the text in order, with prices, dates and times in words."""
    for part, is_number in _cut(text, _order_number(order_number_pattern)):
        if is_number:
            yield "spelled", part
            continue
        for rest, is_long in _cut(part, _LONG_NUMBER):
            yield ("spelled", rest) if is_long else ("words", _read(rest, language))


def _order_number(pattern: str) -> re.Pattern[str] | None:
    return re.compile(rf"(?<!\w)#?(?:{pattern})(?!\w)", re.IGNORECASE) if pattern else None


def _cut(text: str, pattern: re.Pattern[str] | None) -> Iterator[tuple[str, bool]]:
    start = 0
    for match in pattern.finditer(text) if pattern else ():
        if any(char.isalnum() for char in match.group()):
            yield text[start : match.start()], False
            yield match.group(), True
            start = match.end()
    yield text[start:], False


def _read(text: str, language: str) -> str:
    text = _PRICE.sub(lambda match: _price(match, language), text)
    text = _ISO_DAY.sub(lambda m: _day((m[1], m[2], m[3]), m[0], language), text)
    text = _GERMAN_DAY.sub(lambda m: _day((m[3], m[2], m[1]), m[0], language), text)
    return _TIME.sub(lambda match: _time(match, language), text)


def _price(match: re.Match[str], language: str) -> str:
    unit = match["before"] or match["after"]
    currency = _SYMBOLS.get(unit, unit)
    written = match["first"] or match["last"]
    cents = written[-2:] if len(written) > 3 and written[-3] in ".," else "00"
    whole = written[:-3] if len(written) > 3 and written[-3] in ".," else written
    amount = Decimal("".join(char for char in whole if char.isdecimal()))
    one, several, minor = _unit_names(currency, language)
    said = f"{amount} {one if amount == 1 else several}"
    if int(cents) and not amount and minor:
        said = f"{int(cents)} {minor if int(cents) > 1 else minor.removesuffix('s')}"
    elif int(cents) and language == "de":
        said += f" {int(cents)}"
    elif int(cents):
        said += f" and {int(cents)} {minor}".rstrip()
    return f"minus {said}" if match["sign"] or match["late_sign"] else said


def _unit_names(currency: str, language: str) -> tuple[str, str, str]:
    try:
        return _MONEY[currency, language]
    except KeyError:
        one = str(get_currency_name(currency, 1, language))
        return one, str(get_currency_name(currency, 2, language)), ""


def _day(parts: tuple[str, str, str], written: str, language: str) -> str:
    try:
        moment = date(*(int(part) for part in parts))
        return format_date(moment, "long", locale=_LOCALES[language])
    except (ValueError, UnknownLocaleError):
        return written


def _month(written: str, language: str) -> str:
    locale = _LOCALES[language]
    for number, short in get_month_names("abbreviated", locale=locale).items():
        if written.rstrip(".") == str(short).rstrip("."):
            dot = "." if written.endswith(".") and not str(short).endswith(".") else ""
            return f"{get_month_names('wide', locale=locale)[number]}{dot}"
    return written


def _time(match: re.Match[str], language: str) -> str:
    hour, minute = int(match[1]), int(match[2])
    if language == "de":
        return f"{hour} Uhr {minute}" if minute else f"{hour} Uhr"
    half = "a.m." if hour < 12 else "p.m."
    return f"{hour % 12 or 12}:{minute:02} {half}" if minute else f"{hour % 12 or 12} {half}"


def _groups(number: str) -> list[str]:
    """Return an order or tracking number in groups: letters apart, digits in threes or fours."""
    groups = []
    for run in re.findall(r"[^\W\d_]+|\d+", number):
        size = 4 if len(run) > 9 else 3
        parts = [run[start : start + size] for start in range(0, len(run), size)]
        if len(parts) > 1 and len(parts[-1]) == 1:
            parts[-2:] = [parts[-2] + parts[-1]]
        groups.extend(parts)
    return groups


def _spelled_plainly(number: str) -> str:
    plus = "plus " if number.startswith("+") else ""
    return plus + ", ".join(" ".join(group) for group in _groups(number))


def _ssml_units(pieces: Iterator[Piece]) -> Iterator[str]:
    """Yield markup that may be cut between any two units."""
    for kind, part in pieces:
        if kind == "words":
            for word in re.findall(r"\n+|[^\S\n]+|\S+", part):
                for start in range(0, len(word), _MAX_WORD_CHARS):
                    shown = escape(_NOT_XML.sub("", word[start : start + _MAX_WORD_CHARS]))
                    yield f" {_LINE_BREAK} " if word[0] == "\n" else shown
                    if word[0] == "\n":
                        break
            continue
        plus = "plus " if part.startswith("+") else ""
        spelled = (
            f'<say-as interpret-as="characters">{escape(group)}</say-as>' for group in _groups(part)
        )
        yield plus + _GROUP_BREAK.join(spelled)


def _whole_sentences(units: list[str]) -> list[str]:
    """Return the units up to the last end of a sentence, if that is not too little."""
    for end in range(len(units), len(units) // 2, -1):
        if units[end - 1].endswith((".", "!", "?")):
            return units[:end]
    return units
