"""Records say when they were read; what is too old is not told, but read again."""

from datetime import UTC, datetime, timedelta

import pytest

from actions.freshness import dated
from actions.policy.policy import Policy
from bot import events as ev
from bot.flows import FlowSet, Variation
from bot.grounding import Gate, handed_over
from bot.grounding_claims import read_claims
from bot.grounding_custom import custom_claims
from bot.grounding_facts import Stated, rule_keys
from bot.messages import OutboundMessage
from bot.responses import Renderer
from bot.speaking import AS_OF, Speaker
from tests.conversations.talk import ROOT

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(minutes=31)
EUR = {"amount_minor": 4990, "currency": "EUR"}
RULES = rule_keys(Policy(ROOT / "data" / "policies" / "rules.yml").statements, "EUR")


def check(text: str, values: dict, template: str = "{{ a }}", response: str = "utter_x", **custom):
    flows = FlowSet({}, {}, {"utter_x": {"en": (Variation(template),)}})
    gate = Gate(flows, "Europe/Berlin", lambda: frozenset(RULES), rules=RULES)
    message = OutboundMessage(text=text, language="en", response=response, custom=custom)
    return gate.check(message, None, values, "", NOW)


def test_what_an_action_hands_over_says_when_it_was_read_and_keeps_what_is_older():
    old = {"price": {**EUR, "read_at": LONG_AGO.isoformat()}}
    slots = dated({"order": {"total": EUR, "note": {"text": "-"}}, "lines": [old]}, NOW)
    assert slots["order"]["read_at"] == slots["order"]["total"]["read_at"] == NOW.isoformat()
    assert "read_at" not in slots["order"]["note"]
    assert slots["lines"][0]["price"]["read_at"] == LONG_AGO.isoformat()
    assert dated({"plan": {"total": EUR}}, NOW) == {"plan": {"total": EUR}}
    assert dated({"stock_state": "sold_out"}, NOW)["read_at"] == NOW.isoformat()
    assert dated({"picked": {"color": "blue"}}, NOW) == {"picked": {"color": "blue"}}


@pytest.mark.parametrize(("age", "missing"), [(29, []), (31, ["money"])])
def test_a_price_counts_until_its_record_is_too_old(age, missing):
    verdict = check("It is €49.90.", dated({"a": EUR}, NOW - timedelta(minutes=age)))
    assert [c.kind for c in verdict.missing] == missing
    assert verdict.is_stale == bool(missing)


def test_stock_that_was_read_too_long_ago_is_not_told():
    row = {"stock_rows": [{"level": {"en": "in stock"}}]}
    fresh, old = dated(row, NOW), dated(row, LONG_AGO)
    assert check("In stock", fresh, "{{ stock_rows }}").missing == ()
    assert check("In stock", old, "{{ stock_rows }}").is_stale
    state = dated({"stock_state": "sold_out"}, LONG_AGO)
    assert check("It is sold out.", state, "It is sold out.").is_stale
    assert check("It is sold out.", dated(state | {"read_at": NOW.isoformat()}, NOW)).missing == ()


def test_what_happened_and_what_is_wrong_are_not_called_old():
    record = dated({"a": {"total": EUR, "at": "2026-11-20T10:00:00+00:00"}}, LONG_AGO)
    assert check("Ordered on 20 November", record).missing == ()
    verdict = check("Ordered on 21 November for €49.90", record)
    assert {c.kind for c in verdict.missing} == {"date", "money"}
    assert not verdict.is_stale


def test_a_record_read_anew_counts_inside_an_older_one():
    line = {"price": {**EUR, "read_at": NOW.isoformat()}}
    assert check("€49.90", {"a": {"read_at": LONG_AGO.isoformat(), "line": line}}).missing == ()


def test_rules_of_the_policy_are_evidence_by_their_ids():
    assert RULES["span", ("day", 60_000, 60_000)] == ("limits.return_days",)
    assert "limits.label_minor" in RULES["money", (590, "EUR")]
    wording = "You have 60 days."
    verdict = check(wording, {}, wording)
    assert verdict.missing == ()
    assert verdict.event.passages == ({"rule": "limits.return_days"},)
    assert [c.kind for c in check("You have 61 days.", {}, "You have 61 days.").missing] == ["span"]
    refusal = {"rule_ids": ["cancel-pending"], "text": {"en": "It is packed."}}
    assert check("It is packed.", {"a": refusal}).event.passages == ({"rule": "cancel-pending"},)


def test_an_action_in_words_of_its_own_needs_evidence_that_is_not_the_message():
    said = {"text": "It is €49.90, return it within 30 days.", "custom": {"note": "€49.90"}}
    alone = check(said["text"], handed_over(said, {}), response="")
    assert [c.kind for c in alone.missing] == ["money"]  # the policy states the days
    assert check(said["text"], handed_over({**said, "price": EUR}, {}), response="").missing == ()
    assert check(said["text"], handed_over(said, {"slot": EUR}), response="").missing == ()


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"price": 49.9, "currency": "EUR"}, "money"),
        ({"rows": [{"total": EUR}]}, "money"),
        ({"title": {"en": "Now for €49.90"}}, "money"),
        ({"product": {"available": True}}, "stock"),
        ({"stock": 3}, "left"),
        ({"delivery_at": "2026-11-24T23:30:00+00:00"}, "moment"),
        ({"hint": "arrives on 24 November"}, "date"),
        ({"discount_percent": 20}, "percent"),
    ],
)
def test_custom_payloads_are_checked_like_texts(payload, kind):
    known = {"a": {"price": EUR, "available": True, "stock": 3, "at": "2026-11-24T23:30:00+00:00"}}
    known |= {"b": "24 November, 20 % off"}
    assert [c.kind for c in check("", {}, **payload).missing] == [kind]
    assert check("", known, "{{ a }}{{ b }}", **payload).missing == ()


@pytest.mark.parametrize(
    "payload",
    [
        {"url": "https://shop.example/p/49.90", "order_number": "TR-104711", "count": 3},
        {"type": "carousel", "ids": ["1.299,00"], "link_account": True, "image": "/a/20.12.2026"},
        {"price": float("nan"), "total": None, "note": "Have a nice day!"},
    ],
)
def test_keys_addresses_and_counts_in_payloads_claim_nothing(payload):
    assert list(custom_claims(payload)) == []


def test_what_was_said_is_said_again_only_while_it_holds():
    flows = FlowSet({}, {}, {})
    gate = Gate(flows, "Europe/Berlin")
    clock = [NOW]
    speaker = Speaker(
        flows, None, Renderer(flows, ("en",), "Europe/Berlin"), gate, lambda: clock[0]
    )
    price = ev.BotUttered("€49.90", {}, {AS_OF: NOW.isoformat()})
    plain = ev.BotUttered("Hello!")
    assert [one.message.text for one in speaker.again([price, plain])[0]] == ["€49.90", "Hello!"]
    clock[0] += timedelta(minutes=31)
    assert speaker.again([price, plain]) == ([], "stale")
    assert len(speaker.again([plain])[0]) == 1


def test_rules_count_beside_the_passages_of_a_shop(tmp_path):
    class Passage:
        text = "It costs €5."

    stated = Stated(lambda: (Passage(),), tmp_path, RULES)
    assert stated() >= {c.key for c in read_claims("within 60 days for €5")}
