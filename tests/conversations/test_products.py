"""Finding, asking about, comparing and buying products, in German and English."""

import json
import re

import pytest
from starlette.testclient import TestClient

from bot.app import make_app
from tests.conversations.talk import Talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("products"))
    if talk.bot.services.library.needs_ingest:
        talk.bot.services.library.ingest()
    yield talk
    talk.close()


@pytest.fixture
def customer(talk):
    return talk.customer()


def cards(customer):
    return [card for message in customer.heard for card in message.cards]


def orders(talk):
    return json.loads((talk.export() / "orders.json").read_bytes())


def product(talk, title):
    found = [p for p in talk.bot.services.library.products if title in p.title.values()]
    assert len(found) == 1
    return found[0]


def test_a_search_names_what_it_understood_and_shows_fitting_products(customer):
    text = customer.says("wasserdichter Wintermantel unter 200 €, Größe M, lieferbar")
    assert "wasserdicht" in text
    assert "Größe M" in text
    assert "bis 200,00" in text
    assert "lieferbar" in text
    shown = cards(customer)
    assert 1 <= len(shown) <= 5
    for card in shown:
        assert float(card.price.split("\xa0")[0].replace(".", "").replace(",", ".")) <= 200
        assert card.image_url.startswith("/shop/images/")
        assert card.url.startswith("/shop/p/")
        assert [b.title for b in card.buttons] == ["In den Warenkorb", "Details"]


def test_follow_ups_refine_the_last_search(customer):
    customer.says("show me waterproof jackets")
    first = cards(customer)
    customer.says("show me more")
    second = cards(customer)
    assert {c.url for c in first} & {c.url for c in second} == set()
    assert "black" in customer.says("in black")
    assert all("black" in c.subtitle for c in cards(customer))
    customer.says("show me waterproof jackets")
    customer.says("cheaper?")
    assert customer.asked("utter_search_found", "utter_search_found_more", "utter_search_relax")
    assert "in stock" in customer.says("only what's in stock")


def test_the_second_one_is_shown_and_answers_questions(talk, customer):
    customer.says("zeig mir Jacken")
    second = cards(customer)[1]
    assert second.title in customer.says("das zweite")
    assert second.title in customer.says("aus welchem Material ist das?")
    assert second.title in customer.says("was kostet er?")


def test_a_wish_that_stands_in_the_way_can_be_dropped_by_a_button(customer):
    customer.says("red sneakers size 42 under 20 euros")
    assert customer.asked("utter_search_relax")
    (title, payload), *_ = customer.buttons.items()
    count = int(re.search(r"\((\d+)\)", title).group(1))
    customer.says(payload)
    assert len(cards(customer)) == min(count, 5)


def test_no_search_words_get_one_question_with_departments(customer):
    customer.says("I'm looking for something")
    assert customer.asked("utter_what_looking_for")
    customer.says(next(iter(customer.buttons.values())))
    assert cards(customer)


@pytest.mark.parametrize(
    "text", ["ich suche einen Quantencomputer", "I'm looking for a quantum computer"]
)
def test_what_the_shop_does_not_have_is_not_shown(customer, text):
    customer.says(text)
    assert not cards(customer)
    assert customer.asked("utter_search_unknown", "utter_search_none")


@pytest.mark.parametrize(
    ("text", "named"),
    [("Laptop unter 800 Euro", "„Laptop“"), ("do you have laptops", "“laptops”")],
)
def test_what_is_not_sold_is_named_and_only_what_comes_near_is_shown(customer, text, named):
    answer = customer.says(text)
    assert customer.asked("utter_search_near", "utter_search_none")
    assert named in answer
    assert len(cards(customer)) <= 3


def test_a_products_bare_name_shows_the_product(customer):
    customer.says("barista mini")
    assert [card.title for card in cards(customer)] == ["Compact coffee machine Barista Mini"]


def test_an_answer_comes_from_the_record_with_its_sentence(talk, customer):
    text = customer.says("ist der Wintermantel Fjord wasserdicht?")
    coat = product(talk, "Wasserdichter Wintermantel Fjord")
    quoted = re.search(r"„(.+)“", text).group(1)
    assert quoted in coat.description["de"]


def test_what_the_record_does_not_say_is_not_guessed(customer):
    customer.says("Ich habe eine Frage zu: Wasserdichter Wintermantel Fjord")
    assert customer.asked("utter_product_details")
    customer.says("wo wurde der hergestellt?")
    assert customer.asked("utter_product_not_stated")
    assert "/talk_to_human" in customer.buttons.values()


def test_stock_is_told_for_the_version_asked_for(talk, customer):
    sold_out = next(
        (p, v)
        for p in talk.bot.services.library.products
        for v in p.variants
        if not v.available and set(v.options) == {"color", "size"} and v.options["size"] == "L"
    )
    found, variant = sold_out
    colour = variant.options["color"].replace("_", " ")
    customer.says(f"is the {found.title['en']} available in {colour}, size L?")
    assert customer.asked("utter_sold_out")


def test_two_of_the_list_are_compared(customer):
    customer.says("show me lamps")
    first, third = cards(customer)[0], cards(customer)[2]
    text = customer.says("compare 1 and 3")
    assert f"{first.title} – {third.title}" in text
    assert "Price" in text


def test_sold_out_versions_are_refused_and_pieces_are_taken_out_again(customer):
    customer.says("pack zwei Shampo Kräuterseife Lavendel in den Warenkorb")
    assert customer.asked("utter_option_sold_out")
    assert "17,80" in customer.says("rosmarin")
    assert "2 ×" in customer.says("zeig meinen Warenkorb")
    assert "8,90" in customer.says("im Warenkorb bitte nur eins von den Shampoos")
    customer.says("Warenkorb leeren")
    customer.says("was ist in meinem Warenkorb")
    assert customer.asked("utter_cart_empty")


def test_a_help_answer_has_its_source(customer):
    text = customer.says("liefert ihr nach Österreich?")
    assert "/shop/help#shipping-countries" in text
    assert "Stand: 1. November 2026" in text


def test_no_help_text_no_answer(customer):
    customer.says("was ist der sinn des lebens laut eurer hilfe")
    assert not customer.asked("utter_faq_answer")


def test_checkout_needs_identity_and_a_yes_and_the_page_places_the_order(talk, customer):
    customer.says("add the Non-iron business shirt Kontor in white size M to my cart")
    while customer.asked("utter_ask_option"):
        customer.says(next(iter(customer.buttons.values())))
    customer.says("checkout")
    order = next(o for o in orders(talk) if o["number"].startswith("TR-"))
    postcode = order["address"]["postcode"]
    customer.says(f"my order number is {order['number']} and my postcode is {postcode}")
    assert customer.asked("utter_confirm_checkout"), customer.transcript
    text = customer.says("yes please")
    path = re.search(r"/shop/pay/\w+", text).group()
    client = TestClient(make_app(talk.bot))
    page = client.get(path, headers={"accept-language": "en"})
    assert "Pay now (demo)" in page.text
    paid = client.post(path, headers={"accept-language": "en"})
    number = re.search(r"<strong>(.+?)</strong>", paid.text).group(1)
    assert any(o["number"] == number for o in orders(talk))
    assert client.post(path).status_code == 200
    assert client.get("/shop/pay/pl_unknown").status_code == 404
