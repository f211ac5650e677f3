"""What the demo shop says about itself, in its terms and help texts, is what its rules decide."""

import re
from pathlib import Path

import pytest
import yaml

from actions.policy.policy import Policy
from actions.policy.specs import WITHDRAWAL_DAYS, limit_value
from tests.fixtures.small_shop import RULES

DATA = Path(__file__).resolve().parents[3] / "data"
SPEC = Policy(RULES).spec
LANGUAGES = ("en", "de")


def limit(name, tier="standard", country="DE"):
    return limit_value(SPEC.limits[name], tier, country)


def section(name, language, number):
    """Return a section of a policy text; the first is 1."""
    text = (DATA / "policies" / "texts" / f"{name}.{language}.md").read_text(encoding="utf-8")
    return text.split("\n## ")[number]


def faq(topic, entry, language):
    entries = yaml.safe_load((DATA / "faq" / f"{topic}.yml").read_text(encoding="utf-8"))
    return next(one["answer"][language] for one in entries if one["id"] == entry)


def days(text):
    return [int(found) for found in re.findall(r"(\d+)\s+(?:days|Tagen?)\b", text)]


def euros(text):
    found = re.findall(r"€(\d+(?:\.\d+)?)|(\d+(?:,\d+)?) €", text)
    return [round(float((a or b).replace(",", ".")) * 100) for a, b in found]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_return_period(language):
    standard, gold = limit("return_days"), limit("return_days", "gold")
    credit, gold_credit = limit("credit_days"), limit("credit_days", "gold")
    said = days(section("returns", language, 1))
    assert said == [standard, WITHDRAWAL_DAYS, gold, credit, gold_credit]
    assert SPEC.withdrawal.days == WITHDRAWAL_DAYS
    assert days(faq("returns", "return-window", language)) == [standard, WITHDRAWAL_DAYS]
    assert days(faq("returns", "withdrawal", language)) == [WITHDRAWAL_DAYS, standard]
    assert days(section("returns", language, 7)) == [standard], "exchanges"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_label_is_free_at_home_and_costs_elsewhere_what_is_said(language):
    for text in (section("returns", language, 5), faq("returns", "return-cost", language)):
        assert euros(text) == [limit("label_minor", country="AT")]
    assert limit("label_minor", country="DE") == 0
    free = {"en": "always free", "de": "immer kostenlos"}[language]
    assert free in section("returns", language, 5)
    assert "lists.faults" in SPEC.operations["return"].fees[0].customer_pays


@pytest.mark.parametrize("language", LANGUAGES)
def test_shipping_comes_back_within_the_period_of_withdrawal(language):
    assert days(section("returns", language, 6))[-1] == WITHDRAWAL_DAYS
    condition = SPEC.operations["return"].refunds_shipping
    assert "request.whole_order" in condition
    assert "request.withdrawal" in condition


@pytest.mark.parametrize("language", LANGUAGES)
def test_complaints(language):
    assert days(section("warranty", language, 2)) == [limit("complaint_days")]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("food", "seal", "engraved")), ("de", ("Lebensmittel", "Siegel", "graviert"))],
)
def test_the_exclusions_are_those_of_the_rules(language, words):
    text = section("returns", language, 2)
    assert all(word in text for word in words)
    named = {exception.id for exception in SPEC.withdrawal.exceptions}
    assert named == {"perishable", "hygiene", "personalised"}
    assert SPEC.lists["perishable"] == ("food",)


@pytest.mark.parametrize("language", LANGUAGES)
def test_changes_are_possible_while_pending(language):
    word = {"en": "pending", "de": "offen"}[language]
    for text in (section("shipping", language, 7), section("terms", language, 3)):
        assert word in text
    for name in ("cancel", "change_address", "change_items", "change_payment"):
        rules = SPEC.operations[name].rules
        assert any(rule.require == 'order.status == "pending"' for rule in rules), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_refunds_go_to_the_original_method_or_store_credit(language):
    assert [method.id for method in SPEC.operations["return"].methods] == [
        "original",
        "store_credit",
    ]
    words = {"en": ("original payment method", "store credit"), "de": ("ursprüngliche", "guthaben")}
    text = section("returns", language, 6)
    assert all(word in text for word in words[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_a_rule_repeats_a_number_that_has_a_name(language):
    for operation in SPEC.operations.values():
        for rule in operation.rules:
            texts = [rule.reason, *(offer.text for offer in rule.alternatives)]
            assert not any(days(text[language]) or euros(text[language]) for text in texts), rule.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_about_returns_names_periods_that_hold(language):
    entries = yaml.safe_load((DATA / "faq" / "returns.yml").read_text(encoding="utf-8"))
    known = {limit("return_days"), WITHDRAWAL_DAYS, limit("complaint_days")}
    for entry in entries:
        assert set(days(entry["answer"][language])) <= known, entry["id"]
