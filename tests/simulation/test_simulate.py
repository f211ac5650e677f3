"""Simulated customers at the real server: our own tasks come out exactly as expected."""

import json

import pytest

from bot.cli import main
from simulation.voice import STYLES
from tests.conversations.talk import ROOT

TASKS = ROOT / "data" / "simulation" / "demo_shop.jsonl"
EVERY = 12
"""Every so manieth task is played in the other styles; all of them in plain."""


def simulate(*arguments):
    return main(["simulate", *map(str, arguments)])


@pytest.mark.slow
def test_all_our_tasks_are_done_in_plain_style(capsys):
    code = simulate(TASKS, "--k", 1, "--require", 1)
    assert code == 0, capsys.readouterr().out


@pytest.mark.slow
def test_some_of_our_tasks_are_done_in_every_other_style(tmp_path, capsys):
    lines = TASKS.read_text(encoding="utf-8").splitlines()[::EVERY]
    some, out = tmp_path / "some.jsonl", tmp_path / "out.json"
    some.write_text("\n".join(lines) + "\n", encoding="utf-8")
    styles = [option for style in STYLES if style != "plain" for option in ("--style", style)]
    code = simulate(some, "--k", 1, "--require", 0.7, "--json", out, *styles)
    assert code == 0, capsys.readouterr().out
    found = json.loads(out.read_bytes())
    assert {result["style"] for result in found["results"]} == set(STYLES) - {"plain"}
    assert len(found["trials"]) == (len(STYLES) - 1) * len(lines)
    assert found["machine"]["commit"]


def test_a_task_that_goes_wrong_is_shown_and_ends_with_1(tmp_path, capsys):
    task = {
        "id": "wrong",
        "language": "de",
        "customer": "C0002",
        "facts": {"order_number": "TR-104728", "postcode": "10115"},
        "wishes": [{"kind": "ask", "text": "hello", "text_de": "hallo"}],
        "expected": [{"change": "record", "of": "orders/TR-104728", "set": {"status": "lost"}}],
    }
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps(task) + "\n")
    assert simulate(path, "--k", 2, "--require", 0.5) == 1
    shown = capsys.readouterr().out
    assert '! orders/TR-104728.status: expected "lost", got "pending"' in shown
    assert "> Hallo" in shown
    assert "plain              1       2    0.000    0.000" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        ([TASKS, "--require", "1.5"], "--require must be from 0 to 1"),
        ([TASKS, "--require", "-0.1"], "--require must be from 0 to 1"),
        ([TASKS, "--k", "0"], "--k must be at least 1"),
        ([TASKS, "--task", "nothing"], "has no task 'nothing'"),
    ],
)
def test_bad_input_is_refused_before_anything_starts(arguments, said, capsys):
    assert simulate(*arguments) == 1
    assert said in capsys.readouterr().err
