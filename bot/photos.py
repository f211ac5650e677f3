"""Search by photo: opens its index, keeps it fresh, and finds the files that customers sent."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import structlog

from actions.base import Photos
from bot.knowledge_sources import store_opener
from bot.settings import Settings
from knowledge.image_encoder import OnnxImageEncoder
from knowledge.image_files import MAX_BYTES
from knowledge.image_index import ImageIndex
from knowledge.image_search import PhotoSearch
from knowledge.library import Library

MODEL = "image_encoder.onnx"
START_AFTER_S = 5.0
LOOK_EVERY_S = 30.0
FETCH_WAIT_S = 8.0
_POLL_S = 0.5
FindMedia = Callable[[str, str], Awaitable[tuple[Path, object] | None]]
log = structlog.get_logger(__name__)


class _Stored(Protocol):
    @property
    def path(self) -> Path:
        """Where it lies."""


class Uploads(Protocol):
    """Files that came over the web chat; their addresses begin with `base_url`."""

    @property
    def base_url(self) -> str:
        """Where they are shown."""

    def find(self, stored: str, signature: str) -> _Stored | None:
        """Return a file, or None if there is none or the signature is wrong."""


def open_images(settings: Settings) -> ImageIndex | None:
    """Return the index of products' pictures, or None without the extra `vision`."""
    model = settings.models_dir / MODEL
    if not all(find_spec(name) for name in ("PIL", "onnxruntime")) or not model.is_file():
        return None
    encoder, opener = OnnxImageEncoder(model), store_opener(settings)
    return ImageIndex(settings.catalogue_dir, settings.data_dir, encoder, opener)


def open_photos(settings: Settings, library: Library, files: "SentFiles") -> Photos | None:
    """Return what searches by photo, or None without the extra `vision`."""
    index = open_images(settings)
    if index is None:
        return None
    return Photos(PhotoSearch(index, library.search_products), files.read)


class SentFiles:
    """Reads files that customers sent, by the signed addresses we gave them; fetches nothing."""

    def __init__(self, uploads: Uploads, address: str) -> None:
        """Know the files of the web chat, and the address under which those of others are shown."""
        self._uploads = uploads
        self._uploads_at = uploads.base_url.rstrip("/") + "/"
        self._media_at = f"{address}/media/"
        self._find_media: FindMedia | None = None

    def on_media(self, find: FindMedia) -> None:
        """Find other channels' files with `find`."""
        self._find_media = find

    async def read(self, url: str) -> bytes | None:
        """Return a file that a customer sent; None if it is not ours, gone, or too large.

        A file that a platform still holds is waited for a little.
        """
        bare, _, query = url.partition("?")
        signature = parse_qs(query).get("sig", [""])[0]
        if urlsplit(bare).path.startswith(self._uploads_at) and not urlsplit(bare).netloc:
            stored = self._uploads.find(bare.removeprefix(self._uploads_at), signature)
            return await asyncio.to_thread(_bytes, stored.path) if stored else None
        if not bare.startswith(self._media_at) or self._find_media is None:
            return None
        key = bare.removeprefix(self._media_at)
        for _ in range(int(FETCH_WAIT_S / _POLL_S)):
            found = await self._find_media(key, signature)
            if found is not None:
                return await asyncio.to_thread(_bytes, found[0])
            await asyncio.sleep(_POLL_S)
        return None


class PhotoUpkeep:
    """Brings the pictures up to date when the products have changed."""

    def __init__(self, photos: Photos | None, library: Library) -> None:
        """Keep the index of `photos` like the products of `library`."""
        self._index = photos.search.index if photos else None
        self._library = library
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the background; without the extra there is nothing to do."""
        if self._index is not None and self._task is None:
            self._task = asyncio.create_task(self._run(self._index))

    async def close(self) -> None:
        """Stop after the picture that is being read."""
        if self._index is not None:
            self._index.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, index: ImageIndex) -> None:
        done: object = None
        await asyncio.sleep(START_AFTER_S)
        while True:
            products = self._library.products
            if products is not done:
                try:
                    await asyncio.to_thread(index.ingest, products)
                    done = products
                except Exception:
                    log.exception("images_not_indexed")
            await asyncio.sleep(LOOK_EVERY_S)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError:
        return None
