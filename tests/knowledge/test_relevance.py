"""What the shop does not have is said to be missing; what it has is found."""

import numpy as np
import pytest
from msgspec.structs import replace

from knowledge.lexical import LexicalEntry, LexicalIndex
from knowledge.relevance import Evidence, HeadWords

TITLES = {
    "P1": {"en": "Laptop stand Podest", "de": "Laptopständer Podest"},
    "P2": {"en": "Rain jacket Sylt", "de": "Regenjacke Sylt"},
    "P3": {"en": "Bluetooth-speaker for the bath", "de": "Bluetooth-Lautsprecher Bad"},
}


@pytest.fixture(scope="module")
def heads(library):
    index = LexicalIndex(":memory:", frozenset({"for", "the"}))
    index.build(
        LexicalEntry(key, language, title, "gadgets", "Fits every notebook.")
        for key, titles in TITLES.items()
        for language, title in titles.items()
    )
    products = [replace(library.products[0], id=key, title=t) for key, t in TITLES.items()]
    return HeadWords(index, products)


@pytest.mark.parametrize(
    ("word", "language", "grade"),
    [
        ("laptop", "en", "part"),
        ("Laptop", "de", "part"),
        ("stands", "en", "called"),
        ("jackets", "en", "called"),
        ("Jacke", "de", "called"),
        ("Winterjacke", "de", "kind"),
        ("bluetooth", "en", "part"),
        ("speaker", "en", "called"),
        ("gadgets", "en", "keyword"),
        ("notebook", "en", "mentioned"),
        ("piano", "en", "unknown"),
        ("", "en", "none"),
    ],
)
def test_what_a_catalogue_does_with_a_word(heads, word, language, grade):
    assert heads.grade(word, language) == grade


def test_products_that_do_not_count_call_nothing(heads):
    assert heads.grade("jackets", "en", np.array([True, False, True])) == "unknown"


@pytest.mark.parametrize(
    ("sentence", "language", "thing"),
    [
        ("ich suche einen schwarzen Laptop für die Schule unter 800 €", "de", ("Laptop",)),
        ("do you have a gaming laptop with a big screen?", "en", ("gaming", "laptop")),
        ("shoes for running", "en", ("shoes",)),
        ("unter 50 €", "de", ()),
    ],
)
def test_the_thing_stands_before_the_first_preposition(library, sentence, language, thing):
    assert library.read_query(sentence, language).thing == thing


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("Laptop unter 800 €", "de"),
        ("do you have a washing machine", "en"),
        ("ich suche eine Gitarre", "de"),
        ("winter tyres", "en"),
        ("habt ihr E-Bikes", "de"),
        ("do you have e-bikes", "en"),
    ],
)
def test_what_is_not_sold_is_never_taken_for_found(library, sentence, language):
    result = library.search_products(library.read_query(sentence, language))
    assert result.is_near or not result.matches
    assert not result.relaxations


def test_what_comes_near_names_what_is_missing(library):
    query = library.read_query("leather wallet under 300 euros", "en")
    result = library.search_products(query)
    assert result.is_near
    assert result.missing[-1] == "wallet"
    assert all(match.variant.price_minor <= 30000 for match in result.matches)


def test_what_is_had_but_not_at_the_price_is_not_called_missing(library):
    result = library.search_products(library.read_query("Zelt unter 20 €", "de"))
    assert not result.is_near
    assert not result.matches
    assert [relaxation.field for relaxation in result.relaxations][:1] == ["price_max_minor"]


def test_the_nearest_are_shown_on_demand(library):
    query = library.read_query("quantum physics", "en")
    assert not library.search_products(query).matches
    assert len(library.search_products(replace(query, anyway=True, limit=99)).matches) == 14


def test_more_evidence_never_makes_it_less_likely():
    weak = Evidence(0.85, 0.04, 0.2, 0.0, "mentioned", shelf=False, aside=False)
    for stronger in (
        replace(weak, nearest=0.88),
        replace(weak, contrast=0.07),
        replace(weak, covered=0.9),
        replace(weak, titled=0.9),
        replace(weak, head="called"),
        replace(weak, shelf=True),
    ):
        assert stronger.likelihood() > weak.likelihood()
