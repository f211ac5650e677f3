"""The SQLite store keeps the contract, survives restarts and leaves no trace of the erased."""

import asyncio
import sqlite3
import threading
from contextlib import asynccontextmanager, closing

import pytest

from bot.messages import Contact, Receipt
from bot.storage.channel_ports import MediaItem, SentPart
from bot.storage.effects import EffectOutcome
from bot.storage.errors import EraseIncomplete, StoreClosed, StoreFailed, VersionConflict
from bot.storage.open import open_store
from bot.storage.sqlite_connection import SqliteConnection
from tests.contracts.storage import NOON, StoreContract, inbound, turn
from tests.contracts.storage_chain import ChainContract
from tests.contracts.storage_channels import ChannelsContract
from tests.contracts.storage_contacts import PeopleContract
from tests.contracts.storage_effects import LedgerContract, refund


class TestSqliteStore(
    ChainContract, PeopleContract, ChannelsContract, LedgerContract, StoreContract
):
    """The contract."""

    @pytest.fixture
    def opening(self, tmp_path):
        self.path = tmp_path / "tresen.sqlite3"

    @asynccontextmanager
    async def opened(self, clock):
        store = await open_store(f"sqlite:///{self.path}", clock)
        try:
            yield store
        finally:
            await store.close()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'tresen.sqlite3'}"


async def test_everything_is_there_after_a_restart(url):
    store = await open_store(url)
    ids = await store.inbox.accept([inbound("1", message_id="1"), inbound("2", message_id="2")])
    commit = turn("web:anna", 0, ("eins",), handled_inbox_id=ids[0].inbox_id, effects=[refund()])
    await store.turns.commit(commit)
    await store.close()
    store = await open_store(url)
    assert [e.message.text for e in await store.inbox.pending()] == ["2"]
    assert [e.message.text for e in await store.outbox.unsent("web")] == ["eins"]
    assert (await store.events.load("web:anna"))[1] == 1
    assert (await store.effects.get("k1")).data == refund().data
    assert (await store.inbox.accept([inbound("1", message_id="1")]))[0].duplicate
    await store.close()


async def test_erasing_leaves_no_trace_in_the_files(url, tmp_path):
    mark = "Traceless-7261"
    store = await open_store(url)
    for number in range(40):
        message = inbound(f"{mark} text " * 200, mark, f"{mark}-{number}")
        [accepted] = await store.inbox.accept([message])
        await store.turns.commit(
            turn(f"web:{mark}", number, (f"{mark} answer",), handled_inbox_id=accepted.inbox_id)
        )
    await store.inbox.accept([inbound("stays")])
    assert any(mark.encode() in p.read_bytes() for p in tmp_path.iterdir())
    await store.events.erase(f"web:{mark}")
    assert [p.name for p in tmp_path.iterdir() if mark.encode() in p.read_bytes()] == []
    await store.close()
    assert [p.name for p in tmp_path.iterdir() if mark.encode() in p.read_bytes()] == []
    with closing(sqlite3.connect(tmp_path / "tresen.sqlite3")) as connection:
        assert mark not in "\n".join(connection.iterdump())
        assert "stays" in "\n".join(connection.iterdump())


async def test_erasing_leaves_no_trace_of_a_linked_customer(url, tmp_path):
    mark = "Traceless-3117"
    store = await open_store(url)
    entry = (await store.turns.commit(turn("web:anna", 0, ("a",)))).outbound[0]
    await store.contacts.save(Contact("sms", mark, conversation="web:anna"))
    await store.contacts.offer(mark, "web:anna", NOON)
    await store.receipts.sent(SentPart(entry.outbox_id, 0, "web", f"id {mark}", "sent", NOON))
    await store.receipts.news([Receipt("sms", "?", "read", NOON, sender_id=mark)])
    await store.media.add([MediaItem(f"key {mark}", "web:anna", "sms", mark)])
    assert any(mark.encode() in p.read_bytes() for p in tmp_path.iterdir())
    await store.events.erase("web:anna")
    await store.close()
    assert [p.name for p in tmp_path.iterdir() if mark.encode() in p.read_bytes()] == []


async def effects_in_files(url, tmp_path, mark, settle):
    """Erase a conversation with an effect under way, settle it, and return where it shows."""
    store = await open_store(url)
    effect = refund("k1", data={"to": f"{mark} street " * 500})
    await store.turns.commit(turn("web:anna", effects=[effect]))
    await store.events.erase("web:anna")
    assert any(mark.encode() in p.read_bytes() for p in tmp_path.iterdir())
    await settle(store)
    found = [p.name for p in tmp_path.iterdir() if mark.encode() in p.read_bytes()]
    await store.close()
    return found


async def test_an_effect_that_outlived_its_conversation_leaves_no_trace(url, tmp_path):
    def mark(store):
        return store.effects.mark(EffectOutcome("k1", "done"))

    assert await effects_in_files(url, tmp_path, "Traceless-9417", mark) == []


async def test_an_effect_that_a_turn_settles_leaves_no_trace(url, tmp_path):
    def commit(store):
        return store.turns.commit(turn("web:anna", outcomes=[EffectOutcome("k1", "refused")]))

    assert await effects_in_files(url, tmp_path, "Traceless-9418", commit) == []


async def test_a_reader_of_old_pages_does_not_keep_an_outcome_from_being_recorded(url, tmp_path):
    store = await open_store(url)
    await store.turns.commit(turn("web:anna", effects=[refund("k1")]))
    await store.events.erase("web:anna")
    with closing(sqlite3.connect(tmp_path / "tresen.sqlite3", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM effects").fetchall()
        assert (await store.effects.mark(EffectOutcome("k1", "done"))).state == "done"
    assert await store.effects.get("k1") is None
    await store.close()


async def test_a_failure_leaves_the_rest_of_its_group_alone(url):
    store = await open_store(url)
    commits = [turn(f"web:{n}", n % 2, ("x",)) for n in range(100)]
    results = await asyncio.gather(
        *(store.turns.commit(c) for c in commits), return_exceptions=True
    )
    assert [isinstance(r, VersionConflict) for r in results] == [n % 2 == 1 for n in range(100)]
    assert len(await store.outbox.unsent("web")) == 50
    await store.close()


async def test_what_a_platform_waits_for_goes_first(tmp_path):
    database = SqliteConnection(tmp_path / "any.sqlite3")
    begun, free, done = threading.Event(), threading.Event(), []
    under_way = asyncio.create_task(database.write(lambda _: begun.set() or free.wait(10)))
    assert await asyncio.to_thread(begun.wait, 10)
    turns = [
        asyncio.create_task(database.write(lambda _, n=n: done.append(f"turn {n}")))
        for n in range(300)
    ]
    taken = [
        asyncio.create_task(database.write(lambda _, n=n: done.append(f"taken {n}"), urgent=True))
        for n in range(20)
    ]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(under_way, *turns, *taken)
    expected = [f"taken {n}" for n in range(20)] + [f"turn {n}" for n in range(300)]
    assert done == expected, "it waited for turns that were asked for before"
    await database.close()


async def test_a_cancelled_caller_does_not_disturb_the_writer(url):
    store = await open_store(url)
    task = asyncio.create_task(store.turns.commit(turn("web:anna")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.turns.commit(turn("web:ben"))
    assert (await store.events.load("web:anna"))[1] == 1
    await store.close()


async def test_closing_finishes_what_was_asked_for(url):
    store = await open_store(url)
    tasks = [asyncio.create_task(store.turns.commit(turn(f"web:{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert [r.version for r in await asyncio.gather(*tasks)] == [1] * 50
    await store.close()
    with pytest.raises(StoreClosed):
        await store.turns.commit(turn("web:x"))
    with pytest.raises(StoreClosed):
        await store.events.load("web:x")


async def test_a_full_disk_fails_the_callers_and_loses_nothing_before(url, tmp_path):
    store = await open_store(url)
    await store.turns.commit(turn("web:anna"))
    await store.close()
    database = SqliteConnection(tmp_path / "tresen.sqlite3")
    pages = await database.write(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone())

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO conversation_events VALUES ('web:full', 1, 'x', ?, 0)", ("x" * 10**6,)
        )

    with pytest.raises(StoreFailed, match="full"):
        await database.write(fill)
    assert await database.write(lambda _: "still writing") == "still writing"
    await database.close()
    store = await open_store(url)
    assert [c.conversation_id for c in await store.events.conversations()] == ["web:anna"]
    await store.close()


async def test_commits_are_synced_to_disk(url, tmp_path):
    await (await open_store(url)).close()
    database = SqliteConnection(tmp_path / "tresen.sqlite3")
    settings = [
        await database.write(lambda c, n=name: c.execute(f"PRAGMA {n}").fetchone()[0])
        for name in ("journal_mode", "synchronous", "secure_delete")
    ]
    assert settings == ["wal", 2, 1]
    await database.close()


async def test_two_processes_may_share_a_file(url):
    one, two = await open_store(url), await open_store(url)
    [accepted] = await one.inbox.accept([inbound()])
    await two.turns.commit(turn("web:anna", handled_inbox_id=accepted.inbox_id))
    with pytest.raises(VersionConflict):
        await one.turns.commit(turn("web:anna"))
    assert (await one.inbox.history("web:anna"))[0].handled_at is not None
    assert (await one.inbox.history("web:anna"))[0].accepted_at > NOON
    await one.close()
    await two.close()


async def test_erasing_says_so_when_a_reader_keeps_old_pages(url, tmp_path):
    store = await open_store(url)
    await store.turns.commit(turn("web:anna"))
    with closing(sqlite3.connect(tmp_path / "tresen.sqlite3", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM conversations").fetchall()
        with pytest.raises(EraseIncomplete):
            await store.events.erase("web:anna")
    assert await store.events.load("web:anna") == ((), 0)
    await store.events.erase("web:anna")
    assert b"web:anna" not in (tmp_path / "tresen.sqlite3").read_bytes()
    await store.close()


async def test_callers_are_told_when_another_process_holds_the_file(url, tmp_path):
    await (await open_store(url)).close()
    database = SqliteConnection(tmp_path / "tresen.sqlite3")
    await database.write(lambda c: c.execute("SELECT 1").fetchone())
    database._writing.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(tmp_path / "tresen.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreFailed, match="locked"):
            await database.write(lambda c: c.execute("SELECT 1").fetchone())
        other.execute("ROLLBACK")
    assert await database.write(lambda _: "free again") == "free again"
    await database.close()
