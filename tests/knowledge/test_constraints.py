import msgspec
import pytest

from knowledge.lexicon import read_word_files
from knowledge.prices import PriceReader, parse_amount_minor
from tests.knowledge.conftest import VOCABULARY


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("200", 20000),
        ("150,50", 15050),
        ("1.299,00", 129900),
        ("1,299.00", 129900),
        ("1.299", 129900),
        ("9.5", 950),
        ("12'000", 1200000),
    ],
)
def test_amounts_are_read_as_written_in_either_country(text, minor):
    assert parse_amount_minor(text) == minor


@pytest.mark.parametrize(
    ("sentence", "low", "high"),
    [
        ("unter 200 €", None, 20000),
        ("unter 200 Euro", None, 20000),
        ("bis 150,50", None, 15050),
        ("below $50", None, 5000),
        ("höchstens 1.299 €", None, 129900),
        ("hoechstens 80 Euro", None, 8000),
        ("zwischen 50 und 100", 5000, 10000),
        ("between $50 and $100", 5000, 10000),
        ("50-100 €", 5000, 10000),
        ("mindestens 30 Euro", 3000, None),
        ("at least 30 euros but less than 60 euros", 3000, 6000),
        ("nicht teurer als 45 €", None, 4500),
        ("für 50 Euro", None, 5000),
        ("for a 10 year old", None, None),
        ("unter 3 kg", None, None),
        ("Größe bis 42", None, None),
        ("bis 128 GB", None, None),
        ("200 Euro maximal", None, 20000),
        ("a budget of 75 euros", None, 7500),
    ],
)
def test_price_bounds(sentence, low, high):
    words = read_word_files(VOCABULARY).search
    bounds = PriceReader(words.price, words.size).read(sentence)
    assert (bounds.min_minor, bounds.max_minor) == (low, high)


@pytest.mark.parametrize(
    ("sentence", "language", "expected"),
    [
        (
            "wasserdichter Wintermantel unter 200 €, Größe M, lieferbar",
            "de",
            {
                "categories": ("jackets",),
                "price_max_minor": 20000,
                "sizes": ("m",),
                "in_stock": True,
                "attributes": {"waterproof": ("true",)},
            },
        ),
        ("schwarzes Etwas aus Wolle", "de", {"colors": ("black",), "materials": ("wool",)}),
        ("in schwarzer Farbe", "de", {"colors": ("black",)}),
        ("olivgruene Jacken", "de", {"colors": ("olive",), "categories": ("jackets",)}),
        ("Lederjacke", "de", {"materials": ("leather",), "categories": ("jackets",)}),
        ("Rgenjacke", "de", {"categories": ("jackets",)}),
        ("Schuhe Gr. 42", "de", {"sizes": ("42",), "categories": ("shoes",)}),
        ("shoes size 42", "en", {"sizes": ("42",), "categories": ("shoes",)}),
        ("a jacket in M", "en", {"sizes": ("m",)}),
        ("jacket for hiking", "en", {"categories": ("jackets",)}),
        ("boots or jackets", "en", {"categories": ("shoes", "jackets")}),
        ("cheap headphones", "en", {"sort": "price_asc", "categories": ("audio",)}),
        ("nicht zu teure Kopfhörer", "de", {"sort": "price_asc", "categories": ("audio",)}),
        ("Klangwerk Kopfhörer", "de", {"brands": ("Klangwerk",)}),
        ("kabellose Kopfhörer", "de", {"attributes": {"wireless": ("true",)}}),
        ("hat jemand asdf", "de", {"unexplained": ("jemand", "asdf")}),
    ],
)
def test_a_sentence_becomes_limits(library, sentence, language, expected):
    query = library.read_query(sentence, language)
    assert {name: getattr(query, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("sentence", "language", "field", "values"),
    [
        ("Schuhe, kein Leder", "de", "materials", ("leather", "suede")),
        ("shoes without leather", "en", "materials", ("leather", "suede")),
        ("leather-free shoes", "en", "materials", ("leather", "suede")),
        ("lederfreie Schuhe", "de", "materials", ("leather", "suede")),
        ("Jacke, nicht schwarz", "de", "colors", ("black",)),
        ("weder schwarz noch blau", "de", "colors", ("black", "blue")),
        ("a jacket but not in black or blue", "en", "colors", ("black", "blue")),
        ("no Fjellby please", "en", "brands", ("Fjellby",)),
        ("jacket without logo", "en", "words", ("logo",)),
    ],
)
def test_negation_excludes(library, sentence, language, field, values):
    query = library.read_query(sentence, language)
    assert getattr(query.exclude, field) == values
    assert not getattr(query, field, ())


def test_a_negation_ends_where_something_else_begins(library):
    query = library.read_query("kein Leder und wasserdicht, aber schwarz", "de")
    assert query.exclude.attributes == {}
    assert query.attributes == {"waterproof": ("true",)}
    assert query.colors == ("black",)


def test_followups_refine_the_last_search(library):
    first = library.read_query("schwarze Jacke Größe M unter 200 €", "de")
    blue = library.refine(first, "in blau")
    assert (blue.colors, blue.sizes, blue.categories) == (("blue",), ("m",), ("jackets",))
    cheaper = library.refine(first, "billiger?", shown_price_minor=8990)
    assert (cheaper.price_max_minor, cheaper.sort) == (8989, "price_asc")
    assert library.refine(first, "eine Nummer größer").sizes == ("l",)
    other = library.refine(first, "in einer anderen Farbe")
    assert (other.colors, other.exclude.colors) == ((), ("black",))
    assert library.refine(first, "unter 100 Euro").price_max_minor == 10000
    assert library.refine(first, "zeig mir lieber Schuhe").categories == ("shoes",)
    no_leather = library.refine(first, "aber kein Leder")
    assert no_leather.exclude.materials == ("leather", "suede")
    assert no_leather.colors == ("black",)


@pytest.mark.parametrize(
    "text", ["", "   ", "\0", "\ud800 x", "🎉🎉", "a" * 10_000, "; DROP TABLE", '"*^']
)
def test_strange_input_is_read_without_an_error(library, text):
    query = library.read_query(text, "de")
    result = library.search_products(query)
    assert msgspec.json.encode(query)
    assert result.total == len(result.matches)
