"""The store in memory keeps the contract."""

from contextlib import asynccontextmanager

from bot.storage.memory import memory_store
from tests.contracts.storage import StoreContract
from tests.contracts.storage_chain import ChainContract
from tests.contracts.storage_channels import ChannelsContract
from tests.contracts.storage_contacts import PeopleContract
from tests.contracts.storage_effects import LedgerContract


class TestMemoryStore(
    ChainContract, PeopleContract, ChannelsContract, LedgerContract, StoreContract
):
    """The contract."""

    @asynccontextmanager
    async def opened(self, clock):
        store = memory_store(clock)
        try:
            yield store
        finally:
            await store.close()
