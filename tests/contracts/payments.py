"""What every `PaymentProvider` must do; the tests are the customers, by `pay`."""

from datetime import timedelta

import msgspec
import pytest

from actions.commerce.errors import KeyReused, NotFound, ShopRefused, WebhookRejected
from actions.payments.ports import CheckoutLine, CheckoutRequest, RefundRequest
from tests.fixtures.small_shop import NOW

REQUEST = CheckoutRequest(
    amount_minor=20790,
    currency="EUR",
    reference="talk:turn:plan",
    opened_at=NOW,
    lines=(CheckoutLine("Regenjacke (blau, M)", 2, 10000),),
    shipping_minor=790,
    language="de",
)


def giving(payment, amount_minor):
    return RefundRequest(payment.payment_reference, amount_minor, payment.currency)


class PaymentProviderContract:
    async def pay(self, provider, checkout_id):
        """Let the customer pay an open page."""
        raise NotImplementedError

    async def paid(self, provider, key="k1"):
        page = await provider.open_checkout(REQUEST, key)
        await self.pay(provider, page.id)
        return await provider.get(page.id)

    async def test_a_page_asks_for_what_is_to_be_paid(self, provider):
        page = await provider.open_checkout(REQUEST, "k1")
        assert (page.amount_minor, page.currency, page.status) == (20790, "EUR", "open")
        assert (page.reference, page.payment_reference) == ("talk:turn:plan", "")
        assert page.url.startswith("http")
        assert timedelta(hours=12) < page.expires_at - NOW <= timedelta(hours=24)
        assert await provider.get(page.id) == page

    async def test_the_same_key_is_the_same_page(self, provider):
        page = await provider.open_checkout(REQUEST, "k1")
        assert await provider.open_checkout(REQUEST, "k1") == page
        assert (await provider.open_checkout(REQUEST, "k2")).id != page.id
        other = msgspec.structs.replace(REQUEST, lines=(), amount_minor=1000, shipping_minor=0)
        with pytest.raises(KeyReused):
            await provider.open_checkout(other, "k1")

    async def test_a_paid_page_says_what_was_paid_and_how_to_name_it(self, provider):
        paid = await self.paid(provider)
        assert (paid.status, paid.amount_minor, paid.currency) == ("paid", 20790, "EUR")
        assert paid.payment_reference
        assert paid.reference == "talk:turn:plan"

    async def test_a_page_ends_by_itself(self, provider, clock):
        page = await provider.open_checkout(REQUEST, "k1")
        clock.now += timedelta(hours=25)
        assert (await provider.get(page.id)).status == "expired"

    async def test_a_closed_page_takes_no_money_and_a_paid_one_stays_paid(self, provider):
        page = await provider.open_checkout(REQUEST, "k1")
        for _ in range(2):
            assert (await provider.expire(page.id)).status == "expired"
        paid = await self.paid(provider, "k2")
        assert await provider.expire(paid.id) == paid

    async def test_unknown_pages_are_not_found(self, provider):
        with pytest.raises(NotFound):
            await provider.get("nothing")
        with pytest.raises(NotFound):
            await provider.expire("nothing")

    async def test_money_goes_back_once_per_key(self, provider):
        paid = await self.paid(provider)
        first = await provider.refund(giving(paid, 5000), "r1")
        assert (first.status, first.amount_minor) == ("done", 5000)
        assert await provider.refund(giving(paid, 5000), "r1") == first
        rest = await provider.refund(giving(paid, 15790), "r2")
        assert rest.id != first.id
        with pytest.raises(ShopRefused):
            await provider.refund(giving(paid, 1), "r3")

    async def test_never_more_goes_back_than_was_paid(self, provider):
        paid = await self.paid(provider)
        for amount in (20791, 0, -5):
            with pytest.raises(ShopRefused):
                await provider.refund(giving(paid, amount), f"r{amount}")

    async def test_an_unpaid_page_has_nothing_to_give_back(self, provider):
        page = await provider.open_checkout(REQUEST, "k1")
        with pytest.raises((NotFound, ShopRefused)):
            await provider.refund(giving(page, 100), "r1")

    @pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"id": "evt_1"}'])
    def test_unsigned_webhooks_are_rejected(self, provider, body):
        with pytest.raises(WebhookRejected):
            provider.read_webhook({}, body)
