"""A wrong rule file is refused with file, line, rule and cure."""

import re

import pytest

from actions.policy.policy import Policy
from actions.policy.rules import PolicyInvalid
from actions.policy.specs import limit_value
from tests.fixtures.small_shop import RULES

GOOD = """format: 1
identification:
  - [email, code]
operations:
  cancel:
    rules:
      - id: only-pending
        require: order.status == "pending"
        reason: {en: "Order {order_number} is {status}.", de: "Nein."}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "rule", "cure"),
    [
        ("require:", "requires:", 7, "only-pending", "require"),
        ('== "pending"', "== == 1", 8, "only-pending", "write a condition"),
        ("{status}", "{statsu}", 9, "only-pending", "did you mean `status`"),
        ("  cancel:", "  cancle:", 5, "", "did you mean `cancel`"),
        ("[email, code]", "[e_mail, code]", 3, "", "use one of"),
        ("format: 1", "format: [", 2, "", "repair the YAML"),
        ("reason: {en", "scope: shop\n        reason: {en", 9, "only-pending", "see the head"),
    ],
)
def test_an_error_says_where_what_and_how_to_repair_it(tmp_path, old, new, line, rule, cure):
    path = tmp_path / "rules.yml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(PolicyInvalid) as invalid:
        Policy(path)
    message = str(invalid.value)
    assert message.startswith(f"{path}:")
    assert re.search(rf"Cure: .*{re.escape(cure)}", message), message
    assert abs(invalid.value.line - line) <= 1
    assert invalid.value.rule_id == rule


def test_two_rules_of_one_id_are_refused(tmp_path):
    path = tmp_path / "rules.yml"
    rule = GOOD[GOOD.index("      - id") :]
    path.write_text(GOOD + rule, encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=r"only-pending.*twice"):
        Policy(path)


LIMITS = """limits:
  fee_minor:
    by: country
    values: {DE: 0, AT: {by: tier, values: {gold: 100}, other: 590}}
    other: 990
"""


@pytest.mark.parametrize(
    ("tier", "country", "minor"),
    [
        ("standard", "DE", 0),
        ("standard", "AT", 590),
        ("gold", "AT", 100),
        ("gold", "FR", 990),
        ("", "", 990),
    ],
)
def test_a_limit_differs_by_country_and_tier(tmp_path, tier, country, minor):
    path = tmp_path / "rules.yml"
    path.write_text(GOOD + LIMITS, encoding="utf-8")
    assert limit_value(Policy(path).spec.limits["fee_minor"], tier, country) == minor


@pytest.mark.parametrize(
    ("old", "new", "line", "cure"),
    [
        ("{status}", "{fee_minor}", 0, ""),
        ("{status}", "{fee_miner}", 9, "did you mean `fee_minor`"),
        ("by: country", "by: town", 12, "see the head"),
        ("other: 990", "others: 990", 11, "did you mean `other`"),
        ("values: {DE: 0,", "values: {DE: much,", 13, "write a number"),
    ],
)
def test_a_limit_is_checked_and_can_be_told(tmp_path, old, new, line, cure):
    path = tmp_path / "rules.yml"
    path.write_text((GOOD + LIMITS).replace(old, new), encoding="utf-8")
    if not cure:
        assert Policy(path).spec.limits
        return
    with pytest.raises(PolicyInvalid) as invalid:
        Policy(path)
    assert re.search(rf"Cure: .*{re.escape(cure)}", str(invalid.value)), str(invalid.value)
    assert abs(invalid.value.line - line) <= 1, str(invalid.value)


def test_our_own_rules_load_and_say_everything_in_both_languages():
    spec = Policy(RULES)._spec
    for operation in spec.operations.values():
        for rule in operation.rules:
            assert set(rule.reason) == {"en", "de"}, rule.id
