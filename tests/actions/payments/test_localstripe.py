"""A second opinion on Stripe: localstripe, for refunds and signatures.

It knows no Checkout Sessions or Payment Links, and takes no notice of idempotency keys, which here
is welcome: a refund must be made once even so. Optional: runs where localstripe is installed.
"""

import asyncio
import importlib.util
import socket
import subprocess
import sys

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from actions.commerce.errors import NotFound, ShopRefused, WebhookRejected
from actions.payments.ports import RefundRequest
from actions.payments.stripe import StripeConfig, StripePaymentProvider
from tests.platforms.faults import serve
from tests.platforms.stripe import KEY, SECRET

pytestmark = [
    pytest.mark.localstripe,
    pytest.mark.skipif(
        importlib.util.find_spec("localstripe") is None, reason="pip install localstripe"
    ),
]
SERVE = """
import sys
from aiohttp import web
from localstripe.server import app
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with socket.socket() as probing:
        probing.bind(("127.0.0.1", 0))
        port = probing.getsockname()[1]
    folder = tmp_path_factory.mktemp("localstripe")
    with subprocess.Popen([sys.executable, "-c", SERVE, str(port)], cwd=folder) as process:
        address = f"http://127.0.0.1:{port}"
        transport = httpx.HTTPTransport(retries=30)  # it takes a moment to come up
        with httpx.Client(transport=transport, base_url=address, auth=(KEY, "")) as client:
            assert client.get("/v1/customers").status_code == 200
        yield address
        process.terminate()


@pytest.fixture
async def oracle(url, clock):
    config = StripeConfig(KEY, SECRET, "https://shop.example", api_base=url, retries=0)
    provider = StripePaymentProvider(config, clock)
    yield provider
    await provider.close()


@pytest.fixture
def api(url):
    with httpx.Client(base_url=url, auth=(KEY, "")) as client:
        yield client


def intent(api, number="4242424242424242", **more):
    card = {"type": "card", "card[number]": number, "card[exp_month]": 1, "card[exp_year]": 2040}
    method = api.post("/v1/payment_methods", data={**card, "card[cvc]": "123"}).json()
    customer = api.post("/v1/customers", data={"email": "a@example.com"}).json()
    attach = {"customer": customer["id"]}
    api.post(f"/v1/payment_methods/{method['id']}/attach", data=attach)
    data = {"amount": 1000, "currency": "eur", "payment_method": method["id"], "confirm": "true"}
    return api.post("/v1/payment_intents", data={**data, **attach, **more}).json()


async def test_a_refund_is_made_once_although_keys_are_ignored(oracle, api):
    paid = intent(api)
    request = RefundRequest(paid["id"], 400, "EUR")
    first = await oracle.refund(request, "TR-1:refund-2")
    assert (first.status, first.amount_minor) == ("done", 400)
    assert await oracle.refund(request, "TR-1:refund-2") == first
    assert await oracle.refund(request, "TR-1:refund-3") != first
    made = api.get("/v1/refunds", params={"payment_intent": paid["id"]}).json()["data"]
    assert sorted(r["metadata"]["tresen_refund"] for r in made) == [
        "TR-1:refund-2",
        "TR-1:refund-3",
    ]


async def test_what_was_never_paid_is_not_refunded(oracle):
    with pytest.raises((NotFound, ShopRefused)):
        await oracle.refund(RefundRequest("pi_nothing", 400, "EUR"), "r1")


async def test_its_signature_is_read(oracle, api, clock):
    got = asyncio.Queue()

    async def hook(request):
        got.put_nowait((dict(request.headers), await request.body()))
        return Response()

    loop = asyncio.get_running_loop()
    app = Starlette(routes=[Route("/hook", hook, methods=["POST"])])
    with serve(app) as shop:
        api.post("/_config/webhooks/tresen", data={"url": f"{shop}/hook", "secret": SECRET})
        more = {"metadata[tresen_reference]": "k1"}
        declined = await loop.run_in_executor(None, lambda: intent(api, "4000000000000341", **more))
        assert declined["error"]["code"] == "card_declined"
        seen = []
        for _ in range(100):
            while not got.empty():
                seen.append(got.get_nowait())
            if any(b"payment_intent.payment_failed" in body for _, body in seen):
                break
            await asyncio.sleep(0.1)
    headers, body = next(x for x in seen if b"payment_intent.payment_failed" in x[1])
    clock.now = type(clock.now).now(clock.now.tzinfo)
    (event,) = oracle.read_webhook(headers, body)
    assert (event.kind, event.reference) == ("checkout", "k1")
    with pytest.raises(WebhookRejected):
        oracle.read_webhook(headers, body.replace(b"k1", b"k2"))
