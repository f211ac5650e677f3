"""Recommendations: what orders teach, the limits that hold, and the reasons that are given."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.documents import Catalogue, Category, Product, ProductVariant
from knowledge.lexical import LexicalIndex
from knowledge.purchases import Past, Purchase, log_of
from knowledge.query import ProductQuery
from knowledge.recommend import Recommender
from knowledge.recommend_model import fit
from knowledge.recommend_rank import RecommendationRanker, RecommendRequest, Shelves, shelves_of
from knowledge.recommend_store import RecommendStore
from knowledge.signals import ProductSignals
from knowledge.store import VectorTable
from knowledge.variants import VariantTable

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
SHELVES = {"tent": "camp", "lamp": "camp", "mat": "camp", "tea": "food", "coffee": "food",
           "pot": "kitchen", "pan": "kitchen", "book": "books"}  # fmt: skip


def thing(name, price=1000, available=True, **attributes):
    variant = ProductVariant(f"{name}-1", {}, price, available)
    return Product(name, {"en": name}, (variant,), category=SHELVES[name], attributes=attributes)


def day(days_ago):
    return NOW - timedelta(days=days_ago)


def orders(*baskets):
    """Purchases from (customer, days ago, products)."""
    return [
        Purchase(customer, f"order-{number}", name, day(days_ago))
        for number, (customer, days_ago, *names) in enumerate(baskets)
        for name in names
    ]


TRAINING = orders(
    *[(f"camper-{n}", 30 + n, "tent", "mat") for n in range(6)],
    *[(f"cook-{n}", 20 + n, "pot", "tea") for n in range(5)],
    *[(f"cook-{n}", 10 + n, "pan") for n in range(5)],
    *[(f"reader-{n}", n, "book") for n in range(3)],
)


def ranker(*products, training=TRAINING, parents=None):
    table = VariantTable(Catalogue(products or tuple(thing(name) for name in SHELVES)))
    signals = ProductSignals(table, LexicalIndex(":memory:", frozenset()), VectorTable(), None)
    return RecommendationRanker(
        table,
        Recommender(table, signals),
        fit(log_of(training, NOW)),
        Shelves(frozenset({"food"}), parents or {}),
    )


def names(found):
    return [one.match.product.id for one in found]


def test_what_is_ordered_with_a_product_comes_first_and_says_so():
    best, *_ = ranker().recommend(RecommendRequest(NOW, beside=("tent",)))
    assert (best.match.product.id, best.kind, best.because) == ("mat", "together", "tent")


def test_beside_a_product_its_own_shelf_is_shown_only_if_others_ordered_both():
    found = names(ranker().recommend(RecommendRequest(NOW, beside=("tent",), limit=8)))
    assert "mat" in found
    assert "lamp" not in found
    assert "tent" not in found


def test_what_others_bought_later_is_recommended_because_of_the_first():
    found = ranker().recommend(RecommendRequest(NOW, past=(Past("pot", day(3)),), limit=8))
    reasons = {one.match.product.id: (one.kind, one.because) for one in found}
    assert reasons["pan"] == ("bought", "pot")


def test_a_lasting_thing_bought_and_a_thing_sent_back_never_come_again():
    past = (Past("pot", day(3)), Past("tea", day(3), kept=False), Past("coffee", day(3)))
    found = names(ranker().recommend(RecommendRequest(NOW, past=past, limit=8)))
    assert not {"pot", "tea"} & set(found)
    assert found[0] == "coffee"


def test_without_a_past_the_popular_come_with_lately_bought_ones_before_older_ones():
    found = ranker().recommend(RecommendRequest(NOW, limit=8))
    assert {one.kind for one in found} <= {"popular", "fits"}
    model = fit(log_of(orders(("a", 1, "book"), ("b", 200, "tent"), ("c", 200, "tent")), NOW))
    assert model.popularity[model.row_of["book"]] > model.popularity[model.row_of["tent"]]


def test_a_shop_without_orders_still_recommends_what_is_like_a_product_bought():
    shop = [thing("tent", season="summer"), thing("lamp", season="summer"), thing("book")]
    found = ranker(*shop, training=[]).recommend(
        RecommendRequest(NOW, past=(Past("tent", day(9)),), limit=2)
    )
    assert (found[0].match.product.id, found[0].kind, found[0].because) == (
        "lamp",
        "similar",
        "tent",
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=8, max_size=8),
    st.integers(0, 60),
    st.sets(st.sampled_from(sorted(SHELVES))),
    st.sets(st.sampled_from(sorted(SHELVES))),
)
def test_limits_hold_whatever_is_asked(stock, ceiling, bought, beside):
    shop = [thing(n, p, a) for n, (p, a) in zip(SHELVES, stock, strict=True)]
    request = RecommendRequest(
        NOW,
        past=tuple(Past(name, day(2)) for name in bought),
        beside=tuple(beside),
        query=ProductQuery(price_max_minor=ceiling),
        limit=8,
    )
    for one in ranker(*shop).recommend(request):
        name = one.match.product.id
        assert one.match.variant.available
        assert one.match.variant.price_minor <= ceiling
        assert name not in beside
        assert name not in bought or SHELVES[name] == "food"
        assert one.because in {*bought, *beside, ""}
        assert 0.0 <= one.match.score <= 1.0


def test_buyers_who_come_back_make_a_product_one_that_is_bought_again():
    often = orders(*[(f"c{n}", age, "lamp") for n in range(9) for age in (60, 5)])
    shop = ranker(training=often)
    found = shop.recommend(RecommendRequest(NOW, past=(Past("lamp", day(40)),)))
    assert (found[0].match.product.id, found[0].kind) == ("lamp", "again")


def test_statistics_are_kept_once_and_name_no_customer(tmp_path):
    store = RecommendStore(tmp_path)
    first, model = store.train(TRAINING, NOW)
    again, unchanged = store.train(list(reversed(TRAINING)), NOW)
    assert np.array_equal(store.load().together.starts, model.together.starts)
    later, _ = store.train([*TRAINING, *orders(("new", 0, "book"))], NOW)
    assert (first.made, again.made, later.made) == (True, False, True)
    assert unchanged is None
    assert [file.name for file in tmp_path.glob("*.npz")] == [f"recommend-{later.version}.npz"]
    texts = " ".join(str(array.tolist()) for array in store.load().arrays().values())
    assert "tent" in texts
    assert "camper" not in texts
    assert "order-" not in texts


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", b"\x00" * 2000])
def test_a_damaged_file_counts_as_none(tmp_path, damage):
    store = RecommendStore(tmp_path)
    store.train(TRAINING, NOW)
    next(tmp_path.glob("*.npz")).write_bytes(damage)
    assert store.load().product_ids == ()


def test_shelves_of_food_are_known_by_their_titles():
    known = shelves_of([Category("x", {"de": "Lebensmittel"}), Category("shoes", parent="fashion")])
    assert known == Shelves(frozenset({"x"}), {"x": None, "shoes": "fashion"})


def test_without_orders_what_goes_with_a_product_comes_from_its_department_for_the_same_people():
    shop = (thing("tent", gender="men"), thing("pot", gender="women"), thing("book", gender="men"))
    found = ranker(
        *shop, training=[], parents={"camp": "trips", "kitchen": "trips", "books": "trips"}
    ).recommend(RecommendRequest(NOW, beside=("tent",), limit=2))
    assert [(x.match.product.id, x.kind) for x in found] == [("book", "goes_with"), ("pot", "fits")]
