"""Questions about the shop, answered from its help texts or honestly not."""

import pytest

from tests.conversations.talk import Talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("help"))
    talk.bot.services.library.ingest()
    yield talk
    talk.close()


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("is there a warranty on headphones", ["statutory warranty"]),
        ("what warranty does the coffee machine have", ["statutory warranty"]),
        ("how long is shipping to ireland and how much", ["4–7 business days", "€12.90"]),
        ("wie lange dauert der Versand nach Irland und was kostet er", ["4–7 Werktage", "12,90"]),
        ("was kostet der Versand nach Australien", ["Europäischen Union"]),
    ],
)
def test_a_question_is_answered_whole_and_with_nothing_beside_it(talk, said, parts):
    customer = talk.customer()
    answer = customer.says(said)
    assert all(part in answer for part in parts), answer
    assert answer.count("/shop/") == len(parts)


@pytest.mark.parametrize("said", ["can I pay with camels", "do you ship to the moon"])
def test_what_no_text_says_is_not_answered(talk, said):
    answer = talk.customer().says(said)
    assert "/shop/" not in answer


@pytest.mark.parametrize(
    ("first", "then", "part"),
    [
        ("versandkosten?", "und nach Österreich", "7,90"),
        ("what does shipping cost", "and to Austria?", "€7.90"),
        ("how much is delivery to France", "and to the United Kingdom", "do not deliver"),
    ],
)
def test_a_question_that_goes_on_keeps_what_was_asked(talk, first, then, part):
    customer = talk.customer()
    customer.says(first)
    assert part in customer.says(then), customer.transcript


@pytest.mark.parametrize(
    "said",
    [
        "wie lange kann ich etwas zurückgeben und was kostet das",
        "how long do I have to return something and what does that cost",
    ],
)
def test_what_that_costs_is_asked_of_the_rule_not_of_a_product(talk, said):
    customer = talk.customer()
    assert "30" in customer.says(said), customer.transcript
    assert not customer.asked("utter_ask_product_name"), customer.transcript


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("darf ich die Retoure auch bei euch im Geschäft abgeben", "Lüneburg"),
        ("can I drop a return off at your shop instead", "Lüneburg"),
    ],
)
def test_a_question_about_returning_starts_no_return(talk, said, part):
    customer = talk.customer()
    assert part in customer.says(said), customer.transcript
    assert not customer.asked("utter_ask_identity"), customer.transcript


@pytest.mark.parametrize("said", ["help", "pls help me", "Hilfe!", "ich brauch mal Hilfe"])
def test_a_cry_for_help_is_told_what_there_is(talk, said):
    customer = talk.customer()
    customer.says(said)
    assert customer.asked("utter_what_i_can"), customer.transcript
