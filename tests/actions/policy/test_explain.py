"""`tresen policy explain` tells each decision on an order with rules, facts, dates and offers."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from actions.policy.explain import ItemUnknown, explain, find_lines
from actions.policy.layout import Layout
from bot.cli import main
from tests.fixtures.small_shop import FOLDER

OPERATIONS = {
    "cancel",
    "change_address",
    "change_items",
    "change_payment",
    "return",
    "exchange",
    "complaint",
    "goodwill",
}


@pytest.fixture
async def facts(planner):
    return await planner.facts("C1", "TR-100002")


async def test_every_operation_is_decided_and_items_one_by_one(planner, facts):
    found = explain(planner.policy, facts)
    assert {one.operation for one in found} == OPERATIONS
    returns = {one.line_id: one.decision for one in found if one.operation == "return"}
    assert {line: decision.allowed for line, decision in returns.items()} == {
        "1": True,
        "2": True,
        "3": False,
    }
    kinds = {one.kind for one in found if one.operation == "complaint"}
    assert kinds == {"damaged", "wrong_item", "missing_item", "late"}
    assert all(one.decision.rule_ids for one in found)


@pytest.mark.parametrize(
    ("words", "lines"),
    [("2", ["2"]), ("rain", ["1"]), ("JACKET m", ["1"]), ("regenjake", ["1"]), ("socks", [])],
)
async def test_items_are_found_by_id_words_and_likeness(facts, words, lines):
    assert [line.id for line in find_lines(facts.order.lines, words)] == lines


async def test_an_unknown_item_names_those_there_are(planner, facts):
    with pytest.raises(ItemUnknown, match=r"'socks'; it has 1: .*, 2: .*, 3: "):
        explain(planner.policy, facts, "socks")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "de",
            [
                "NEIN return  [1]",
                "die 30 Tage endeten am 9. Februar 2026 (vor 2 Tagen)",
                "stattdessen: Guthaben ist noch bis 24. Februar 2026 möglich. (return)",
                "Regeln: return-window",
                "limits.return_days = 30",
            ],
        ),
        (
            "en",
            [
                "NO   return  [1]",
                "the 30 days ended on February 9, 2026 (2 days ago)",
                "instead: Store credit is possible until February 24, 2026. (return)",
                "rules: return-window",
            ],
        ),
    ],
)
async def test_a_refusal_reads_as_it_should(planner, facts, language, said):
    late = msgspec.structs.replace(facts, now=datetime(2026, 2, 11, 12, tzinfo=UTC))
    lines = Layout(language, late).lines(explain(planner.policy, late, "1"))
    text = " ".join(" ".join(lines).split())
    for part in said:
        assert " ".join(part.split()) in text, text
    assert all(len(line) <= 110 for line in lines)
    assert facts.customer.last_name not in text


async def test_a_yes_tells_dates_methods_and_who_pays(planner, facts):
    text = "\n".join(Layout("en", facts).lines(explain(planner.policy, facts, "1")))
    for said in (
        "until: February 9, 2026 (return-window)",
        "right of withdrawal until: January 26, 2026",
        "methods: card-1, store_credit",
        "fee: Return label €0.00, paid by the shop",
    ):
        assert said in text


def explained(tmp_path, *arguments):
    return main([
        "policy", "explain", *arguments, "--demo-shop", str(FOLDER), "--data-dir", str(tmp_path),
    ])  # fmt: skip


def test_the_command_line(tmp_path, capsys):
    assert explained(tmp_path, "tr 100002", "--language", "de", "--at", "2031-01-01T10:00") == 0
    assert "NEIN return" in capsys.readouterr().out
    assert explained(tmp_path, "TR-100002", "1", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["order"] == "TR-100002"
    (back,) = [one for one in shown["decisions"] if one["operation"] == "return"]
    assert back["decision"]["allowed"]
    assert back["decision"]["deadlines"][0]["rule_id"] == "return-window"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["TR-999999"], "no such record: order TR-999999"),
        (["TR-100002", "socks"], "no item 'socks'; it has 1:"),
        (["TR-100002", "--customer", "C2"], "belongs to another customer"),
    ],
)
def test_what_is_not_there_is_said(tmp_path, capsys, arguments, message):
    assert explained(tmp_path, *arguments) == 1
    assert message in capsys.readouterr().err
