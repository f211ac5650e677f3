"""An impatient customer with typos: searching, asking, comparing and buying in short messages."""

import pytest

from tests.conversations.talk import Talk

FOUND = ("utter_search_found", "utter_search_found_more")
ANSWERED = ("utter_product_answer",)
LOST = ("utter_not_understood", "utter_clarify", "utter_search_none", "utter_search_unknown")


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("product_talk"))
    if talk.bot.services.library.needs_ingest:
        talk.bot.services.library.ingest()
    yield talk
    talk.close()


@pytest.fixture
def customer(talk):
    return talk.customer()


def cards(customer):
    return [card for message in customer.heard for card in message.cards]


def prices(customer):
    return [
        float("".join(c for c in card.price if c.isdigit())) / 100
        for card in cards(customer)
        if card.price
    ]


@pytest.mark.parametrize(
    "cheaper",
    [
        "und was billigeres?",
        "günstiger?",
        "gibts das auch billiger",
        "was günstigeres",
        "was guenstigeres bitte",
        "die sind mir zu teuer",
        "something less expensive",
        "anything cheaper?",
        "cheaper pls",
    ],
)
def test_a_wish_for_cheaper_ones_refines_the_search(customer, cheaper):
    customer.says("wintermantel damen")
    before = prices(customer)[0]
    customer.says(cheaper)
    assert customer.asked(*FOUND), customer.transcript
    assert max(prices(customer)) < before


@pytest.mark.parametrize(
    ("message", "understood"),
    [
        ("teurer darf es sein", "ab 179,90"),
        ("größer", "Größe M"),
        ("in schwarz?", "schwarz"),
        ("und in L?", "Größe L"),
        ("ohne wolle", "nicht Wolle"),
        ("unter 150 euro", "bis 150,00"),
        ("nur lieferbare", "lieferbar"),
        ("gibts das auch in schwarz?", "schwarz"),
        ("same in size L", "size L"),
    ],
)
def test_a_short_remark_refines_what_was_shown(customer, message, understood):
    customer.says("wintermantel damen")
    assert understood in customer.says(message), customer.transcript
    assert customer.asked(*FOUND), customer.transcript


@pytest.mark.parametrize(
    "more", ["mehr", "zeig mir die anderen", "weitere", "show me the others", "more"]
)
def test_more_shows_others_than_before(customer, more):
    customer.says("wintermantel damen")
    first = {card.url for card in cards(customer)}
    customer.says(more)
    assert cards(customer), customer.transcript
    assert not first & {card.url for card in cards(customer)}


def test_a_property_is_left_out_and_taken_back(customer):
    customer.says("winterjacke")
    customer.says("ohne Kapuze")
    assert customer.asked(*FOUND), customer.transcript
    bare = {card.url for card in cards(customer)}
    assert "Kapuze" in customer.says("mit Kapuze")
    assert customer.asked(*FOUND), customer.transcript
    assert not bare & {card.url for card in cards(customer)}


def test_nothing_cheaper_is_said_honestly(customer):
    customer.says("i need sneakers")
    for _ in range(4):
        customer.says("cheaper?")
        if customer.asked("utter_search_cheapest"):
            break
    assert customer.asked("utter_search_cheapest"), customer.transcript
    assert len(cards(customer)) == 1


@pytest.mark.parametrize(
    ("search", "question", "answer"),
    [
        ("winter coat", "is the second one lined", "Lining: down"),
        ("wintermantel", "ist der zweite gefüttert?", "Futter:"),
        ("wintermantel", "was kostet der erste", "Preis: 179,90"),
        ("wintermantel", "der zweite, hat der ne kapuze", "Kapuze:"),
        ("rucksack wasserdicht", "aus was ist der?", "Material: Polyester"),
        ("rucksack wasserdicht", "was kostet es?", "Preis: 99,90"),
        ("waterproof rucksack", "how much is it", "Price: €99.90"),
        ("waterproof rucksack", "is it waterproof?", "Waterproof: yes"),
    ],
)
def test_a_question_about_a_shown_product_gets_only_what_it_asks(
    customer, search, question, answer
):
    customer.says(search)
    text = customer.says(question)
    assert customer.asked(*ANSWERED), customer.transcript
    assert answer in text
    assert len(text.strip().splitlines()) <= 3, text


def test_an_answer_stays_in_the_customers_language(customer):
    customer.says("Friesennerz Leuchtturm")
    text = customer.says("ist der warm gefüttert?")
    assert "Jahreszeit: Übergang" in text
    assert "Futter: keine Angabe" in text
    assert "Material" not in text
    assert "From" not in text


@pytest.mark.parametrize("question", ["is it in stock", "is it available?", "in stock?"])
def test_it_is_the_product_last_spoken_of(customer, question):
    customer.says("waterproof rucksack")
    assert "Kurier" in customer.says(question), customer.transcript
    assert customer.asked("utter_in_stock")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("gibts den in L", "L"),
        ("und in schwarz?", "schwarz"),
        ("is it available in size xs?", "doesn't come in XS"),
        ("the same in pink", "pink"),
    ],
)
def test_a_version_of_the_product_last_spoken_of(customer, message, expected):
    customer.says("Teddymantel Murmel")
    text = customer.says(message)
    assert "Murmel" in text, customer.transcript
    assert expected in text
    assert customer.asked("utter_in_stock", "utter_not_made")


def test_the_first_one_but_in_another_colour(customer):
    customer.says("winter coat")
    first = cards(customer)[0]
    assert first.title in customer.says("the first one but in blue")
    assert customer.asked("utter_in_stock", "utter_not_made", "utter_sold_out")


def test_a_sold_out_version_has_its_date_and_alternatives(customer):
    text = customer.says("gibts den Wollmantel Kontorhaus in anthrazit größe M?")
    assert "ausverkauft" in text, customer.transcript
    assert "Nachschub wird am" in text
    assert "Auf Lager sind" in text


def test_another_product_is_no_answer_to_a_question_about_the_colour(customer):
    customer.says("wintermantel damen")
    customer.says("den ersten in den warenkorb")
    assert customer.asked("utter_ask_option")
    customer.says("und noch einen schwarzen rucksack")
    assert customer.asked("utter_wish_noted"), customer.transcript
    assert customer.asked("utter_ask_option")
    customer.says("oliv")
    text = customer.says("L")
    assert "oliv, L" in text, customer.transcript
    assert any("ucksack" in card.title for card in cards(customer)), customer.transcript
    assert all("schwarz" in card.subtitle for card in cards(customer))


def test_a_second_wish_for_the_cart_waits_its_turn(customer):
    customer.says("wintermantel damen")
    customer.says("den ersten in den warenkorb")
    customer.says("die günstigere in den Korb")
    assert customer.asked("utter_wish_noted"), customer.transcript
    customer.says("schwarz")
    text = customer.says("L")
    assert "Fjord" in text
    assert "Teddymantel Murmel" in text, customer.transcript


def test_a_question_interrupts_the_choice_of_a_colour(customer):
    customer.says("wintermantel damen")
    customer.says("den ersten in den warenkorb")
    assert "Preis:" in customer.says("was kostet der?")
    assert customer.asked("utter_ask_option"), customer.transcript


def test_two_of_the_list_are_compared_and_the_cheaper_is_bought(customer):
    customer.says("kopfhörer")
    first, _, third, *_ = cards(customer)
    text = customer.says("vergleich den ersten und den dritten")
    assert first.title in text
    assert third.title in text
    assert "günstiger" in customer.says("welcher ist günstiger")
    assert customer.asked("utter_comparison"), customer.transcript
    assert "Studiokopfhörer" in customer.says("den günstigeren in den warenkorb")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("wintrjacke wasserdciht", "Jacken & Mäntel, wasserdicht"),
        ("waterproof shoes size 42 black", "Shoes, black, size 42, waterproof"),
        ("etwas für 30 euro", "bis 30,00"),
        ("unter 20 euro", "bis 20,00"),
        ("geschenk für meine mutter unter 50", "bis 50,00"),
        ("zeig mir sachen von Nordlicht", "Nordlicht"),
        ("jacken und schuhe", "Jacken & Mäntel, Schuhe"),
        ("rucksack waterproof for laptop", "waterproof"),
        ("hallo ich brauch n rucksack fürn laptop, wasserdicht wär nice, max 120€", "wasserdicht"),
    ],
)
def test_a_careless_search_is_understood(customer, message, expected):
    assert expected in customer.says(message), customer.transcript
    assert customer.asked(*FOUND), customer.transcript


def test_what_the_shop_does_not_have_is_said_and_departments_offered(customer):
    text = customer.says("habt ihr raketen")
    assert "raketen" in text, customer.transcript
    assert "Mode" in customer.buttons


@pytest.mark.parametrize(
    "message",
    [
        "wie ist das wetter",
        "wer ist bundeskanzler",
        "erzähl mir was über quantenphysik",
        "who won the world cup",
        "der zweite",
    ],
)
def test_what_is_none_of_the_shops_business_is_not_answered(customer, message):
    customer.says(message)
    assert not customer.asked("utter_faq_answer", "utter_perhaps_product", *FOUND)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("what is your return policy", "within 30 days"),
        ("Rückgabebedingungen", "innerhalb von 30 Tagen"),
        ("wie lang dauert der versand nach österreich", "3–5"),
        ("can i pay by invoice", "invoice"),
        ("habt ihr am samstag offen", "montags bis samstags"),
        ("do you ship to switzerland", "Switzerland"),
    ],
)
def test_a_question_about_the_shop_has_its_answer(customer, message, expected):
    assert expected in customer.says(message), customer.transcript
    assert customer.asked("utter_faq_answer"), customer.transcript


@pytest.mark.parametrize(
    ("search", "point", "buy"),
    [
        ("Regenjacke Herren L blau bis 200", "die dritte", "in den Warenkorb"),
        ("mens jacket L blue under 100", "the second one", "add it to my cart"),
    ],
)
def test_what_was_searched_for_is_not_asked_again(customer, search, point, buy):
    customer.says(search)
    customer.says(point)
    assert ", L" in customer.heard[0].cards[0].subtitle, customer.transcript
    customer.says(buy)
    assert customer.asked("utter_added_to_cart"), customer.transcript
