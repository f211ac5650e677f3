"""Claims in a message's `custom` payload: data that some client shows in its own way."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.grounding_claims import Claim, read_claims
from bot.grounding_evidence import GONE, ISO, LEFT, THERE

_AMOUNT = re.compile(
    r"price|amount|total|cost|fee|refund|discount|balance|preis|betrag|summe|kosten|rabatt"
)
_SILENT = re.compile(r"(?:^|_)(?:id|ids|url|href|link|src|image|icon|payload|code|sku|number)$")
"""Names of what is no statement: addresses, keys, what comes back when a button is pressed."""
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?/[^\s]*|data:.*", re.IGNORECASE)
_MAX_DEPTH = 8


def custom_claims(payload: Mapping[str, Any], language: str = "") -> Iterator[Claim]:
    """Yield what a payload claims: in its texts, and as amounts, moments and stock.

    Args:
        payload: any JSON object.
        language: of its texts.
    """
    yield from _of_mapping(payload, language, 0)


def _of_mapping(payload: Mapping[str, Any], language: str, depth: int) -> Iterator[Claim]:
    code = str(payload.get("currency") or "")
    for key, value in payload.items():
        name = str(key).lower()
        if not _SILENT.search(name):
            yield from _claims(value, name, (code, language), depth + 1)


def _claims(value: Any, name: str, told: tuple[str, str], depth: int) -> Iterator[Claim]:  # noqa: ANN401 - any JSON value
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        yield from _of_mapping(value, told[1], depth)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _claims(item, name, told, depth + 1)
    elif isinstance(value, bool):
        if name in THERE | GONE:
            state = "there" if value == (name in THERE) else "gone"
            yield Claim("stock", (state, "listed"), name)
    elif isinstance(value, int | float):
        yield from _of_number(value, name, told[0])
    elif isinstance(value, str):
        yield from _of_text(value, told[1])


def _of_number(value: float, name: str, code: str) -> Iterator[Claim]:
    if not abs(value) < math.inf:
        return
    if name.endswith("_minor"):
        yield Claim("money", (abs(int(value)), code), f"{name} {value}")
    elif name.endswith(("percent", "_bp")):
        share = value * 10 if name.endswith("_bp") else value * 1000
        yield Claim("percent", (round(share),), f"{name} {value}")
    elif _AMOUNT.search(name):
        yield Claim("money", (round(abs(value) * 100), code), f"{name} {value}")
    elif name in LEFT and name != "most":
        yield Claim("left", (round(value * 1000),), f"{name} {value}")


def _of_text(value: str, language: str) -> Iterator[Claim]:
    if ISO.fullmatch(value) and len(value) > len("2026-11-22"):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return
        if moment.tzinfo:
            yield Claim("moment", (int(moment.timestamp()),), value)
        return
    if not _ADDRESS.fullmatch(value):
        yield from read_claims(value, language)
