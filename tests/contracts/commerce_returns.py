"""What every adapter of `Returns`, `Refunds` and `Complaints` must do."""

import pytest

from actions.commerce.errors import (
    InsufficientBalance,
    InvalidRequest,
    NotAllowed,
    OutOfStock,
    PaymentMethodUnknown,
    RefundTooHigh,
    StrangersOrder,
)
from actions.commerce.models import STORE_CREDIT, ReturnLine
from actions.commerce.requests import FileComplaint, IssueRefund, RequestReturn


def send_back(*lines, kind="return", method="card-1", number="TR-100002", customer="C1"):
    return RequestReturn(
        order_number=number, customer_id=customer, kind=kind, lines=lines, method_id=method
    )


def give(amount, method="card-1"):
    return IssueRefund("TR-100003", "C1", amount, method)


class ReturnsContract:
    async def test_a_return_refunds_the_price_less_its_share_of_the_discount(self, shop):
        result = await shop.returns.request(send_back(ReturnLine("1", 1)), "k1")
        assert (result.kind, result.status, result.amount_minor) == ("return", "requested", 9000)
        assert await shop.returns.get(result.id, "C1") == result
        assert (await shop.returns.for_order("TR-100002", "C1")) == (result,)

    async def test_pieces_come_back_once(self, shop):
        await shop.returns.request(send_back(ReturnLine("1", 1)), "k1")
        await shop.returns.request(send_back(ReturnLine("1", 1)), "k2")
        with pytest.raises(NotAllowed):
            await shop.returns.request(send_back(ReturnLine("1", 1)), "k3")

    async def test_the_same_key_registers_one_return(self, shop):
        first = await shop.returns.request(send_back(ReturnLine("1", 1)), "k1")
        assert await shop.returns.request(send_back(ReturnLine("1", 1)), "k1") == first
        assert len(await shop.returns.for_order("TR-100002", "C1")) == 1

    async def test_an_exchange_names_the_difference_and_takes_the_new_variant(self, shop):
        line = ReturnLine("1", 1, "", "P1-RED-M")
        result = await shop.returns.request(send_back(line, kind="exchange"), "k1")
        assert result.amount_minor == -2000
        _, variant = await shop.catalog.variant("P1-RED-M")
        assert variant.stock == 4

    @pytest.mark.parametrize(
        ("request_", "error"),
        [
            (send_back(ReturnLine("1", 3)), InvalidRequest),
            (send_back(ReturnLine("1", -1)), InvalidRequest),
            (send_back(ReturnLine("9", 1)), InvalidRequest),
            (send_back(), InvalidRequest),
            (send_back(ReturnLine("1", 1), ReturnLine("1", 1)), InvalidRequest),
            (send_back(ReturnLine("1", 1), method="pp-2"), PaymentMethodUnknown),
            (send_back(ReturnLine("1", 1), number="TR-100001"), NotAllowed),
            (send_back(ReturnLine("1", 1), customer="C2"), StrangersOrder),
            (send_back(ReturnLine("1", 1, "", "P1-RED-L"), kind="exchange"), OutOfStock),
            (send_back(ReturnLine("1", 1), kind="exchange"), InvalidRequest),
            (
                send_back(ReturnLine("1", 1, "", "P1-RED-M"), kind="exchange", method="gift-1"),
                InsufficientBalance,
            ),
        ],
    )
    async def test_what_makes_no_sense_is_refused_and_changes_nothing(self, shop, request_, error):
        stock = await shop.catalog.product("P1")
        with pytest.raises(error):
            await shop.returns.request(request_, "k1")
        assert await shop.returns.for_order("TR-100002", "C1") == ()
        assert await shop.catalog.product("P1") == stock


class RefundsContract:
    async def test_never_more_goes_back_than_was_paid(self, shop):
        await shop.refunds.issue(give(6000), "k1")
        with pytest.raises(RefundTooHigh):
            await shop.refunds.issue(give(6000), "k2")
        assert [r.amount_minor for r in await shop.refunds.for_order("TR-100003", "C1")] == [6000]

    @pytest.mark.parametrize("amount", [0, -5])
    async def test_nothing_and_less_is_no_refund(self, shop, amount):
        with pytest.raises(InvalidRequest):
            await shop.refunds.issue(give(amount), "k1")

    async def test_store_credit_opens_a_balance(self, shop):
        payment = await shop.refunds.issue(give(700, STORE_CREDIT), "k1")
        assert await shop.refunds.issue(give(700, STORE_CREDIT), "k1") == payment
        customer = await shop.customers.get("C1")
        assert customer.method(payment.method_id).balance_minor == 700


class ComplaintsContract:
    async def test_a_complaint_with_money_pays_it_in_the_same_step(self, shop):
        request = FileComplaint(
            "TR-100002", "C1", "damaged", ("1",), "torn", "partial_refund", 2000, "card-1"
        )
        complaint = await shop.complaints.file(request, "k1")
        assert await shop.complaints.file(request, "k1") == complaint
        assert complaint.status == "resolved"
        assert await shop.complaints.for_order("TR-100002", "C1") == (complaint,)
        assert [r.amount_minor for r in await shop.refunds.for_order("TR-100002", "C1")] == [2000]

    async def test_a_complaint_whose_refund_fails_is_not_kept(self, shop):
        request = FileComplaint(
            "TR-100002", "C1", "damaged", ("1",), "torn", "refund", 10**9, "card-1"
        )
        with pytest.raises(RefundTooHigh):
            await shop.complaints.file(request, "k1")
        assert await shop.complaints.for_order("TR-100002", "C1") == ()
