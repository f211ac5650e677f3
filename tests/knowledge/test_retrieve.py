import pytest

from knowledge.documents import pick
from knowledge.query import ProductQuery


def found(library, sentence, language="de"):
    result = library.search_products(library.read_query(sentence, language))
    return [match.product.id for match in result.matches]


@pytest.mark.parametrize(
    ("sentence", "language", "first"),
    [
        ("wasserdichter Wintermantel unter 200 €, Größe M, lieferbar", "de", "P2"),
        ("bequeme Business-Schuhe, schwarz, kein Leder", "de", "P6"),
        ("kabellose Kopfhörer bis 150,50", "de", "P9"),
        ("cheap headphones", "en", "P10"),
        ("something to brew espresso", "en", "P11"),
        ("günstiges Zelt", "de", "P14"),
        ("raincoat", "en", "P1"),
        ("shoes for running", "en", "P8"),
        ("wool coat", "en", "P4"),
    ],
)
def test_the_right_product_comes_first(library, sentence, language, first):
    assert found(library, sentence, language)[0] == first


def test_one_variant_must_meet_all_limits_together(library):
    # P1 comes in blue and in L, but blue L is sold out and black L is not blue.
    query = ProductQuery(text="jacket", colors=("blue",), sizes=("l",), in_stock=True)
    result = library.search_products(query)
    assert result.matches == ()
    assert {(r.field, r.count) for r in result.relaxations} >= {("in_stock", 1), ("sizes", 2)}


def test_the_matching_variant_is_returned(library):
    result = library.search_products(library.read_query("schwarze Regenjacke in L", "de"))
    assert result.matches[0].variant.options == {"size": "L", "color": "black"}


def test_an_excluded_material_is_excluded_in_linings_too(library):
    assert "P4" not in found(library, "Mantel, kein Leder")
    assert "P3" not in found(library, "Jacke ohne Leder")


@pytest.mark.parametrize("text", ["asdf", "quantum physics", "Wer ist Bundeskanzler?", "", "🎉"])
def test_unrelated_text_finds_nothing(library, text):
    assert found(library, text) == []


def test_the_limit_in_the_way_is_named_with_its_count(library):
    result = library.search_products(library.read_query("Wintermantel unter 50 €", "de"))
    assert result.total == 0
    assert result.relaxations[0].field == "price_max_minor"
    assert result.relaxations[0].values == ("5000",)
    assert result.relaxations[0].count == 4


def test_fresh_prices_and_stock_count_at_once(library):
    query = ProductQuery(text="tent", categories=("outdoor",), in_stock=True)
    assert [m.product.id for m in library.search_products(query).matches] == ["P14"]
    assert library.update_availability("P13-0", 4900, available=True)
    try:
        matches = library.search_products(query).matches
        assert {m.product.id for m in matches} == {"P13", "P14"}
        assert {m.variant.price_minor for m in matches} == {4900, 12900}
    finally:
        library.update_availability("P13-0", 18900, available=False)
    assert not library.update_availability("nobody", 1, available=True)


def test_pages_do_not_overlap(library):
    first = library.search_products(ProductQuery(text="shoes", categories=("shoes",), limit=2))
    rest = library.search_products(
        ProductQuery(text="shoes", categories=("shoes",), limit=2, offset=2)
    )
    ids = [m.product.id for m in (*first.matches, *rest.matches)]
    assert len(ids) == len(set(ids)) == first.total == 4


@pytest.mark.parametrize(
    ("text", "language", "product_id"),
    [
        ("the blue rain jacket", "en", "P1"),
        ("Regenjacke Sylt", "de", "P1"),
        ("Regnjacke Silt", "de", "P1"),
        ("espresso maschine", "de", "P11"),
        ("P7", "en", "P7"),
    ],
)
def test_a_said_name_resolves_to_its_product(library, text, language, product_id):
    assert library.resolve_product(text, language)[0].product_id == product_id


def test_a_name_of_nothing_resolves_to_nothing(library):
    assert library.resolve_product("Bundeskanzler", "de") == []


def test_similar_products_are_in_stock_and_not_the_same(library):
    similar = library.similar("P13")
    assert similar[0].product.id == "P14"
    assert all(match.variant.available for match in similar)
    assert pick(similar[0].product.title, "de") == "Kuppelzelt Heide"
    assert library.similar("nobody") == []
