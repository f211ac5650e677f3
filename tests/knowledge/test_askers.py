"""Who asks decides which passages hold: language, country, and what was bought."""

import numpy as np
import pytest

from knowledge.answers import AnswerFinder, Asker
from knowledge.documents import Passage
from knowledge.ingest import Encoders, passage_entries, passage_units
from knowledge.lexical import LexicalIndex
from knowledge.store import VectorTable


def passage(topic: str, text: str, title: str, **more) -> Passage:
    language = more.pop("language", "en")
    country = more.get("country", "")
    return Passage(f"{topic}:{language}{country}", topic, "faq", language, title, text, **more)


PASSAGES = (
    passage("faq:vat", "VAT is 19 %.", "How high is the value added tax?"),
    passage("faq:vat", "VAT is 20 %.", "How high is the value added tax here?", country="AT"),
    passage("faq:vat", "19 % MwSt.", "Wie hoch ist die Mehrwertsteuer?", language="de"),
    passage("faq:blink", "Descale it.", "My printer blinks red", product_ids=("P1",)),
    passage("faq:ship", "Two days.", "How long does delivery take?"),
)


@pytest.fixture
def finder():
    lexical = LexicalIndex(":memory:", frozenset({"my", "the", "is", "does", "how"}))
    lexical.build(passage_entries(PASSAGES))
    return AnswerFinder(PASSAGES, lexical, VectorTable(), None)


def test_a_country_has_its_own_variant(finder):
    asked = "how high is the value added tax"
    assert finder.answer(asked, "en").text == "VAT is 19 %."
    austrian = finder.answer(asked, Asker("en", country="AT"))
    assert (austrian.text, austrian.country) == ("VAT is 20 %.", "AT")
    assert finder.answer(asked, Asker("en", country="FR")).text == "VAT is 19 %."


def test_a_manual_is_for_those_who_have_the_product(finder):
    asked = "my printer blinks red"
    assert finder.answer(asked, "en") is None
    assert finder.answer(asked, Asker("en", product_ids=frozenset({"P2"}))) is None
    assert finder.answer(asked, Asker("en", product_ids=frozenset({"P1"}))).text == "Descale it."


def test_with_words_alone_half_a_question_is_no_answer(finder):
    assert finder.answer("delivery of flowers to Berlin", "en") is None
    assert finder.answer("how long does delivery take", "en").text == "Two days."


def test_with_vectors_the_language_of_the_asker_is_quoted():
    units = list(passage_units(PASSAGES))
    texts = {unit.text: row for row, unit in enumerate(units)}
    matrix = np.eye(len(units), dtype=np.float32)
    vectors = VectorTable(
        ids=tuple(unit.id for unit in units),
        owners=tuple(unit.owner_id for unit in units),
        languages=tuple(unit.language for unit in units),
        matrix=matrix,
    )
    lexical = LexicalIndex(":memory:", frozenset())
    lexical.build(passage_entries(PASSAGES))

    def encode(asked: list[str]) -> np.ndarray:
        return np.stack([matrix[texts[text]] for text in asked])

    finder = AnswerFinder(PASSAGES, lexical, vectors, Encoders(encode, encode))
    best = finder.rank("How high is the value added tax?", "de", 1)[0]
    assert (best.topic_id, best.language) == ("faq:vat", "de")
