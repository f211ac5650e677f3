"""A fake Shopify on loopback and the adapter's ports to it."""

from contextlib import asynccontextmanager, contextmanager

from actions.commerce.http import RetryLimits
from actions.commerce.shopify.config import ShopifyConfig
from actions.commerce.shopify.ports import shopify_ports
from tests.platforms.faults import serve
from tests.platforms.shopify import FORMER_SECRET, SECRET, TOKEN, FakeShopify
from tests.platforms.shopify_schema import admin_schema
from tests.platforms.shopify_store import Store

LIMITS = RetryLimits(timeout_s=5.0, tries=3, first_wait_s=0.01, longest_wait_s=0.4)
SHORT = RetryLimits(timeout_s=0.3, tries=3, first_wait_s=0.01, longest_wait_s=0.05)


class Site:
    """One server for many tests: each puts its own fake behind it."""

    def __init__(self, schema):
        self.schema = schema
        self.url = ""
        self._fake = None

    def open(self, clock):
        self._fake = FakeShopify(self.schema, Store(clock))
        return self._fake

    async def __call__(self, scope, receive, send):
        await self._fake.faults(scope, receive, send)


@contextmanager
def running_site(shared_data):
    """Yield a running server; skips where Shopify's published schema is absent."""
    site = Site(admin_schema(shared_data))
    with serve(site) as url:
        site.url = url
        yield site


def config(url, **changes):
    values = {
        "url": url,
        "access_token": TOKEN,
        "webhook_secret": SECRET,
        "former_webhook_secret": FORMER_SECRET,
        "tier_tags": {"gold": "gold"},
    }
    return ShopifyConfig(**values | changes)


@asynccontextmanager
async def connected(site, fake, limits=LIMITS, **changes):
    """Yield the ports to the fake behind the site."""
    info = fake.store.info
    ports = shopify_ports(config(site.url, **changes), info, limits, fake.store.clock)
    yield ports
    await ports.closing()
