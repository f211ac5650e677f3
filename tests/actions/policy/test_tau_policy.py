"""Every sentence of tau-retail's policy is a rule of ours, or belongs to what is named here.

The sentences stand in the shared data and are not repeated; they are counted within their section.
"""

import re

import pytest

from actions.commerce import changes, errors, plan_builders
from actions.policy.axis_values import Known
from actions.policy.policy import Policy
from actions.policy.review import review
from actions.policy.rules import RuleFile
from simulation.tau.convert import POLICY

pytestmark = pytest.mark.shared

CONDUCT = "how to talk: the engine asks, shows the plan, waits for a yes, does one thing at a time"
DATA = "what the data is: the converter and its round trip test"
SCOPE = "what is offered: the operations and skills"
SAME_PRODUCT = (changes.same_product, errors.WrongProduct)
IN_STOCK = (plan_builders.build, errors.OutOfStock)
AT_ONCE = (plan_builders._money,)

SENTENCES = {
    "Retail agent policy": [
        SCOPE, ["cancel-pending", "change-items-pending"], ["return-delivered",
        "exchange-delivered"], SCOPE, SCOPE, ["identify-facts"], ["identify-facts"], SCOPE,
        (errors.StrangersOrder,), CONDUCT, CONDUCT, CONDUCT, CONDUCT, CONDUCT,
        ["complaint-by-people", "goodwill-never"], CONDUCT, CONDUCT,
    ],
    "Domain basic": [DATA] * 2,
    "User": [DATA] * 6,
    "Product": [DATA] * 13,
    "Order": [DATA] * 10,
    "Generic action rules": [
        ["cancel-pending", "change-address-pending", "change-items-pending",
         "change-payment-pending", "return-delivered", "exchange-delivered"],
        ["change-items-once", "exchange-once", "return-once"],
        CONDUCT,
    ],
    "Cancel pending order": [
        ["cancel-pending"], ["cancel-reason"], ["cancel-reason"], AT_ONCE,
    ],
    "Modify pending order": [
        ["change-address-pending", "change-items-pending", "change-payment-pending"], SCOPE,
    ],
    "Modify payment": [
        ["change-payment-different", "change-payment-single", "change-payment-method"],
        ["change-payment-balance"], (changes.with_method,), AT_ONCE,
    ],
    "Modify items": [
        ["change-items-once"],
        ["change-address-unmodified", "change-payment-unmodified", "cancel-unmodified",
         "change-items-once"],
        CONDUCT, CONDUCT,
        # The recorded tools accept the same variant again ("of different option" is not enforced).
        [*SAME_PRODUCT, *IN_STOCK], [*SAME_PRODUCT],
        ["change-items-method"], ["change-items-balance"],
    ],
    "Return delivered order": [
        ["return-delivered", "return-once"], CONDUCT, ["return-method"], ["return-method"],
        (plan_builders.build,),
    ],
    "Exchange delivered order": [
        ["exchange-delivered", "exchange-once"], CONDUCT, [*SAME_PRODUCT, *IN_STOCK],
        [*SAME_PRODUCT], ["exchange-method"], ["exchange-balance"], (plan_builders.build,), CONDUCT,
    ],
}  # fmt: skip


def sections(text):
    """Return how many sentences stand under each heading; list entries count as sentences."""
    counts, heading = {}, ""
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ").strip()
        elif line.strip():
            said = re.split(r"(?<=[.!?])\s+(?=[A-Z])", line.strip().removeprefix("- "))
            counts[heading] = counts.get(heading, 0) + len(said)
    return counts


def named():
    parts = [part for listed in SENTENCES.values() for part in listed if isinstance(part, list)]
    return {name for part in parts for name in part if isinstance(name, str)}


def test_every_sentence_has_its_place(shared_data):
    text = (shared_data / "tau_retail" / "policy.md").read_text(encoding="utf-8")
    assert {name: len(listed) for name, listed in SENTENCES.items()} == sections(text)


def test_every_rule_comes_from_a_sentence_and_every_named_rule_is_there():
    operations = Policy(POLICY).spec.operations
    assert {rule.id for operation in operations.values() for rule in operation.rules} == named()


def test_the_methods_and_reasons_are_those_of_the_policy():
    operations = Policy(POLICY).spec.operations
    assert [m.id for m in operations["return"].methods] == ["original", "gift_card"]
    assert [m.id for m in operations["cancel"].methods] == ["original"]
    reasons = [choice.id for choice in operations["cancel"].cancel_reasons]
    assert reasons == ["no longer needed", "ordered by mistake"]
    assert set(Policy(POLICY).identification) == {
        frozenset({"email"}),
        frozenset({"first_name", "last_name", "postcode"}),
    }


def test_the_rules_have_no_fault():
    known = Known(countries=frozenset({"US"}), tiers=frozenset({"standard"}))
    assert review(RuleFile(POLICY), known, ("en", "de")) == []
