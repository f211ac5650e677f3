"""The one slot that real sets and our rules share: when something is to be.

Our extractors know days, and nothing of a set's own slots; nothing is trained.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from bench.understanding.data import Row, Span
from bot.understanding.entities import EntityExtractor, EntitySettings
from bot.understanding.normalise import clean

WHEN = "datetime"
_DAY = "date"
_NAMES = frozenset({WHEN, _DAY, "date_from", "date_to", "date_period"})
_WRITTEN_AT = datetime(2026, 1, 15, 12, tzinfo=UTC)


def true_dates(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return those of a row's slots that say when, under one name."""
    return tuple(Span(span.start, span.end, WHEN) for span in spans if span.type in _NAMES)


def find_dates(rows: Sequence[Row]) -> list[tuple[Span, ...]]:
    """Return per row the days that our rules find in it."""
    extractor = EntityExtractor(EntitySettings())
    return [
        tuple(
            Span(entity.start, entity.end, WHEN)
            for entity in extractor.extract(clean(row.text), _language(row), _WRITTEN_AT)
            if entity.type == _DAY
        )
        for row in rows
    ]


def _language(row: Row) -> str:
    return "en" if row.language == "en" else "de"
