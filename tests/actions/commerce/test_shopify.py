"""The Shopify adapter fills the commerce ports, over a fake that runs Shopify's own schema."""

import pytest

from actions.commerce.errors import NotSupported
from actions.commerce.models import STORE_CREDIT
from actions.commerce.requests import IssueRefund
from tests.actions.commerce.shopify_fixtures import connected, running_site
from tests.contracts.commerce_orders import CANCEL, OrdersContract
from tests.contracts.commerce_people import CatalogContract, CustomersContract
from tests.contracts.commerce_returns import RefundsContract, ReturnsContract
from tests.contracts.commerce_sales import PaymentLinksContract

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def site(shared_data):
    with running_site(shared_data) as site:
        yield site


@pytest.fixture
def fake(site, clock):
    return site.open(clock)


@pytest.fixture
async def shop(site, fake):
    async with connected(site, fake) as ports:
        yield ports


class TestShopifyOrders(OrdersContract):
    KEYS_ARE_GLOBAL = False  # a key is noted at the order it was used on
    HAS_GIFT_CARDS = False  # what is on a gift card is not among a customer's data
    CHANGES_METHOD = False  # a captured payment stays with the method that made it

    def changed(self, order):
        return next(line for line in order.lines if line.product_id == "P1")

    async def test_cancelling_gives_back_no_more_than_is_left(self, shop):
        """Shopify's cancelling knows no amount: with store credit given, a person has to do it."""
        given = IssueRefund("TR-100001", "C1", 2000, STORE_CREDIT, "goodwill")
        await shop.refunds.issue(given, "k1")
        with pytest.raises(NotSupported):
            await shop.orders.cancel(CANCEL, "k2")
        order = await shop.orders.get("TR-100001", "C1")
        refunds = [p.amount_minor for p in order.payments if p.kind == "refund"]
        assert (order.status, refunds) == ("pending", [2000])

    async def test_cancelling_gives_back_the_rest_of_a_payment(self, shop):
        await shop.refunds.issue(IssueRefund("TR-100001", "C1", 2000, "card-1"), "k1")
        order = await shop.orders.cancel(CANCEL, "k2")
        assert sum(p.amount_minor for p in order.payments if p.kind == "refund") == 13000

    async def test_orders_come_latest_first(self, shop):
        numbers = [order.number for order in await shop.orders.for_customer("C1")]
        assert sorted(numbers) == ["TR-100001", "TR-100002", "TR-100003", "TR-100006"]


class TestShopifyCustomers(CustomersContract):
    pass


class TestShopifyCatalog(CatalogContract):
    pass


class TestShopifyReturns(ReturnsContract):
    HAS_GIFT_CARDS = False
    EXCHANGE_MINOR = -3000  # Shopify gives back what was paid, its share of the discount taken off
    EXCHANGE_TAKES_STOCK = False  # the new piece is taken when the old one has been processed


class TestShopifyRefunds(RefundsContract):
    pass


class TestShopifyPaymentLinks(PaymentLinksContract):
    URL_PREFIX = "https://small.example/invoices/"
    ENDS_SETTLED = False  # Shopify itself makes an order of a paid draft

    @pytest.fixture(autouse=True)
    def _paying(self, fake):
        self.fake = fake

    async def pay(self, shop, link):
        self.fake.store.pay_draft(link.id)
