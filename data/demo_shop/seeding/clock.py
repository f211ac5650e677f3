"""Timestamps of the demo shop, counted in days from its fixed present."""

import datetime as dt

AS_OF = dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)


def stamp(day: int, minute: int) -> str:
    """Return the timestamp of a day and a minute of the day.

    Args:
        day: days from the present of the shop; negative is past.
        minute: minute of the day, UTC.
    """
    midnight = AS_OF.replace(hour=0)
    moment = midnight + dt.timedelta(days=day, minutes=minute)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def hour(day: int, of_day: int) -> str:
    """Return the timestamp of a full hour.

    Args:
        day: days from the present of the shop; negative is past.
        of_day: hour of the day, UTC.
    """
    return stamp(day, of_day * 60)
