"""The fake WooCommerce with our ports in front of it, spoken to with shop_small's ids."""

from types import SimpleNamespace

import msgspec
import pytest

from actions.commerce.http import RetryLimits
from actions.commerce.models import ShopInfo, Vocabulary
from actions.commerce.woocommerce.adapter import woocommerce_ports
from actions.commerce.woocommerce.config import WooConfig, WooLinks
from tests.fixtures.small_shop import FOLDER
from tests.platforms.faults import serve
from tests.platforms.renaming import Renamed
from tests.platforms.woocommerce import KEY, SECRET, WEBHOOK_SECRET, FakeWooCommerce

INFO = msgspec.json.decode((FOLDER / "shop.json").read_bytes(), type=ShopInfo)
LIMITS = RetryLimits(timeout_s=0.3, tries=3, first_wait_s=0.01, longest_wait_s=0.05)
PORTS = ("customers", "catalog", "orders", "returns", "payment_links", "refunds", "effects")


def config_for(url, **changes):
    words = msgspec.json.decode((FOLDER / "vocabulary.json").read_bytes(), type=Vocabulary)
    config = WooConfig(
        url=url,
        consumer_key=KEY,
        consumer_secret=SECRET,
        webhook_secret=WEBHOOK_SECRET,
        statuses={"completed": "delivered", "shipped": "shipped"},
        vat_rates={"": 1900},
        vocabulary=words,
        links=WooLinks(shipping_tax_bp=1900),
    )
    return msgspec.structs.replace(config, **changes)


def renamed(ports, fake):
    return SimpleNamespace(**{name: Renamed(getattr(ports, name), fake.seed.ids) for name in PORTS})


@pytest.fixture
def fake(clock):
    return FakeWooCommerce(clock)


@pytest.fixture
def faults(fake):
    return fake.faults


@pytest.fixture
def url(fake):
    with serve(fake.faults) as address:
        yield address


@pytest.fixture
def config(url):
    return config_for(url)


@pytest.fixture
async def real_ports(config, clock):
    ports = woocommerce_ports(config, INFO, LIMITS, clock)
    yield ports
    await ports.closing()


@pytest.fixture
def ports(real_ports, fake):
    return renamed(real_ports, fake)


@pytest.fixture
def shop(ports):
    return ports
