"""The ports of a shop on Vendure, wired."""

from actions.commerce.http import RetryLimits
from actions.commerce.models import ShopInfo
from actions.commerce.plans import PlanKind
from actions.commerce.remote import RemotePorts
from actions.commerce.vendure.absent import VendurePaymentLinks, VendureReturns
from actions.commerce.vendure.api import VendureApi
from actions.commerce.vendure.book import OrderBook
from actions.commerce.vendure.catalog import VendureCatalog
from actions.commerce.vendure.changes import OrderChanges
from actions.commerce.vendure.config import VendureConfig
from actions.commerce.vendure.effects import VendureEffects
from actions.commerce.vendure.orders import VendureOrders
from actions.commerce.vendure.people import VendureCustomers
from actions.commerce.vendure.refunds import VendureRefunds
from actions.commerce.vendure.webhooks import VendureWebhooks

CAN: frozenset[PlanKind] = frozenset({
    "cancel",
    "change_address",
    "change_items",
    "complaint",
    "goodwill",
    "default_address",
})


def vendure_ports(
    config: VendureConfig, info: ShopInfo, limits: RetryLimits | None = None
) -> RemotePorts:
    """Return the ports of a shop on Vendure 3.

    Args:
        config: address, credentials and the shop's conventions.
        info: what is not in the Admin API: languages, the pattern of order numbers.
        limits: times and tries.
    """
    api = VendureApi(config, limits)
    book = OrderBook(api, info)
    catalog = VendureCatalog(api, config)
    customers = VendureCustomers(book, config, info)
    return RemotePorts(
        info=info,
        customers=customers,
        catalog=catalog,
        orders=VendureOrders(book, OrderChanges(book, catalog)),
        returns=VendureReturns(book),
        payment_links=VendurePaymentLinks(),
        refunds=VendureRefunds(book),
        effects=VendureEffects(book, customers),
        webhooks=VendureWebhooks(config.webhook_secret),
        can=CAN,
        closing=api.close,
    )
