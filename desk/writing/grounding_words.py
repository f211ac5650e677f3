"""Words of German and English that say a date, a number or a name: the tables of the check."""

import re
from collections.abc import Mapping

from babel.dates import get_day_names, get_month_names

_LOCALES = ("de", "en")
_SMALL: Mapping[str, int] = {
    "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9,
    "zehn": 10, "elf": 11, "zwölf": 12,
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12,
    "zweimal": 2, "dreimal": 3, "viermal": 4, "twice": 2, "thrice": 3,
}  # fmt: skip
_GERMAN = (
    "ein|eine|einer|eins|zwei|drei|vier|fünf|sechs|sech|sieben|sieb|acht|neun|zehn|elf|zwölf|"
    "zwanzig|dreißig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig|hundert|tausend|"
    "million|millionen|mio|tsd|und"
)
_ENGLISH = (
    "thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|"
    "sixty|seventy|eighty|ninety|hundred|thousand|million|two|three|four|five|six|seven|eight|nine"
)
_SAYS_NUMBER = re.compile(rf"(?:{_GERMAN})+|(?:{_ENGLISH})(?:-(?:{_ENGLISH}|one))?")
SPELLED = rf"(?:einen|(?:{_GERMAN})+|(?:{_ENGLISH}|one|ten|eleven|twelve)(?:-(?:{_ENGLISH}|one))?)"
"""A number in words, as a pattern."""
_ONE = frozenset({"ein", "eine", "einen", "one"})
_NO_NUMBER = re.compile(r"(?:ein|eine|einer|eins|und)+")
CURRENCIES: Mapping[str, str] = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "usd": "USD",
    "dollar": "USD", "dollars": "USD", "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP",
    "pfund": "GBP", "chf": "CHF", "franken": "CHF", "cent": "ct", "cents": "ct",
}  # fmt: skip
PERCENT = frozenset({"%", "prozent", "percent"})
COMMON = frozenset({
    "OK", "FAQ", "AGB", "SMS", "PDF", "EU", "ID", "EUR", "II", "III", "TV", "NONE",
    "I", "German", "English", "Germany",
})  # fmt: skip
"""Capitals that name nothing."""


def _months() -> dict[str, int]:
    found: dict[str, int] = {}
    for locale in _LOCALES:
        for width in ("wide", "abbreviated"):
            names = get_month_names(width, locale=locale)
            found |= {name.rstrip(".").casefold(): int(month) for month, name in names.items()}
    return found | {"maerz": 3, "sept": 9}


def _days() -> dict[str, int]:
    return {
        name.casefold(): int(day)
        for locale in _LOCALES
        for day, name in get_day_names("wide", locale=locale).items()
    } | {"sonnabend": 5}


MONTHS: Mapping[str, int] = _months()
LONG_MONTHS: Mapping[str, int] = {
    name: month for name, month in MONTHS.items() if len(name) > 3 and name != "sept"
}
"""Those that are no other word as well; "may" needs a day beside it."""
DAYS: Mapping[str, int] = _days()


def small_number(word: str) -> int | None:
    """Return the number from 2 to 12 that a word says."""
    return _SMALL.get(word.casefold())


def spelled_number(word: str) -> int | None:
    """Return the number from 1 to 12 that a word says before what is counted."""
    return 1 if word.casefold() in _ONE else small_number(word)


def says_number(word: str) -> bool:
    """Return whether a word says a number larger than one."""
    word = word.casefold()
    return bool(_SAYS_NUMBER.fullmatch(word)) and not _NO_NUMBER.fullmatch(word)
