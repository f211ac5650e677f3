"""Questions beside questions: what is meant, and what no text answers."""

from pathlib import Path

import numpy as np
import pytest

from knowledge.answer_vectors import AnswerVectors
from knowledge.answers import AnswerFinder, Asker
from knowledge.documents import UNANSWERED, Passage
from knowledge.index_version import Version, is_same_encoder, probed
from knowledge.ingest import Encoders, passage_entries, passage_units, unit_vectors
from knowledge.lexical import LexicalIndex
from knowledge.question_halves import halves
from knowledge.sources import SourceDirs, read_shop
from knowledge.store import VectorRecord, to_table

DATA = Path(__file__).resolve().parents[2] / "data"
SHIPPED = SourceDirs(DATA / "demo_shop", DATA / "faq", DATA / "policies" / "texts")
PASSAGES = (
    Passage("faq:ship:en", "faq:ship", "faq", "en", "How long is delivery?", "Two days.",
            ("delivery duration", "when does delivery come")),
    Passage("faq:pay:en", "faq:pay", "faq", "en", "How can I pay?", "By card.",
            ("pay with card", "pay with paypal")),
)  # fmt: skip
REFUSED = Passage(
    "unanswered:x:en", "unanswered:x", UNANSWERED, "en", "", "",
    ("pay with camels", "delivery to the moon"),
)  # fmt: skip
MEANT = {"cash": "pay", "cost": "pay", "arrive": "delivery"}


def by_words(texts, known=None):
    """An encoder that counts words; `known` brings those together that mean the same."""
    rows = np.full((len(texts), 512), 1e-3, dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in text.casefold().replace("?", "").split():
            row[sum(map(ord, (known or {}).get(word, word))) % 512] += 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def by_meaning(texts):
    return by_words(texts, MEANT)


def finder(passages, *, tuned=False):
    encoders = Encoders(by_words, by_words, meanings=by_meaning if tuned else None)
    roles = dict(encoders.by_role())
    records = [
        VectorRecord(unit.id, unit.owner_id, unit.language, unit.hash, row)
        for unit in passage_units(passages, tuned=tuned)
        for row in unit_vectors([unit], roles[unit.role])
    ]
    words = LexicalIndex(":memory:", frozenset())
    words.build(passage_entries(passages))
    return AnswerFinder(passages, words, to_table(records), encoders)


def likeness(passages, question, topic, *, tuned=False):
    return finder(passages, tuned=tuned).likenesses(question, Asker("en"))[topic]


def test_what_is_meant_counts_beside_the_words():
    plain = likeness(PASSAGES, "cash card", "faq:pay")
    tuned = likeness(PASSAGES, "cash card", "faq:pay", tuned=True)
    assert tuned.asked > plain.asked


def test_a_question_that_no_text_answers_is_refused_and_never_quoted():
    asked = "pay with camels"
    assert finder(PASSAGES).answer(asked, "en").topic_id == "faq:pay"
    knowing = finder((*PASSAGES, REFUSED))
    assert knowing.answer(asked, "en") is None
    assert knowing.answer("pay with paypal", "en").topic_id == "faq:pay"
    assert {one.topic_id for one in knowing.rank(asked, "en", 9)} == {"faq:pay", "faq:ship"}


def test_nearer_to_the_answered_is_more_contrast():
    both = (*PASSAGES, REFUSED)
    near = likeness(both, "pay with paypal", "faq:pay").contrast
    assert near > likeness(both, "pay with camels", "faq:pay").contrast
    assert not likeness(PASSAGES, "pay with camels", "faq:pay").contrast


def test_without_encoders_nothing_is_compared():
    assert AnswerVectors(PASSAGES, to_table([]), None).likenesses("pay", "en", frozenset()) == {}


def test_while_there_are_no_vectors_a_known_question_gets_its_own_answer():
    passages = read_shop(SHIPPED)[0].passages
    words = LexicalIndex(":memory:", frozenset())
    words.build(passage_entries(passages))
    blind = AnswerFinder(passages, words, to_table([]), None)
    asked: dict[tuple[str, str], set[str]] = {}
    for passage in passages:
        if not (passage.is_unanswered or passage.country or passage.product_ids):
            for wording in (passage.title, *passage.variants):
                asked.setdefault((wording.lower(), passage.language), set()).add(passage.topic_id)
    answers = {key: blind.answer(*key) for key in asked}
    assert len(asked) > 1_000
    assert [key for key, topics in asked.items()
            if not answers[key] or answers[key].topic_id not in topics] == []  # fmt: skip


def test_both_halves_of_a_question_are_answered():
    found = finder(PASSAGES).answers("how long is delivery and how can I pay", "en")
    assert [one.topic_id for one in found] == ["faq:ship", "faq:pay"]
    assert [one.topic_id for one in finder(PASSAGES).answers("How can I pay?", "en")] == ["faq:pay"]


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "how long is shipping to ireland and how much",
            ("how long is shipping to ireland", "how much is shipping to ireland"),
        ),
        (
            "Wie lange gilt die Garantie und wo melde ich mich?",
            ("Wie lange gilt die Garantie", "wo melde ich mich"),
        ),
        ("shirts and trousers", ()),
        ("shipping cost and how long", ()),
    ],
)
def test_halves(question, parts):
    assert halves(question) == parts


def test_the_shop_lists_what_it_does_not_answer_and_how_policies_are_asked_for(dirs):
    (dirs.faq / "unanswered").mkdir()
    (dirs.faq / "unanswered" / "questions.yml").write_text("en: [Do you sell cars?]\n")
    (dirs.faq / "unanswered" / "broken.yml").write_text("en: 5\n")
    text = "# Terms\n\n## Price\n<!-- asked: what does it cost | how dear is it -->\nAll is free.\n"
    (dirs.policies / "terms.en.md").write_text(text)
    catalogue, problems = read_shop(dirs)
    (refused,) = [passage for passage in catalogue.passages if passage.is_unanswered]
    assert (refused.language, refused.variants, refused.text) == ("en", ("Do you sell cars?",), "")
    (terms,) = [passage for passage in catalogue.passages if "terms" in passage.id]
    assert terms.text == "All is free."
    assert terms.variants == ("what does it cost", "how dear is it")
    assert [problem.path for problem in problems if "broken" in problem.path]


def test_another_encoder_for_what_is_meant_is_noticed():
    encoders = Encoders(by_words, by_words, meanings=by_meaning)
    version = probed(Version(), encoders)
    assert is_same_encoder(version, encoders)
    for other in (None, lambda texts: by_words(texts, {"winter": "snow"})):
        changed = Encoders(by_words, by_words, meanings=other)
        assert not is_same_encoder(version, changed)
