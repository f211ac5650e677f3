"""The demo provider takes clicks as money, and remembers them over a restart."""

from actions.payments.ports import RefundRequest
from tests.contracts.payments import REQUEST, PaymentProviderContract
from tests.fixtures.small_shop import Clock, open_provider


class TestDemoPayments(PaymentProviderContract):
    async def pay(self, provider, checkout_id):
        await provider.pay(checkout_id)


async def test_pages_are_deterministic_and_lie_under_the_server(provider):
    page = await provider.open_checkout(REQUEST, "k1")
    assert page.id == (await open_provider(Clock()).open_checkout(REQUEST, "k1")).id
    assert page.url == f"http://127.0.0.1:8080/shop/pay/{page.id}"


async def test_what_was_paid_and_given_back_survives_a_restart(tmp_path, clock):
    path = tmp_path / "payments.sqlite3"
    first = open_provider(clock, path)
    page = await first.open_checkout(REQUEST, "k1")
    paid = await first.pay(page.id)
    request = RefundRequest(paid.payment_reference, 700, "EUR")
    given = await first.refund(request, "r1")
    second = open_provider(clock, path)
    assert await second.get(page.id) == paid
    assert await second.refund(request, "r1") == given


async def test_a_page_that_was_closed_is_not_paid_by_a_late_click(provider):
    page = await provider.open_checkout(REQUEST, "k1")
    await provider.expire(page.id)
    assert (await provider.pay(page.id)).status == "expired"
