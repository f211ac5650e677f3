"""The shop's words: misspelt, contradictory, or only part of a compound."""

from pathlib import Path

import pytest

from knowledge.library import Library
from knowledge.sources import SourceDirs

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Library:
    """Return the demo shop, searched by words alone: indexing it by meaning takes minutes."""
    dirs = SourceDirs(DATA / "demo_shop", DATA / "faq", DATA / "policies" / "texts")
    return Library(dirs, tmp_path_factory.mktemp("index"), DATA / "vocabulary", None)


@pytest.mark.parametrize(
    ("sentence", "language", "category"),
    [
        ("need headfones for running", "en", "audio"),
        ("waserdichte Jake", "de", "jackets"),
        ("kettle under 60", "en", "appliances"),
        ("Wasserkocher aus Edelstahl", "de", "appliances"),
    ],
)
def test_words_lead_to_their_shelf(demo, sentence, language, category):
    assert demo.read_query(sentence, language).categories == (category,)


def test_a_word_of_the_language_is_no_misspelling(demo):
    assert demo.read_query("what's the weather tomorrow", "en").categories == ()


@pytest.mark.parametrize(
    ("sentence", "language"), [("vegane Lederjacke", "de"), ("vegan leather jacket", "en")]
)
def test_vegan_leather_only_looks_like_leather(demo, sentence, language):
    query = demo.read_query(sentence, language)
    assert query.materials == ("faux_leather",)
    matches = demo.search_products(query).matches
    assert matches
    assert all(match.product.attributes["material"] == "faux_leather" for match in matches)


@pytest.mark.parametrize("text", ["Wer ist Bundeskanzler?", "qwertz uiop", "do you sell cars"])
def test_nonsense_finds_nothing(demo, text):
    assert demo.search_products(demo.read_query(text, "de")).matches == ()
