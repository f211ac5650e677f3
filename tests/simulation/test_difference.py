"""The shop must be what a task expects, in every record and field."""

import copy
import sqlite3

import pytest

from simulation.difference import differences, index
from simulation.errors import TasksInvalid
from simulation.tasks import Added, Changed, Removed

ORDER = {"number": "A1", "status": "pending", "cancellation": None, "lines": [{"id": "1", "n": 2}]}
BEFORE = {"orders": [ORDER], "customers": [{"id": "C1", "city": "Ulm", "points": 4}], "returns": []}
CANCELLED = Changed(of="orders/A1", set={"status": "cancelled", "cancellation": {"reason": "x"}})


def after(**changed):
    return {**copy.deepcopy(BEFORE), **changed}


def test_nothing_expected_and_nothing_changed():
    assert differences(BEFORE, after(), ()) == []


def test_an_expected_change_is_right_and_every_other_is_not():
    done = {**ORDER, "status": "cancelled", "cancellation": {"reason": "x", "at": "2026-01-01"}}
    assert differences(BEFORE, after(orders=[done]), (CANCELLED,)) == []
    moved = {"id": "C1", "city": "Bonn", "points": 4}
    found = differences(BEFORE, after(orders=[done], customers=[moved]), (CANCELLED,))
    assert found == ['customers/C1.city: expected "Ulm", got "Bonn"']


def test_a_change_that_did_not_happen_is_told():
    found = differences(BEFORE, after(), (CANCELLED,))
    assert 'orders/A1.status: expected "cancelled", got "pending"' in found


def test_an_element_of_a_list_is_named_by_its_id():
    fewer = Changed(of="orders/A1", set={"lines.1.n": 1})
    right = {**ORDER, "lines": [{"id": "1", "n": 1}]}
    assert differences(BEFORE, after(orders=[right]), (fewer,)) == []
    assert differences(BEFORE, after(), (fewer,)) != []


def test_a_new_record_holds_what_is_named_and_nothing_else():
    wanted = Added(to="returns", record={"order": "A1", "lines": [{"line_id": "1"}]})
    made = {"id": "R1", "order": "A1", "lines": [{"line_id": "1", "reason": ""}], "asked_at": "t"}
    assert differences(BEFORE, after(returns=[made]), (wanted,)) == []
    more = {**made, "amount": 5}
    found = differences(BEFORE, after(returns=[more]), (wanted,))
    assert found == ["returns/R1.amount: expected nothing, got 5"]
    assert differences(BEFORE, after(), (wanted,)) != []
    twice = [made, {**made, "id": "R2"}]
    assert len(differences(BEFORE, after(returns=twice), (wanted,))) == 1


def test_a_list_grows_only_by_what_is_named():
    grown = Changed(of="orders/A1", append={"lines": [{"n": 1}]})
    right = {**ORDER, "lines": [*ORDER["lines"], {"id": "2", "n": 1}]}
    assert differences(BEFORE, after(orders=[right]), (grown,)) == []
    changed = {**ORDER, "lines": [{"id": "1", "n": 3}, {"id": "2", "n": 1}]}
    assert len(differences(BEFORE, after(orders=[changed]), (grown,))) == 1


def test_records_can_be_gone():
    assert differences(BEFORE, after(customers=[]), (Removed(of="customers/C1"),)) == []
    assert differences(BEFORE, after(customers=[]), ()) == ["customers/C1: is gone"]


@pytest.mark.parametrize(("text", "value"), [("@customers/C1.points", 4),
                                             ("@customers/C1.points + 2", 6),
                                             ("@customers/C1.points - 1", 3)])  # fmt: skip
def test_a_reference_is_what_stood_there(text, value):
    change = Changed(of="customers/C1", set={"points": text})
    now = {"id": "C1", "city": "Ulm", "points": value}
    assert differences(BEFORE, after(customers=[now]), (change,)) == []


@pytest.mark.parametrize(
    "text", ["@customers/C2.points", "@customers/C1.point", "@", "@customers/C1.city + 1"]
)
def test_a_wrong_reference_is_named(text):
    with pytest.raises(TasksInvalid):
        differences(BEFORE, after(), (Changed(of="customers/C1", set={"points": text}),))


def test_the_shop_file_tells_what_changed_and_is_put_back(shop, tmp_path):
    before = shop.present()
    assert all(before[name] is shop.before[name] for name in before)
    path = shop._live.execute("PRAGMA database_list").fetchone()[2]
    with sqlite3.connect(path) as other:
        other.execute("UPDATE shop_variant SET stock = 1 WHERE id = 'P1001-BLA-M'")
        other.execute("UPDATE shop_order SET status = 'cancelled' WHERE number = 'TR-104728'")
    now = shop.present()
    assert index(now["orders"])["TR-104728"]["status"] == "cancelled"
    found = differences(shop.before, now, ())
    assert len(found) == 2
    shop.restore()
    assert differences(shop.before, shop.present(), ()) == []
