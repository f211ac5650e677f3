"""The SQL demo shop fills the commerce ports."""

import pytest

from actions.commerce.errors import InvalidRequest
from actions.commerce.requests import RecordFeedback
from tests.contracts.commerce_identity import IdentityGuardContract, OneTimeCodesContract
from tests.contracts.commerce_orders import OrdersContract
from tests.contracts.commerce_people import CatalogContract, CustomersContract
from tests.contracts.commerce_records import ConversationRecordsContract
from tests.contracts.commerce_returns import ComplaintsContract, RefundsContract, ReturnsContract
from tests.contracts.commerce_sales import CartsContract, PaymentLinksContract


class TestSqlOrders(OrdersContract):
    async def test_orders_come_latest_first(self, shop):
        numbers = [order.number for order in await shop.orders.for_customer("C1")]
        assert sorted(numbers) == ["TR-100001", "TR-100002", "TR-100003", "TR-100006"]


class TestSqlCustomers(CustomersContract):
    pass


class TestSqlCatalog(CatalogContract):
    pass


class TestSqlConversationRecords(ConversationRecordsContract):
    pass


class TestSqlReturns(ReturnsContract):
    pass


class TestSqlRefunds(RefundsContract):
    pass


class TestSqlComplaints(ComplaintsContract):
    pass


class TestSqlCarts(CartsContract):
    pass


class TestSqlPaymentLinks(PaymentLinksContract):
    async def pay(self, shop, link):
        await shop.payment_links._provider.pay(link.id)


class TestSqlOneTimeCodes(OneTimeCodesContract):
    pass


class TestSqlIdentityGuard(IdentityGuardContract):
    pass


async def test_feedback_is_one_to_five(shop):
    feedback = await shop.feedback.record(RecordFeedback("web:1", 5, "gut"), "k1")
    assert (feedback.score, feedback.comment) == (5, "gut")
    with pytest.raises(InvalidRequest):
        await shop.feedback.record(RecordFeedback("web:1", 6), "k2")
