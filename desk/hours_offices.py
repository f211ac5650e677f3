"""The offices that the settings name, and which of them holds for a case."""

from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from desk.hours import Exceptions, Holidays, OfficeHours, Range, no_holidays
from desk.public_holidays import UnknownPlace, holidays_of
from desk.settings import DAYS, DEFAULT, DeskSettings, Hours, WrongDeskSettings

_MINUTES_A_DAY = 1440


class Offices:
    """Office hours by team, channel and country."""

    def __init__(self, settings: DeskSettings, shop_zone: str) -> None:
        """Build the hours that the settings name.

        Args:
            settings: of the desk.
            shop_zone: IANA name, for hours that name none.

        Raises:
            WrongDeskSettings: A zone, country, region or date is none.
            HolidaysNotInstalled: Holidays are to be kept, and the extra is not installed.
        """
        self._settings = settings
        self._offices = {
            name: _office(name, hours, shop_zone) for name, hours in settings.hours.items()
        }
        self._offices.setdefault(DEFAULT, OfficeHours(ZoneInfo(shop_zone)))

    def of(self, team: str = "", channel: str = "", country: str = "") -> OfficeHours:
        """Return the hours of a team, else of a channel, else of a country, else the default."""
        named = self._settings.teams.get(team)
        name = (
            (named.hours if named else "")
            or self._settings.channel_hours.get(channel)
            or self._settings.country_hours.get(country)
            or DEFAULT
        )
        return self._offices[name]


def _office(name: str, hours: Hours, shop_zone: str) -> OfficeHours:
    try:
        zone = ZoneInfo(hours.time_zone or shop_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        where = ("hours", name, "time_zone")
        cure = "write one such as Europe/Berlin"
        raise WrongDeskSettings(
            where, f"there is no time zone '{hours.time_zone}'", cure
        ) from error
    week = {DAYS.index(day): _ranges(times) for day, times in hours.week.items()}
    return OfficeHours(zone, week, _exceptions(name, hours))


def _exceptions(name: str, hours: Hours) -> Exceptions:
    on: dict[date, tuple[Range, ...]] = {}
    every_year: dict[tuple[int, int], tuple[Range, ...]] = {}
    for written, times in hours.special.items():
        is_yearly = len(written) == len("12-24")
        try:
            day = date.fromisoformat(f"2024-{written}" if is_yearly else written)
        except ValueError as error:
            where = ("hours", name, "special", written)
            raise WrongDeskSettings(where, f"there is no day '{written}'") from error
        if is_yearly:
            every_year[day.month, day.day] = _ranges(times)
        else:
            on[day] = _ranges(times)
    holidays: Holidays = no_holidays
    if hours.country:
        try:
            holidays = holidays_of(hours.country, hours.region)
        except UnknownPlace as error:
            known = ", ".join(error.known[:40])
            place = ("hours", name, error.what)
            raise WrongDeskSettings(place, str(error), f"known: {known}") from error
    elif hours.region:
        place = ("hours", name, "region")
        raise WrongDeskSettings(place, "a region needs its country", "write country as well")
    return Exceptions(on, every_year, holidays, _ranges(hours.holiday))


def _ranges(times: tuple[str, ...]) -> tuple[Range, ...]:
    """Return ranges in minutes; one that ends before it begins ends on the next day."""
    found = []
    for written in times:
        start, end = (int(t[:2]) * 60 + int(t[3:]) for t in written.split("-"))
        found.append((start, end if end > start else end + _MINUTES_A_DAY))
    return tuple(found)
