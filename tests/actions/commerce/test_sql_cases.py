"""Cases: conversations that wait for a person."""

import pytest

from actions.commerce.errors import KeyReused, NotFound
from actions.commerce.requests import OpenCase
from actions.commerce.seeds import export_shop, load_shop

ASKED = OpenCase("rest:ann", "asked", wish="human!", skill="cancel_order", order_number="TR-100001")


async def test_a_case_is_opened_once_per_key(shop, clock):
    case = await shop.cases.open(ASKED, "k1")
    assert await shop.cases.open(ASKED, "k1") == case
    assert (case.status, case.opened_at, case.wish) == ("waiting", clock(), "human!")
    assert await shop.cases.waiting() == (case,)
    assert await shop.cases.for_conversation("rest:ann") == (case,)
    assert await shop.cases.for_conversation("rest:bob") == ()


async def test_a_key_is_good_for_one_request(shop):
    await shop.cases.open(ASKED, "k1")
    with pytest.raises(KeyReused):
        await shop.cases.open(OpenCase("rest:bob", "asked"), "k1")


async def test_a_closed_case_waits_no_more(shop):
    case = await shop.cases.open(ASKED, "k1")
    assert (await shop.cases.close(case.id, "k2")).status == "closed"
    assert await shop.cases.waiting() == ()
    with pytest.raises(NotFound):
        await shop.cases.close("S99999", "k3")


async def test_cases_are_exported_and_loaded_again(shop, database, tmp_path, clock):
    case = await shop.cases.open(ASKED, "k1")
    export_shop(database, tmp_path / "out")
    again = load_shop(tmp_path / "out", tmp_path / "again.sqlite3", clock)
    assert (tmp_path / "out" / "cases.json").is_file()
    export_shop(again, tmp_path / "out2")
    again.close()
    first = (tmp_path / "out" / "cases.json").read_bytes()
    assert (tmp_path / "out2" / "cases.json").read_bytes() == first
    assert case.id.encode() in first
