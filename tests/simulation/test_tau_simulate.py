"""Customers with the recorded tasks of tau-retail, at the real server, over that shop."""

import json

import pytest

from bot.cli import main
from simulation.tau.tasks import WRITES

pytestmark = [pytest.mark.shared, pytest.mark.slow]
MOST = 12


@pytest.fixture(scope="module")
def some_tasks(shared_data, tmp_path_factory):
    """Return a file with tasks that need every operation and one that changes nothing."""
    path = shared_data / "tau_retail" / "retail_golden_train.jsonl"
    chosen, seen = [], set()
    for line in path.read_text(encoding="utf-8").splitlines():
        kinds = {a["name"] for a in json.loads(line)["actions"] if a["name"] in WRITES} or {"none"}
        if not kinds <= seen or len(chosen) < MOST // 2:
            chosen.append(line)
            seen |= kinds
    some = tmp_path_factory.mktemp("tau") / "some.jsonl"
    some.write_text("\n".join(chosen[:MOST]) + "\n", encoding="utf-8")
    return some


def test_recorded_tasks_leave_exactly_the_recorded_changes(some_tasks, shared_data, capsys):
    db = shared_data / "tau_retail" / "db.json"
    arguments = ["simulate", some_tasks, "--db", db, "--k", 1, "--require", 0.9]
    styles = ["--style", "plain", "--style", "changes_mind", "--style", "german"]
    assert main([*map(str, arguments), *styles]) == 0, capsys.readouterr().out
