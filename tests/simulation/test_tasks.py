"""Task files: what is wrong is named with file, line and field."""

import json

import pytest

from simulation.errors import TasksInvalid
from simulation.stages import OwnStage, open_stage
from simulation.tasks import Cancel, read_tasks

TASK = {
    "id": "t1",
    "language": "de",
    "customer": "C0002",
    "facts": {"order_number": "TR-104728", "postcode": "10115"},
    "wishes": [{"kind": "cancel", "order": "TR-104728"}],
    "expected": [],
}


@pytest.fixture
def write(tmp_path):
    def written(*lines):
        path = tmp_path / "tasks.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return written


def test_a_task_is_read(write):
    (task,) = read_tasks(write(TASK))
    assert task.wishes == (Cancel(order="TR-104728"),)
    assert task.facts.postcode == "10115"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((TASK, "{"), "tasks.jsonl, line 2: not JSON"),
        (("[]",), "line 1: expected an object"),
        (("",), "holds no tasks"),
        (({**TASK, "wishs": []},), "line 1 (task 't1'): Object contains unknown field `wishs`"),
        (({**TASK, "language": "fr"},), "`$.language`"),
        (({**TASK, "wishes": []},), "`wishes` is empty"),
        (({**TASK, "wishes": [{"kind": "cancell"}]},), "`$.wishes[0].kind`"),
        (({**TASK, "wishes": [{"kind": "cancel"}]},), "`order` - at `$.wishes[0]`"),
        (({**TASK, "expected": None},), "`expected` must be a list"),
        ((TASK, TASK), "line 2: the id 't1' was used before, at"),
    ],
)
def test_what_is_wrong_is_named(write, lines, said):
    with pytest.raises(TasksInvalid) as caught:
        read_tasks(write(*lines))
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TasksInvalid, match=r"nowhere\.jsonl cannot be read"):
        read_tasks(tmp_path / "nowhere.jsonl")


def test_a_tau_file_without_a_database_says_where_it_looked(write, monkeypatch, tmp_path):
    monkeypatch.setenv("TRESEN_SHARED", str(tmp_path / "shared"))
    with pytest.raises(TasksInvalid, match="give it with --db"):
        open_stage(write({"task_id": "1", "db_diff": [], "actions": []}), None, None, tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"customer": "C9999"}, "`customer`: there is no 'C9999'"),
        ({"wishes": [{"kind": "cancel", "order": "TR-1"}]}, "`wishes[0]`: `order`: there is no"),
        (
            {"wishes": [{"kind": "return", "order": "TR-104728", "items": [{"line": "9"}]}]},
            "`items[0].line`: order TR-104728 has no line '9'",
        ),
        (
            {"wishes": [{"kind": "exchange", "order": "TR-104728",
                         "items": [{"line": "1", "to": {"size": "XXXXL"}}]}]},
            "`items[0].to`: P1041 has no variant",
        ),
        (
            {"wishes": [{"kind": "buy", "goods": [{"variant": "P0"}]}]},
            "`goods[0].variant`: there is no 'P0'",
        ),
        ({"expected": [{"change": "record", "of": "orders/TR-1"}]}, "`expected[0]`: there is no"),
        (
            {"expected": [{"change": "record", "of": "orders/TR-104728", "set": {"stat": 1}}]},
            "there is no field 'stat'",
        ),
        ({"expected": [{"change": "added", "to": "retours", "record": {}}]}, "no table 'retours'"),
    ],
)  # fmt: skip
def test_what_the_shop_does_not_have_is_named(write, shop, change, said):
    with pytest.raises(TasksInvalid) as caught:
        OwnStage(write({**TASK, **change}), None).check(shop)
    assert said in str(caught.value)
    assert "tasks.jsonl (task 't1')" in str(caught.value)
