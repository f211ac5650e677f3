"""The files that customers sent, and the index that follows the products."""

import asyncio
from queue import SimpleQueue

import msgspec
import pytest

from actions.base import Photos
from bot import photos as module
from bot.photos import PhotoUpkeep, SentFiles
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore
from knowledge.image_search import PhotoSearch
from knowledge.query import ProductResult

ADDRESS = "https://chat.shop.example"
PNG = b"\x89PNG\r\n\x1a\n and the rest"


@pytest.fixture
def uploads(tmp_path):
    return UploadStore(tmp_path, Signer(b"0" * 32))


@pytest.fixture
def files(uploads):
    return SentFiles(uploads, ADDRESS)


async def test_an_upload_is_read_by_its_signed_address_alone(files, uploads):
    address = uploads.save("visitor", "x.png", PNG).url
    assert await files.read(address) == PNG
    assert await files.read(address[:-2] + "xx") is None
    assert await files.read(f"https://elsewhere.example{address}") is None
    assert await files.read(address.replace("uploads/", "uploads/../")) is None


async def test_a_file_that_a_platform_still_holds_is_waited_for(files, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_POLL_S", 0.01)
    kept = tmp_path / "kept.png"
    kept.write_bytes(PNG)
    asked = []

    async def find(key, signature):
        asked.append((key, signature))
        return (kept, None) if len(asked) > 2 else None

    files.on_media(find)
    assert await files.read(f"{ADDRESS}/media/abc?sig=right") == PNG
    assert set(asked) == {("abc", "right")}


async def test_one_that_never_comes_is_given_up(files, monkeypatch):
    monkeypatch.setattr(module, "FETCH_WAIT_S", 0.05)
    monkeypatch.setattr(module, "_POLL_S", 0.01)

    async def find(key, signature):
        return None

    files.on_media(find)
    assert await files.read(f"{ADDRESS}/media/abc?sig=right") is None


async def test_a_file_beyond_the_limit_is_not_read(files, uploads, monkeypatch):
    address = uploads.save("visitor", "x.png", PNG).url
    monkeypatch.setattr(module, "MAX_BYTES", 5)
    assert await files.read(address) is None


class Goods(msgspec.Struct):
    """As much of a library as upkeep looks at."""

    products: tuple[str, ...]


class Counted:
    """An index that counts its rounds."""

    def __init__(self):
        self.rounds = []
        self.begun = SimpleQueue()
        self.stopped = False

    def ingest(self, products):
        self.rounds.append(products)
        self.begun.put(None)
        if len(self.rounds) == 1:
            raise OSError("the disk is full")

    def stop(self):
        self.stopped = True


async def test_pictures_follow_the_products_also_after_a_failure(monkeypatch):
    monkeypatch.setattr(module, "START_AFTER_S", 0.0)
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    index, goods = Counted(), Goods(("one",))
    search = PhotoSearch(index, ProductResult)
    upkeep = PhotoUpkeep(Photos(search, SentFiles.read), goods)
    upkeep.start()
    for _ in range(2):
        await asyncio.to_thread(index.begun.get, timeout=20)
    goods.products = ("one", "two")
    await asyncio.to_thread(index.begun.get, timeout=20)
    await upkeep.close()
    assert index.rounds == [("one",), ("one",), ("one", "two")]
    assert index.stopped


async def test_without_the_extra_there_is_nothing_to_do():
    upkeep = PhotoUpkeep(None, Goods(()))
    upkeep.start()
    await upkeep.close()
