"""What is particular about returns in a shop that has none."""

import msgspec
import pytest

from actions.commerce.errors import NotSupported, StateChanged
from actions.commerce.models import STORE_CREDIT, ReturnLine
from actions.commerce.requests import Intent
from actions.commerce.woocommerce.adapter import can_do
from tests.actions.commerce.woocommerce.conftest import config_for
from tests.contracts.commerce_returns import send_back

ONE = send_back(ReturnLine("1", 1, "too small"))
RETURNING = Intent("k1", "return", {"customer_id": "C1", "order_number": "TR-100002"})


@pytest.fixture
def config(url):
    return config_for(url, notes_returns=True)


def take_back(fake, pieces=1, amount="90.00", line=1):
    origin = [{"key": "_refunded_item_id", "value": str(line)}]
    item = {"id": 990, "name": "Regenjacke", "product_id": 101, "variation_id": 1011}
    item |= {"quantity": -pieces, "total": "-75.63", "meta_data": origin}
    fake.orders.refund(5002, {"amount": amount, "~line_items": [item]})


def test_a_shop_has_no_returns_unless_it_wants_them_noted():
    assert "return" not in can_do(config_for("https://x"))
    assert "return" in can_do(config_for("https://x", notes_returns=True))
    assert "exchange" not in can_do(config_for("https://x", notes_returns=True))


async def test_the_staff_reads_what_comes_back(shop, fake):
    await shop.returns.request(ONE, "k1")
    (note,) = fake.orders.notes[5002]
    assert "1 x Regenjacke - blue, M (too small)" in note["note"]
    assert "90.00 EUR" in note["note"]
    assert note["customer_note"] is False


async def test_a_request_is_completed_by_the_refund_of_its_pieces(shop, fake):
    first = await shop.returns.request(ONE, "k1")
    second = await shop.returns.request(ONE, "k2")
    take_back(fake)
    found = await shop.returns.for_order("TR-100002", "C1")
    assert sorted((r.id, r.status) for r in found) == sorted([
        (min(first, second, key=lambda r: r.id).id, "completed"),
        (max(first, second, key=lambda r: r.id).id, "requested"),
    ])


async def test_what_came_back_without_a_request_is_there_as_well(shop, fake):
    take_back(fake, line=2, amount="27.00")
    (back,) = await shop.returns.for_order("TR-100002", "C1")
    assert (back.status, back.amount_minor, back.lines) == (
        "completed",
        2700,
        (ReturnLine("2", 1),),
    )
    assert await shop.returns.get(back.id, "C1") == back


async def test_more_than_was_asked_for_comes_back(shop, fake):
    request = await shop.returns.request(ONE, "k1")
    take_back(fake, pieces=2, amount="180.00")
    found = {r.id: r for r in await shop.returns.for_order("TR-100002", "C1")}
    assert found.pop(request.id).status == "completed"
    (more,) = found.values()
    assert more.lines == (ReturnLine("1", 1),)


async def test_a_refund_of_money_alone_is_no_return(shop, fake):
    fake.orders.refund(5002, {"amount": "5.00"})
    assert await shop.returns.for_order("TR-100002", "C1") == ()


async def test_another_amount_than_agreed_is_refused(shop, fake):
    request = send_back(ReturnLine("1", 1))
    with pytest.raises(StateChanged):
        await shop.returns.request(msgspec.structs.replace(request, expected_minor=10000), "k1")
    with pytest.raises(NotSupported):
        await shop.returns.request(send_back(ReturnLine("1", 1), method=STORE_CREDIT), "k1")
    assert fake.orders.notes[5002] == []


async def test_the_effect_is_found_with_its_result(shop):
    noted = await shop.returns.request(ONE, "k1")
    effect = await shop.effects.find(RETURNING)
    assert noted.id in effect.result


class TestWithoutNotes:
    @pytest.fixture
    def config(self, url):
        return config_for(url)

    async def test_a_request_is_refused(self, shop, fake):
        with pytest.raises(NotSupported):
            await shop.returns.request(ONE, "k1")
        assert fake.orders.at(5002)["meta_data"][0]["key"] == "_wc_shipment_tracking_items"
        assert len(fake.orders.at(5002)["meta_data"]) == 1
