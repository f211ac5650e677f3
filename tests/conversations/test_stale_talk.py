"""A customer who comes back later hears no old price: the bot reads it again, or says so."""

from datetime import timedelta

import pytest

LATER = timedelta(minutes=40)
JACKET = "is the rain jacket Nieselpriem in stock"


def test_stock_is_not_repeated_later(talk, customer):
    customer.says(JACKET)
    customer.says("say that again")
    assert customer.asked("utter_in_stock"), customer.transcript
    talk.watch.wait(LATER)
    customer.says("wiederhole das")
    assert customer.asked("utter_no_longer_current"), customer.transcript
    customer.says(JACKET)
    assert customer.asked("utter_in_stock"), customer.transcript


def test_an_open_question_about_prices_is_asked_with_new_ones(talk, office, customer):
    customer.says("exchange the parka from TR-104672, oliver.bennett@example.com")
    assert customer.asked("utter_ask_variant"), customer.transcript
    titles = dict(customer.buttons)
    variant = next(v for v in titles.values() if "SetSlots(variant" in v).split('"')[1]
    office.change_variant(variant, price_minor=12_345)
    talk.watch.wait(LATER)
    customer.says("what did you ask?")
    assert customer.asked("utter_ask_variant"), customer.transcript
    assert any("123.45" in title for title in customer.buttons), customer.buttons
    assert any("123.45" not in title for title in titles)


@pytest.mark.parametrize("asks", ["say that again", "hm what do you mean by that"])
def test_a_plan_shown_long_ago_is_made_again(talk, customer, asks):
    customer.says("cancel TR-104728, jonas.weber@example.com")
    customer.says('/SetSlots(reason="no_longer_needed")')
    assert customer.asked("utter_confirm_cancel"), customer.transcript
    talk.watch.wait(LATER)
    customer.says(asks)
    assert customer.asked("utter_confirm_cancel"), customer.transcript
    assert not customer.asked("utter_error", "utter_cannot_confirm"), customer.transcript
    customer.says("no")
    assert customer.asked("utter_nothing_changed"), customer.transcript
