"""Products in stock that look like a photo, within the limits that the customer's words set."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec
import numpy as np

from knowledge.image_encoder import Pixels
from knowledge.image_index import ImageIndex
from knowledge.query import ProductMatch, ProductQuery, ProductResult

# Measured on the demo shop (`bench.knowledge --part visual`): a picture of something else reaches
# 0.55 with the nearest product, a product's own picture cropped, turned or darkened 0.76 and more.
LIKE_FLOOR = 0.58
_SPREAD = 0.25
_ALL = 1_000_000
_VOTERS = 12
_CLEAR_SHARE = 0.6
_OTHER_SHELF = 0.1
Search = Callable[[ProductQuery], ProductResult]


class PhotoResult(msgspec.Struct, frozen=True):
    """What looks like a photo.

    `state` is "nothing" when no product does, and "limits" when some do but none of them in stock
    within the limits; then `matches` are those within none.
    """

    state: Literal["found", "limits", "nothing"]
    result: ProductResult


class PhotoSearch:
    """Ranks by likeness what the limits let through."""

    def __init__(self, index: ImageIndex, search: Search) -> None:
        """Look in `index`; `search` applies the limits."""
        self.index = index
        self._search = search

    def find(self, photo: Pixels, query: ProductQuery, limit: int = 5) -> PhotoResult:
        """Return products in stock that look like a photo, best first.

        Args:
            photo: as `read_picture` returns it.
            query: its limits hold as in any search; its words do not count.
            limit: how many to return.
        """
        likeness = self.index.likeness(photo)
        nothing = PhotoResult("nothing", ProductResult(query))
        if max(likeness.values(), default=0.0) < LIKE_FLOOR:
            return nothing
        for state, limits in (("found", query), ("limits", ProductQuery(language=query.language))):
            matches = self._ranked(limits, likeness)
            if matches:
                result = ProductResult(query, matches[:limit], len(matches))
                return PhotoResult("found" if state == "found" else "limits", result)
        return nothing

    def _ranked(
        self, query: ProductQuery, likeness: Mapping[str, float]
    ) -> tuple[ProductMatch, ...]:
        asked = msgspec.structs.replace(
            query,
            text="",
            keywords=(),
            unexplained=(),
            sort="price_asc",
            in_stock=True,
            open_category=False,
            offset=0,
            limit=_ALL,
        )
        matches = self._search(asked).matches
        alike = [m for m in matches if likeness.get(m.product.id, 0.0) >= LIKE_FLOOR]
        shelf = "" if query.categories else _shelf(alike, likeness)
        scores = {
            m.product.id: likeness[m.product.id]
            - (_OTHER_SHELF if shelf and m.product.category != shelf else 0.0)
            for m in alike
        }
        floor = max([LIKE_FLOOR, *(score - _SPREAD for score in scores.values())])
        kept = sorted(
            (m for m in alike if scores[m.product.id] >= floor),
            key=lambda m: (-scores[m.product.id], m.product.id),
        )
        return tuple(
            msgspec.structs.replace(
                m, score=float(np.clip(scores[m.product.id], 0.0, 1.0)), why=(*m.why, "looks")
            )
            for m in kept
        )


def _shelf(alike: list[ProductMatch], likeness: Mapping[str, float]) -> str:
    """Return the shelf that most of what looks alike stands on, if that is clear."""
    nearest = sorted(alike, key=lambda m: -likeness[m.product.id])[:_VOTERS]
    votes: defaultdict[str, float] = defaultdict(float)
    for match in nearest:
        votes[match.product.category] += likeness[match.product.id] ** 2
    if not votes:
        return ""
    best = max(votes, key=lambda name: votes[name])
    return best if votes[best] >= _CLEAR_SHARE * sum(votes.values()) else ""
