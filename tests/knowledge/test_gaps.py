"""What the editor should look at: open questions, old and contradicting texts, products."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import yaml

from knowledge.documents import Passage, Product, ProductVariant
from knowledge.gaps import Question, find_gaps
from knowledge.gaps_products import lacking_products
from knowledge.gaps_texts import contradictions, facts_of, stale_passages

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def asked(text, language="en", reason="no_answer", days_ago=1):
    return Question(text, language, reason, NOW - timedelta(days=days_ago))


def by_first_letter(texts):
    """An encoder whose meaning is the first letter."""
    rows = np.zeros((len(texts), 26), dtype=np.float32)
    for row, text in enumerate(texts):
        rows[row, ord(text.casefold()[0]) - ord("a")] = 1.0
    return rows


def no_passages(text, language):
    return []


def test_what_means_the_same_is_one_gap_across_languages_with_a_draft():
    questions = [
        asked("Gift wrapping?"),
        asked("gift wrapping"),
        asked("Geschenkpapier möglich?", "de", "handed_over"),
        asked("Solar panels?"),
    ]
    first, second = find_gaps(questions, by_first_letter, no_passages, ["apple", "bear", "cat"])
    assert (first.count, second.count) == (3, 1)
    assert first.languages == {"en": 2, "de": 1}
    assert set(first.reasons) == {"no_answer", "handed_over"}
    (draft,) = yaml.safe_load(first.draft)
    assert draft["question"] == {"en": "Gift wrapping?", "de": "Geschenkpapier möglich?"}
    assert draft["answer"] == {"de": "", "en": ""}
    assert draft["id"] == "gift"


def test_without_an_encoder_only_the_same_words_are_one_gap():
    gaps = find_gaps([asked("Why?"), asked("why"), asked("When")], None, no_passages)
    assert [gap.count for gap in gaps] == [2, 1]


def passage(name, text, language="en", topic=None, days_old=10):
    updated = None if days_old is None else NOW - timedelta(days=days_old)
    return Passage(
        f"faq:{name}:{language}", topic or f"faq:{name}", "faq", language, name, text,
        updated_at=updated,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("2 to 4 working days", {("days", 2), ("days", 4)}),
        ("zwei bis vier Werktage", {("days", 2), ("days", 4)}),
        ("innerhalb von 14 Tagen, ab 1.250,50 €", {("days", 14), ("money", 1250.5)}),
        ("€4.90, or 19 % VAT", {("money", 4.9), ("percent", 19)}),
        ("a 24-month warranty", {("months", 24)}),
        ("open on 3 floors", set()),
    ],
)
def test_amounts_and_times_are_read_in_both_languages(text, facts):
    assert facts_of(text) == facts


def test_translations_that_differ_in_a_number_contradict_each_other():
    texts = [
        passage("returns", "You have 30 days.", topic="r"),
        passage("returns", "Sie haben 14 Tage.", "de", topic="r"),
        passage("pay", "It costs €4.90.", topic="p"),
        passage("pay", "Es kostet 4,90 €.", "de", topic="p"),
    ]
    (found,) = contradictions(texts)
    assert (found.unit, {found.says, found.but}) == ("days", {"30", "14"})


def test_the_same_sentence_with_another_number_contradicts_but_more_detail_does_not():
    says = "Standard shipping within Germany is free from an order value of €{}."
    texts = [passage("a", says.format(60)), passage("b", says.format(50))]
    (found,) = contradictions(texts)
    assert found.unit == "money"
    fuller = "Standard shipping within Germany costs €4.90, free from an order value of €60."
    assert not contradictions([passage("a", says.format(60)), passage("b", fuller)])


def test_old_texts_come_first_and_those_without_a_date_last():
    texts = [
        passage("new", "."),
        passage("undated", ".", days_old=None),
        passage("old", ".", days_old=400),
    ]
    assert [one.title for one in stale_passages(texts, NOW)] == ["old", "undated"]


def product(number, *, price=100, image="x.svg", de="Lampe", **attributes):
    return Product(
        f"P{number}", {"en": "Lamp", "de": de}, (ProductVariant("v", {}, price),),
        {"en": "Bright.", "de": "Hell."}, "lighting", attributes=attributes, image=image,
    )  # fmt: skip


def test_a_product_lacks_what_nearly_all_its_neighbours_state():
    shelf = [product(n, power_w=5, odd=True) if n == 1 else product(n, power_w=5) for n in range(6)]
    bare = product(9, price=0, image="", de="")
    (found,) = lacking_products([*shelf, bare])
    assert found.product_id == "P9"
    assert set(found.missing) == {"power_w", "price", "image", "title:de"}
