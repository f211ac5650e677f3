import pytest

from bench.knowledge.sides import VOCABULARY, demo_shop
from knowledge.library import Library
from knowledge.query import ProductQuery


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


def test_each_thing_is_what_its_slot_says_and_the_first_matter_most(demo):
    bundle = demo.bundle("alles für den ersten Campingausflug, zusammen unter 200 €", "de")
    titles = [item.match.product.title["de"].casefold() for item in bundle.items]
    assert "zelt" in titles[0], titles
    assert "schlafsack" in titles[1], titles
    assert bundle.total_minor <= 20000
    assert bundle.too_dear


@pytest.mark.parametrize("most", [1000, 4000, 9000, 15000, 30000, 60000])
@pytest.mark.parametrize("name", ["beach_holiday", "camping", "home_office", "barbecue"])
def test_the_limit_holds_for_the_whole(demo, name, most):
    bundle = demo.bundles.fill(name, ProductQuery(language="de", price_max_minor=most))
    slots = len(demo.bundles.ideas[name].slots)
    assert bundle.total_minor <= most
    assert len(bundle.items) + len(bundle.empty) + len(bundle.too_dear) == slots
    ids = [match.product.id for match in bundle.matches]
    assert len(set(ids)) == len(ids)


def test_one_is_exchanged_and_the_others_stay(demo):
    before = demo.bundle("fünf Tage am Strand", "de")
    place = demo.bundles.slot_named(before.id, "ein anderes Handtuch", {})
    old = next(item.match.product.id for item in before.items if item.slot == place)
    kept = {i.slot: i.match.product.id for i in before.items if i.slot != place}
    after = demo.bundles.fill(before.id, ProductQuery(language="de"), kept, [old])
    by_slot = {item.slot: item.match.product.id for item in after.items}
    assert by_slot[place] != old
    assert {slot: by_slot[slot] for slot in kept} == kept
