"""Somebody does not want to live any more, or suffers violence; and figures of speech."""

from pathlib import Path

import pytest

from bot.understanding.standard import mood_of_words

LEXICONS = Path(__file__).parents[2] / "data" / "lexicons"

CRISIS = [
    "ich kann so nicht mehr leben", "Ich mag einfach nicht mehr leben.", "am liebsten wäre ich tot",
    "Ich habe vor, mich umzubringen", "mein Bruder hat gedroht sich umzubringen",
    "ich will mir das Leben nehmen", "dieses Leben ertrage ich nicht mehr, ich will sterben",
    "ich hab schon alle Tabletten geschluckt", "ich verletze mich wieder selbst",
    "Ich habe ständig Selbstmordgedanken und jetzt auch noch diese Rechnung",
    "mein leben ist nicht lebenswert", "i mog nimmer leben",
    "i really want to die", "honestly i'd rather be dead", "I'm thinking of killing myself",
    "my daughter says she wants to kill herself", "there is no point in living",
    "I have nothing left, I want to end it all", "can't go on living",
    "i started cutting myself again",
    "I wish I was dead", "they'd be better off without me", "I'm suicidal and your parcel is late",
    "I DON'T WANT TO LIVE ANYMORE",
]  # fmt: skip
ABUSE = [
    "mein Freund schlägt mich und darf die Adresse nicht sehen",
    "wegen häuslicher Gewalt bin ich umgezogen",
    "my partner beats me, please don't send it home", "I left an abusive marriage",
]  # fmt: skip
FIGURES = [
    "ich sterb vor Lachen, sterbe vor Lachen!",
    "wir sterben hier vor Hitze, wo bleibt der Ventilator",
    "todschicke Schuhe", "das ist ein Killer-Angebot", "die Pumps bringen mich um",
    "zum Sterben schön",
    "ohne diese Tasche kann ich nicht mehr leben",
    "ich möchte nicht mehr in Köln leben, neue Adresse",
    "Haken zum Aufhängen", "der Stoff ist totschick", "mein Handy ist tot",
    "your prices kill me", "what a killer deal", "I'm dying of laughter", "could die for that coat",
    "can't live without this mug", "my feet are killing me", "I hurt myself on the sharp edge",
    "I cut myself opening the box", "I want to end my membership", "killing it with that dress",
    "dead stylish", "I almost killed myself laughing", "he hits the ball with this racket",
]  # fmt: skip


@pytest.fixture(scope="module")
def mood():
    return mood_of_words(LEXICONS)


@pytest.mark.parametrize("text", CRISIS)
def test_a_crisis_is_heard_in_either_language(mood, text):
    assert {mood.score(text, code).vulnerable for code in ("de", "en")} == {"crisis"}


@pytest.mark.parametrize("text", ABUSE)
def test_violence_at_home_is_heard(mood, text):
    assert mood.score(text, "de").vulnerable == "abuse"


@pytest.mark.parametrize("text", FIGURES)
def test_a_figure_of_speech_is_no_crisis(mood, text):
    assert mood.score(text, "de").vulnerable not in {"crisis", "abuse"}
