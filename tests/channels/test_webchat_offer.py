"""Whether the chat is offered, asked as widgets do, and the share behind it."""

from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from bot.desk_hold_out import KEPT, HoldOut
from bot.messages import utc_now
from channels.webchat.channel import WebChat
from channels.webchat.offer import MOST_BYTES, PATH, Offer, OfferRoutes
from channels.webchat.tokens import Signer
from desk.database import DeskDatabase
from desk.insights.book import ShopBook
from desk.insights.costs import ShopNumbers
from desk.insights.hold_out import is_held_out

SHOP = "https://shop.example"


def asking(offers):
    channel = WebChat(Signer(b"a secret of these tests alone"), allowed_origins=(SHOP,))
    app = Starlette(routes=OfferRoutes(channel, offers).routes())
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="https://chat.example")


async def test_a_shop_may_ask_and_others_may_not():
    seen = []

    async def offers(visitor):
        seen.append(visitor)
        return Offer(is_offered=False, is_counted=True)

    client = asking(offers)
    answer = await client.post(PATH, content="v-1", headers={"origin": SHOP})
    assert answer.json() == {"offered": False, "counted": True}
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["cache-control"] == "no-store"
    refused = await client.post(PATH, content="v-1", headers={"origin": "https://evil.example"})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert seen == ["v-1"]


@pytest.mark.parametrize("body", [b"", b"   ", b"x" * (MOST_BYTES + 1)])
async def test_without_an_id_everybody_has_the_chat(body):
    async def offers(visitor):
        raise AssertionError(visitor)

    answer = await asking(offers).post(PATH, content=body)
    assert answer.json() == {"offered": True, "counted": False}


async def test_the_share_of_the_insights_decides(tmp_path):
    now = [utc_now()]
    database = DeskDatabase(f"sqlite:///{tmp_path / 'desk.sqlite3'}", lambda: now[0])
    hold_out = HoldOut(database, lambda: now[0])
    assert await hold_out.offered("v") == Offer()
    await ShopBook(database).keep(ShopNumbers(hold_out_bp=3000))
    assert await hold_out.offered("v") == Offer(), "a share is kept for a moment"
    now[0] += KEPT
    visitors = [f"visitor-{n}" for n in range(500)]
    found = [await hold_out.offered(visitor) for visitor in visitors]
    assert [not each.is_offered for each in found] == [is_held_out(v, 3000) for v in visitors]
    assert all(each.is_counted for each in found)
    assert 100 < sum(not each.is_offered for each in found) < 200
    database.close()
    now[0] += KEPT + timedelta(days=1)
