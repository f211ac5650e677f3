"""Finding products by a photo that the customer sent."""

import asyncio
from typing import Any

import msgspec
import structlog

from actions.base import Photos, Said, Slots
from actions.follow_ups import last_query
from actions.search import PAGE, SearchProducts
from actions.search_words import SearchWords
from actions.targets import ProductAction
from knowledge.errors import ExtraMissing, KnowledgeError, PictureTooLarge, PictureUnreadable
from knowledge.image_files import read_picture
from knowledge.image_search import PhotoResult
from knowledge.query import ProductQuery, ProductResult

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF")
log = structlog.get_logger(__name__)


class CheckPhoto(ProductAction):
    """Tell whether a file that came without words can be searched with; sets `redirect` or None."""

    async def act(self, said: Said) -> Slots:
        """Return find_by_photo for a picture."""
        photos, url = self.services.photos, latest_file(said)
        if photos is None or not url or not await _is_ready(photos):
            return {"redirect": None}
        body = await photos.read(url)
        is_picture = body is not None and body.startswith(_BEGINNINGS)
        return {"redirect": "find_by_photo" if is_picture else None}


class SearchByPhoto(SearchProducts):
    """Search for what looks like the photo sent last, within the limits of the customer's words.

    Sets `photo_state`: off (the shop has no search by photo), ask (there is no photo), gone,
    unreadable, too_large, nothing, limits (there is something alike, but not within
    `understood`) or found; with `cards`, `total` and `understood`.
    """

    async def act(self, said: Said) -> Slots:
        """Return what looks like it."""
        photos, url = self.services.photos, latest_file(said)
        if photos is None or not await _is_ready(photos):
            return {"photo_state": "off"}
        if not url:
            return {"photo_state": "ask"}
        body = await photos.read(url)
        if body is None:
            return {"photo_state": "gone"}
        query = await asyncio.to_thread(self._limits, said)
        try:
            found = await asyncio.to_thread(_look, photos, body, query)
        except PictureTooLarge:
            return {"photo_state": "too_large"}
        except (PictureUnreadable, ExtraMissing):
            return {"photo_state": "unreadable"}
        return await self._told(found, query)

    def _limits(self, said: Said) -> ProductQuery:
        """Return the limits that the words set, those of the last search by photo added."""
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        if said.slot("relax") or not text.strip():
            return ProductQuery(language=said.language)
        previous = last_query(said) if is_photo_search(said) else None
        query = self._refined(said, previous, text) if previous is not None else None
        read = query or self.services.library.read_query(text, said.language)
        return msgspec.structs.replace(
            read, text="", keywords=(), unexplained=(), limit=PAGE, offset=0
        )

    async def _told(self, found: PhotoResult, query: ProductQuery) -> Slots:
        categories = await self.services.shop.catalog.categories()
        words = SearchWords(await self.wording(), categories, self.services.shop.info.currency)
        within = msgspec.structs.replace(query, in_stock=False)
        slots: Slots = {"photo_state": found.state, "understood": words.understood(within)}
        if found.state == "nothing":
            return slots
        limits = query if found.state == "found" else ProductQuery(language=query.language)
        stocked = msgspec.structs.replace(limits, in_stock=True)
        matches = found.result.matches
        fresh = await self._fresh(ProductResult(stocked, matches, found.result.total))
        if not fresh:
            return {**slots, "photo_state": "nothing"}
        return {
            **slots,
            **await self._shown(limits, fresh, len(fresh)),
            "total": len(fresh),
            "last_search": {
                "query": msgspec.to_builtins(limits),
                "total": len(fresh),
                "photo": True,
            },
        }


def latest_file(said: Said) -> str:
    """Return the address of the file that the customer sent last, empty without one."""
    files: list[Any] = said.slot("attachments") or []
    return str(files[-1]) if files else ""


def is_photo_search(said: Said) -> bool:
    """Return whether the last search was one by photo."""
    stored = said.slot("last_search")
    return isinstance(stored, dict) and bool(stored.get("photo"))


async def _is_ready(photos: Photos) -> bool:
    """Return whether pictures of products are indexed."""
    try:
        return bool(await asyncio.to_thread(len, photos.search.index))
    except KnowledgeError as error:
        log.warning("photo_index_unreachable", error=str(error))
        return False


def _look(photos: Photos, body: bytes, query: ProductQuery) -> PhotoResult:
    """Return what looks like a picture; blocking.

    Raises:
        ExtraMissing: a package is not installed.
        PictureTooLarge: it has too many bytes or pixels.
        PictureUnreadable: it cannot be opened.
    """
    return photos.search.find(read_picture(body), query, PAGE)
