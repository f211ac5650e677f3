"""A shop folder goes into the database and out again without loss."""

import json
import shutil
from datetime import timedelta

import pytest

from actions.commerce.errors import ShopDataInvalid
from actions.commerce.requests import CancelOrder, Intent
from actions.commerce.seeds import export_shop, load_shop
from tests.fixtures.small_shop import FOLDER, NOW, Clock, open_shop


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.json"))}


def test_load_export_load_is_lossless(database, tmp_path, clock):
    export_shop(database, tmp_path / "one")
    again = load_shop(tmp_path / "one", tmp_path / "again.sqlite3", clock)
    export_shop(again, tmp_path / "two")
    again.close()
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    for name in ("products", "customers", "orders", "returns"):
        ours = json.loads((tmp_path / "one" / f"{name}.json").read_bytes())
        assert ours == json.loads((FOLDER / f"{name}.json").read_bytes())


async def test_what_customers_did_survives_an_export(database, shop, tmp_path, clock):
    await shop.orders.cancel(CancelOrder("TR-100001", "C1", "other"), "k1")
    await shop.carts.put("web:1", "P2-1", 2)
    export_shop(database, tmp_path / "one")
    again = load_shop(tmp_path / "one", tmp_path / "again.sqlite3", clock)
    copy = open_shop(again)
    assert (await copy.orders.get("TR-100001", "C1")).status == "cancelled"
    assert (await copy.carts.get("web:1")).lines == (await shop.carts.get("web:1")).lines
    intent = Intent("k1", "cancel", {})
    kept = await shop.effects.find(intent)
    assert kept is not None
    assert await copy.effects.find(intent) == kept
    again.close()


async def test_dates_shift_to_today(tmp_path):
    later = Clock(NOW + timedelta(days=100, hours=3))
    database = load_shop(FOLDER, tmp_path / "shop.sqlite3", later)
    order = await open_shop(database).orders.get("TR-100002", "C1")
    database.close()
    assert order.delivered_at("1").isoformat() == "2026-04-20T10:00:00+00:00"


async def test_only_a_changed_folder_is_loaded_anew(tmp_path, clock):
    folder = tmp_path / "shop"
    shutil.copytree(FOLDER, folder)

    async def status_after(*, cancel):
        database = load_shop(folder, tmp_path / "shop.sqlite3", clock)
        shop = open_shop(database)
        if cancel:
            await shop.orders.cancel(CancelOrder("TR-100001", "C1", "other"), "k1")
        order = await shop.orders.get("TR-100001", "C1")
        database.close()
        return order.status

    assert await status_after(cancel=True) == "cancelled"
    assert await status_after(cancel=False) == "cancelled"
    (folder / "carts.json").write_text("[]")
    assert await status_after(cancel=False) == "pending"


@pytest.mark.parametrize(
    ("file", "edit", "said"),
    [
        ("orders", lambda r: r[0].update(status="lost"), "orders.json, record TR-100001.*status"),
        ("orders", lambda r: r[1].pop("lines"), "orders.json, record TR-100002.*lines"),
        ("orders", lambda r: r[0].update(customer_id="C9"), "record TR-100001: `customer_id`"),
        ("orders", lambda r: r[0].update(placed_at="soon"), "record TR-100001.*placed_at"),
        ("orders", lambda r: r[0]["lines"][0].update(variant_id="X"), "line 1 names no variant"),
        ("orders", lambda r: r.append(r[0]), "record TR-100001: this id occurs twice"),
        ("products", lambda r: r[0].update(category="hats"), "record P1: `category` hats"),
        ("products", lambda r: r[0].update(colour="red"), "record P1.*colour"),
        ("products", lambda r: r[0]["variants"].append(r[1]["variants"][0]), "P2-1 occurs twice"),
        ("customers", lambda r: r[0].update(email=7), r"record C1.*`email`"),
    ],
)
def test_a_wrong_record_is_named(tmp_path, clock, file, edit, said):
    folder = tmp_path / "shop"
    shutil.copytree(FOLDER, folder)
    path = folder / f"{file}.json"
    records = json.loads(path.read_bytes())
    edit(records)
    path.write_text(json.dumps(records))
    with pytest.raises(ShopDataInvalid, match=said):
        load_shop(folder, tmp_path / "shop.sqlite3", clock)


def test_a_wrong_folder_is_named(tmp_path, clock):
    with pytest.raises(ShopDataInvalid, match=r"no shop\.json"):
        load_shop(tmp_path, tmp_path / "shop.sqlite3", clock)
    folder = tmp_path / "shop"
    shutil.copytree(FOLDER, folder)
    (folder / "orders.json").write_text("[{")
    with pytest.raises(ShopDataInvalid, match=r"orders\.json is not readable JSON"):
        load_shop(folder, tmp_path / "shop.sqlite3", clock)
    (folder / "orders.json").unlink()
    with pytest.raises(ShopDataInvalid, match=r"orders\.json is missing"):
        load_shop(folder, tmp_path / "shop.sqlite3", clock)
