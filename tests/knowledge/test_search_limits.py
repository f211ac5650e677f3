import msgspec
import pytest

from bench.knowledge.limits import limits
from bench.knowledge.sides import VOCABULARY, demo_shop
from knowledge.library import Library


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return Library(demo_shop(), tmp_path_factory.mktemp("demo"), VOCABULARY, None)


def by_color(demo, query, colors):
    limited = msgspec.structs.replace(query, colors=colors, prefer={}, limit=100)
    return demo.search_products(limited).matches


@pytest.mark.parametrize("seed", [1, 7])
def test_no_generated_sentence_breaks_a_hard_limit_or_loses_what_fits(demo, seed):
    outcome = limits(demo, 150, seed)
    assert outcome.violations == 0, outcome.failures
    assert outcome.recall >= 0.95, outcome.failures


@pytest.mark.parametrize(
    ("sentence", "language", "prefer"),
    [
        ("Schuhe, am liebsten schwarz", "de", {"color": ("black",)}),
        ("Schuhe in Größe 42, schwarz wäre schön", "de", {"color": ("black",)}),
        ("shoes, preferably black, under 100 euros", "en", {"color": ("black",)}),
        ("a jacket, navy if possible", "en", {"color": ("navy",)}),
    ],
)
def test_a_wish_ranks_and_does_not_exclude(demo, sentence, language, prefer):
    query = demo.read_query(sentence, language)
    assert query.colors == ()
    assert query.prefer == prefer
    result = demo.search_products(query)
    assert result.matches[0].variant.options["color"] == prefer["color"][0]
    colors = {
        v.options.get("color")
        for m in demo.search_products(query).matches
        for v in m.product.variants
    }
    assert len(colors) > 1


@pytest.mark.parametrize(
    ("sentence", "language", "limit"),
    [
        ("Schuhe unter hundertfünfzig Euro", "de", (None, 15000)),
        ("shoes for less than a hundred and twenty euros", "en", (None, 12000)),
        ("Taschen zwischen fünfzig und zweihundert Euro", "de", (5000, 20000)),
        ("Geschirr für sechs Personen", "de", (None, None)),
        ("a tent for two", "en", (None, None)),
    ],
)
def test_spoken_amounts_are_limits(demo, sentence, language, limit):
    query = demo.read_query(sentence, language)
    assert (query.price_min_minor, query.price_max_minor) == limit


@pytest.mark.parametrize(
    ("sentence", "language", "colors", "prefer"),
    [
        ("Creme für trockene Haut", "de", (), ("cream",)),
        ("creme Bluse", "de", ("cream",), ()),
        ("etwas in Creme", "de", ("cream",), ()),
    ],
)
def test_a_word_that_may_be_a_thing_is_a_limit_only_beside_one(
    demo, sentence, language, colors, prefer
):
    query = demo.read_query(sentence, language)
    assert query.colors == colors
    assert query.prefer.get("color", ()) == prefer


def test_cotton_is_no_kind_of_wool(demo):
    excluded = demo.read_query("Pullover ohne Wolle", "de").exclude.materials
    assert "wool" in excluded
    assert "merino" in excluded
    assert not {"cotton", "organic_cotton"} & set(excluded)


def test_what_follows_a_size_is_no_size(demo):
    query = demo.read_query("Pullover, in Größe M, nicht grün", "de")
    assert query.sizes == ("m",)
    assert "green" in query.exclude.colors


def test_an_occasion_is_a_wish(demo):
    query = demo.read_query("etwas für eine Open-Air-Hochzeit im Juli", "de")
    assert query.prefer["occasion"] == ("wedding", "evening")  # though it is said in one word
    assert "summer" in query.prefer["season"]
    assert not query.has_limits
    english = demo.read_query("something for an open-air wedding in July", "en")
    assert english.prefer == query.prefer


def test_customers_words_are_searched_as_the_shops(demo):
    result = demo.search_products(demo.read_query("wellies", "en"))
    assert "Rubber boot" in result.matches[0].product.title["en"]
