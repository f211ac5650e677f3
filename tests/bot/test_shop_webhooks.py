"""An outside shop's signed webhooks over the real route: products fresh, payments told, once."""

import asyncio

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from actions.commerce.errors import NotFound, ShopUnavailable
from actions.commerce.mirror import CatalogMirror
from actions.commerce.models import PaymentLink
from actions.commerce.shop import Shop
from actions.commerce.shopify.webhooks import ShopifyWebhooks
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_people import SqlCatalog
from bot.notices import Notices
from bot.shop_webhooks import PATH, CatalogueUpkeep, ShopNews, mount_shop_webhooks
from bot.storage.effects import NewEffect
from bot.storage.memory import memory_store
from bot.storage.ports import NewEvent, TurnCommit
from tests.actions.commerce.shopify_fixtures import config
from tests.contracts.commerce_sales import HOME
from tests.fixtures.small_shop import NOW, Clock, open_database, open_shop
from tests.platforms.shopify import webhook

DRAFT = {"id": 77, "status": "completed", "order_id": 5001, "name": "#D1"}


class Far(SqlCatalog):
    """The catalogue and the links of a shop that can be away."""

    def __init__(self, database):
        super().__init__(database)
        self.away = 0
        self.read = []
        self.links = {}

    async def product(self, product_id):
        self.read.append(product_id)
        if self.away:
            self.away -= 1
            raise ShopUnavailable("away")
        found = await super().product(product_id)
        return msgspec.structs.replace(found, brand="Fresh")

    async def get(self, link_id):
        if self.away:
            raise ShopUnavailable("away")
        if link_id not in self.links:
            raise NotFound(link_id)
        return self.links[link_id]


class Index:
    """Counts how often the index was brought up to date, and fails when told to."""

    def __init__(self):
        self.runs = 0
        self.fails = 0
        self.words = []

    def ingest(self):
        self.runs += 1
        if self.runs <= self.fails:
            msg = "the disk is full"
            raise OSError(msg)


class Ports(msgspec.Struct):
    webhooks: ShopifyWebhooks
    payment_links: Far


@pytest.fixture
def place(tmp_path):
    far = Far(open_database(tmp_path, Clock()))
    own = ShopDatabase(tmp_path / "own.sqlite3", Clock())
    shop: Shop = open_shop(far._database)
    mirror = CatalogMirror(shop.info, SqlCatalog(far._database), own, tmp_path / "catalogue")
    return far, own, mirror


@pytest.fixture
async def world(place):
    far, own, mirror = place
    await mirror.ready()
    mirror._catalog = far
    store, accepted, index = memory_store(Clock()), [], Index()
    event = NewEvent("user", {"event": "user", "text": "x"}, NOW)
    effect = NewEffect("talk:turn:plan", "write", "checkout", "", {})
    await store.turns.commit(TurnCommit("rest:ann", 0, [event], effects=[effect]))

    async def accept(messages):
        accepted.extend(messages)
        return await store.inbox.accept(messages)

    ports = Ports(ShopifyWebhooks(config("http://127.0.0.1:1234")), far)

    async def renew():
        index.words = sorted(product.brand for product in await SqlCatalog(own).products())

    upkeep = CatalogueUpkeep(mirror, index, gather_s=0.02, renew=renew)
    news = ShopNews(ports, Notices(store.effects, accept, Clock()), upkeep)
    app = FastAPI()
    mount_shop_webhooks(app, news)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as http:
        yield far, SqlCatalog(own), index, accepted, http
    await news.close()


async def post(http, topic, payload, **how):
    headers, body = webhook(topic, payload, **how)
    return await http.post(PATH, headers=headers, content=body)


async def until(holds):
    async with asyncio.timeout(60):
        while not await holds():  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.02)


def link(status="paid"):
    return PaymentLink(
        id="77",
        url="https://pay.example",
        customer_id="C1",
        lines=(),
        amount_minor=4990,
        currency="EUR",
        status=status,
        created_at=NOW,
        expires_at=NOW,
        address=HOME,
        order_number="TR-1",
        reference="talk:turn:plan",
    )


async def test_changed_products_are_taken_over_after_the_answer_and_indexed_once(world):
    far, own, index, _, http = world
    ids = [product.id for product in await own.products()][:2]
    for number, product_id in enumerate(ids * 2):
        answer = await post(http, "products/update", {"id": product_id}, webhook_id=f"w{number}")
        assert (answer.status_code, answer.json()) == (200, {"received": 1})
    assert far.read == []

    async def fresh():
        return index.runs and [p.id for p in await own.products() if p.brand == "Fresh"] == ids

    await until(fresh)
    assert (sorted(far.read), index.runs) == (sorted(ids), 1)

    async def renewed():
        return index.words.count("Fresh") == 2

    await until(renewed)  # the words of the products as they are now


async def test_a_shop_that_is_away_and_an_index_that_fails_are_tried_again(world):
    far, own, index, _, http = world
    far.away, index.fails = 2, 1
    assert (await post(http, "products/update", {"id": "P1"})).status_code == 200

    async def indexed():
        return index.runs == 2

    await until(indexed)
    assert (await own.product("P1")).brand == "Fresh"


async def test_a_paid_link_is_told_once_whatever_comes_twice(world):
    far, _, _, accepted, http = world
    far.links["77"] = link()
    for number in (1, 1, 2):
        answer = await post(http, "draft_orders/update", DRAFT, webhook_id=f"w{number}")
        assert answer.status_code == 200
    assert {m.message_id for m in accepted} == {accepted[0].message_id}
    assert accepted[0].trigger.slots["owner"] == "C1"
    assert accepted[0].sender_id == "ann"


async def test_a_draft_of_the_staff_is_ignored_and_an_outage_is_not(world):
    far, _, _, accepted, http = world
    assert (await post(http, "draft_orders/update", DRAFT)).status_code == 200
    far.links["77"], far.away = link(), 1
    assert (await post(http, "draft_orders/update", DRAFT, webhook_id="w2")).status_code == 503
    assert accepted == []
    far.away = 0
    assert (await post(http, "draft_orders/update", DRAFT, webhook_id="w2")).status_code == 200
    assert len(accepted) == 1


async def test_tampered_webhooks_do_nothing(world):
    far, _, index, accepted, http = world
    far.links["77"] = link()
    assert (await post(http, "draft_orders/update", DRAFT, secret="x")).status_code == 401
    headers, body = webhook("products/update", {"id": "P1"})
    assert (await http.post(PATH, headers=headers, content=body + b" ")).status_code == 401
    await asyncio.sleep(0.1)
    assert (far.read, index.runs, accepted) == ([], 0, [])
