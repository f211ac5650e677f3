"""A shop on WooCommerce behind our ports."""

from collections.abc import Callable
from datetime import UTC, datetime

from actions.commerce.http import RetryLimits
from actions.commerce.models import ShopInfo
from actions.commerce.plans import PlanKind
from actions.commerce.remote import RemotePorts
from actions.commerce.woocommerce.book import OrderBook
from actions.commerce.woocommerce.catalog import WooCatalog
from actions.commerce.woocommerce.catalogue_reading import Reader
from actions.commerce.woocommerce.client import WooClient
from actions.commerce.woocommerce.config import WooConfig
from actions.commerce.woocommerce.effects import WooEffects
from actions.commerce.woocommerce.links import WooLinks
from actions.commerce.woocommerce.orders import WooOrders
from actions.commerce.woocommerce.people import WooCustomers
from actions.commerce.woocommerce.refunds import Till, WooRefunds
from actions.commerce.woocommerce.returns import WooReturns
from actions.commerce.woocommerce.webhooks import WooWebhooks

ALWAYS: frozenset[PlanKind] = frozenset({
    "cancel",
    "change_address",
    "complaint",
    "default_address",
    "goodwill",
})
WITH_GROSS_PRICES: frozenset[PlanKind] = frozenset({"change_items", "checkout", "reorder"})
"""What needs the price on the shelf to be what the customer pays."""

WITH_NOTES: frozenset[PlanKind] = frozenset({"return"})
"""What the shop's staff does by hand after reading our note."""


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def woocommerce_ports(
    config: WooConfig,
    info: ShopInfo,
    limits: RetryLimits,
    clock: Callable[[], datetime] = utc_now,
) -> RemotePorts:
    """Return the ports of a shop on WooCommerce; raises `InvalidRequest` for an unsafe address.

    Args:
        config: where it is and what it must tell about itself.
        info: the shop's own data; its currency and first language are those of the catalogue.
        limits: for requests.
        clock: returns the present time as aware UTC.
    """
    client = WooClient(config, limits)
    language = info.languages[0]
    book = OrderBook(client, config, language)
    till = Till(book, clock)
    catalog = WooCatalog(client, Reader(config, info.currency, language))
    customers = WooCustomers(book, info.country, clock)
    returns = WooReturns(book, clock)
    links = WooLinks(book, catalog, info, clock)
    return RemotePorts(
        info=info,
        customers=customers,
        catalog=catalog,
        orders=WooOrders(book, till, catalog, clock),
        returns=returns,
        payment_links=links,
        refunds=WooRefunds(book, till),
        effects=WooEffects(book, till, customers, links),
        webhooks=WooWebhooks(config, clock),
        can=can_do(config),
        closing=client.close,
    )


def can_do(config: WooConfig) -> frozenset[PlanKind]:
    """Return the kinds of plans that a shop set up like this can carry out."""
    gross = WITH_GROSS_PRICES if config.prices_include_tax else frozenset()
    noted = WITH_NOTES if config.notes_returns else frozenset()
    return ALWAYS | gross | noted
