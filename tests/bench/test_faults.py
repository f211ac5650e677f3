"""The fault bench in small: nothing doubled, lost or left unknown; and it would notice."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.faults.cases import plan_cases
from bench.faults.shops import SHOPS
from bench.faults.verdict import Found, judge

ROOT = Path(__file__).resolve().parents[2]
KINDS = {name: shop.kinds for name, shop in SHOPS.items()}
KILLED = {
    "number": 0,
    "seed": 1,
    "shop": "loopback without keys",
    "kind": "refund",
    "behaviour": "in time",
    "kills": ["effect done"],
    "away_s": 30,
}
FORGETFUL = """
import sys
from bench.faults.loopback_ports import Wire
from bench.faults.program import main

async def note(self, key):
    return None

Wire.note = note
sys.exit(main(sys.argv[1:]))
"""


def bench(*arguments, program=("-m", "bench.faults")):
    command = [sys.executable, *program, *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


def test_nothing_is_doubled_lost_or_unknown(tmp_path):
    shown = bench("--runs", 25, "--seed", 3, "--json", tmp_path / "out.json")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    record = json.loads((tmp_path / "out.json").read_text())
    total = record["total"]
    assert total["runs"] == total["once"] + total["refused"] == 25
    assert total["once"] > total["refused"]
    assert record["kills"] >= 15


def test_a_bot_that_forgets_what_it_has_done_is_caught():
    case = json.dumps([KILLED])
    assert bench("--case", case).returncode == 0
    forgetful = bench("--case", case, program=("-c", FORGETFUL))
    assert forgetful.returncode == 1, forgetful.stdout
    assert "run 0: denied" in forgetful.stdout


def test_the_cases_are_the_same_for_a_seed():
    assert plan_cases(KINDS, 50, 1) == plan_cases(KINDS, 50, 1)
    assert plan_cases(KINDS, 50, 1) != plan_cases(KINDS, 50, 2)
    tried = {(case.shop, case.kind) for case in plan_cases(KINDS, 50, 1)}
    assert tried == {(shop, kind) for shop, kinds in KINDS.items() for kind in kinds}


def said(*responses):
    return (tuple({"response": name, "text": ""} for name in responses),)


GOOD = {
    "plans": 1,
    "counts": (1, 1),
    "writes": (("done", ""),),
    "mails": ("done",),
    "sent": 1,
    "told": said("utter_order_cancelled", "utter_anything_else"),
    "is_open": False,
}


@pytest.mark.parametrize(
    ("changes", "outcome", "wrong"),
    [
        ({}, "once", 0),
        ({"counts": (2, 1)}, "doubled", 0),
        ({"counts": (1, 0)}, "lost", 0),
        ({"writes": (("unknown", ""),)}, "unknown", 3),
        ({"writes": (), "is_open": True}, "unknown", 2),
        ({"writes": (("refused", "policy"),), "sent": 0}, "denied", 1),
        ({"sent": 2}, "once", 1),
        ({"told": said()}, "once", 2),
        ({"told": said("utter_order_cancelled", "utter_settled_done")}, "once", 2),
        ({"told": said("utter_refused", "utter_order_cancelled")}, "once", 1),
        (
            {
                "counts": (0, 0),
                "writes": (("refused", "policy"),),
                "sent": 0,
                "told": said("utter_refused"),
            },
            "refused",
            0,
        ),
    ],
)
def test_the_verdict(changes, outcome, wrong):
    (case,) = plan_cases({"SQL": ("cancel",)}, 1, 1)
    verdict = judge(case, Found(**GOOD | changes), 0.1, 1)
    assert verdict.outcome == outcome
    assert verdict.is_bad == (outcome not in {"once", "refused"} or wrong > 0)
    assert bool(verdict.wrong) == bool(wrong)
