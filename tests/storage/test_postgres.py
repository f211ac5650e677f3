"""The PostgreSQL store keeps the contract."""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest

from bot.storage.errors import StoreClosed, StoreFailed
from bot.storage.open import open_store
from bot.storage.ports import WINDOW_CLOSED, Delivery
from bot.storage.postgres import postgres_store
from tests.contracts.storage import SetClock, StoreContract, inbound, turn
from tests.contracts.storage_chain import ChainContract
from tests.contracts.storage_channels import HOUR, PHONE, ChannelsContract, queued
from tests.contracts.storage_contacts import PeopleContract
from tests.contracts.storage_effects import LedgerContract

pytestmark = pytest.mark.postgres

_EMPTY = (
    "TRUNCATE conversations, conversation_events, inbox, outbox, effects, contacts, link_offers, "
    "sent_parts, early_news, media"
)


@asynccontextmanager
async def emptied(url, clock):
    asyncpg = pytest.importorskip("asyncpg")
    store = await open_store(url, clock)
    connection = await asyncpg.connect(url)
    await connection.execute(_EMPTY)
    await connection.close()
    try:
        yield store
    finally:
        await store.close()


class TestPostgresStore(
    ChainContract, PeopleContract, ChannelsContract, LedgerContract, StoreContract
):
    """The contract."""

    @pytest.fixture
    def opening(self, postgres_url):
        self.url = postgres_url

    @asynccontextmanager
    async def opened(self, clock):
        async with emptied(self.url, clock) as store:
            yield store


async def test_arrivals_from_two_machines_keep_their_order(postgres_url):
    async with emptied(postgres_url, SetClock()) as one:
        two = await postgres_store(postgres_url)
        for number in range(20):
            machine = one if number % 2 else two
            await machine.inbox.accept([inbound(str(number), message_id=str(number))])
        texts = [e.message.text for e in await one.inbox.waiting("web:anna")]
        assert texts == [str(n) for n in range(20)]
        await two.close()
        with pytest.raises(StoreClosed):
            await two.turns.commit(turn("web:anna"))


async def test_a_lost_connection_fails_its_callers_only(postgres_url):
    asyncpg = pytest.importorskip("asyncpg")
    async with emptied(postgres_url, SetClock()) as store:
        await store.turns.commit(turn("web:anna"))
        locker = await asyncpg.connect(postgres_url)
        held = locker.transaction()
        await held.start()
        await locker.execute("SELECT 1 FROM conversations FOR UPDATE")
        waiting = asyncio.create_task(store.turns.commit(turn("web:anna", 1)))
        end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"
        for _ in range(500):
            if await locker.fetch(end):
                break
            await asyncio.sleep(0.01)
        with pytest.raises(StoreFailed):
            await waiting
        await held.rollback()
        await locker.close()
        assert (await store.turns.commit(turn("web:anna", 1))).version == 2


async def test_what_is_put_aside_while_its_recipient_writes_is_not_left_there(postgres_url):
    asyncpg = pytest.importorskip("asyncpg")
    clock = SetClock()
    async with emptied(postgres_url, clock) as store:
        await store.inbox.accept([PHONE])
        [one] = await queued(store, "one")
        held = await asyncpg.connect(postgres_url)
        async with held.transaction():  # what is written cannot be committed meanwhile
            await held.execute("SELECT 1 FROM conversations FOR UPDATE")
            again = msgspec.structs.replace(PHONE, message_id="p2")
            writing = asyncio.create_task(store.inbox.accept([again]))
            await asyncio.sleep(0.3)
            later = clock.now + HOUR
            aside = Delivery(one, "failed", error=WINDOW_CLOSED, next_attempt_at=later)
            await store.outbox.mark(aside)
            assert not writing.done()
        await writing
        assert [entry.outbox_id for entry in await store.outbox.unsent("whatsapp")] == [one]
        await held.close()
