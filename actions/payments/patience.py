"""How often to ask again what did not work: soon at first, then ever more seldom."""

from datetime import datetime, timedelta

FIRST = timedelta(seconds=5)
LONGEST = timedelta(minutes=15)
IN_A_ROW = 3
"""After so many failures one after the other the rest of a list waits for the next round."""


def next_try(since: datetime, now: datetime) -> datetime:
    """Return when to ask again: each wait is as long as everything before it, within bounds.

    Args:
        since: when it failed for the first time.
        now: the present time.
    """
    return now + min(max(now - since, FIRST), LONGEST)
