"""Threats, hard situations, haste and insults, in both directions and both languages."""

import time
from pathlib import Path

import pytest

from bot.understanding.normalise import fold
from bot.understanding.sentiment_phrases import Kind, PhraseError, PhraseFinder
from bot.understanding.standard import mood_of_words

LEXICONS = Path(__file__).parents[2] / "data" / "lexicons"

THREATS = [
    ("lawyer", "Dann gehe ich eben zum Anwalt"),
    ("lawyer", "Sie hören von meinem Anwalt!"),
    ("lawyer", "ich werde rechtliche Schritte einleiten"),
    ("lawyer", "you'll hear from my lawyer"),
    ("lawyer", "I'm considering legal action"),
    ("lawyer", "My solicitor will be in touch"),
    ("court", "Ich verklage euch"),
    ("court", "wir sehen uns vor Gericht"),
    ("court", "I'm going to sue you"),
    ("court", "see you in court"),
    ("court", "I'll take this to small claims court"),
    ("police", "Ich erstatte Anzeige bei der Polizei"),
    ("police", "ich zeige euch an, das ist Betrug"),
    ("police", "I'm reporting you to the police"),
    ("police", "I will call the police"),
    ("consumer_protection", "Ich melde das der Verbraucherzentrale"),
    ("consumer_protection", "I'll report this to Trading Standards"),
    ("consumer_protection", "complaint filed with the BBB"),
    ("chargeback", "sonst lasse ich das Geld zurückbuchen"),
    ("chargeback", "Ich eröffne einen Fall bei PayPal"),
    ("chargeback", "I'll do a chargeback"),
    ("chargeback", "I'm going to dispute the charge with my bank"),
    ("violence", "ich bring euch um"),
    ("violence", "I know where you live"),
]
VULNERABLE = [
    ("death", "Meine Mutter ist letzte Woche gestorben, was mache ich mit ihrer Bestellung?"),
    ("death", "Der Besteller ist verstorben, hier liegt ein Todesfall vor"),
    ("death", "My husband passed away, I need to cancel his order"),
    ("death", "my dad died on Monday"),
    ("illness", "Ich liege im Krankenhaus und kann das Paket nicht annehmen"),
    ("illness", "ich habe Krebs und mache gerade eine Chemo"),
    ("illness", "I'm in the hospital after surgery"),
    ("illness", "I have been diagnosed with cancer"),
    ("debt", "Ich bin arbeitslos und kann die Raten nicht mehr zahlen"),
    ("debt", "bei mir war der Gerichtsvollzieher"),
    ("debt", "I lost my job and I'm deep in debt"),
    ("debt", "I can't afford my rent this month"),
    ("minor", "Ich bin 14 Jahre alt und habe das bestellt"),
    ("minor", "Mein Sohn hat ohne mein Wissen bestellt"),
    ("minor", "I'm 13 years old"),
    ("minor", "my daughter ordered this without asking me"),
    ("crisis", "ich will nicht mehr leben"),
    ("crisis", "I want to kill myself"),
    ("disability", "Ich bin blind, können Sie mir die Jacke beschreiben?"),
    ("disability", "I'm a wheelchair user"),
]
URGENT = [
    "Ich brauche das Kleid bis Freitag", "das ist dringend", "bitte so schnell wie möglich",
    "Die Hochzeit ist am Samstag", "I need it by Friday", "this is urgent", "asap please",
    "the wedding is on Saturday",
]  # fmt: skip
INSULTS = [
    "Du bist so dumm", "ihr Betrüger", "so ein Saftladen", "verpisst euch", "you idiots",
    "you are useless", "bunch of scammers", "fuck you",
]  # fmt: skip
HARMLESS = [
    "Ich brauche eine schwarze Hose", "kranke Farbe!", "die Jacke ist krank gut",
    "Für diese Schuhe könnte ich sterben", "Das Kleid ist zum Niederknien schön",
    "Ich bin Anwalt und suche einen Anzug", "ein Geschenk für meinen Anwalt",
    "Habt ihr ein Polizei-Kostüm für Kinder?", "Mein Handy ist tot, der Akku ist gestorben",
    "Ich habe die Farbe blind bestellt", "Kann man nicht mit PayPal bezahlen?",
    "Ich suche eine Regenjacke für Rollstuhlfahrer",
    "Meine Tochter ist 12 Jahre alt, welche Größe?",
    "Schuhe Größe 14", "Wann kommt die Rückbuchung auf mein Konto?",
    "Das Gericht im Prospekt sah lecker aus", "Die Anzeige auf dem Display ist dunkel",
    "Können Sie mir bitte alle Jacken anzeigen?", "Ich Idiot habe die falsche Größe bestellt",
    "Das Messer ist idiotensicher", "Ich arbeite im Krankenhaus und brauche weiße Schuhe",
    "Sie schulden mir noch eine Antwort", "Mein Mann hat die Rechnung verloren",
    "Ist das sofort lieferbar?", "Trauerkleid in Größe 40", "ich könnte mich totlachen",
    "Sternzeichen Krebs Anhänger", "Die Schuhe bringen mich um den Schlaf, so schön sind sie",
    "Haben Sie am Freitag geöffnet?", "Das ist der Hammer", "Die Jacke ist eine Bombe",
    "Ich hole das Paket morgen ab", "der Mantel ist verdammt gut",
    "I'm dying for these shoes", "killer jacket", "that dress is to die for",
    "I would kill for that bag", "sick sneakers!", "these heels are killing me",
    "I'm a lawyer and need a suit", "a gift for my lawyer", "do you have a police costume?",
    "my phone died and I lost the page", "I bought it blind", "I'm sick of the colour red",
    "tennis court shoes", "What is a chargeback?", "my daughter is 12 years old, which size?",
    "I'm such an idiot, I ordered the wrong size", "sorry for the stupid question",
    "I lost my husband's receipt", "my wife passed her exam, I need a gift",
    "a dress for a Black Widow costume", "Hi Sue, where is my order?",
    "are you open on Friday?", "damn good coat", "can't wait to wear it",
    "I don't have a problem with it", "I can't pay by card, can I use PayPal?",
    "the battery died after a year", "where do I find my order number?",
    "Ich bin 14 mal hier gewesen",
    "Ich bin in 16 Minuten da", "is the charge back on my card yet? no rush", "blind date outfit",
    "I have a case from PayPal for my card", "legal size paper", "suing is not in my nature",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), THREATS)
def test_a_threat_is_heard(parser, kind, text):
    assert parser.parse(text).sentiment.threat == kind


@pytest.mark.parametrize(("kind", "text"), VULNERABLE)
def test_a_hard_situation_is_heard(parser, kind, text):
    assert parser.parse(text).sentiment.vulnerable == kind


@pytest.mark.parametrize("text", URGENT)
def test_haste_is_heard(parser, text):
    assert parser.parse(text).sentiment.urgency


@pytest.mark.parametrize("text", INSULTS)
def test_abuse_is_heard(parser, text):
    mood = parser.parse(text).sentiment
    assert mood.insult
    assert mood.anger
    assert mood.score < 0


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_sounds_grave_is_not(parser, text):
    mood = parser.parse(text).sentiment
    assert (mood.threat, mood.vulnerable, mood.insult, mood.urgency) == ("", "", False, False)


IRONIC = [
    ("de", "Na super, schon wieder die falsche Größe"),
    ("de", "Danke für nichts!"),
    ("en", "Oh great, another broken one"),
    ("en", "thanks for nothing"),
]
MEANT = [
    ("de", "Super, danke für die schnelle Hilfe!"),
    ("de", "Toll, das Paket ist schon da"),
    ("en", "Great, thanks for sorting it out"),
    ("en", "Lovely dress, well done"),
]


@pytest.mark.parametrize(("language", "text"), IRONIC)
def test_praise_that_is_none_is_negative(language, text):
    mood = mood_of_words(LEXICONS).score(text, language)
    assert mood.sarcasm
    assert mood.score <= -0.5


@pytest.mark.parametrize(("language", "text"), MEANT)
def test_praise_that_is_meant_is_positive(language, text):
    mood = mood_of_words(LEXICONS).score(text, language)
    assert not mood.sarcasm
    assert mood.score > 0


@pytest.mark.parametrize(
    ("phrase", "text", "occurs"),
    [
        ("(call|see) (my|a) lawyer", "i will call my lawyer!", True),
        ("(call|see) (my|a) lawyer", "i call myself a lawyer", False),
        ("(call|see) (my|a) lawyer", "recall my lawyer", False),
        ("go … court", "i will go straight to the court", True),
        ("go … court", "go on and on and on and on to court", False),
        ("go … court", "go away. nice court", False),
        ("klag*", "die klage", True),
        ("an?", "an apple", True),
        ("(so )?eilig", "so eilig", True),
        ("(so )?eilig", "eilig", True),
        ("NAME kommt", "die oma kommt", True),
    ],
)
def test_a_phrase_is_found_where_it_stands(phrase, text, occurs):
    stems = "lawyer court klag a eilig kommt"
    finder = PhraseFinder({"kind": Kind(stems, (phrase,))}, {"NAME": "(oma|opa)"})
    assert bool(finder.find(fold(text))) == occurs


def test_a_broken_phrase_is_named():
    with pytest.raises(PhraseError, match=r"lawyer\("):
        PhraseFinder({"kind": Kind("lawyer", ("lawyer((",))}, {})


def test_words_alone_take_less_than_a_millisecond():
    scorer = mood_of_words(LEXICONS)
    texts = [(text, language) for _, text in THREATS + VULNERABLE for language in ("de", "en")]
    best_s = []
    for _ in range(5):
        started_s = time.process_time()
        for text, language in texts:
            scorer.score(text, language)
        best_s.append((time.process_time() - started_s) / len(texts))
    assert min(best_s) < 0.001


def test_a_long_text_takes_no_longer_than_its_beginning():
    scorer = mood_of_words(LEXICONS)
    started_s = time.process_time()
    scorer.score("ich bin mein anwalt und ich gehe " * 10_000, "de")
    scorer.score("a" * 100_000, "en")
    assert time.process_time() - started_s < 1
