"""`tresen check` finds what cannot be meant in a rule file, and nothing in ours."""

import time

import pytest

from actions.policy.axis_values import Known
from actions.policy.review import review
from actions.policy.rules import RuleFile
from tests.fixtures.small_shop import RULES

EU = Known(
    countries=frozenset({"DE", "AT"}),
    tiers=frozenset({"standard", "gold"}),
    categories=frozenset({"food", "jackets"}),
)
TEXT = "{en: Because., de: Darum.}"


def found(tmp_path, text, known=EU):
    path = tmp_path / "rules.yml"
    path.write_text(f"format: 1\nidentification: [[email]]\n{text}", encoding="utf-8")
    return review(RuleFile(path), known, ("en", "de"))


def operation(name, *rules, more=""):
    listed = "".join(
        f"      - {{id: r{number}, {rule}, reason: {TEXT}}}\n" for number, rule in enumerate(rules)
    )
    return f"operations:\n  {name}:\n{more}    rules:\n{listed}"


def test_our_own_rules_have_no_fault_and_are_checked_quickly():
    started_s = time.perf_counter()
    assert review(RuleFile(RULES), EU, ("en", "de")) == []
    assert time.perf_counter() - started_s < 6, "2 s on an idle machine"


@pytest.mark.parametrize(
    ("rule", "problem", "cure"),
    [
        ('require: order.statsu == "pending"', "no `order.statsu`", "`order.status`"),
        ("require: limits.day > 1", "no `limits.day`", "did you mean `limits.days`"),
        ('require: order.total_minor < "5"', "a number with a text", "same type"),
        ("require: order.status", "gives a text, not true or false", "true or false"),
        ("require: order.arrived && order.lost + 1", "`+` does not work with", "numbers"),
        ('require: order.status == "pendign"', 'never "pendign"', 'did you mean "pending"'),
        ("require: 'order.status in [\"shiped\"]'", 'never "shiped"', 'did you mean "shipped"'),
        ("require: order.arrived == null", "never null", "leave"),
        ("require: order.arrived < order.lost", "has no order", "== or !="),
        ("require: item.hygiene", "only known to rules of `scope: item`", "add `scope: item`"),
        ('require: order.country == "XX"', "no country XX", "use one of"),
        ('scope: item, require: item.category != "fod"', "no category fod", "`food`"),
        (f"require: order.lost, alternative: {{operation: dance, text: {TEXT}}}",
         "no operation or skill dance", "did you mean"),
    ],
)  # fmt: skip
def test_names_and_types(tmp_path, rule, problem, cure):
    findings = found(tmp_path, "limits: {days: 3}\n" + operation("cancel", rule))
    assert len(findings) == 1, findings
    assert problem in findings[0].problem
    assert cure in findings[0].cure
    assert (findings[0].rule_id, findings[0].line, findings[0].warning) == ("r0", 7, False)


def test_tiers_that_no_customer_has_are_only_doubtful(tmp_path):
    rule = operation("cancel", 'require: customer.tier == "golden"')
    (finding,) = found(tmp_path, rule)
    assert finding.warning
    assert "golden" in finding.problem
    assert found(tmp_path, rule, Known()) == []


def test_texts_must_be_there_in_every_language(tmp_path):
    text = operation("cancel", 'require: order.status == "pending"').replace(", de: Darum.", "")
    (finding,) = found(tmp_path, text)
    assert "missing in 'de'" in finding.problem


PENDING = 'require: order.status == "pending"'


@pytest.mark.parametrize(
    ("rules", "at", "problem", "warning"),
    [
        (['when: order.status == "pending" && order.status == "shipped", require: order.lost'],
         "r0", "never holds (in 12 cases tried)", False),
        (['when: order.arrived, require: order.status == "pending"'],
         "r0", "never holds where `when` does", False),
        (["require: order.payment_count >= 0"], "r0", "never refuses", True),
        ([PENDING, 'when: order.status == "shipped", require: order.lost'],
         "r1", "refused by rule r0 already", True),
        ([PENDING, 'require: order.status != "pending"'],
         "r1", "together with rule r0 it refuses every case", False),
        (["require: order.estimated_at < now"], "r0", "cannot be evaluated", True),
        ([PENDING + ", alternative: {operation: change_items, text: " + TEXT + "}"],
         "r0", "refused whenever this rule refuses", True),
        ([PENDING + ", alternative: {operation: track_order, when: order.status == \"pending\", "
          f"text: {TEXT}}}"], "r0", "`when` fails", True),
        (["when: customer.goodwill_minor > limits.most, require: customer.goodwill_minor < 100"],
         "r0", "never holds where `when` does", False),
    ],
)  # fmt: skip
def test_contradictions(tmp_path, rules, at, problem, warning):
    other = f"  change_items:\n    rules:\n      - {{id: c, {PENDING}, reason: {TEXT}}}\n"
    findings = found(tmp_path, "limits: {most: 500}\n" + operation("cancel", *rules) + other)
    assert [(f.rule_id, f.warning) for f in findings] == [(at, warning)], findings
    assert problem in findings[0].problem


def test_never_is_said_with_the_word_false(tmp_path):
    assert found(tmp_path, operation("goodwill", 'require: "false"')) == []


def test_choices_that_never_come_up(tmp_path):
    choice = f'    choices: [{{id: q, when: request.kind == "late", text: {TEXT}}}]\n'
    text = operation("complaint", 'require: request.kind != "late"', more=choice)
    (finding,) = found(tmp_path, text)
    assert (finding.rule_id, finding.warning) == ("q", True)


WINDOW = "when: item.delivered_at != null, deadline: {from: item.delivered_at, days: 13}"
UNDERCUTTING = [
    f"scope: item, {WINDOW}, require: now <= deadline",
    'scope: item, require: "!item.hygiene"',
    'scope: item, require: item.category != "food"',
    "require: order.payment_count < 2",
    'require: request.method_id == "" || request.method_id == "store_credit"',
    'scope: item, require: customer.tier == "gold"',
]


@pytest.mark.parametrize("rule", UNDERCUTTING)
def test_what_the_law_gives_cannot_be_refused(tmp_path, rule):
    findings = found(tmp_path, operation("return", rule))
    assert [f.warning for f in findings] == [False], findings
    assert "right of withdrawal" in findings[0].problem


@pytest.mark.parametrize("rule", UNDERCUTTING)
def test_outside_the_eea_the_shop_decides(tmp_path, rule):
    assert found(tmp_path, operation("return", rule), Known(countries=frozenset({"US"}))) == []


@pytest.mark.parametrize(
    "rule",
    [
        UNDERCUTTING[0].replace("13", "14"),
        'scope: item, require: "!item.hygiene || !item.unsealed"',
        'scope: item, require: "!item.personalised"',
        "scope: item, require: item.returned < item.quantity",
        'require: order.status != "cancelled"',
        "scope: item, require: item.returnable || item.withdrawal",
    ],
)
def test_what_the_law_excepts_can_be_refused(tmp_path, rule):
    assert found(tmp_path, operation("return", rule)) == []


def test_goods_that_are_named_as_excepted_can_be_refused(tmp_path):
    text = operation("return", UNDERCUTTING[2])
    perishable = 'withdrawal: {exceptions: [{id: perishable, when: item.category == "food"}]}\n'
    assert found(tmp_path, perishable + text) == []


def test_the_period_of_withdrawal_has_a_least_length(tmp_path):
    (finding,) = found(tmp_path, "withdrawal: {days: 10}\noperations: {}\n")
    assert "14 days by law" in finding.problem
    assert finding.line == 3
