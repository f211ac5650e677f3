"""Sizes of other countries, inches and amounts, read by what the demo shop carries."""

import pytest

from bench.knowledge.sides import VOCABULARY, demo_shop
from knowledge.library import Library


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return Library(demo_shop(), tmp_path_factory.mktemp("demo"), VOCABULARY, None)


@pytest.mark.parametrize(
    ("sentence", "language", "sizes"),
    [
        ("Schuhe UK 8", "de", ("42",)),
        ("size 42 EU sneakers", "en", ("42",)),
        ("Größe M Pullover", "de", ("m",)),
        ("US women's 9 running shoes", "en", ("40",)),
        ("women's running shoes size US 9", "en", ("40",)),
        ("running shoes, men's US 9.5", "en", ("42", "43")),
        ("Damenschuhe US-Größe 8,5", "de", ("39",)),
        ("sneakers UK 7½ black", "en", ("41",)),
        ("kids' boots UK 10", "en", ("28",)),
        ("Kleid UK 12", "de", ("40",)),
        ("women's dress in US size 6", "en", ("38",)),
        ("Herrenhose EU 50", "de", ("50",)),
        ("boots UK 12", "en", ("47",)),
    ],
)
def test_a_size_of_another_country_becomes_the_shops(demo, sentence, language, sizes):
    query = demo.read_query(sentence, language)
    assert query.sizes == sizes
    found = demo.search_products(query).matches
    assert all(str(m.variant.options.get("size", "")).lower() in sizes for m in found)


@pytest.mark.parametrize(
    "sentence",
    ["show us 9 lamps", "shoes for us, 9 of them", "shoes between 40 and 60 US dollars", "UK 25"],
)
def test_what_is_no_size_is_none(demo, sentence):
    assert demo.read_query(sentence, "en").sizes == ()


def test_whose_size_it_is_stays_a_limit_of_its_own(demo):
    assert "women" in demo.read_query("US women's 9 running shoes", "en").attributes["gender"]


@pytest.mark.parametrize(
    ("sentence", "language", "options"),
    [
        ("W32 L34 jeans", "en", {"waist": ("32",), "length": ("34",)}),
        ("Jeans 32/34", "de", {"waist": ("32",), "length": ("34",)}),
        ("Jeans Weite 32 Länge 34", "de", {"waist": ("32",), "length": ("34",)}),
        ("bottle of 0.5 litres", "en", {"volume": ("500 ml",)}),
        ("SSD mit 1000 GB", "de", {"capacity": ("1 tb",)}),
        ("Bettwäsche 135x200", "de", {"dimension": ("135 x 200 cm",)}),
        ("Rucksack unter 2 kg", "de", {}),
    ],
)
def test_measures_are_options_as_the_shop_says_them(demo, sentence, language, options):
    query = demo.read_query(sentence, language)
    assert query.attributes == options
    best = demo.search_products(query).matches[0]
    assert all(
        str(best.variant.options[name]).lower() in values for name, values in options.items()
    )


def test_a_size_that_nothing_comes_in_finds_nothing(demo):
    result = demo.search_products(demo.read_query("women's boots UK 2.5", "en"))
    assert result.total == 0
    assert "sizes" in {relaxation.field for relaxation in result.relaxations}
