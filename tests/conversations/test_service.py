"""Complaints, handoff, feedback and small talk with the whole bot on the demo shop."""

import json

import pytest

from tests.conversations.talk import ROOT, Talk

SHOP = ROOT / "data" / "demo_shop"


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("service"))
    yield talk
    talk.close()


@pytest.fixture
def customer(talk):
    return talk.customer()


@pytest.fixture(scope="module")
def find():
    """Return a function that gives an order that fits, each one once, with its owner's postcode.

    Nothing was sent back of it.
    """
    orders = json.loads((SHOP / "orders.json").read_bytes())
    customers = {c["id"]: c for c in json.loads((SHOP / "customers.json").read_bytes())}
    used = {r["order_number"] for r in json.loads((SHOP / "returns.json").read_bytes())}

    def first(fits):
        for order in orders:
            postcode = customers[order["customer_id"]]["address"]["postcode"]
            if order["number"] not in used and len(postcode) == 5 and fits(order):
                used.add(order["number"])
                return order, f"{order['number']}, postcode {postcode}"
        pytest.fail("the demo shop has no such order")

    return first


def arrived_since(day, lines=1, quantity=1):
    def fits(order):
        at = [s["delivered_at"] for s in order["shipments"]]
        whole = order["status"] == "delivered" and all(x and x > day for x in at)
        counted = len(order["lines"]) == lines and order["lines"][0]["quantity"] == quantity
        return whole and counted and order["payments"]

    return fits


def exported(talk, name):
    path = talk.export() / f"{name}.json"
    return json.loads(path.read_bytes()) if path.exists() else []


def complaints(talk, order):
    return [c for c in exported(talk, "complaints") if c["order_number"] == order["number"]]


def paid(order):
    return [(payment["kind"], payment["amount_minor"]) for payment in order["payments"]]


def order_now(talk, order):
    return next(o for o in exported(talk, "orders") if o["number"] == order["number"])


def test_a_broken_item_is_replaced_after_a_yes(talk, customer, find):
    order, who = find(arrived_since("2026-01-05", lines=2))
    customer.says(f"one item arrived broken, order {who}")
    assert customer.asked("utter_sorry_damaged")
    assert customer.asked("utter_ask_lines"), customer.transcript
    title = order["lines"][1]["title"]["en"]
    customer.says(title)
    customer.says("it has a crack", "/uploads/crack.png")
    customer.says("a replacement please")
    assert customer.asked("utter_confirm_complaint"), customer.transcript
    assert complaints(talk, order) == []
    assert title in customer.heard[-1].text
    customer.says("yes please")
    (complaint,) = complaints(talk, order)
    assert complaint["line_ids"] == [order["lines"][1]["id"]]
    assert (complaint["kind"], complaint["remedy"]) == ("damaged", "replacement")
    assert complaint["description"] == "it has a crack"
    assert complaint["attachments"] == ["/uploads/crack.png"]
    assert paid(order_now(talk, order)) == paid(order)


def test_part_of_the_price_comes_back_for_one_of_several_pieces(talk, customer, find):
    order, who = find(arrived_since("2026-01-05", quantity=2))
    who = who.replace("postcode", "PLZ")
    customer.says(f"Hallo, ein Stück ist kaputt angekommen, Bestellung {who}")
    assert customer.asked("utter_ask_pieces"), customer.transcript
    customer.says("1")
    customer.says("überspringen")
    customer.says("den Nachlass bitte")
    assert customer.asked("utter_confirm_complaint"), customer.transcript
    customer.says("ja")
    (complaint,) = complaints(talk, order)
    line = order["lines"][0]
    assert complaint["quantities"] == {line["id"]: 1}
    assert complaint["amount_minor"] == line["unit_price_minor"] * 20 // 100
    payments = order_now(talk, order)["payments"]
    assert payments[-1]["kind"] == "refund"
    assert abs(payments[-1]["amount_minor"]) == complaint["amount_minor"]


def test_a_no_leaves_everything_as_it_was(talk, customer, find):
    order, who = find(arrived_since("2026-01-05"))
    customer.says(f"you sent me the wrong item, order {who}")
    customer.says("I got a toaster instead")
    customer.says("refund")
    assert customer.asked("utter_confirm_complaint"), customer.transcript
    customer.says("no")
    assert complaints(talk, order) == []
    assert paid(order_now(talk, order)) == paid(order)


def test_anger_is_met_with_calm(customer):
    customer.says("THIS IS A DISGRACE!!! my lamp arrived in pieces, I am furious")
    assert customer.asked("utter_sorry_angry_damaged")


def test_too_late_is_refused_with_what_is_possible_instead(talk, customer, find):
    def old(order):
        at = [s["delivered_at"] for s in order["shipments"]]
        return order["status"] == "delivered" and all(x and x < "2025-12-10" for x in at)

    order, who = find(old)
    said = customer.says(f"an item is missing from order {who}")
    assert "14" in said
    assert "warranty" in said
    assert complaints(talk, order) == []


def test_a_lost_parcel_is_refunded(talk, customer, find):
    def lost(order):
        return order["payments"] and any(s["status"] == "lost" for s in order["shipments"])

    order, who = find(lost)
    said = customer.says(f"my parcel is late, order {who}")
    assert customer.asked("utter_late_facts"), customer.transcript
    assert "lost" in said
    assert customer.asked("utter_confirm_complaint"), customer.transcript
    customer.says("yes")
    (complaint,) = complaints(talk, order)
    assert (complaint["kind"], complaint["remedy"]) == ("late", "refund")
    assert complaint["amount_minor"] > 0


def test_what_is_not_late_yet_gets_its_honest_date(talk, customer, find):
    def under_way(order):
        parcels = order["shipments"]
        due = all(s["estimated_at"] and s["estimated_at"] > "2026-01-16T23" for s in parcels)
        return order["status"] == "shipped" and parcels and due

    order, who = find(under_way)
    who = who.replace("postcode", "PLZ")
    said = customer.says(f"meine Lieferung ist verspätet, Bestellung {who}")
    assert "noch nicht verspätet" in said, customer.transcript
    assert complaints(talk, order) == []


def test_without_a_delivery_date_none_is_invented(customer, find):
    _, who = find(lambda o: o["status"] == "pending" and not o["shipments"])
    customer.says(f"my order is late: {who}")
    assert customer.asked("utter_no_date_known"), customer.transcript


def test_a_delivered_order_can_be_reported_missing_at_once(talk, customer, find):
    order, who = find(arrived_since("2026-01-05"))
    customer.says(f"my delivery is late, order {who}")
    assert customer.asked("utter_marked_delivered"), customer.transcript
    customer.says(customer.buttons["Report it as missing"])
    assert customer.asked("utter_sorry_missing_item")
    customer.says("nein")
    customer.says("money back")
    customer.says("yes")
    assert [c["kind"] for c in complaints(talk, order)] == ["missing_item"], customer.transcript


def test_somebody_who_wants_a_person_gets_one_and_silence(talk, customer):
    said = customer.says("human please!")
    assert customer.asked("utter_handoff")
    assert "service@kontor.example" in said
    assert not customer.says("hello?")
    case = exported(talk, "cases")[-1]
    assert (case["reason"], case["wish"]) == ("asked", "human please!")
    assert case["status"] == "waiting"


def test_the_case_tells_what_it_is_about(talk, customer, find):
    order, who = find(arrived_since("2026-01-05", lines=2))
    customer.says(f"I received a damaged item, order {who}")
    customer.says("/talk_to_human")
    case = exported(talk, "cases")[-1]
    assert case["skill"] == "complaint_damaged"
    assert case["customer_id"] == order["customer_id"]
    assert case["order_number"] == order["number"]


def test_three_times_not_understood_ends_with_a_person(talk, customer):
    for text in ("qwrt zzz", "blorf blorf", "mnbv xcvy"):
        customer.says(text)
    assert customer.asked("utter_give_up"), customer.transcript
    assert exported(talk, "cases")[-1]["reason"] == "not_understood"


def test_a_good_rating_is_kept_with_its_comment(talk, customer):
    customer.says("I want to rate this chat")
    customer.says(customer.buttons["⭐⭐⭐⭐⭐"])
    customer.says("quick and clear")
    assert customer.asked("utter_thanks_for_rating"), customer.transcript
    feedback = exported(talk, "feedback")[-1]
    assert (feedback["score"], feedback["comment"]) == (5, "quick and clear")


def test_a_bad_rating_brings_the_offer_of_a_person(talk, customer):
    customer.says("Ich möchte eine Bewertung abgeben")
    customer.says("1")
    customer.says("nein")
    assert customer.asked("utter_sorry_about_rating"), customer.transcript
    assert "/talk_to_human" in customer.buttons.values()
    assert exported(talk, "feedback")[-1]["score"] == 1


@pytest.mark.parametrize("text", ['/SetSlots(rating="abc")', "/SetSlots(rating=99)", "seven"])
def test_a_rating_is_one_to_five(customer, text):
    customer.says("rate this chat")
    customer.says(text)
    assert customer.asked("utter_ask_rating"), customer.transcript


def test_greeting_says_who_speaks_and_what_it_can_do(customer):
    said = customer.says("Guten Tag")
    assert "Bot" in said
    assert "Kontor" in said
    assert len(customer.buttons) == 4
    customer.says("hello")
    assert customer.asked("utter_greet_again")


@pytest.mark.parametrize(
    ("text", "response"),
    [
        ("how are you?", "utter_how_are_you"),
        ("wie ist das Wetter heute", "utter_weather"),
        ("tell me a joke", "utter_joke"),
        ("ich bin heute traurig", "utter_cheer_up"),
        ("are you human?", "utter_who_i_am"),
        ("was kannst du", "utter_what_i_can"),
        ("thanks", "utter_welcome"),
        ("tschüss", "utter_goodbye"),
    ],
)
def test_small_talk(customer, text, response):
    customer.says(text)
    assert customer.asked(response), customer.transcript


def test_thanks_in_the_middle_of_something_does_not_lose_it(customer):
    customer.says("I want to rate this chat")
    customer.says("thanks a lot!")
    assert customer.asked("utter_ask_rating"), customer.transcript
