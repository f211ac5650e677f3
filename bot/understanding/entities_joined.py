"""Several entity extractors as one: the first one wins where two find something in one place."""

from collections.abc import Collection, Sequence
from datetime import datetime

from bot.understanding.ports import EntityExtractor
from bot.understanding.result import Entity


class JoinedExtractors:
    """Extractors in the order of their say.

    Args:
        extractors: at least one; what a later one finds inside an earlier one's find is dropped.
    """

    def __init__(self, extractors: Sequence[EntityExtractor]) -> None:
        self._extractors = tuple(extractors)

    def extract(
        self, text: str, language: str, now: datetime, expected: Collection[str] = ()
    ) -> tuple[Entity, ...]:
        """Return all finds in the order of the text.

        Args:
            text: cleaned text.
            language: of the text.
            now: aware moment the text was written.
            expected: entity types the bot has just asked for.
        """
        kept: list[Entity] = []
        for extractor in self._extractors:
            found = extractor.extract(text, language, now, expected)
            kept += [entity for entity in found if not _overlaps(entity, kept)]
        return tuple(sorted(kept, key=lambda entity: entity.start))


def _overlaps(entity: Entity, others: Sequence[Entity]) -> bool:
    # What one extractor gives two readings, such as a product that is a colour, comes as one list.
    return any(o.start < entity.end and entity.start < o.end for o in others)
