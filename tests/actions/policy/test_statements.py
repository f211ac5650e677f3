"""What the rules state counts as evidence: every limit, fixed fee and text, by its rule."""

from actions.policy.rules import RuleFile
from actions.policy.statements import statements
from tests.conversations.talk import ROOT

RULES = """
format: 1
identification: [[email, code]]
limits:
  return_days: {by: tier, values: {gold: 60}, other: {by: country, values: {DE: 30}, other: 20}}
operations:
  return:
    fees:
      - {id: label, text: {en: Label, de: Etikett}, amount: "590", customer_pays: "true"}
      - {id: share, text: {en: S, de: A}, amount: request.items_minor / 9, customer_pays: "true"}
    rules:
      - id: return-deadline
        require: now <= deadline
        deadline: {from: order.delivered_at, days: 21}
        reason: {en: "Within {return_days} days, at most 3 parcels a week.", de: "Zu spät."}
"""


def test_numbers_and_texts_of_a_rule_file_are_told_with_their_rules(tmp_path):
    path = tmp_path / "rules.yml"
    path.write_text(RULES)
    told = [(one.rule, one.name, one.value) for one in statements(RuleFile(path))]
    assert [one for one in told if one[0] == "limits.return_days"] == [
        ("limits.return_days", "return_days", days) for days in (20, 30, 60)
    ]
    assert ("return-deadline", "deadline_days", 21) in told
    assert ("label", "amount_minor", 590) in told
    assert ("withdrawal", "withdrawal_days", 14) in told
    assert not [one for one in told if one[:2] == ("share", "amount_minor")]
    text = "Within ¤ days, at most 3 parcels a week."
    assert ("return-deadline", "text", text) in told


def test_the_shops_own_rules_can_be_told():
    rules = {one.rule for one in statements(RuleFile(ROOT / "data" / "policies" / "rules.yml"))}
    assert {"limits.return_days", "limits.label_minor", "cancel-pending"} <= rules
