"""Whom a customer in need can call: the lines of `data/help_lines.yml`, by country."""

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import yaml
from babel.core import get_global

from bot.messages import Json
from bot.time_zones import COUNTRY, TOLD, zone_named

_OR = {"de": " oder "}


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service that can be called; `checked_at`: when it was last compared with `source`."""

    name: str
    numbers: tuple[str, ...]
    source: str
    checked_at: dt.date


class Country(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lines of a country; `languages` are those spoken there."""

    name: dict[str, str]
    languages: tuple[str, ...]
    emergency: str
    crisis: tuple[Line, ...] = ()
    abuse: tuple[Line, ...] = ()


class Elsewhere(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where people of all other countries find a line, and whom they call in danger."""

    directory: str = ""
    emergency: dict[str, str] = {}


class HelpLines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All lines; without any there is nothing to tell."""

    countries: dict[str, Country] = {}
    elsewhere: Elsewhere = Elsewhere()

    def told(self, kind: str, language: str, slots: Mapping[str, Json], home: str) -> str:
        """Return whom a customer can call, as a part of a sentence; empty where nobody is known.

        Args:
            kind: `crisis`, `abuse`, or `emergency` for whom to call in danger.
            language: of the talk.
            slots: of the conversation; they may tell the customer's country.
            home: the shop's time zone, for the country that is named first.
        """
        own = country_of(slots)
        if kind == "emergency":
            known = self.countries.get(own)
            return known.emergency if known else self.elsewhere.emergency.get(language, "")
        first = _country_of_zone(home)
        spoken = [c for c, known in self.countries.items() if language in known.languages]
        near = dict.fromkeys([own] if own else [first, *spoken])
        found = [
            said
            for code in near
            if code in self.countries
            for said in self._lines(kind, self.countries[code], language)
        ]
        return "; ".join(filter(None, [*found, self.elsewhere.directory]))

    def _lines(self, kind: str, country: Country, language: str) -> Iterator[str]:
        name = country.name.get(language) or next(iter(country.name.values()))
        for line in country.crisis if kind == "crisis" else country.abuse:
            numbers = _OR.get(language, " or ").join(line.numbers)
            yield f"{name}: {numbers} ({line.name})"


def load_help_lines(path: Path) -> HelpLines:
    """Read the lines; a missing file has none.

    Raises:
        msgspec.ValidationError: the file has the wrong shape.
        yaml.YAMLError: The file is not YAML.
    """
    if not path.is_file():
        return HelpLines()
    return msgspec.convert(yaml.safe_load(path.read_bytes()) or {}, HelpLines)


def country_of(slots: Mapping[str, Json]) -> str:
    """Return the ISO code of a customer's country: their record's, else their clock's, else ""."""
    known = slots.get(COUNTRY)
    if isinstance(known, str) and known:
        return known.upper()
    zone = zone_named(slots.get(TOLD))
    return _country_of_zone(zone.key) if zone else ""


def _country_of_zone(name: str) -> str:
    zones: Mapping[str, str] = get_global("zone_territories")
    return zones.get(name, "")
