"""The demo provider's pages are deterministic."""

from actions.payments.demo import DemoPaymentProvider
from tests.fixtures.small_shop import NOW


def test_the_same_key_gives_the_same_page():
    provider = DemoPaymentProvider("http://127.0.0.1:8080/")
    page = provider.open_checkout(1000, "EUR", "k1", NOW)
    assert page == provider.open_checkout(1000, "EUR", "k1", NOW)
    assert page.id != provider.open_checkout(1000, "EUR", "k2", NOW).id
    assert page.url == provider.checkout_url(page.id) == f"http://127.0.0.1:8080/shop/pay/{page.id}"
    assert page.expires_at > NOW
