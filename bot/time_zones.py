"""The customer's time zone: what the channel tells, else that of their country, else the shop's.

"Tomorrow" is a day of the customer's calendar, and a clock time in an answer is one of their clock.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

from bot.messages import InboundMessage, Json

TOLD = "time_zone"
"""The slot of the zone that a channel told last."""
COUNTRY = "customer_country"
"""The slot of the country in the record of the identified customer."""
MAX_NAME_CHARS = 64
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[/_+-][A-Za-z0-9]+)*")
_NO_PLACE = frozenset({"localtime", "posixrules", "Factory", "UTC", "UCT", "Universal", "Zulu"})
"""Names that stand for no place: a browser that hides where it is says UTC."""
_OTHER_CLOCKS = ("posix/", "right/")


def zone_named(name: Json) -> ZoneInfo | None:
    """Return the zone of an IANA name; None for anything else, as strangers send it."""
    if not isinstance(name, str) or len(name) > MAX_NAME_CHARS or not _NAME.fullmatch(name):
        return None
    if name.removeprefix("Etc/") in _NO_PLACE or name.startswith(_OTHER_CLOCKS):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the database is an OSError
        return None


def zone_of_country(country: Json) -> ZoneInfo | None:
    """Return the zone of a country in all of which clocks agree; None where they do not.

    Args:
        country: ISO 3166 code, two letters.
    """
    return _only_zone(country.upper()) if isinstance(country, str) else None


@cache
def _only_zone(country: str) -> ZoneInfo | None:
    known: Mapping[str, list[str]] = get_global("territory_zones")
    zones = [zone for name in known.get(country, ()) if (zone := zone_named(name))]
    year = datetime.now(UTC).year
    moments = [datetime(year, month, 1, tzinfo=UTC) for month in range(1, 13)]
    clocks = {tuple(at.astimezone(zone).utcoffset() for at in moments) for zone in zones}
    return zones[0] if len(clocks) == 1 else None


def customer_zone(slots: Mapping[str, Json]) -> ZoneInfo | None:
    """Return the zone that a conversation's slots tell; None leaves the shop's."""
    return zone_named(slots.get(TOLD)) or zone_of_country(slots.get(COUNTRY))


def newly_told(message: InboundMessage, slots: Mapping[str, Json]) -> str:
    """Return the name of the zone that a message tells and the slots do not; empty without."""
    zone = zone_named(message.time_zone)
    return zone.key if zone and zone.key != slots.get(TOLD) else ""


def written_at(message: InboundMessage, slots: Mapping[str, Json]) -> datetime:
    """Return when a message was written, on the customer's clock; in UTC if that is not known."""
    zone = zone_named(message.time_zone) or customer_zone(slots)
    return message.received_at.astimezone(zone) if zone else message.received_at
