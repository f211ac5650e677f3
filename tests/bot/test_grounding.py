"""The gate between what is rendered and what is sent: claims, evidence, and mutants of both."""

from collections import UserDict
from datetime import UTC, datetime

import pytest
from babel.numbers import format_currency

from bench.knowledge.grounding import measure
from bot.flow_files import load_flows
from bot.flows import FlowSet, Variation
from bot.grounding import Gate, Ungrounded, claims_of, own_claims, stated_by, unstated
from bot.grounding_claims import read_claims
from bot.grounding_facts import Stated, stated_facts
from bot.messages import Card, OutboundMessage
from knowledge.documents import Passage
from knowledge.sources import SourceDirs, read_shop
from tests.conversations.talk import ROOT

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EUR = {"amount_minor": 4990, "currency": "EUR"}


def gate(*texts: str, stated: frozenset = frozenset()) -> Gate:
    wordings = tuple(Variation(text) for text in texts)
    flows = FlowSet({}, {}, {"utter_x": {"en": wordings, "de": wordings}})
    return Gate(flows, "Europe/Berlin", lambda: stated)


def missing(said: str, values: dict, template: str = "{{ a }} {{ b }}", **more) -> list[str]:
    message = OutboundMessage(text=said, language=more.get("language", "en"), response="utter_x")
    checked = gate(template, stated=more.get("stated", frozenset()))
    verdict = checked.check(message, None, values, more.get("told", ""), NOW)
    return [claim.kind for claim in verdict.missing]


@pytest.mark.parametrize(
    ("german", "english"),
    [
        ("1.299,00 €", "€1,299.00"),
        ("2–4 Werktage", "2-4 business days"),
        ("fünfzig Euro", "50 euros"),
        ("Freitag, 4. Dezember 2026", "Friday 4 December 2026"),
        ("um 14:30 Uhr", "at 2:30 pm"),
        ("19 %", "nineteen percent"),
        ("das ist ausverkauft", "it is sold out"),
        ("ist nicht mehr lieferbar", "is no longer available"),
        ("nur noch 3 da", "only three left"),
        ("Der Versand ist kostenlos", "shipping is free"),
    ],
)
def test_both_languages_and_notations_read_as_the_same_claim(german, english):
    assert [c.key for c in read_claims(german, "de")] == [c.key for c in read_claims(english, "en")]
    assert read_claims(german)


@pytest.mark.parametrize(
    "text",
    [
        "Have a nice day!",
        "Guten Morgen, was kann ich für Sie tun?",
        "Order TR-104711: 2 × Rain jacket Sylt, size 42",
        "Which ones? For example “1 and 3”.",
        "Wash at up to 30 °C.",
    ],
)
def test_names_numbers_and_courtesies_are_no_claims(text):
    assert read_claims(text) == ()


@pytest.mark.parametrize("minor", [1400, 1405, 112, 3112, 123_456])
@pytest.mark.parametrize("language", ["de", "en"])
def test_a_price_before_a_full_stop_is_no_date(minor, language):
    said = format_currency(minor / 100, "EUR", locale=language)
    for text in (f"– {said}.", f"({said}). 2 left", f"{said}\n"):
        found = [claim for claim in read_claims(text, language) if claim.kind != "left"]
        assert [(claim.kind, claim.value) for claim in found] == [("money", (minor, "EUR"))]


def test_a_claim_needs_the_record_that_the_wording_is_filled_with():
    assert missing("It costs €49.90.", {"a": EUR}) == []
    assert missing("It costs €49.00.", {"a": EUR}) == ["money"]
    assert missing("It costs $49.90.", {"a": EUR}) == ["money"]
    assert missing("It costs €49.90.", {"other": EUR}) == ["money"]


def test_moments_count_on_the_clocks_of_shop_and_customer():
    values = {"a": "2026-11-24T23:30:00+00:00"}
    assert missing("Due on Wednesday 25 November, 00:30", values) == []
    assert missing("Due on Tuesday 25 November", values) == ["date", "weekday"]
    assert missing("Due on 24 November, 18:30", {**values, "time_zone": "America/New_York"}) == []


def test_stock_must_not_contradict_the_record():
    assert missing("It is in stock.", {"a": "", "stock_state": "sold_out"}) == ["stock"]
    assert missing("It is sold out.", {"a": "", "stock_state": "sold_out"}) == []
    assert missing("only 3 left", {"a": {"stock": 3}}) == []
    assert missing("only 2 left", {"a": {"stock": 3}}) == ["left"]


def test_a_price_read_too_long_ago_is_no_evidence():
    old = {**EUR, "read_at": "2026-11-22T08:00:00+00:00"}
    fresh = {**EUR, "read_at": "2026-11-22T08:50:00+00:00"}
    assert missing("It costs €49.90.", {"a": old}) == ["money"]
    assert missing("It costs €49.90.", {"a": fresh}) == []


def test_the_customers_own_words_may_be_said_back_but_prove_no_stock():
    assert missing("Under €50, right?", {}, told="something under 50 euros") == []
    assert missing("It is in stock.", {"stock_state": "sold_out"}, told="in stock?") == ["stock"]


def test_a_wording_states_by_itself_only_what_a_passage_states():
    stated = frozenset(c.key for c in read_claims("within 30 days"))
    template = "You have 30 days."
    assert missing(template, {}, template, stated=stated) == []
    assert missing(template, {}, template) == ["span"]
    wordings = {"utter_x": {"en": (Variation("You have 31 days."),)}}
    assert [claim.kind for _, claim in unstated(wordings, stated)] == ["span"]
    assert own_claims("In {{ days }} days, {{ price | money }}") == ()


def test_cards_and_voice_are_read_too_and_a_withheld_message_names_its_claims():
    message = OutboundMessage(
        text="Look", voice="for €5", cards=(Card("Hat", price="€7.00"),), response="utter_x"
    )
    assert len(claims_of(message)) == 2
    verdict = gate("{{ a }}").check(message, None, {}, "", NOW)
    assert verdict.event is not None
    assert verdict.event.withheld == ("money: €5", "money: €7.00")
    with pytest.raises(Ungrounded):
        verdict.insist()


def test_every_wording_of_the_skills_states_only_what_is_stated():
    data = ROOT / "data"
    dirs = SourceDirs(data / "demo_shop", data / "faq", data / "policies" / "texts")
    stated = stated_facts((one.text for one in read_shop(dirs)[0].passages), data)
    flows = load_flows(data)
    found = [*unstated(flows.responses, stated)]
    for flow in flows.flows.values():
        found += unstated(flow.responses, stated)
    assert found == []


def test_mutants_are_caught_and_sound_messages_pass():
    outcome = measure(seed=11, count=300)
    assert outcome.missed == ()
    assert outcome.mutants == 300
    assert len(outcome.false_alarms) <= 0.01 * outcome.messages


@pytest.mark.parametrize(
    "record",
    [
        {"read_at": "yesterday"},
        {"read_at": "2026-11-22T08:50:00"},
        {"amount_minor": None},
        {"amount_minor": "many"},
        {"stock": float("inf")},
        {"total_minor": float("nan")},
        {"paid_at": "0001-01-01T00:00:00Z"},
        {"ends_at": "9999-12-31T23:59:59Z"},
        {"note": f"{'9' * 400} % of {'9' * 400} days, {'is ' * 900}, {'in stock ' * 500}"},
    ],
)
def test_a_broken_record_proves_nothing_and_stops_no_message(record):
    assert missing("It costs €49.90.", {"a": record}) == ["money"]
    assert missing("Have a nice day!", {"a": record}) == []
    assert missing("It costs €49.90.", {"a": record, "b": EUR}) == []


def test_what_cannot_be_read_at_all_withholds_claims_and_lets_the_rest_pass():
    class Broken(UserDict):
        def items(self):
            raise RuntimeError

    assert missing("It costs €49.90.", {"a": Broken(x=1)}) == ["money"]
    assert missing("Have a nice day!", {"a": Broken(x=1)}) == []


def test_after_passages_were_replaced_only_new_texts_are_read(monkeypatch, tmp_path):
    read: list[str] = []

    def reading(texts):
        read.extend(told := list(texts))
        return stated_by(told)

    monkeypatch.setattr("bot.grounding_facts.stated_by", reading)
    now = [passages("You have 30 days.", "It costs €5.")]
    stated = Stated(lambda: now[0], tmp_path)
    assert len(stated()) == 2
    now[0] = passages("You have 30 days.", "It costs €6.")
    assert {k for k, _ in stated()} == {"span", "money"}
    assert sorted(read) == ["It costs €5.", "It costs €6.", "You have 30 days."]
    now[0] = ()
    assert stated() is None


def passages(*texts: str) -> tuple[Passage, ...]:
    return tuple(Passage(text, text, "help", "en", "", text) for text in texts)
