"""What simulated customers ran into: each of their faults as a conversation, in both languages."""

import re

import pytest

from simulation.tau.convert import read_shop
from tests.conversations.talk import Talk

LATE = "TR-104117", "georg.thiel@example.net"
"""Arrived between 30 and 45 days ago: too late for money, in time for store credit."""


@pytest.fixture
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("faults"))
    yield talk
    talk.close()


def books(talk, name, number):
    return [r for r in read_shop(talk.export())[name] if r.get("order_number") == number]


def order_of(talk, number):
    return next(o for o in read_shop(talk.export())["orders"] if o["number"] == number)


@pytest.mark.parametrize(
    ("wish", "yes", "skip"),
    [
        ("I want to return the trench coat from {}, {}", "yes please", "skip"),
        ("I want to return the trench coat from {}, {}", "Store credit then, please", "skip"),
        ("Ich möchte den Trenchcoat aus {} zurückgeben, {}", "ja", "überspringen"),
        (
            "Ich möchte den Trenchcoat aus {} zurückgeben, {}",
            "dann eben als Gutschrift",
            "überspringen",
        ),
    ],
)
def test_a_yes_takes_the_store_credit_that_is_still_possible(talk, wish, yes, skip):
    customer = talk.customer()
    customer.says(wish.format(*LATE))
    assert customer.asked("utter_ask_take_credit"), "\n".join(customer.transcript)
    customer.says(yes)
    customer.says(skip)
    assert customer.asked("utter_confirm_return"), "\n".join(customer.transcript)
    customer.says("ja" if "Ich" in wish else "yes")
    (made,) = books(talk, "returns", LATE[0])
    assert made["refund_method_id"] == "store_credit"
    assert [line["line_id"] for line in made["lines"]] == ["1"]


@pytest.mark.parametrize(
    ("wish", "answer", "credit"),
    [
        ("I want to return the trench coat from {}, {}", "no", "Yes, for store credit"),
        ("Ich möchte den Trenchcoat aus {} zurückgeben, {}", "nein danke", "Ja, gegen Guthaben"),
    ],
)
def test_store_credit_is_only_taken_after_a_yes(talk, wish, answer, credit):
    customer = talk.customer()
    customer.says(wish.format(*LATE))
    assert "/talk_to_human" in customer.buttons.values()
    pressed = customer.buttons[credit]
    customer.says(answer)
    assert customer.asked("utter_return_declined"), "\n".join(customer.transcript)
    assert not books(talk, "returns", LATE[0])
    other = talk.customer()
    other.says(wish.format(*LATE))
    other.says(pressed)
    assert other.asked("utter_ask_return_reason"), "\n".join(other.transcript)


def test_an_exchange_that_is_too_late_leads_to_a_return_for_store_credit(talk):
    customer = talk.customer()
    customer.says(
        "Ich möchte aus TR-104112 die Stehlampe umtauschen gegen gold, heike.hahn@example.com"
    )
    assert customer.asked("utter_refused"), "\n".join(customer.transcript)
    credit = [title for title in customer.buttons if "Guthaben" in title]
    assert len(credit) == 1, "the same button for each item says nothing"
    customer.says(customer.buttons[credit[0]])
    customer.says("Stehlampe")
    customer.says("überspringen")
    assert customer.asked("utter_confirm_return"), "\n".join(customer.transcript)
    assert "Guthaben" in customer.transcript[-1]


@pytest.mark.parametrize(
    ("wish", "person"),
    [
        (
            (
                "please change the delivery address of order TR-104728 to Bahnhofstrasse 12, "
                "8001 Zürich, Switzerland. my email is jonas.weber@example.com"
            ),
            "Talk to a person",
        ),
        (
            (
                "Bitte ändern Sie die Lieferadresse der Bestellung TR-104728 auf "
                "Bahnhofstrasse 12, 8001 Zürich, Schweiz. Meine E-Mail ist jonas.weber@example.com"
            ),
            "Mit einem Menschen sprechen",
        ),
    ],
)
def test_an_order_is_not_sent_where_the_shop_does_not_deliver(talk, wish, person):
    before = order_of(talk, "TR-104728")
    customer = talk.customer()
    said = customer.says(wish)
    assert customer.asked("utter_refused"), "\n".join(customer.transcript)
    assert "Schweiz" in said or "Switzerland" in said
    assert customer.buttons[person] == "/talk_to_human"
    assert order_of(talk, "TR-104728") == before


def test_paying_for_goods_to_switzerland_is_refused_before_the_plan(talk):
    customer = talk.customer()
    customer.says("Bitte legen Sie Funktionsmantel Regenmeer (schwarz, Größe S) in den Warenkorb")
    customer.says("ich möchte jetzt bezahlen, liefern Sie es bitte an eine andere Adresse")
    customer.says("TR-104655, miriam.vogt@example.com")
    assert customer.asked("utter_ask_delivery_address"), "\n".join(customer.transcript)
    customer.says("Bahnhofstrasse 12, 8001 Zürich, Schweiz")
    assert customer.asked("utter_not_deliverable"), "\n".join(customer.transcript)
    assert "/talk_to_human" in customer.buttons.values()
    assert not read_shop(talk.export()).get("payment_links")


def test_a_failed_payment_is_not_given_back(talk):
    customer = talk.customer()
    said = customer.says(
        "TR-104731, nina.hoffmann@example.com. Ich möchte die Bestellung mit PayPal bezahlen"
    )
    if customer.asked("utter_ask_new_method"):
        said = customer.says("PayPal")
    assert customer.asked("utter_confirm_payment"), "\n".join(customer.transcript)
    assert "zurück" not in said
    customer.says("ja")
    payments = order_of(talk, "TR-104731")["payments"]
    assert [(p["kind"], p["status"]) for p in payments] == [
        ("payment", "failed"),
        ("payment", "paid"),
    ]


@pytest.mark.parametrize(
    ("wish", "place"),
    [
        (
            "Please reorder TR-104342, but send it to another address, olivia.walsh@post.example",
            "It's Rosenallee 8, 50667 Köln, Germany",
        ),
        (
            (
                "Meine Bestellnummer ist TR-104690, meine Postleitzahl ist 04109. Ich möchte die "
                "Bestellung TR-104690 noch einmal bestellen, aber an eine andere Adresse"
            ),
            "Sie lautet Rosenallee 8, 50667 Köln, Deutschland",
        ),
    ],
)
def test_another_address_is_where_the_new_order_goes(talk, wish, place):
    customer = talk.customer()
    customer.says(wish)
    assert customer.asked("utter_ask_delivery_address"), "\n".join(customer.transcript)
    said = customer.says(place)
    assert customer.asked("utter_confirm_reorder"), "\n".join(customer.transcript)
    assert re.search(r"\b(?:to|an) Rosenallee 8, 50667 Köln", said)


@pytest.mark.parametrize(
    ("wish", "skip"),
    [
        ("Im Paket zur Bestellung TR-104436 hat 1 × Kinder-T-Shirt Urzeit gefehlt", "überspringen"),
        ("Es fehlt 1 × Kinder-T-Shirt aus TR-104436", "überspringen"),
        ("ich habe nur 1 statt 2 Kinder-T-Shirts bekommen, TR-104436", "überspringen"),
        ("1 × children's dinosaur T-shirt is missing from my parcel TR-104436", "skip"),
    ],
)
def test_a_missing_piece_is_a_complaint_and_its_count_picks_no_remedy(talk, wish, skip):
    customer = talk.customer()
    customer.says(f"{wish}, marie.doering@example.net")
    assert customer.asked("utter_ask_pieces"), "\n".join(customer.transcript)
    customer.says("1")
    customer.says(skip)
    assert customer.asked("utter_ask_remedy"), "\n".join(customer.transcript)
    customer.says("2")
    assert customer.asked("utter_confirm_complaint"), "\n".join(customer.transcript)
    customer.says("ja" if skip != "skip" else "yes")
    (made,) = books(talk, "complaints", "TR-104436")
    assert (made["remedy"], made["quantities"]) == ("refund", {"1": 1})


@pytest.mark.parametrize(
    ("said", "response"),
    [
        ("brauche es nicht mehr", "utter_confirm_cancel"),
        ("Ich brauche es nicht mehr", "utter_confirm_cancel"),
        ("I don't need it any more", "utter_confirm_cancel"),
        ("Stop, never mind", "utter_cancelled"),
        ("Halt, doch nicht", "utter_cancelled"),
    ],
)
def test_a_reason_is_no_stop_and_a_stop_is_no_reason(talk, said, response):
    customer = talk.customer()
    customer.says(
        "Storniere TR-104728, PLZ 10115"
        if "I d" not in said
        else "cancel TR-104728, postcode 10115"
    )
    customer.says(said)
    assert customer.asked(response), "\n".join(customer.transcript)
    assert order_of(talk, "TR-104728")["status"] == "pending"
