"""Public holidays by country and region: the one door to the package `holidays`."""

from collections.abc import Mapping
from datetime import date
from functools import cache

from desk.hours import Holidays


class HolidaysNotInstalled(ImportError):
    """Public holidays need the extra "desk": pip install 'tresen[desk]'."""

    def __init__(self) -> None:
        """Say what to install."""
        super().__init__(type(self).__doc__)


class UnknownPlace(ValueError):
    """The public holidays of a country or region are not known."""

    def __init__(self, what: str, name: str, known: tuple[str, ...]) -> None:
        """Keep what is unknown, `country` or `region`, and what there is instead."""
        self.what = what
        self.name = name
        self.known = known
        super().__init__(f"no public holidays are known for the {what} '{name}'")


def holidays_of(country: str, region: str = "") -> Holidays:
    """Return what tells the public holidays of a place, year by year.

    Args:
        country: ISO 3166 code, two letters.
        region: code of a part of it, such as BY for Bavaria; "" for what holds everywhere.

    Raises:
        HolidaysNotInstalled: The extra is not installed.
        UnknownPlace: There is no such country or region.
    """
    try:
        import holidays
    except ImportError as error:
        raise HolidaysNotInstalled from error
    places = holidays.list_supported_countries()
    if country not in places:
        raise UnknownPlace("country", country, tuple(sorted(places)))
    if region and region not in places[country]:
        raise UnknownPlace("region", region, tuple(sorted(places[country])))

    @cache
    def of_year(year: int) -> Mapping[date, str]:
        return dict(holidays.country_holidays(country, subdiv=region or None, years=year))

    return of_year
