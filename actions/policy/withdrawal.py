"""The EU's right of withdrawal, which no rule can undercut (2011/83/EU, articles 9 to 16)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from actions.commerce.models import Order

EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
EEA = EU | {"IS", "LI", "NO"}
"""Where the directive holds: the EU and the rest of the European Economic Area."""
RULE_ID = "withdrawal-right"
_SATURDAY = 5


def end_of_day(start: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the last second of the local day that is `days` after `start`."""
    day = start.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def withdrawal_end(order: Order, days: int, zone: ZoneInfo) -> datetime | None:
    """Return when the period ends, None when nothing arrived or not everything has yet.

    Goods of one order that come in several parcels have one period, from the last of them
    (article 9 (2) b i). A period that would end on a Saturday or Sunday ends on the Monday after
    (regulation 1182/71, article 3); public holidays are not looked at.

    Args:
        order: with its shipments.
        days: of the period.
        zone: the shop's.
    """
    arrived = {line.id: order.delivered_at(line.id) for line in order.lines}
    known = [at for at in arrived.values() if at is not None]
    coming = [line_id for line_id, at in arrived.items() if at is None and _comes(order, line_id)]
    if not known or coming:
        return None
    last = max(known)
    weekday = (last.astimezone(zone).date() + timedelta(days=days)).weekday()
    return end_of_day(last, days + max(0, 7 - weekday if weekday >= _SATURDAY else 0), zone)


def _comes(order: Order, line_id: str) -> bool:
    """Tell whether a line that has not arrived is still awaited, and not lost or done with."""
    if order.status in {"delivered", "cancelled"}:
        return False
    parcels = [shipment for shipment in order.shipments if line_id in shipment.line_ids]
    return not parcels or any(shipment.status != "lost" for shipment in parcels)
