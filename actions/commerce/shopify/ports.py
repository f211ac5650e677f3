"""Puts the Shopify adapter together."""

from actions.commerce.http import RetryLimits
from actions.commerce.models import ShopInfo
from actions.commerce.plans import PlanKind
from actions.commerce.remote import RemotePorts
from actions.commerce.shopify.catalog import ShopifyCatalog
from actions.commerce.shopify.client import ShopifyApi
from actions.commerce.shopify.config import ShopifyConfig
from actions.commerce.shopify.customers import ShopifyCustomers
from actions.commerce.shopify.edits import ItemsStep
from actions.commerce.shopify.effects import ShopifyEffects, Writers
from actions.commerce.shopify.links import ShopifyLinks
from actions.commerce.shopify.once import OrderWrites
from actions.commerce.shopify.orders import ShopifyOrders
from actions.commerce.shopify.refunds import RefundBook, ShopifyRefunds
from actions.commerce.shopify.returns import ShopifyReturns
from actions.commerce.shopify.source import OrderSource
from actions.commerce.shopify.webhooks import ShopifyWebhooks
from actions.commerce.sql import Clock, utc_now

CAN: frozenset[PlanKind] = frozenset({
    "cancel",
    "change_address",
    "change_items",
    "return",
    "exchange",
    "complaint",
    "goodwill",
    "default_address",
    "checkout",
    "reorder",
})


def shopify_ports(
    config: ShopifyConfig, info: ShopInfo, limits: RetryLimits, clock: Clock = utc_now
) -> RemotePorts:
    """Return the ports of a Shopify store.

    Args:
        config: where it is and how to get in.
        info: the shop as the bot knows it.
        limits: times and tries of requests.
        clock: returns the present time as aware UTC.
    """
    api = ShopifyApi(config, limits)
    source = OrderSource(api, info, config.language)
    writes = OrderWrites(source, clock)
    catalog = ShopifyCatalog(api, config, info)
    customers = ShopifyCustomers(source, config, info)
    book = RefundBook(api)
    items = ItemsStep(source, catalog, book)
    orders = ShopifyOrders(writes, config, items)
    returns = ShopifyReturns(writes, catalog, need_approval=config.returns_need_approval)
    refunds = ShopifyRefunds(writes, book)
    links = ShopifyLinks(source, catalog, config, info, clock)
    writers = Writers(orders, returns, refunds, links, customers, items)
    missing: set[PlanKind] = {"exchange"} if config.returns_need_approval else set()
    return RemotePorts(
        info=info,
        customers=customers,
        catalog=catalog,
        orders=orders,
        returns=returns,
        payment_links=links,
        refunds=refunds,
        effects=ShopifyEffects(source, writers),
        webhooks=ShopifyWebhooks(config),
        can=CAN - missing,
        closing=api.close,
    )
