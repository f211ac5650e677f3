"""Payments over HTTP: the provider's webhooks, and the page that customers come back to."""

import asyncio
import json

import httpx
import pytest
from fastapi import FastAPI

from actions.payments.demo import DemoPaymentProvider
from actions.payments.desk import PaymentDesk
from actions.payments.stripe import StripePaymentProvider
from bot.payments import Payments, open_provider
from bot.settings import load_settings
from bot.web import pay_page
from bot.yaml_source import SourceError
from tests.contracts.commerce_sales import LINK
from tests.platforms.faults import Fault

PATH = "/webhooks/payments/stripe"


@pytest.fixture
async def http(desk, shop, stripe):
    app = FastAPI()
    Payments(desk, stripe, "stripe").mount(app)
    app.router.routes.extend(pay_page(shop, desk).routes())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
        yield client


async def post(http, fake, event, **how):
    headers, body = fake.signed(event, **how)
    return await http.post(PATH, headers=headers, content=body)


async def test_a_webhook_is_written_down_before_it_is_answered(http, fake, links, desk, told):
    link = await links.create(LINK, "k1")
    fake.pay(link.id)
    (event,) = fake.events
    fake.faults.plan(Fault("status", status=500, times=99, answer="{}"))
    for _ in range(2):
        assert (await post(http, fake, event)).status_code == 200
    assert told == []
    fake.faults.clear()
    await desk.resume()
    assert [notice.kind for notice in told] == ["received"]


async def test_tampered_old_and_huge_webhooks_are_refused(http, fake, links):
    link = await links.create(LINK, "k1")
    fake.pay(link.id)
    (event,) = fake.events
    assert (await post(http, fake, event, secret="whsec_x")).status_code == 400
    assert (await post(http, fake, event, at=1)).status_code == 400
    assert (await http.post(PATH, content=b"x" * 3_000_000)).status_code == 413
    assert (await http.post(PATH, content=b"{}")).status_code == 400


async def test_who_comes_back_from_stripe_sees_the_order_before_any_webhook(http, fake, links):
    link = await links.create(LINK, "k1")
    page = await http.get(f"/shop/pay/{link.id}")
    assert link.url in page.text
    fake.pay(link.id)
    assert "TR-100007" in (await http.get(f"/shop/pay/{link.id}")).text
    assert (await links.get(link.id)).order_number == "TR-100007"


async def test_a_bank_debit_is_shown_as_under_way(http, fake, links):
    link = await links.create(LINK, "k1")
    fake.pay(link.id, "sepa_debit")
    page = await http.get(f"/shop/pay/{link.id}", headers={"accept-language": "en"})
    assert "on its way" in page.text


async def test_a_click_cannot_pay_what_stripe_has_to_be_paid(http, fake, links):
    link = await links.create(LINK, "k1")
    await http.post(f"/shop/pay/{link.id}")
    assert (await links.get(link.id)).status == "open"
    assert fake.sessions[link.id]["status"] == "open"


async def test_while_stripe_is_down_the_page_shows_what_we_know(http, fake, links):
    link = await links.create(LINK, "k1")
    fake.faults.plan(Fault("status", status=500, times=99, answer="{}"))
    page = await http.get(f"/shop/pay/{link.id}")
    assert (page.status_code, link.url in page.text) == (200, True)
    fake.faults.clear()
    assert (await http.get("/shop/pay/nothing")).status_code == 404


def settings_of(root, payments):
    text = f"payments: {json.dumps(payments)}\n"
    (root / "endpoints.yml").write_text(text)
    (root / "config.yml").write_text("{}\n")
    return load_settings(root)


def test_the_provider_is_the_one_that_the_endpoints_name(tmp_path, clock):
    demo = open_provider(settings_of(tmp_path, {"kind": "demo"}), "http://shop.example", clock)
    assert isinstance(demo, DemoPaymentProvider)
    keys = {"api_key": "sk_live_x", "webhook_secret": "whsec_x"}
    stripe = open_provider(
        settings_of(tmp_path, {"kind": "stripe", "settings": keys}), "http://shop.example", clock
    )
    assert isinstance(stripe, StripePaymentProvider)
    assert stripe._config.livemode
    assert stripe._config.return_url == "http://shop.example/shop/pay/{CHECKOUT_SESSION_ID}"


@pytest.mark.parametrize(
    "payments",
    [
        {"kind": "strype"},
        {"kind": "stripe", "settings": {"api_key": "sk_test_x"}},
        {"kind": "stripe", "settings": {"api_key": "a", "webhook_secret": "b", "colour": "red"}},
    ],
)
def test_a_wrong_setting_is_named(tmp_path, clock, payments):
    with pytest.raises(SourceError, match="payments"):
        open_provider(settings_of(tmp_path, payments), "http://shop.example", clock)


async def test_the_desk_starts_with_what_was_missed_and_stops(database, stripe, fake, links):
    link = await links.create(LINK, "k1")
    fake.pay(link.id)
    heard = asyncio.Queue()
    running = Payments(PaymentDesk(database, stripe, heard.put), stripe, "stripe")
    running.start()
    async with asyncio.timeout(10):
        assert (await heard.get()).kind == "received"
    await running.close()
