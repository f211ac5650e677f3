"""Stripe fills the port, and what nobody answered is asked again or named as doubt."""

import asyncio

import msgspec
import pytest

from actions.commerce.errors import (
    AccessDenied,
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    ShopRefused,
    ShopUnavailable,
)
from actions.payments.ports import CheckoutLine, RefundRequest
from actions.payments.stripe import StripePaymentProvider
from tests.contracts.payments import REQUEST, PaymentProviderContract, giving
from tests.platforms.faults import Fault

CREATE = {"path": "/v1/checkout/sessions$", "method": "POST"}
RATE_LIMIT = '{"error": {"type": "invalid_request_error", "code": "rate_limit"}}'
API_ERROR = '{"error": {"type": "api_error", "message": "sorry"}}'
REFUND = {"path": "/v1/refunds$", "method": "POST"}


@pytest.fixture
def provider(stripe):
    return stripe


async def paid_page(provider, fake, key="k1"):
    page = await provider.open_checkout(REQUEST, key)
    fake.pay(page.id)
    return await provider.get(page.id)


class TestStripePayments(PaymentProviderContract):
    @pytest.fixture(autouse=True)
    def _fake(self, fake):
        self.fake = fake

    async def pay(self, provider, checkout_id):
        self.fake.pay(checkout_id)


async def test_a_session_carries_lines_shipping_locale_and_nothing_personal(provider, fake):
    page = await provider.open_checkout(REQUEST, "k1")
    session = fake.sessions[page.id]
    assert (session["locale"], session["client_reference_id"]) == ("de", "talk:turn:plan")
    assert session["success_url"].endswith("/shop/pay/{CHECKOUT_SESSION_ID}")
    assert session["expires_at"] == int(page.expires_at.timestamp())
    fake.pay(page.id)
    (intent,) = fake.intents.values()
    assert intent["metadata"] == {"tresen_reference": "talk:turn:plan"}


async def test_lines_that_do_not_add_up_are_never_sent(provider, fake):
    wrong = msgspec.structs.replace(REQUEST, shipping_minor=0)
    with pytest.raises(InvalidRequest):
        await provider.open_checkout(wrong, "k1")
    assert fake.faults.requests == []


async def test_a_long_cart_is_one_line_of_the_same_amount(provider, fake):
    lines = tuple(CheckoutLine(f"Knopf {n}", 1, 100) for n in range(150))
    request = msgspec.structs.replace(REQUEST, lines=lines, amount_minor=15790)
    page = await provider.open_checkout(request, "k1")
    assert page.amount_minor == fake.sessions[page.id]["amount_total"] == 15790


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD", "ISK", "UGX"])
async def test_amounts_come_back_as_they_were_asked_in_every_kind_of_currency(
    provider, fake, currency
):
    request = msgspec.structs.replace(REQUEST, currency=currency)
    page = await provider.open_checkout(request, "k1")
    fake.pay(page.id)
    paid = await provider.get(page.id)
    assert (paid.amount_minor, paid.currency, paid.status) == (20790, currency, "paid")
    assert (await provider.refund(giving(paid, 790), "r1")).amount_minor == 790


async def test_what_is_too_small_is_refused(provider):
    tiny = msgspec.structs.replace(REQUEST, lines=(), shipping_minor=0, amount_minor=49)
    with pytest.raises(ShopRefused, match="amount_too_small"):
        await provider.open_checkout(tiny, "k1")


async def test_authentication_and_declines_leave_the_page_open(provider, fake):
    page = await provider.open_checkout(REQUEST, "k1")
    fake.pay(page.id, "needs_authentication")
    assert (await provider.get(page.id)).status == "open"
    fake.pay(page.id, "declined")
    declined = await provider.get(page.id)
    assert (declined.status, declined.declined) == ("open", True)
    fake.pay(page.id)
    assert (await provider.get(page.id)).status == "paid"


@pytest.mark.parametrize(("succeeds", "status"), [(True, "paid"), (False, "failed")])
async def test_a_bank_debit_is_under_way_for_days(provider, fake, succeeds, status):
    page = await provider.open_checkout(REQUEST, "k1")
    fake.pay(page.id, "sepa_debit")
    assert (await provider.get(page.id)).status == "processing"
    assert (await provider.expire(page.id)).status == "processing"
    fake.sepa_arrives(page.id, succeeds=succeeds)
    assert (await provider.get(page.id)).status == status


@pytest.mark.parametrize("kind", ["lost", "partial", "twice"])
async def test_an_answer_that_got_lost_opens_one_session(provider, fake, kind):
    fake.faults.plan(Fault(kind, delay_s=0.05, **CREATE))
    page = await provider.open_checkout(REQUEST, "k1")
    assert list(fake.sessions) == [page.id]


async def test_garbage_for_an_answer_is_looked_through(provider, fake):
    fake.faults.plan(Fault("garbage", **CREATE))
    page = await provider.open_checkout(REQUEST, "k1")
    assert list(fake.sessions) == [page.id]


async def test_a_stored_error_500_is_no_session_for_ever(provider, fake):
    fake.keys.store_errors = 1
    for _ in range(2):
        with pytest.raises(ShopUnavailable):
            await provider.open_checkout(REQUEST, "k1")
    assert fake.sessions == {}
    assert (await provider.open_checkout(REQUEST, "k2")).status == "open"


async def test_the_same_key_at_the_same_time_is_one_session(provider, fake):
    fake.keys.busy_s = 0.2
    pages = await asyncio.gather(*(provider.open_checkout(REQUEST, "k1") for _ in range(2)))
    assert pages[0] == pages[1]
    assert len(fake.sessions) == 1


@pytest.mark.parametrize("kind", ["lost", "partial", "garbage"])
async def test_a_refund_whose_answer_is_lost_is_found_and_made_once(provider, fake, kind):
    paid = await paid_page(provider, fake)
    fake.faults.plan(Fault(kind, delay_s=0.05, times=2, **REFUND))
    with pytest.raises(OutcomeUnknown):
        await provider.refund(giving(paid, 700), "r1")
    assert (await provider.refund(giving(paid, 700), "r1")).status == "done"
    assert len(fake.refunds) == 1


async def test_a_refund_is_not_made_again_after_the_key_was_forgotten(provider, fake, clock):
    paid = await paid_page(provider, fake)
    await provider.refund(giving(paid, 700), "r1")
    fake.keys.stored.clear()
    await provider.refund(giving(paid, 700), "r1")
    assert len(fake.refunds) == 1


async def test_a_refund_is_found_behind_a_hundred_others(provider, fake):
    paid = await paid_page(provider, fake)
    first = await provider.refund(giving(paid, 1), "r0")
    for n in range(1, 120):
        refund = {**fake.refunds[first.id], "id": f"re_{n}", "metadata": {}}
        fake.refunds[refund["id"]] = refund
    assert (await provider.refund(giving(paid, 1), "r0")) == first


@pytest.mark.parametrize(("goes", "status"), [("pending", "pending"), ("failed", "failed")])
async def test_a_refund_may_take_time_or_fail(provider, fake, goes, status):
    paid = await paid_page(provider, fake)
    fake.refund_goes = goes
    refund = await provider.refund(giving(paid, 700), "r1")
    assert refund.status == status
    fake.end_refund(refund.id, "succeeded")
    assert (await provider.refund(giving(paid, 700), "r1")).status == "done"


async def test_the_same_refund_key_for_another_payment_is_another_refund(provider, fake):
    pages = [await paid_page(provider, fake, key) for key in ("k1", "k2")]
    for paid in pages:
        await provider.refund(giving(paid, 700), "TR-1:refund-2")
    assert len(fake.refunds) == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("status", status=429, times=9, answer=RATE_LIMIT), ShopUnavailable),
        (Fault("status", status=500, times=99, answer=API_ERROR), OutcomeUnknown),
        (Fault("status", status=502, times=99, answer="<html>"), OutcomeUnknown),
        (Fault("status", status=503, times=99), OutcomeUnknown),
        (Fault("status", status=403, times=9, answer=API_ERROR), AccessDenied),
        (Fault("silent", delay_s=0.05, times=99), OutcomeUnknown),
    ],
)
async def test_what_stripe_does_not_do_is_said_in_our_words(provider, fake, fault, error):
    fake.faults.plan(fault)
    with pytest.raises(error) as raised:
        await provider.open_checkout(REQUEST, "k1")
    assert "talk:turn:plan" not in str(raised.value)
    assert fake.sessions == {}


async def test_without_a_server_nothing_was_done(config, clock):
    nowhere = msgspec.structs.replace(config, api_base="http://127.0.0.1:9", retries=0)
    provider = StripePaymentProvider(nowhere, clock)
    with pytest.raises(ShopUnavailable):
        await provider.refund(RefundRequest("pi_1", 100, "EUR"), "r1")
    await provider.close()


async def test_a_call_ends_in_time_with_all_its_tries(config, fake, clock):
    hasty = StripePaymentProvider(msgspec.structs.replace(config, call_s=0.2, timeout_s=9), clock)
    fake.faults.plan(Fault("silent", delay_s=3, times=9))
    async with asyncio.timeout(2):
        with pytest.raises(ShopUnavailable):
            await hasty.get("cs_1")
    await hasty.close()


async def test_a_wrong_key_is_no_access(config, clock):
    other = StripePaymentProvider(msgspec.structs.replace(config, api_key="sk_test_no"), clock)
    with pytest.raises(AccessDenied):
        await other.get("cs_1")
    await other.close()


async def test_another_request_under_a_refund_key_is_refused_by_stripe_itself(provider, fake):
    paid = await paid_page(provider, fake)
    await provider.refund(giving(paid, 700), "r1")
    fake.refunds.clear()
    with pytest.raises(KeyReused):
        await provider.refund(giving(paid, 800), "r1")
