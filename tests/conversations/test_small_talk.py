"""Small talk, stories and contact details beside a wish: only the wish is acted upon."""

import pytest

from simulation.tau.convert import read_shop
from tests.conversations.talk import Talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("small_talk"))
    yield talk
    talk.close()


@pytest.fixture
def fresh(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("fresh"))
    yield talk
    talk.close()


def cart_of(talk, customer):
    carts = read_shop(talk.export()).get("carts", [])
    lines = [cart["lines"] for cart in carts if cart.get("session_id") == customer.conversation_id]
    return [(line["variant_id"], line["quantity"]) for line in lines[0]] if lines else []


@pytest.mark.parametrize(
    ("said", "goods"),
    [
        (
            (
                "Hallo zusammen, ich hoffe, es geht Ihnen gut! Bitte legen Sie 3 × Ringelshirt "
                "Matrose (rot und Größe XL) in meinen Warenkorb. Danke schon mal!"
            ),
            [("P1202-RED-XL", 3)],
        ),
        (
            (
                "Guten Abend, schön, dass noch jemand da ist. Ich habe mich verliebt, bitte legen "
                "Sie Weißer Sneaker Blanko (weiß und Größe 44) in meinen Warenkorb."
            ),
            [("P1081-WHI-44", 1)],
        ),
        (
            (
                "Guten Tag, ich schreibe hier zum ersten Mal. Weißer Sneaker Blanko (schwarz, "
                "Größe 42) in den Warenkorb bitte"
            ),
            [("P1081-BLA-42", 1)],
        ),
        (
            (
                "Hello, this is my first message here. I've fallen in love with 2 × Denim jacket "
                "Werkstatt (blue and size M), please put it into my cart. You're very kind."
            ),
            [("P1041-BLU-M", 2)],
        ),
        (
            (
                "Hey! The order number on my confirmation is TR-104672 and my email is "
                "oliver.bennett@example.com. Please put Denim jacket Werkstatt (blue and size M) "
                "into my cart."
            ),
            [("P1041-BLU-M", 1)],
        ),
    ],
)
def test_a_greeting_or_a_number_names_no_goods(talk, said, goods):
    customer = talk.customer()
    customer.says(said)
    assert cart_of(talk, customer) == goods, "\n".join(customer.transcript)


@pytest.mark.parametrize(
    ("said", "colour"),
    [
        ("ich möchte weißer sneaker blaanko (schwwarz und größe 42) in den warenkorb", "schwarz"),
        ("please put white sneaker blanko (blakc, size 42) into my cart", "black"),
    ],
)
def test_a_colour_in_a_title_is_not_the_colour_that_is_wanted(talk, said, colour):
    customer = talk.customer()
    customer.says(said)
    assert customer.asked("utter_ask_option"), "\n".join(customer.transcript)
    customer.says(colour)
    assert cart_of(talk, customer) == [("P1081-BLA-42", 1)], "\n".join(customer.transcript)


@pytest.mark.parametrize(
    ("said", "response"),
    [
        (
            (
                "Guten Abend! Sie glauben nicht, was das für eine Woche war. Wir sind nächste "
                "Woche gar nicht da, könnte die Bestellung TR-104730 bitte an diese Adresse gehen: "
                "Rosenallee 8, 50667 Köln. Meine E-Mail ist christian.oeztuerk@example.net, glaube "
                "ich. Sehr freundlich von Ihnen."
            ),
            "utter_confirm_address",
        ),
        (
            (
                "Good evening! You won't believe what a week I've had. Could order TR-104730 "
                "please go to Rosenallee 8, 50667 Köln? My email is "
                "christian.oeztuerk@example.net. You're very kind."
            ),
            "utter_confirm_address",
        ),
        (
            (
                "Hallo! Was für ein Wetter heute. Angemeldet bin ich mit "
                "marie.doering@example.net, glaube ich. Ich habe zweimal nachgesehen, aber im "
                "Paket zur Bestellung TR-104436 fehlt 1 × Kinder-T-Shirt Urzeit."
            ),
            "utter_sorry_missing_item",
        ),
    ],
)
def test_the_wish_beside_a_story_is_understood(talk, said, response):
    customer = talk.customer()
    customer.says(said)
    assert customer.asked(response), "\n".join(customer.transcript)


@pytest.mark.parametrize(
    ("wish", "skip", "remedy", "yes"),
    [
        (
            "In der Bestellung TR-104387 fehlt die Küchenwaage, PLZ 93047",
            "Mal sehen… ach, das möchte ich lieber nicht sagen. Vielen Dank!",
            "mein Geld zurück",
            "ja",
        ),
        (
            "Das Bücherregal aus der Bestellung TR-104299 ist beschädigt, PLZ 14469",
            "das moechte ich nicht sagen",
            "mein Geld zurück",
            "ja",
        ),
        (
            "The cable-knit jumper is missing from order TR-104527, james.andersen@example.net",
            "Let me see… oh, I'd rather not say",
            "send me a replacement",
            "yes",
        ),
    ],
)
def test_what_somebody_would_rather_not_say_is_no_description(talk, wish, skip, remedy, yes):
    customer = talk.customer()
    customer.says(wish)
    assert customer.asked("utter_ask_description"), "\n".join(customer.transcript)
    customer.says(skip)
    assert customer.asked("utter_ask_remedy"), "\n".join(customer.transcript)
    customer.says(remedy)
    customer.says(yes)
    made = [c for c in read_shop(talk.export())["complaints"] if c["order_number"] in wish]
    assert [c["description"] for c in made] == [""], "\n".join(customer.transcript)


@pytest.mark.parametrize(
    ("wish", "question"),
    [
        (
            "Der Sneaker aus TR-104390 ist kaputt, frieda.engel@mail.example",
            "Also, kann ich bei Ihnen auf Rechnung bezahlen?",
        ),
        (
            "The headset from TR-104390 is broken, frieda.engel@mail.example",
            "Well, do you ship to Switzerland?",
        ),
    ],
)
def test_a_question_in_between_is_no_description(talk, wish, question):
    customer = talk.customer()
    customer.says(wish)
    if customer.asked("utter_ask_lines"):
        customer.says("Gaming-Headset")
    assert customer.asked("utter_ask_description"), "\n".join(customer.transcript)
    customer.says(question)
    assert customer.asked("utter_ask_description"), "\n".join(customer.transcript)


def test_two_faults_are_two_complaints(fresh):
    customer = fresh.customer()
    customer.says(
        "Aus der Bestellung TR-104390 ist das Gaming-Headset kaputt angekommen. Und dann fehlt in "
        "der Bestellung TR-104390 der Zopfpullover. frieda.engel@mail.example"
    )
    assert customer.asked("utter_sorry_damaged"), "\n".join(customer.transcript)
    for answer in ("Das Mikrofon ist ab", "mein Geld zurück", "ja"):
        customer.says(answer)
    assert customer.asked("utter_sorry_missing_item"), "\n".join(customer.transcript)
    (made,) = read_shop(fresh.export())["complaints"]
    assert (made["kind"], made["quantities"]) == ("damaged", {"1": 1})


def test_one_item_is_taken_off_a_complaint_before_it_is_made(talk):
    customer = talk.customer()
    customer.says(
        "Gaming-Headset und Zopfpullover aus TR-104390 sind kaputt, frieda.engel@mail.example"
    )
    customer.says("überspringen")
    assert "Zopf" in customer.says("Ersatz")
    said = customer.says("Nein, nur Gaming-Headset")
    assert customer.asked("utter_confirm_complaint"), "\n".join(customer.transcript)
    assert "Headset" in said
    assert "Zopf" not in said
