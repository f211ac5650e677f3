"""When the shop is away or does not answer: what the customer reads, and what is done."""

from datetime import timedelta

import pytest

from bot.storage.effects import EffectQuery
from tests.conversations.back_office import BackOffice, paid_pending
from tests.conversations.talk import Talk
from tests.conversations.unsure_shop import Weather, unsure

WHY = '/SetSlots(reason="no_longer_needed")'
YES = {"en": "yes", "de": "ja"}
CANCEL = {"en": "cancel {}, postcode {}", "de": "bitte {} stornieren, PLZ {}"}
AGAIN = {"en": "cancel {}", "de": "storniere {}"}

both = pytest.mark.parametrize("language", ["en", "de"])


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("unsettled"))
    yield talk
    talk.close()


@pytest.fixture(scope="module")
def office(talk):
    return BackOffice(talk)


@pytest.fixture(scope="module")
def line(talk, office):
    weather = Weather()
    talk.replace_shop(unsure(office.shop, weather))
    return weather


@pytest.fixture
def weather(line):
    line.writes, line.away, line.blind, line.done = [], False, False, 0
    return line


@pytest.fixture
def customer(talk):
    return talk.customer()


@pytest.fixture
def agreed(office, customer, weather):
    """Return a function that says yes to a cancellation, and then how it is answered."""

    def say_yes(language="en", fits=paid_pending):
        order, postcode = office.order(fits)
        customer.says(CANCEL[language].format(order["number"], postcode))
        customer.says(WHY)
        assert customer.asked("utter_confirm_cancel"), customer.transcript
        return order, customer.says(YES[language])

    return say_yes


@pytest.fixture
def looks(talk):
    """Return a function that has the reconciler look, and returns what a customer was told."""

    def look(customer):
        heard = len(said_to(talk, customer))
        talk.watch.wait(timedelta(minutes=10))
        talk.wait_for(talk.bot.reconciler.look())
        talk.idle()
        return said_to(talk, customer)[heard:]

    return look


def said_to(talk, customer):
    events, _ = talk.wait_for(talk.bot.store.events.load(customer.conversation_id))
    return [item.data["text"] for item in events if item.data["event"] == "bot"]


def ledger(talk, customer):
    query = EffectQuery(conversation_id=customer.conversation_id)
    found = talk.wait_for(talk.bot.store.effects.find(query))
    return {entry.step: entry.state for entry in found}


@both
def test_a_lost_answer_is_told_and_settled_once(
    talk, office, customer, weather, agreed, looks, language
):
    weather.writes = ["lost"]
    order, said = agreed(language)
    words = {"en": "has not confirmed it yet", "de": "noch keine Bestätigung"}
    assert words[language] in said
    assert ledger(talk, customer) == {"write": "unknown", "mail": "unknown"}
    assert not looks(customer)
    weather.blind = False
    (news,) = looks(customer)
    assert order["number"] in news
    assert {"en": "exactly once", "de": "genau einmal"}[language] in news
    assert not looks(customer)
    assert ledger(talk, customer) == {"write": "done", "mail": "done"}
    assert weather.done == 1
    payments = office.now(order).payments
    paid = sorted((p.method_id, p.amount_minor) for p in payments if p.kind == "payment")
    assert sorted((p.method_id, p.amount_minor) for p in payments if p.kind == "refund") == paid
    receipt = customer.says({"en": "show me the receipt", "de": "zeig mir den Beleg"}[language])
    assert order["number"] in receipt


@both
def test_nothing_else_is_done_to_the_order_meanwhile(customer, weather, agreed, language):
    weather.writes = ["lost"]
    order, _ = agreed(language)
    said = customer.says(AGAIN[language].format(order["number"]))
    assert customer.asked("utter_refused"), customer.transcript
    assert {"en": "still waiting", "de": "warte noch"}[language] in said
    customer.says(
        {"en": "change the address of {}", "de": "Adresse von {} ändern"}[language].format(
            order["number"]
        )
    )
    said = customer.says("Lange Straße 7, 10115 Berlin")
    assert not customer.asked("utter_confirm_address"), customer.transcript
    said = customer.says({"en": "show me the receipt", "de": "zeig mir den Beleg"}[language])
    assert {"en": "not confirmed", "de": "nicht bestätigt"}[language] in said


def test_other_orders_are_not_held_back(office, customer, weather, agreed):
    def one_of_two(order):
        own = office.orders_of(order["customer_id"])
        return paid_pending(order) and sum(map(paid_pending, own)) > 1

    weather.writes = ["lost"]
    order, _ = agreed(fits=one_of_two)
    own = office.orders_of(order["customer_id"])
    other = next(o for o in own if paid_pending(o) and o["number"] != order["number"])
    customer.says(f"cancel {other['number']}")
    customer.says(WHY)
    assert customer.asked("utter_confirm_cancel"), customer.transcript


@both
def test_what_was_never_done_is_told_and_can_be_asked_for_again(
    office, customer, weather, agreed, looks, language
):
    weather.writes = ["dropped"]
    order, _ = agreed(language)
    office.change_order(order, status="processed")
    weather.blind = False
    (news,) = looks(customer)
    assert order["number"] in news
    assert {"en": "nothing was done", "de": "nichts passiert"}[language] in news
    assert not looks(customer)
    assert weather.done == 0
    office.change_order(order, status="pending")
    customer.says(AGAIN[language].format(order["number"]))
    customer.says(WHY)
    customer.says(YES[language])
    assert customer.asked("utter_order_cancelled"), customer.transcript
    assert weather.done == 1


def test_what_was_never_done_is_done_when_nothing_has_changed(
    office, customer, weather, agreed, looks
):
    weather.writes = ["dropped"]
    order, _ = agreed()
    weather.blind = False
    (news,) = looks(customer)
    assert "exactly once" in news
    assert office.now(order).status == "cancelled"
    assert weather.done == 1


def test_the_news_comes_while_a_question_is_open(customer, weather, agreed, looks):
    weather.writes = ["lost"]
    agreed()
    customer.says("I want to rate this chat")
    weather.blind = False
    assert "exactly once" in looks(customer)[0]
    customer.says("5")
    assert customer.asked("utter_ask_comment", "utter_thanks_for_rating"), customer.transcript


def test_after_a_log_out_the_news_names_nothing(customer, weather, agreed, looks):
    weather.writes = ["lost"]
    order, _ = agreed()
    customer.says("log out")
    weather.blind = False
    (news,) = looks(customer)
    assert "exactly once" in news
    assert order["number"] not in news
    customer.says("show me the receipt")
    assert customer.asked("utter_ask_identity"), customer.transcript


@both
def test_an_unreachable_shop_has_done_nothing_and_a_later_try_works(
    talk, office, customer, weather, agreed, looks, language
):
    weather.writes = ["away"]
    order, said = agreed(language)
    assert {"en": "nothing was done", "de": "nichts passiert"}[language] in said
    assert ledger(talk, customer) == {"write": "refused", "mail": "refused"}
    assert not looks(customer)
    assert office.now(order).status == "pending"
    customer.says(AGAIN[language].format(order["number"]))
    customer.says(WHY)
    customer.says(YES[language])
    assert customer.asked("utter_order_cancelled"), customer.transcript
    assert weather.done == 1


def test_a_shop_that_goes_away_before_the_yes_has_done_nothing(talk, office, customer, weather):
    order, postcode = office.order(paid_pending)
    customer.says(CANCEL["en"].format(order["number"], postcode))
    customer.says(WHY)
    weather.away = True
    assert "nothing was done" in customer.says("yes"), customer.transcript
    assert ledger(talk, customer) == {"write": "refused", "mail": "refused"}


@both
@pytest.mark.parametrize("wish", ["track", "list", "cancel", "return"])
def test_reading_while_the_shop_is_away_says_so(office, customer, weather, language, wish):
    order, postcode = office.order(paid_pending)
    known = {"en": "where is {}, postcode {}", "de": "wo ist {}, PLZ {}"}[language]
    customer.says(known.format(order["number"], postcode))
    weather.away = True
    said = customer.says(
        {
            "track": {"en": "where is my parcel?", "de": "wo ist mein Paket?"},
            "list": {"en": "list my orders", "de": "meine Bestellungen"},
            "cancel": {"en": "cancel my order", "de": "Bestellung stornieren"},
            "return": {"en": "I want to return something", "de": "ich will etwas zurückgeben"},
        }[wish][language]
    )
    assert customer.asked("utter_shop_unavailable", "utter_refused"), customer.transcript
    words = {"en": "can't reach the shop's system", "de": "erreiche das System des Shops"}
    assert words[language] in said
