"""Wishes that are refused, kept apart or said beside something else."""

import pytest

from bot.understanding.entities_words import WordFinder


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("I don't want to cancel, I want to change the address", ["change_address"]),
        ("Ich möchte nicht zurückgeben, sondern umtauschen", ["exchange_items"]),
        ("I don't need help with tracking, I need a refund", ["return_items"]),
        ("ich brauche keine Hilfe bei der Rückgabe, ich will einen Menschen", ["talk_to_human"]),
        ("don't cancel my order", ["cancel"]),
        ("bitte nicht stornieren!", ["cancel"]),
        ("I don't want to return it", ["cancel"]),
        ("ich will die nicht mehr, stornieren", ["cancel_order"]),
        ("my account still shows no refund for the boots", ["refund_status"]),
        ("why can't I cancel my order", ["cancel_order"]),
        ("please don't ship it, cancel it", ["cancel_order"]),
        ("I don't need this anymore, I want to return it", ["return_items"]),
        ("Ich möchte nicht die ganze Bestellung stornieren, nur die Lampe", ["cancel_order"]),
        ("Hi there! Where's my parcel and can I change the address?",
         ["track_order", "change_address"]),
        ("Was kostet der Versand und wie lange dauert die Lieferung?", ["store_faq", "store_faq"]),
        ("you idiots, where is my parcel", ["track_order"]),
    ],
)  # fmt: skip
def test_wishes_are_those_that_are_wanted(parser, text, wishes):
    assert [wish.intent.name for wish in parser.parse_wishes(text)] == wishes


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Storniere bitte nicht TR-104711, sondern TR-104712", "TR-104712"),
        ("Cancel TR-104711 but keep TR-104712", "TR-104711"),
    ],
)
def test_an_order_that_is_not_meant_is_left_out(parser, text, number):
    entities = parser.parse(text).entities
    assert [entity.value for entity in entities if entity.type == "order_number"] == [number]


def test_what_is_refused_gives_no_value(parser):
    result = parser.parse("I don't want to cancel TR-104711, where is TR-104712")
    assert [entity.value for entity in result.entities] == ["TR-104712"]


@pytest.mark.parametrize("text", ["change my address", "kannst du mir sagen, wo es ist"])
def test_an_everyday_word_is_no_word_of_the_shop(text):
    shop = {"product": {"dresses": {"en": ["dress"]}}, "color": {"sage": {"en": ["sage"]}}}
    assert not WordFinder(shop).find(text)


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("Hello! What weather today. Where is my parcel TR-104711? Thanks!", ["track_order"]),
        ("Guten Abend. Ich sitze im Zug. Bitte stornieren Sie TR-104711. Danke!", ["cancel_order"]),
        ("You won't believe what a week I had. Please cancel TR-104711.", ["cancel_order"]),
        ("Sie ahnen nicht, was das für ein Tag war. Storniere TR-104711", ["cancel_order"]),
        ("The mug arrived broken. And a shirt is missing.",
         ["complaint_damaged", "complaint_missing_item"]),
        ("Das Paket war beschädigt. Es fehlt auch etwas.", ["complaint_missing_item"]),
        ("Die Tasse kam kaputt an. Und dann fehlt noch ein Schal.",
         ["complaint_damaged", "complaint_missing_item"]),
    ],
)  # fmt: skip
def test_small_talk_is_no_wish_and_two_faults_are_two(parser, text, wishes):
    assert [wish.intent.name for wish in parser.parse_wishes(text)] == wishes


def test_contact_details_name_no_goods_but_are_kept(parser):
    said = "My order number is TR-104711 and my email is ann@example.com. Put the mug in my cart."
    (wish,) = parser.parse_wishes(said)
    assert wish.intent.name == "cart_add"
    assert "number" not in wish.text
    assert {"order_number", "email"} <= {entity.type for entity in wish.entities}


def test_an_answer_keeps_all_its_words(parser):
    said = "The box was wet. Inside nothing was whole. Thanks!"
    assert parser.parse(said, expected=("text",)).text == said
