"""Mood: direction and anger in both languages."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("TRESEN_SHARED", ROOT.parent / "shared"))

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
