"""The demo payment page: amount, one click, thank-you; never a second order."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from channels.pay_page import Bill, BillLine, PaymentRefused, PayPage

COAT = BillLine(1, {"de": "Mantel <b>"}, 12990)
ENGLISH = {"accept-language": "en"}


class Till:
    """A till with one link; keeps how often it was paid."""

    def __init__(self):
        self.bills = {"pl_1": Bill(13480, "EUR", "open", lines=(COAT,), shipping_minor=490)}
        self.paid = 0
        self.refuses = False

    async def bill(self, link_id):
        return self.bills.get(link_id)

    async def settle(self, link_id):
        if self.refuses:
            raise PaymentRefused(link_id)
        self.paid += 1
        self.bills[link_id] = Bill(12990, "EUR", "paid", "TR-200001")
        return "TR-200001"


@pytest.fixture
def till():
    return Till()


@pytest.fixture
def client(till):
    page = PayPage("Kontor", till.bill, till.settle)
    return TestClient(Starlette(routes=page.routes()))


def test_items_shipping_and_total_are_shown_in_the_visitors_language(client):
    german = client.get("/shop/pay/pl_1", headers={"accept-language": "de"}).text
    assert "Zu zahlen: 134,80" in german
    english = client.get("/shop/pay/pl_1", headers=ENGLISH).text
    assert "€129.90</li>" in english
    assert "Shipping – €4.90" in english
    assert "To pay: €134.80" in english
    assert "Pay now (demo)" in english
    assert "<b>" not in english


@pytest.mark.parametrize(("minor", "said"), [(0, "Shipping – free"), (None, "")])
def test_free_shipping_is_said_and_a_shop_without_rates_says_nothing(client, till, minor, said):
    till.bills["pl_1"] = Bill(12990, "EUR", "open", lines=(COAT,), shipping_minor=minor)
    page = client.get("/shop/pay/pl_1", headers=ENGLISH).text
    assert said in page
    assert ("Shipping" in page) == bool(said)


def test_paying_twice_places_one_order(client, till):
    first = client.post("/shop/pay/pl_1", headers=ENGLISH)
    second = client.post("/shop/pay/pl_1", headers=ENGLISH)
    assert "TR-200001" in first.text
    assert "TR-200001" in second.text
    assert till.paid == 1


def test_other_sites_cannot_pay(client, till):
    headers = {**ENGLISH, "sec-fetch-site": "cross-site"}
    assert client.post("/shop/pay/pl_1", headers=headers).status_code == 403
    assert till.paid == 0


def test_a_refused_payment_says_that_nothing_was_ordered(client, till):
    till.refuses = True
    answer = client.post("/shop/pay/pl_1", headers=ENGLISH)
    assert answer.status_code == 409
    assert "nothing was ordered" in answer.text


@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_links_are_not_found(client, method):
    assert getattr(client, method)("/shop/pay/nothing", headers=ENGLISH).status_code == 404


def test_expired_links_take_no_money(client, till):
    till.bills["pl_1"] = Bill(12990, "EUR", "expired")
    client.post("/shop/pay/pl_1")
    assert till.paid == 0
    assert "expired" in client.get("/shop/pay/pl_1", headers=ENGLISH).text


def test_a_real_providers_page_is_led_to_and_no_click_counts_here(client, till):
    there = "https://checkout.example/c/pay/1?a=b&c=d"
    till.bills["pl_1"] = Bill(13480, "EUR", "open", lines=(COAT,), pay_at=there)
    page = client.get("/shop/pay/pl_1", headers=ENGLISH).text
    assert 'href="https://checkout.example/c/pay/1?a=b&amp;c=d"' in page
    assert "<form" not in page
    client.post("/shop/pay/pl_1", headers=ENGLISH)
    assert till.paid == 0


def test_who_comes_back_before_the_money_is_told_so(client, till):
    till.bills["pl_1"] = Bill(13480, "EUR", "processing", lines=(COAT,), pay_at="https://x.example")
    page = client.get("/shop/pay/pl_1", headers={"accept-language": "de"}).text
    assert "Ihre Zahlung ist unterwegs" in page
    assert "https://x.example" not in page
