"""The trend of a conversation's mood, and when it goes to a person."""

import pytest

from bot.mood import HandOffWhen, Mood, why_hand_off

ANGRY = {"score": -0.7, "anger": True}
INSULT = {"score": -0.9, "anger": True, "insult": True}
CALM = {"score": 0.0, "anger": False}


def after(*said):
    mood = Mood()
    for one in said:
        mood = mood.after(one)
    return mood


def test_nothing_said_is_calm():
    assert Mood().tone == "calm"
    assert after(CALM, CALM).tone == "calm"


def test_one_angry_message_sets_the_tone_and_two_calm_ones_end_it():
    assert after(ANGRY).tone == "angry"
    assert after(ANGRY, CALM).tone == "upset"
    assert after(ANGRY, CALM, CALM, CALM).tone == "calm"


def test_the_score_follows_the_messages():
    assert after({"score": 1.0}).score > 0 > after({"score": 1.0}, ANGRY, ANGRY).score


def test_a_hard_situation_is_remembered_for_some_messages():
    told = {"score": -0.4, "anger": False, "vulnerable": "death"}
    assert after(told, CALM, CALM).tone == "concerned"
    assert after(told, *[CALM] * 6).tone == "calm"


@pytest.mark.parametrize(
    ("before", "said", "reason"),
    [
        ((), ANGRY, ""),
        ((), INSULT, ""),
        ((ANGRY,), ANGRY, ""),
        ((ANGRY, ANGRY), ANGRY, "anger"),
        ((INSULT,), INSULT, "anger"),
        ((INSULT, INSULT), CALM, ""),
        ((), {**ANGRY, "threat": "lawyer"}, "threat: lawyer"),
        ((), {**ANGRY, "threat": "publicity"}, ""),
        ((), {"score": 0.0, "vulnerable": "death"}, "vulnerable: death"),
        ((), {"score": 0.0, "vulnerable": "disability"}, ""),
    ],
)
def test_when_a_person_takes_over(before, said, reason):
    assert why_hand_off(HandOffWhen(), after(*before), said) == reason


def test_a_shop_may_choose_that_nobody_is_handed_over():
    never = HandOffWhen(anger=2, threat=(), vulnerable=())
    grave = {**INSULT, "threat": "lawyer", "vulnerable": "crisis"}
    assert not why_hand_off(never, after(INSULT, INSULT, INSULT), grave)


def test_events_of_older_versions_are_read():
    assert after({}, {"score": -0.3, "anger": True}).messages == 2
