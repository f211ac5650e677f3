"""The language model in blocks against py3langid's own reading of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from bot.understanding.language_model import LanguageModel

LANGUAGES = ["de", "en", "sr"]  # the last one is there in two scripts


@pytest.fixture(scope="module")
def ours():
    return LanguageModel(LANGUAGES)


@pytest.fixture(scope="module")
def theirs():
    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    whole.set_languages(LANGUAGES)
    return whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4711",
        "wo bleibt meine bestellung",
        "where is it",
        "größe",
        "a\u0308rger",
        "где је",
        "你",
    ],
)
def test_the_shares_are_those_of_the_whole_model(ours, theirs, text):
    assert ours.shares(text) == pytest.approx(dict(theirs.rank(text)), abs=1e-5)


@given(text=st.text(max_size=200).map(str.lower))
def test_so_they_are_for_any_text(ours, theirs, text):
    assert ours.shares(text) == pytest.approx(dict(theirs.rank(text)), abs=1e-5)
