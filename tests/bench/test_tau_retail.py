"""The tau-retail converter loses nothing, and the recorded operations come out as recorded."""

import copy
import json

import pytest

from actions.commerce.seeds import export_shop, load_shop
from bench.tau_retail.replay import replay_file
from simulation.tau.convert import apply, changes, main, read_shop, to_db, to_shop, write_shop

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "tau_retail"


@pytest.fixture(scope="module")
def db(folder):
    return json.loads((folder / "db.json").read_bytes())


def test_db_to_shop_to_db_is_equal(db):
    assert to_db(json.loads(json.dumps(to_shop(db)))) == db


def test_db_to_shop_to_sql_to_export_to_db_is_equal(db, tmp_path):
    write_shop(db, tmp_path / "shop")
    database = load_shop(tmp_path / "shop", tmp_path / "shop.sqlite3")
    export_shop(database, tmp_path / "export")
    database.close()
    assert to_db(read_shop(tmp_path / "export")) == db


def test_a_database_after_the_tasks_comes_back_as_well(db, folder):
    after = copy.deepcopy(db)
    for line in (folder / "retail_golden_train.jsonl").read_text().splitlines():
        after["orders"] |= apply(db, json.loads(line)["db_diff"])["orders"]
    found = changes(after, to_db(json.loads(json.dumps(to_shop(after)))))
    assert found == []


def test_the_command_line(db, folder, tmp_path, capsys):
    assert main(["to-shop", str(folder / "db.json"), str(tmp_path / "shop")]) == 0
    assert (tmp_path / "shop" / "policy.yml").is_file()
    assert main(["to-db", str(tmp_path / "shop"), str(tmp_path / "db.json")]) == 0
    assert main(["diff", str(folder / "db.json"), str(tmp_path / "db.json")]) == 0
    changed = copy.deepcopy(db)
    changed["orders"]["#W2611340"]["status"] = "pending"
    (tmp_path / "other.json").write_text(json.dumps(changed))
    assert main(["diff", str(folder / "db.json"), str(tmp_path / "other.json")]) == 1
    assert capsys.readouterr().out == '/orders/#W2611340/status: "processed" -> "pending"\n'


@pytest.mark.parametrize("name", ["retail_golden_train.jsonl", "tau1_tasks_train.jsonl"])
def test_some_recorded_operations_come_out_as_recorded(db, folder, name):
    good, total, failed = replay_file(db, folder / name, limit=12)
    assert failed == {}
    assert good == total == 12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "total"), [("retail_golden_train.jsonl", 74), ("tau1_tasks_train.jsonl", 520)]
)
def test_all_recorded_operations_come_out_as_recorded(db, folder, name, total):
    assert replay_file(db, folder / name) == (total, total, {})
