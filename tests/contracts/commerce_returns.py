"""What every adapter of `Returns`, `Refunds` and `Complaints` must do."""

import asyncio
from typing import ClassVar

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
    HAS_GIFT_CARDS = True
    """False: the shop does not tell what is left on a customer's gift card."""
    HAS_EXCHANGES = True
    """False: the interface has no exchanges; they raise NotSupported."""
    EXCHANGE_MINOR = -2000
    """What the exchange of the test costs; a shop may share the discount out in it as well."""
    EXCHANGE_TAKES_STOCK = True
    """False: the new variant is taken off the shelf when the old one has come back."""
    ALSO_REFUSED: ClassVar[tuple[type[Exception], ...]] = ()
    """Other errors that this shop has for a refused return, such as NotSupported."""

    def mine(self, request):
        """Return the request with the ids that the shop has for those of shop_small."""
        return request

    async def test_a_return_refunds_the_price_less_its_share_of_the_discount(self, shop):
        request = self.mine(send_back(ReturnLine("1", 1)))
        result = await shop.returns.request(request, "k1")
        assert (result.kind, result.status, result.amount_minor) == ("return", "requested", 9000)
        assert await shop.returns.get(result.id, "C1") == result
        assert (await shop.returns.for_order("TR-100002", "C1")) == (result,)

    async def test_pieces_come_back_once(self, shop):
        request = self.mine(send_back(ReturnLine("1", 1)))
        await shop.returns.request(request, "k1")
        await shop.returns.request(request, "k2")
        with pytest.raises(NotAllowed):
            await shop.returns.request(request, "k3")

    async def test_the_same_key_registers_one_return(self, shop):
        request = self.mine(send_back(ReturnLine("1", 1)))
        first = await shop.returns.request(request, "k1")
        assert await shop.returns.request(request, "k1") == first
        assert len(await shop.returns.for_order("TR-100002", "C1")) == 1

    async def test_an_exchange_names_the_difference_and_takes_the_new_variant(self, shop):
        if not self.HAS_EXCHANGES:
            pytest.skip("no exchanges")
        line = ReturnLine("1", 1, "", "P1-RED-M")
        result = await shop.returns.request(self.mine(send_back(line, kind="exchange")), "k1")
        assert (result.kind, result.amount_minor) == ("exchange", self.EXCHANGE_MINOR)
        assert result.lines[0].new_variant_id == "P1-RED-M"
        _, variant = await shop.catalog.variant("P1-RED-M")
        assert variant.stock == (4 if self.EXCHANGE_TAKES_STOCK else 5)

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
        if error is InsufficientBalance and not self.HAS_GIFT_CARDS:
            pytest.skip("no balances of gift cards")
        stock = await shop.catalog.product("P1")
        with pytest.raises((error, *self.ALSO_REFUSED)):
            await shop.returns.request(self.mine(request_), "k1")
        assert await shop.returns.for_order("TR-100002", "C1") == ()
        assert await shop.catalog.product("P1") == stock


class RefundsContract:
    HAS_STORE_CREDIT = True
    """False: the shop has no store credit."""

    def mine(self, request):
        """Return the request with the ids that the shop has for those of shop_small."""
        return request

    async def test_never_more_goes_back_than_was_paid(self, shop):
        await shop.refunds.issue(self.mine(give(6000)), "k1")
        with pytest.raises(RefundTooHigh):
            await shop.refunds.issue(self.mine(give(6000)), "k2")
        assert [r.amount_minor for r in await shop.refunds.for_order("TR-100003", "C1")] == [6000]

    async def test_all_ways_together_give_back_no_more_than_was_paid(self, shop):
        if not self.HAS_STORE_CREDIT:
            pytest.skip("no store credit")
        await shop.refunds.issue(give(6000, STORE_CREDIT), "k1")
        with pytest.raises(RefundTooHigh):
            await shop.refunds.issue(self.mine(give(6000)), "k2")
        await shop.refunds.issue(self.mine(give(4000)), "k3")
        with pytest.raises(RefundTooHigh):
            await shop.refunds.issue(give(1, STORE_CREDIT), "k4")

    @pytest.mark.parametrize("amount", [0, -5])
    async def test_nothing_and_less_is_no_refund(self, shop, amount):
        with pytest.raises(InvalidRequest):
            await shop.refunds.issue(self.mine(give(amount)), "k1")

    async def test_store_credit_opens_a_balance(self, shop):
        if not self.HAS_STORE_CREDIT:
            pytest.skip("no store credit")
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

    async def test_each_piece_has_one_remedy(self, shop):
        one = FileComplaint(
            "TR-100002", "C1", "damaged", ("1",), "", "refund", 9000, "card-1", (), {"1": 1}
        )
        await shop.complaints.file(one, "k1")
        await shop.complaints.file(one, "k2")
        with pytest.raises(NotAllowed):
            await shop.complaints.file(one, "k3")
        assert len(await shop.complaints.for_order("TR-100002", "C1")) == 2
        assert len(await shop.refunds.for_order("TR-100002", "C1")) == 2

    async def test_of_two_complaints_at_once_one_wins(self, shop):
        whole = FileComplaint("TR-100002", "C1", "damaged", ("2",), "", "refund", 2700, "card-1")
        files = [shop.complaints.file(whole, "k1"), shop.complaints.file(whole, "k2")]
        results = await asyncio.gather(*files, return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["Complaint", "NotAllowed"]
        assert len(await shop.refunds.for_order("TR-100002", "C1")) == 1

    async def test_money_for_a_delay_is_given_once(self, shop):
        late = FileComplaint(
            "TR-100002", "C1", "late", ("1",), "", "late_compensation", 500, "card-1"
        )
        await shop.complaints.file(late, "k1")
        with pytest.raises(NotAllowed):
            await shop.complaints.file(late, "k2")
        assert [r.amount_minor for r in await shop.refunds.for_order("TR-100002", "C1")] == [500]

    async def test_a_complaint_whose_refund_fails_is_not_kept(self, shop):
        request = FileComplaint(
            "TR-100002", "C1", "damaged", ("1",), "torn", "refund", 10**9, "card-1"
        )
        with pytest.raises(RefundTooHigh):
            await shop.complaints.file(request, "k1")
        assert await shop.complaints.for_order("TR-100002", "C1") == ()
