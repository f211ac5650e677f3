"""Mood: direction and anger in both languages."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from bot.understanding.sentiment_head import SeenVectors, SentimentHead, load_head, save_head

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("TRESEN_SHARED", ROOT.parent / "shared"))

FLOORS = {"dev": 0.8, "test": 0.6}
"""For the word lists alone, too; with the encoder more is reached (docs/howto/mood.md)."""

POSITIVE = [
    ("de", "Das ist wirklich super, vielen Dank!"), ("de", "Die Jacke ist gar nicht schlecht"),
    ("de", "ich bin sehr zufrieden 😊"), ("en", "I love it, thank you so much"),
    ("en", "great service"),
]  # fmt: skip
NEGATIVE = [
    ("de", "Das ist nicht gut"), ("de", "Die Tasse kam kaputt an, sehr ärgerlich"),
    ("de", "schon wieder zu spät, ich bin enttäuscht"), ("en", "this is terrible, it broke"),
    ("en", "worst shop ever"),
]  # fmt: skip
ANGRY = [
    ("de", "Ihr seid doch Betrüger!!"), ("de", "WO BLEIBT MEIN PAKET, DAS IST SCHRECKLICH"),
    ("de", "so eine Scheiße"), ("en", "this is fucking ridiculous"),
    ("en", "you are scammers, I hate you"),
]  # fmt: skip
CALM = [
    ("de", "Wo ist meine Bestellung?"), ("de", "ich möchte stornieren"),
    ("en", "where is my order?"),
    ("en", "tell me a joke"), ("de", "TR-104711"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text"), POSITIVE)
def test_praise_is_positive(parser, language, text):
    assert parser.parse(text, language).sentiment.score > 0.15


@pytest.mark.parametrize(("language", "text"), NEGATIVE)
def test_complaints_are_negative(parser, language, text):
    assert parser.parse(text, language).sentiment.score < -0.15


@pytest.mark.parametrize(("language", "text"), ANGRY)
def test_anger_is_seen(parser, language, text):
    assert parser.parse(text, language).sentiment.anger


@pytest.mark.parametrize(("language", "text"), CALM)
def test_plain_requests_are_calm(parser, language, text):
    assert not parser.parse(text, language).sentiment.anger


@pytest.mark.parametrize("half", ["dev", "test"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_shop_messages_have_the_mood_they_were_judged_to_have(parser, half, language):
    path = Path(__file__).with_name(f"sentiment_{half}.yml")
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))[language]
    assert len(rows) >= 30
    found = [parser.parse(text, language).sentiment.score for _, text in rows]
    assert np.corrcoef(found, [mood for mood, _ in rows])[0, 1] > FLOORS[half]


def test_a_broken_head_is_left_out(tmp_path):
    path = tmp_path / "sentiment.npz"
    assert load_head(path, "e") is None
    path.write_bytes(b"PK not a zip file")
    assert load_head(path, "e") is None
    save_head(path, SentimentHead("e", np.ones(2, np.float32), {"": 0.5}, 0.1))
    assert load_head(path, "another") is None
    head = load_head(path, "e")
    assert head.score(np.array([0.1, 0.1], np.float32), 0.2, "de") == pytest.approx(0.4)
    assert head.score(np.array([9, 9], np.float32), 0.2, "de") == pytest.approx(1)


def test_nothing_is_encoded_where_the_intent_was_certain_without():
    made = []
    known = {"seen": np.ones(1, np.float32)}
    vectors = SeenVectors(known.get, lambda texts: made.extend(texts) or np.zeros((1, 1)))
    assert vectors.of("fresh", "fresh") is None
    assert vectors.of("fresh and nice", "fresh") is None
    assert vectors.of("seen", "seen") is known["seen"]
    assert not made
    assert vectors.of("seen, and thanks", "seen") is not None
    assert made == ["seen, and thanks"]


def test_english_agrees_with_twenty_raters(parser):
    path = SHARED / "sentiment_en_vader" / "vader_icwsm2014.jsonl"
    path = path if path.is_file() else SHARED / "data" / "sentiment_en_vader" / path.name
    if not path.is_file():
        pytest.skip(f"{path} is absent: set TRESEN_SHARED to the shared folder")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for source, least in (("tweets", 0.8), ("amazon", 0.5)):
        chosen = [row for row in rows if row["source"].startswith(source)][:800]
        scored = [parser._sentiment.score(row["text"], "en").score for row in chosen]
        assert np.corrcoef(scored, [row["score"] for row in chosen])[0, 1] > least
