"""The small shop: loaded once, copied for each test."""

import shutil

import pytest

from actions.commerce.sql import ShopDatabase
from tests.fixtures.small_shop import Clock, open_database, open_planner, open_provider, open_shop


@pytest.fixture(scope="session")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small_shop")
    open_database(folder, Clock()).close()
    return folder / "shop.sqlite3"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def database(loaded, tmp_path, clock):
    opened = ShopDatabase(shutil.copyfile(loaded, tmp_path / "shop.sqlite3"), clock)
    yield opened
    opened.close()


@pytest.fixture
def provider(clock):
    return open_provider(clock)


@pytest.fixture
def shop(database, provider):
    return open_shop(database, provider)


@pytest.fixture
def planner(shop, clock):
    return open_planner(shop, clock)
