"""The demo shop in a file of its own."""

import pytest

from actions.commerce.seeds import load_shop
from simulation.shop_file import ShopFile
from tests.conversations.talk import ROOT


@pytest.fixture(scope="package")
def shop(tmp_path_factory):
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite3"
    load_shop(ROOT / "data" / "demo_shop", path).close()
    opened = ShopFile(path)
    yield opened
    opened.close()
