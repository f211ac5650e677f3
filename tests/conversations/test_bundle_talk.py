"""Several things for one open wish: put together, exchanged, and into the cart."""

import pytest


def cards(customer):
    return [card for message in customer.heard for card in message.cards]


def cents(price):
    return int("".join(c for c in price if c.isdigit()))


@pytest.mark.parametrize(
    "text",
    [
        "fünf Tage am Strand, leger",
        "five days at the beach, casual",
        "stell mir alles für den Strandurlaub zusammen",
        "I need everything for a camping trip",
    ],
)
def test_an_open_wish_gets_things_with_their_reason(customer, text):
    customer.says(text)
    assert customer.asked("utter_bundle_found"), customer.transcript
    shown = cards(customer)
    assert len(shown) >= 4
    assert all(" · " in card.subtitle for card in shown)
    total = sum(cents(card.price) for card in shown)
    assert str(total // 100) in customer.heard[0].text


def test_the_limit_holds_for_all_together_and_what_is_left_out_is_said(customer):
    customer.says("alles für den ersten Campingausflug, zusammen unter 200 €")
    assert customer.asked("utter_bundle_found"), customer.transcript
    assert sum(cents(card.price) for card in cards(customer)) <= 20000
    assert "Das Geld reichte nicht für" in customer.heard[0].text


@pytest.mark.parametrize("text", ["ein anderes Handtuch", "das Handtuch gefällt mir nicht"])
def test_one_is_exchanged_by_words(customer, text):
    customer.says("fünf Tage am Strand")
    before = [card.url for card in cards(customer)]
    customer.says(text)
    after = [card.url for card in cards(customer)]
    assert len(set(before) - set(after)) == 1, customer.transcript
    assert len(after) == len(before)


def test_one_is_exchanged_by_its_button(customer):
    customer.says("five days at the beach")
    before = cards(customer)
    payload = next(b.payload for b in before[2].buttons if b.payload.startswith("/find_bundle"))
    customer.says(payload)
    after = [card.url for card in cards(customer)]
    assert before[2].url not in after, customer.transcript
    assert {card.url for card in before} - {before[2].url} <= set(after)


def test_what_has_no_other_is_said_and_the_rest_stays(customer):
    customer.says("five days at the beach")
    customer.says("another pair of sunglasses")
    assert customer.asked("utter_bundle_no_other"), customer.transcript
    customer.says("a different towel")
    assert customer.asked("utter_bundle_found"), customer.transcript
    assert any("sunglasses" in card.title.casefold() for card in cards(customer))


def test_all_of_it_goes_into_the_cart_each_with_its_version(customer):
    customer.says("alles für einen Grillabend, insgesamt höchstens 250 Euro")
    wanted = len(cards(customer))
    assert wanted >= 3, customer.transcript
    customer.says(customer.buttons["Alles in den Warenkorb"])
    for _ in range(12):
        asked = [message for message in customer.heard if message.response == "utter_ask_option"]
        if not asked:
            break
        customer.says(asked[-1].buttons[0].payload)
    customer.says("/cart_show")
    assert customer.heard[0].text.count("×") == wanted, customer.transcript


def test_what_it_is_for_is_asked_when_nobody_said(customer):
    customer.says("stell mir etwas zusammen")
    assert customer.asked("utter_bundle_ask"), customer.transcript
    customer.says(next(iter(customer.buttons.values())))
    assert customer.asked("utter_bundle_found"), customer.transcript


def test_a_single_thing_stays_a_search(customer):
    customer.says("ich suche ein Zelt unter 200 Euro")
    assert customer.asked("utter_search_found", "utter_search_found_more"), customer.transcript
