"""Shipments and what the carriers report about them."""

import random

from .clock import stamp
from .vocabulary import pair

DEPOTS = [
    "Hamburg-Billbrook",
    "Hannover-Langenhagen",
    "Köln-Eifeltor",
    "Leipzig-Radefeld",
    "Nürnberg-Hafen",
]
TEXTS = {
    "label_created": pair(
        "The shop has announced the parcel; {c} has not received it yet.",
        "Der Shop hat das Paket angekündigt; {c} hat es noch nicht erhalten.",
    ),
    "picked_up": pair(
        "{c} has collected the parcel from the warehouse.", "{c} hat das Paket im Lager abgeholt."
    ),
    "in_transit": pair(
        "The parcel was sorted at a hub and travels on.",
        "Das Paket wurde sortiert und ist unterwegs.",
    ),
    "at_depot": pair(
        "The parcel has reached the delivery depot.", "Das Paket ist im Zustelldepot eingetroffen."
    ),
    "out_for_delivery": pair(
        "The parcel is planned for today's delivery round.",
        "Das Paket ist für die heutige Zustelltour eingeplant.",
    ),
    "delivery_failed": pair(
        "Nobody was at home; a second attempt follows on the next working day.",
        "Es wurde niemand angetroffen; am nächsten Werktag folgt ein zweiter Versuch.",
    ),
    "delayed": pair(
        "High parcel volume delays the delivery; {c} has set a new date.",
        "Wegen vieler Pakete verzögert sich die Zustellung; {c} hat einen neuen Termin genannt.",
    ),
    "search_opened": pair(
        "No scan for several days; a search request was opened.",
        "Seit mehreren Tagen keine Erfassung; ein Nachforschungsauftrag wurde gestellt.",
    ),
    "lost": pair(
        "The search ended without result; the parcel counts as lost.",
        "Die Nachforschung blieb ohne Ergebnis; das Paket gilt als verloren.",
    ),
    "delivered": pair(
        "The parcel was delivered to the recipient.", "Das Paket wurde dem Empfänger zugestellt."
    ),
    "delivered_neighbour": pair(
        "The parcel was handed to a neighbour.",
        "Das Paket wurde bei einer Nachbarin oder einem Nachbarn abgegeben.",
    ),
}


def _tracking_number(carrier: str, rng: random.Random) -> str:
    """Return a tracking number in the carrier's style."""
    digits = {"DHL": ("003404", 14), "DPD": ("0150", 10), "Hermes": ("H10", 17), "GLS": ("58", 9)}
    prefix, count = digits[carrier]
    return prefix + "".join(str(rng.randint(0, 9)) for _ in range(count))


def _event(carrier: str, code: str, day: int, minute: int, location: str) -> dict:
    """Return one report of the carrier."""
    text = {language: words.format(c=carrier) for language, words in TEXTS[code].items()}
    return {"at": stamp(day, minute), "code": code, "location": location, "text": text}


def _steps(
    state: str, left: int, arrives: int, city: str, rng: random.Random
) -> list[tuple[str, int, int, str]]:
    """Return code, day, minute and place of each report.

    Args:
        state: status of the shipment.
        left: day on which the parcel left the warehouse.
        arrives: day of delivery, or of the latest report.
        city: destination.
        rng: source of randomness.
    """
    depot = rng.choice(DEPOTS)
    start = [("label_created", left, 560, "Kontor Lager Lüneburg")]
    if state == "label_created":
        return start
    start.append(("picked_up", left, rng.randint(850, 960), "Kontor Lager Lüneburg"))
    if left >= -1 and state == "in_transit":
        return start
    start.append(("in_transit", left, rng.randint(1260, 1420), depot))
    if state == "delayed":
        return [*start, ("delayed", arrives, rng.randint(600, 900), depot)]
    if state == "lost":
        return [*start, ("search_opened", arrives - 4, 620, depot), ("lost", arrives, 700, depot)]
    reached = -1 if state == "in_transit" else max(left + 1, arrives - 1)
    start.append(("at_depot", reached, rng.randint(1425, 1436), city))
    if state == "in_transit":
        return start
    if state == "out_for_delivery":
        return [*start, ("out_for_delivery", arrives - 1, 1438, city)]
    start.append(("out_for_delivery", arrives, rng.randint(360, 420), city))
    last = "delivered_neighbour" if rng.random() < 0.12 else "delivered"
    return [*start, (last, arrives, rng.randint(480, 1080), city)]


def shipment(
    key: str, line_ids: list[str], plan: tuple[str, int, int], city: str, carrier: str = ""
) -> dict:
    """Return a shipment with its history.

    Args:
        key: id of the shipment.
        line_ids: order lines inside.
        plan: status, day it left, day it arrives (or of the latest report).
        city: destination.
        carrier: name of the carrier; drawn where empty.
    """
    rng = random.Random(f"shipment {key}")
    state, left, arrives = plan
    carrier = carrier or rng.choices(["DHL", "DPD", "Hermes", "GLS"], [50, 20, 18, 12])[0]
    events = [_event(carrier, *step) for step in _steps(state, left, arrives, city, rng)]
    estimate = {
        "delayed": rng.randint(1, 3),
        "out_for_delivery": 0,
        "label_created": 3,
        "lost": arrives - 6,
    }
    day = estimate.get(state, arrives if state == "delivered" else max(arrives, 1))
    return {
        "id": key,
        "carrier": carrier,
        "tracking_number": _tracking_number(carrier, rng),
        "line_ids": line_ids,
        "status": state,
        "shipped_at": None if state == "label_created" else events[1]["at"],
        "estimated_at": stamp(day, 1020),
        "delivered_at": events[-1]["at"] if state == "delivered" else None,
        "events": events,
    }
