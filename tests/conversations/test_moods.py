"""Anger, threats and hard situations: who takes over, with which words, and for what reason."""

import json

import pytest

from bot import events as ev
from bot.conversation import Conversation


def cases(talk, customer):
    path = talk.export() / "cases.json"
    records = json.loads(path.read_bytes()) if path.is_file() else []  # there are none yet
    return [case for case in records if case["conversation_id"] == customer.conversation_id]


def stored(talk, customer):
    events, _ = talk.wait_for(talk.bot.store.events.load(customer.conversation_id))
    return [ev.from_wire(item.data) for item in events]


@pytest.mark.parametrize(
    ("text", "reason", "word"),
    [
        ("Wenn das Geld morgen nicht da ist, gehe ich zum Anwalt", "threat: lawyer", "verärgert"),
        ("send it today or I'll do a chargeback", "threat: chargeback", "annoyed"),
        (
            "Mein Vater ist gestern gestorben, was passiert mit seiner Bestellung?",
            "vulnerable: death",
            "tut mir leid",
        ),
        ("I lost my job and I'm deep in debt", "vulnerable: debt", "sorry to hear"),
        ("My son ordered this without asking me", "vulnerable: minor", "sorry to hear"),
    ],
)
def test_a_person_takes_over_and_knows_why(talk, customer, text, reason, word):
    said = customer.says(text)
    assert customer.asked("utter_handoff"), customer.transcript
    assert word in said
    assert [case["reason"] for case in cases(talk, customer)] == [reason]
    changes = [e for e in stored(talk, customer) if isinstance(e, ev.HandoffChanged)]
    assert [(change.state, change.reason) for change in changes] == [
        ("waiting_for_operator", reason)
    ]


def test_the_person_learns_what_was_wanted(talk, customer):
    customer.says("My husband passed away, please cancel his order TR-104711")
    assert customer.asked("utter_handoff"), customer.transcript
    assert cases(talk, customer)[0]["skill"] == "cancel_order"


def test_a_threat_in_the_middle_of_a_skill_agrees_to_nothing(talk, customer):
    customer.says("cancel my order")
    customer.says("yes, or you'll hear from my lawyer")
    assert customer.asked("utter_handoff"), customer.transcript
    assert cases(talk, customer)[0]["skill"] == "cancel_order"


def test_anger_adds_up_and_calm_words_take_it_away(talk, customer):
    customer.says("you are useless")
    assert not customer.asked("utter_handoff"), customer.transcript
    customer.says("where is my order?")
    customer.says("what does shipping cost?")
    customer.says("this is fucking ridiculous")
    assert not customer.asked("utter_handoff"), customer.transcript
    customer.says("you bunch of scammers")
    assert customer.asked("utter_handoff"), customer.transcript
    assert cases(talk, customer)[0]["reason"] == "anger"


def test_back_with_the_bot_the_old_anger_is_forgotten(talk, customer):
    customer.says("Ihr seid Betrüger, ich zeige euch an!")
    assert customer.asked("utter_handoff"), customer.transcript
    customer.says("zurück zum Bot")
    customer.says("Das ist schon ärgerlich, wo ist meine Bestellung?")
    assert not customer.asked("utter_handoff"), customer.transcript


def test_the_mood_is_the_fold_of_the_events(talk, customer):
    customer.says("this is fucking ridiculous")
    customer.says("where is my order?")
    again = Conversation(customer.conversation_id)
    again.apply_all(stored(talk, customer))
    assert again.mood.messages == 2
    assert 0.1 < again.mood.anger < 0.35
    assert again.slots["tone"] == again.mood.tone == "upset"


@pytest.mark.parametrize(
    "text",
    [
        "Ich brauche eine schwarze Hose", "I'm dying for these shoes", "killer jacket",
        "kranke Farbe!", "Ich bin Anwalt und suche einen Mantel", "these heels are killing me",
        "Meine Tochter ist 12 Jahre alt, welche Größe?", "mein Handy ist tot, wie zahle ich?",
        "ich sitze im Rollstuhl, passt die Jacke?", "my phone died, which chargers do you have?",
    ],
)  # fmt: skip
def test_nobody_is_handed_over_for_a_way_of_speaking(talk, customer, text):
    customer.says(text)
    assert not customer.asked("utter_handoff"), customer.transcript
    assert not cases(talk, customer)
