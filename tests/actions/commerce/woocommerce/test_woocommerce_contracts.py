"""WooCommerce fills the commerce ports."""

from typing import ClassVar

import pytest

from actions.commerce.errors import NotSupported
from actions.commerce.models import STORE_CREDIT, Address, ReturnLine
from actions.commerce.requests import (
    CancelOrder,
    ChangeDefaultAddress,
    ChangeOrder,
    Intent,
    IssueRefund,
    OpenLink,
)
from tests.actions.commerce.woocommerce.conftest import config_for
from tests.contracts.commerce_faults import FaultContract, pytest_generate_tests_for
from tests.contracts.commerce_orders import OrdersContract, swap
from tests.contracts.commerce_people import CatalogContract, CustomersContract
from tests.contracts.commerce_returns import RefundsContract, ReturnsContract, give, send_back
from tests.contracts.commerce_sales import LINK, PaymentLinksContract

KOELN = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")


def pytest_generate_tests(metafunc):
    pytest_generate_tests_for(metafunc)


class TestWooOrders(OrdersContract):
    KEYS_ARE_GLOBAL = False  # a key is kept in the meta data of the order it was used on
    HAS_GIFT_CARDS = False  # WooCommerce itself has none
    HAS_STORE_CREDIT = False  # nor store credit
    CHANGES_METHOD = False  # an order holds one payment, made at the shop's own page
    ALSO_REFUSED = (NotSupported,)  # a difference in price can be neither collected nor credited

    async def test_changed_items_bring_the_difference_and_stay_pending(self, shop):
        """There is no difference: only variants of the same price are swapped."""
        order = await shop.orders.change(swap("P1-BLU-L", expected_minor=0), "k1")
        assert (order.status, order.items_modified) == ("pending", True)
        assert order.lines[0].options == {"color": "blue", "size": "L"}
        assert (order.lines[0].unit_price_minor, order.total_minor) == (10000, 13000)
        assert len(order.payments) == 1

    async def test_changed_items_move_the_stock(self, shop, fake):
        """WooCommerce does not move it for this change, so a note tells the staff."""
        await shop.orders.change(swap("P1-BLU-L"), "k1")
        (note,) = fake.orders.notes[5001]
        assert "1 x 101-1011 -> 101-1012" in note["note"]
        assert note["customer_note"] is False

    async def test_orders_come_latest_first(self, shop):
        numbers = [order.number for order in await shop.orders.for_customer("C1")]
        assert numbers == ["TR-100006", "TR-100003", "TR-100002", "TR-100001"]


class TestWooCustomers(CustomersContract):
    pass


class TestWooCatalog(CatalogContract):
    pass


class TestWooRefunds(RefundsContract):
    HAS_STORE_CREDIT = False

    async def test_store_credit_opens_a_balance(self, shop):
        """WooCommerce itself has no store credit."""
        with pytest.raises(NotSupported):
            await shop.refunds.issue(give(700, STORE_CREDIT), "k1")
        assert await shop.refunds.for_order("TR-100003", "C1") == ()


class TestWooReturns(ReturnsContract):
    HAS_GIFT_CARDS = False  # WooCommerce itself has none
    HAS_EXCHANGES = False  # nor exchanges
    ALSO_REFUSED = (NotSupported,)

    @pytest.fixture
    def config(self, url):
        return config_for(url, notes_returns=True)


class TestWooPaymentLinks(PaymentLinksContract):
    ENDS_SETTLED = False  # WooCommerce places the order; settling reads it

    @pytest.fixture(autouse=True)
    def _shop(self, fake):
        self.fake = fake

    async def pay(self, shop, link):
        self.fake.orders.pay(int(link.id), "card-1")


def asked(operation, key, **request):
    return Intent(key, operation, {"customer_id": "C1", **request})


def on_order(operation, number):
    return lambda key: asked(operation, key, order_number=number)


async def cancelled(ports):
    order = await ports.orders.get("TR-100001", "C1")
    refunds = [p for p in order.payments if p.kind == "refund"]
    assert len(refunds) == (order.status == "cancelled")
    return len(refunds)


async def refunded(ports):
    return len(await ports.refunds.for_order("TR-100003", "C1"))


async def moved(ports):
    return int((await ports.orders.get("TR-100001", "C1")).address == KOELN)


async def swapped(ports):
    return int((await ports.orders.get("TR-100001", "C1")).lines[0].variant_id == "P1-BLU-L")


async def at_home(ports):
    return int((await ports.customers.get("C1")).address == KOELN)


async def sent_back(ports):
    return len(await ports.returns.for_order("TR-100002", "C1"))


BACK = send_back(ReturnLine("1", 1, "too small"))
CANCEL = CancelOrder("TR-100001", "C1", "other")
MOVE = ChangeOrder("TR-100001", "C1", address=KOELN)
SWAP = swap("P1-BLU-L", expected_minor=0)
GIVE = IssueRefund("TR-100003", "C1", 700, "card-1", "goodwill")
HOME = ChangeDefaultAddress("C1", KOELN)
OPEN = OpenLink("C1", LINK.lines, LINK.address, 20000, 0)
ORDER = r"/orders/\d+$"


class TestWooFaults(FaultContract):
    READ_PATH = "/orders"
    WRITES: ClassVar[dict] = {
        "cancel": (
            r"/refunds$",
            "amount",
            lambda ports, key: ports.orders.cancel(CANCEL, key),
            on_order("cancel", "TR-100001"),
        ),
        "change_address": (
            ORDER,
            "shipping",
            lambda ports, key: ports.orders.change(MOVE, key),
            on_order("change_address", "TR-100001"),
        ),
        "change_items": (
            ORDER,
            "line_items",
            lambda ports, key: ports.orders.change(SWAP, key),
            on_order("change_items", "TR-100001"),
        ),
        "goodwill": (
            r"/refunds$",
            "amount",
            lambda ports, key: ports.refunds.issue(GIVE, key),
            on_order("goodwill", "TR-100003"),
        ),
        "default_address": (
            r"/customers/\d+$",
            "shipping",
            lambda ports, key: ports.customers.set_default_address(HOME, key),
            lambda key: asked("default_address", key),
        ),
        "return": (
            ORDER,
            "meta_data",
            lambda ports, key: ports.returns.request(BACK, key),
            on_order("return", "TR-100002"),
        ),
        "checkout": (
            r"/orders$",
            "line_items",
            lambda ports, key: ports.payment_links.create(OPEN, key),
            lambda key: asked("checkout", key),
        ),
    }

    @pytest.fixture
    def config(self, url):
        return config_for(url, notes_returns=True)

    @pytest.fixture(autouse=True)
    def _shop(self, fake):
        self.fake = fake

    async def opened(self, ports):
        return len(self.fake.orders.held) - 6

    @property
    def COUNTS(self):  # noqa: N802 - the contract's name
        return {
            "cancel": cancelled,
            "change_address": moved,
            "change_items": swapped,
            "goodwill": refunded,
            "default_address": at_home,
            "return": sent_back,
            "checkout": self.opened,
        }
