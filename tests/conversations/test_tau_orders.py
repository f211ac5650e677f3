"""Conversations over a shop nobody here wrote leave exactly the recorded changes.

The tasks are read from the shared data at run time; the customer's words are made of their
arguments (names, postcodes, order numbers, items, options).
"""

import json

import pytest

from bench.tau_retail.convert import changes, read_shop, to_db, write_shop
from bench.tau_retail.replay import apply
from tests.conversations.talk import Talk
from tests.conversations.tau_customer import KINDS, TauCustomer, writes

pytestmark = pytest.mark.shared

WANTED = (
    [("cancel", n) for n in range(3)]
    + [("return", n) for n in range(4)]
    + [("exchange", n) for n in range(4)]
    + [("items", n) for n in range(3)]
    + [("profile", 0), ("address", 0)]
)


@pytest.fixture(scope="module")
def db(shared_data):
    return json.loads((shared_data / "tau_retail" / "db.json").read_bytes())


@pytest.fixture(scope="module")
def tasks(shared_data, db):
    """Return the tasks with a single change by kind, one task a customer."""
    path = shared_data / "tau_retail" / "retail_golden_train.jsonl"
    found, seen = {}, set()
    for line in path.read_text(encoding="utf-8").splitlines():
        task = json.loads(line)
        done = writes(task)
        if len(done) != 1 or done[0].get("output", "").startswith("Error"):
            continue
        given = done[0]["arguments"]
        user = given.get("user_id") or db["orders"][given["order_id"]]["user_id"]
        if user not in seen:
            seen.add(user)
            found.setdefault(KINDS[done[0]["name"]], []).append((task, done[0], user))
    return found


@pytest.fixture(scope="module")
def talk(db, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tau")
    write_shop(db, folder / "shop")
    talk = Talk(folder, folder / "shop")
    yield talk
    talk.close()


@pytest.mark.parametrize(("kind", "nth"), WANTED)
def test_a_recorded_task_changes_exactly_what_was_recorded(kind, nth, db, tasks, talk):
    if len(tasks.get(kind, ())) <= nth:
        pytest.skip(f"the data holds no task number {nth + 1} with a single {kind}")
    task, action, user = tasks[kind][nth]
    before = to_db(read_shop(talk.export()))
    customer = talk.customer()
    TauCustomer(db, user, by_email=nth % 2 == 1).do(customer, action)
    after = to_db(read_shop(talk.export()))
    expected = apply(db, task["db_diff"])
    wanted = {
        room: {key: (db[room][key], new) for key, new in expected[room].items()}
        for room in ("orders", "users")
    }
    for room, rows in wanted.items():
        for key, (_, new) in rows.items():
            assert changes(new, after[room][key]) == [], "\n".join(customer.transcript)
    touched = {"/".join(path.split("/")[:3]) for path, _, _ in changes(before, after)}
    assert touched == {f"/{room}/{key}" for room, rows in wanted.items() for key in rows}


def test_an_open_order_is_not_returned_but_may_be_cancelled(db, talk):
    number, order = next((n, o) for n, o in db["orders"].items() if o["status"] == "pending")
    before = to_db(read_shop(talk.export()))
    customer = talk.customer()
    email = db["users"][order["user_id"]]["email"]
    customer.says(f"My email is {email}. I want to return everything from order {number}.")
    assert customer.asked("utter_refused"), "\n".join(customer.transcript)
    assert any(payload.startswith("/cancel_order") for payload in customer.buttons.values())
    assert to_db(read_shop(talk.export())) == before


def test_no_means_that_nothing_happens(db, talk):
    number, order = next((n, o) for n, o in db["orders"].items() if o["status"] == "pending")
    before = to_db(read_shop(talk.export()))
    customer = talk.customer()
    email = db["users"][order["user_id"]]["email"]
    customer.says(f"Please cancel order {number}, I no longer need it. My email is {email}.")
    customer.says("no longer needed")
    customer.says("no")
    assert to_db(read_shop(talk.export())) == before
