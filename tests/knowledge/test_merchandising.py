from datetime import date

import numpy as np
import pytest
import structlog

from bench.knowledge.sides import demo_shop
from knowledge.library import Library
from knowledge.merchandising import Merchandising, MerchandisingRuleWrong, Rule, read_rules
from knowledge.query import ProductQuery
from knowledge.sources import read_shop
from knowledge.variants import VariantTable
from tests.knowledge.conftest import VOCABULARY


@pytest.fixture
def vocabulary(tmp_path):
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    for path in VOCABULARY.glob("*.yml"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def shop(vocabulary, tmp_path, rules):
    (vocabulary / "merchandising.yml").write_text(f"rules:\n{rules}", encoding="utf-8")
    return Library(demo_shop(), tmp_path / "data", vocabulary, None)


def ids(result):
    return [match.product.id for match in result.matches]


def test_a_pinned_product_comes_first_says_why_and_is_logged(vocabulary, tmp_path):
    library = shop(vocabulary, tmp_path, "- {id: crocs, move: pin, products: [P1104]}")
    configured = structlog.get_config()
    structlog.reset_defaults()  # a test before may have set a level that hides the line
    with structlog.testing.capture_logs() as lines:
        result = library.search_products(ProductQuery(text="shoes", categories=("shoes",)))
    structlog.configure(**configured)
    assert ids(result)[0] == "P1104"
    assert "rule:crocs" in result.matches[0].why
    assert all("rule:crocs" not in match.why for match in result.matches[1:])
    assert [x["moved"] for x in lines if x["event"] == "merchandising_applied"] == [
        {"P1104": ("crocs",)}
    ]


def test_no_rule_overrides_a_hard_limit_or_an_order_by_price(vocabulary, tmp_path):
    library = shop(vocabulary, tmp_path, "- {id: crocs, move: pin, products: [P1104]}")
    black = ProductQuery(text="shoes", categories=("shoes",), colors=("black",), limit=50)
    assert "P1104" not in ids(library.search_products(black))
    cheap = ProductQuery(text="shoes", categories=("shoes",), sort="price_asc", limit=50)
    prices = [match.variant.price_minor for match in library.search_products(cheap).matches]
    assert prices == sorted(prices)


@pytest.mark.parametrize(
    ("rule", "day", "moved"),
    [
        (Rule("a", "boost", tags=("winter",)), "2026-01-05", True),
        (Rule("a", "boost", tags=("winter",), from_=date(2026, 2, 1)), "2026-01-05", False),
        (Rule("a", "boost", tags=("winter",), until=date(2026, 1, 5)), "2026-01-05", True),
        (Rule("a", "boost", tags=("winter",), until=date(2026, 1, 4)), "2026-01-05", False),
        (Rule("a", "boost", at_least={"stock": 10**6}), "2026-01-05", False),
        (Rule("a", "bury", at_most={"margin": 0.2}), "2026-01-05", False),
        (Rule("a", "boost", categories=("fashion",), when=("gift",)), "2026-01-05", False),
        (Rule("a", "boost", categories=("fashion",), when=("Coat",)), "2026-01-05", True),
    ],
)
def test_a_rule_holds_when_all_its_conditions_do(rule, day, moved):
    table = VariantTable(read_shop(demo_shop())[0])
    scores = np.full(len(table.products), 0.5, dtype=np.float32)
    everything = np.ones(len(table.products), dtype=bool)
    result = Merchandising([rule], table).apply(
        scores, everything, "a coat", date.fromisoformat(day)
    )
    assert bool(result.by_row) is moved
    assert bool((result.scores != scores).any()) is moved


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [{id: a, move: boost, by: 2, tags: [x]}]", "at most 0.5"),
        ("rules: [{id: a, move: boost}]", "names no categories"),
        ("rules: [{id: a, move: lift, tags: [x]}]", "lift"),
        ("rules: [{id: a, move: pin, tags: [x]}, {id: a, move: pin, tags: [y]}]", "came before"),
        ("rules: [{id: a, move: pin, tags: [x], from: 2026-02-01, until: 2026-01-01}]", "before"),
        ("rules: [{id: a, move: pin, tag: [x]}]", "tag"),
        ("rules: [", "merchandising.yml"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_reason(tmp_path, text, said):
    path = tmp_path / "merchandising.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MerchandisingRuleWrong, match=said):
        read_rules(path)
