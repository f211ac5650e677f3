"""Stripe's library, pointed at our own Stripe on loopback."""

import httpx
import pytest

from actions.commerce.shop import sql_shop
from actions.payments.desk import PaymentDesk
from actions.payments.stripe import StripeConfig, StripePaymentProvider
from tests.platforms.faults import serve
from tests.platforms.stripe import ACCOUNT, KEY, SECRET, StripeFake


@pytest.fixture
def fake(clock):
    return StripeFake(lambda: clock().timestamp())


@pytest.fixture
def config(fake):
    with serve(fake.faults) as url:
        assert httpx.get(f"{url}/v1/refunds", timeout=20).status_code == 401  # it is up
        fake.faults.clear()
        yield StripeConfig(
            api_key=KEY,
            webhook_secret=SECRET,
            return_url="https://shop.example/shop/pay/{CHECKOUT_SESSION_ID}",
            account=ACCOUNT,
            api_base=url,
            timeout_s=4,
            retries=1,
            call_s=10,
        )


@pytest.fixture
async def stripe(config, clock):
    provider = StripePaymentProvider(config, clock)
    yield provider
    await provider.close()


@pytest.fixture
def shop(database, stripe):
    return sql_shop(database, stripe)


@pytest.fixture
def links(shop):
    return shop.payment_links


@pytest.fixture
def told():
    return []


@pytest.fixture
def desk(database, stripe, told):
    async def notify(notice):
        told.append(notice)

    return PaymentDesk(database, stripe, notify)
