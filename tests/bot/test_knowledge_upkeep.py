"""Sources are read on schedule and on request, and the API tells what came of it."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from bot.http_guard import add_guards
from bot.knowledge_upkeep import KnowledgeUpkeep, mount_knowledge
from knowledge.documents import Passage
from knowledge.errors import SourceUnreadable
from knowledge.feeds.base import Document, Source
from knowledge.gathering import Gathering
from knowledge.library import Library
from tests.knowledge.conftest import VOCABULARY, write_shop

TOKEN = {"authorization": "Bearer secret"}


class Page(Source):
    """A source of one passage that counts how often it is read."""

    def __init__(self, name):
        super().__init__(name)
        self.text = "The first text of this page."
        self.reads = 0

    def documents(self, known):
        self.reads += 1
        if not self.text:
            raise SourceUnreadable(self.name, "is away")
        passage = Passage("p:en", "p", "help", "en", "Page", self.text)
        yield Document("p", self.text, passages=(passage,))


class Place:
    """A library over two pages, and a clock that is set by hand."""

    def __init__(self, home):
        self.now, self.home = datetime(2026, 11, 22, tzinfo=UTC), home
        self.pages = [Page("daily"), Page("asked")]
        gathering = Gathering(home / "kept", self.pages, lambda: self.now)
        self.dirs = write_shop(home / "sources")
        self.library = Library(self.dirs, home / "data", VOCABULARY, None, gathering)

    def upkeep(self):
        intervals = {"daily": 86_400.0, "asked": 0.0}
        return KnowledgeUpkeep(self.library, intervals, lambda: self.now, least_pause_s=0.0)

    def texts(self):
        return [a.text for a in self.library.rank_answers("text of this page", "en", 1)]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


async def until(fact):
    async with asyncio.timeout(20):
        while not fact():  # noqa: ASYNC110 - a worker thread has no event of the loop
            await asyncio.sleep(0.01)


async def test_new_sources_are_read_at_once_and_due_ones_later(place):
    daily, asked = place.pages
    first = place.upkeep()
    first.start()
    await until(lambda: place.texts() == [daily.text])
    await first.close()
    assert (daily.reads, asked.reads) == (1, 1)


async def test_after_a_restart_only_what_is_due_is_read(place):
    daily, asked = place.pages
    place.library.gathering.refresh()
    place.now += timedelta(days=2)
    daily.text = "The second text of this page."
    later = place.upkeep()
    later.start()
    await until(lambda: place.texts() == [daily.text])
    await later.close()
    assert (daily.reads, asked.reads) == (2, 1)


async def test_a_caller_with_the_token_has_sources_read(place):
    daily, asked = place.pages
    place.library.gathering.refresh()
    upkeep = place.upkeep()
    api = FastAPI()
    add_guards(api)
    mount_knowledge(api, upkeep, "secret")
    transport = httpx.ASGITransport(api, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        path = "/knowledge/ingest"
        assert (await client.post(path, json={})).status_code == 401
        unknown = await client.post(path, json={"sources": ["x"]}, headers=TOKEN)
        assert (unknown.status_code, "no source 'x'" in unknown.text) == (404, True)
        assert (await client.post(path, json={"source": "x"}, headers=TOKEN)).status_code == 422
        upkeep.start()
        await asyncio.sleep(0)
        asked.text, daily.text = "", "The newest text of this page."
        answer = await client.post(path, json={"sources": ["asked"]}, headers=TOKEN)
        assert (answer.status_code, answer.json()) == (202, {"sources": ["asked"]})
        await until(lambda: "asked" in upkeep.reports)
        assert daily.reads == 1
        everything = await client.post(path, json={}, headers=TOKEN)
        assert everything.json() == {"sources": ["daily", "asked"]}
        await until(lambda: place.texts() == [daily.text])
        states = (await client.get("/knowledge/sources", headers=TOKEN)).json()
    await upkeep.close()
    assert [(s["name"], s["failure"], s["read"]) for s in states] == [
        ("daily", "", 1), ("asked", "asked: is away", 1),
    ]  # fmt: skip


async def test_what_another_process_read_or_an_ingest_missed_is_indexed_by_the_next_round(place):
    place.library.gathering.refresh()
    place.library.ingest()
    daily = place.pages[0]
    daily.text = "The text that another process has read."
    Gathering(place.home / "kept", place.pages, lambda: place.now).refresh()
    assert place.library.is_behind()
    upkeep = place.upkeep()
    upkeep.start()
    upkeep.ask(["daily"])
    await until(lambda: place.texts() == [daily.text])
    await upkeep.close()
    assert not upkeep.reports["daily"].is_new


def test_reading_a_source_again_leaves_the_index_current(place):
    place.library.gathering.refresh()
    place.library.ingest()
    place.now += timedelta(days=1)
    place.library.gathering.refresh()
    assert not place.library.is_behind()


def test_an_ingest_goes_on_from_the_version_that_another_process_wrote(place):
    gathering = place.library.gathering
    other = Library(place.dirs, place.home / "data", VOCABULARY, None, gathering)
    other.ingest()
    other.ingest()
    place.library.ingest()
    versions = {path.name for path in (place.home / "data" / "knowledge").glob("products-*")}
    assert versions == {"products-3.sqlite3"}
