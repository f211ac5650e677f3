"""One real Vendure server for all tests of this folder; its database is put back before each."""

import pytest

from tests.platforms.vendure_names import NamedShop
from tests.platforms.vendure_shop import faulty, vendure_shop


@pytest.fixture(scope="session")
def running():
    with vendure_shop() as shop:
        yield shop


@pytest.fixture(scope="session")
def proxy(running):
    with faulty(running) as found:
        yield found


@pytest.fixture
async def shop(running):
    running.server.reset()
    ports = running.ports()
    yield NamedShop(ports, running.seeds)
    await ports.closing()
