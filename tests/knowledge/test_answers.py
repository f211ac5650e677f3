from datetime import UTC, datetime

import pytest


@pytest.mark.parametrize(
    ("question", "language", "topic"),
    [
        ("how long do I have to send something back", "en", "faq:return-period"),
        ("wie lange darf ich Ware zurückschicken", "de", "faq:return-period"),
        ("darf ich per paypal zahlen", "de", "faq:payment-methods"),
        ("wie lange dauert die Lieferung", "de", "policy:shipping:1"),
    ],
)
def test_a_question_is_answered_by_its_passage(library, question, language, topic):
    answer = library.answer(question, language)
    assert answer is not None
    assert (answer.topic_id, answer.language) == (topic, language)
    assert 0.5 <= answer.score <= 1


@pytest.mark.parametrize(
    "question",
    ["who is the chancellor", "Wie wird das Wetter morgen?", "", "asdf", "how old is the universe"],
)
def test_without_support_there_is_no_answer(library, question):
    assert library.answer(question, "en") is None


def test_an_answer_quotes_its_passage_and_names_its_source(library):
    answer = library.answer("What is the return window?", "en")
    assert answer.text == "You may return items within 30 days."
    assert (answer.source_title, answer.source_url) == ("Returns", "/shop/help#return-period")
    assert answer.updated_at == datetime(2026, 10, 1, tzinfo=UTC)
