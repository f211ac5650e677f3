"""Recorded tasks of tau-retail become wishes of a customer."""

import json

import pytest

from simulation.errors import TasksInvalid
from simulation.tasks import Ask, Cancel, ChangeItems, Exchange, Facts, Person, SendBack
from simulation.tau.convert import to_shop
from simulation.tau.tasks import first_person, task_of

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "tau_retail"


@pytest.fixture(scope="module")
def db(folder):
    return json.loads((folder / "db.json").read_bytes())


def recorded(folder, name):
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    return {raw["task_id"]: raw for raw in map(json.loads, lines)}


@pytest.mark.parametrize("name", ["retail_golden_train.jsonl", "tau1_tasks_train.jsonl"])
def test_every_recorded_task_has_a_customer_and_wishes(folder, db, name):
    tasks = [task_of(raw, db, "here")[0] for raw in recorded(folder, name).values()]
    assert all(task.wishes and task.customer in db["users"] for task in tasks)
    assert all(task.facts != Facts() for task in tasks)


def test_a_task_with_writes(folder, db):
    golden = recorded(folder, "retail_golden_train.jsonl")
    task, _ = task_of(golden["0"], db, "here")
    (wish,) = task.wishes
    assert isinstance(wish, Exchange)
    assert wish.items[0].to == {"switch type": "clicky", "backlight": "none"}
    assert task.facts == Facts(first_name="Yusuf", last_name="Rossi", postcode="19122")


def test_tasks_that_change_nothing_are_asked_in_the_first_person(folder, db):
    golden = recorded(folder, "retail_golden_train.jsonl")
    task, diff = task_of(golden["50"], db, "here")
    assert diff == []
    assert isinstance(task.wishes[0], Ask)
    assert task.wishes[0].text.startswith("I'm in a rush and I want to undo")
    assert task.wishes[-1] == Person()


def test_older_tasks_tell_their_user_in_the_instruction(folder, db):
    task, _ = task_of(recorded(folder, "tau1_tasks_train.jsonl")["tau1-train-3"], db, "here")
    assert [type(wish) for wish in task.wishes] == [Exchange, Cancel]
    assert task.facts.last_name == "Kovacs"


def test_what_is_missing_is_named(db):
    raw = {"task_id": "x", "user": {"known_info": "nobody"}, "actions": [], "db_diff": []}
    with pytest.raises(TasksInvalid, match=r"here.*`user`: no customer"):
        task_of(raw, db, "here")
    with pytest.raises(TasksInvalid, match=r"here: .*actions"):
        task_of({"task_id": "x", "db_diff": []}, db, "here")
    action = {"name": "cancel_pending_order", "arguments": {"order_id": "#W9373487"}}
    with pytest.raises(TasksInvalid, match="reason"):
        task_of({**raw, "actions": [action]}, db, "here")


def test_the_shop_speaks_german_as_well(db):
    shop = to_shop(db)
    assert all(product["title"]["de"] for product in shop["products"])
    words = shop["vocabulary"]["values"]
    assert words["color"]["red"]["de"] == ["rot"]
    assert words["armrest"]["none"]["de"][0] == "keine Armlehne"


def test_first_person_leaves_conditions_out():
    said = first_person("You want your money. If the other says no, you swear. You're sad.")
    assert said == ["I want my money.", "I'm sad."]


def test_items_that_are_the_same_twice_are_two_lines(folder, db):
    golden = recorded(folder, "retail_golden_train.jsonl")
    task, _ = task_of(golden["105"], db, "here")
    (wish,) = task.wishes
    assert isinstance(wish, Exchange | ChangeItems | SendBack)
    assert len({item.line for item in wish.items}) == 2
