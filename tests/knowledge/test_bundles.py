import pytest

from bench.knowledge.sides import VOCABULARY, demo_shop
from knowledge.library import Library


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return Library(demo_shop(), tmp_path_factory.mktemp("demo"), VOCABULARY, None)


@pytest.mark.parametrize(
    ("sentence", "language", "shelves"),
    [
        ("five days at the beach, casual", "en", {"underwear", "shoes", "beauty"}),
        ("alles fürs Zelten", "de", {"outdoor"}),
        ("ich will mein Homeoffice einrichten", "de", {"furniture", "lighting", "computer"}),
    ],
)
def test_an_open_wish_is_met_by_several_things_in_stock(demo, sentence, language, shelves):
    bundle = demo.bundle(sentence, language)
    found = [match.product.id for match in bundle.matches]
    assert len(found) == len(set(found)) >= 4
    assert all(match.variant.available for match in bundle.matches)
    assert shelves <= {match.product.category for match in bundle.matches}
    assert bundle.total_minor == sum(match.variant.price_minor for match in bundle.matches)


def test_a_budget_holds_for_the_whole(demo):
    bundle = demo.bundle("alles fürs Zelten unter 300 Euro", "de")
    assert 0 < bundle.total_minor <= 30000


def test_what_is_no_open_wish_gets_no_bundle(demo):
    assert demo.bundle("schwarze Schuhe", "de") is None
