"""The whole bot behind an Alexa skill: what a household hears, and that it is done once."""

import json

import httpx
import pytest

from bot.channels import _Held  # noqa: PLC2701 - what answers a request
from bot.exchange import Exchanges
from bot.messages import utc_now
from channels.alexa_account import AccountLinking, UserInfo
from tests.channels.alexa_skill import channel
from tests.conversations.talk import ROOT
from tests.platforms.alexa import LINKED_TOKEN, FakeAlexa
from tests.platforms.userinfo import PATH, FakeUserInfo


class Household:
    """Speaks to the skill through signed requests, as the webhook's endpoint handles them."""

    def __init__(self, talk, platform, user, service=None):
        self._talk, self._platform, self._user = talk, platform, user
        self._skill = channel(platform, utc_now)
        if service is not None:
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app=service.app))
            linking = AccountLinking(f"https://id.shop.example{PATH}")
            self._skill._accounts = UserInfo(linking, client, utc_now)
        bot = talk.bot
        exchanges = Exchanges(bot.store, bot.dispatcher, bot.deliveries)
        self._held = _Held(self._skill, bot.hub.linking, exchanges, bot.services.accounts)
        self.is_linked = False
        self.card = {}
        self.stays = True
        self.last = None

    def sends(self, request):
        self.last = self._platform.signed(
            self._platform.body(request, self._user, is_linked=self.is_linked)
        )
        return self.again()

    def again(self):
        reply = self._talk.wait_for(self._held.take(self.last))
        response = json.loads(reply.body)["response"]
        self.stays = not response.get("shouldEndSession", True)
        self.card = response.get("card", {})
        return self._platform.hears(self.last, reply.body)

    def slots(self):
        """Return the last value of each slot of the household's conversation."""
        stored, _ = self._talk.wait_for(self._talk.bot.store.events.load(f"alexa:{self._user}"))
        events = [item.data for item in stored if item.type == "slot"]
        return {event["name"]: event.get("value") for event in events}

    def intends(self, name, **slots):
        return self.sends(FakeAlexa.intent(name, **slots))

    def says(self, words):
        return self.intends("tell_words", words=words)


@pytest.fixture
def order(talk):
    shop = ROOT / "data" / "demo_shop"
    customers = {c["id"]: c for c in json.loads((shop / "customers.json").read_text("utf-8"))}
    return next(
        (order, customers[order["customer_id"]])
        for order in json.loads((shop / "orders.json").read_text("utf-8"))
        if order["status"] == "pending"
        and customers[order["customer_id"]]["language"] == "de"
        and any(payment["status"] == "paid" for payment in order["payments"])
    )


def test_an_order_is_cancelled_by_voice_once(talk, order):
    order, customer = order
    home = Household(talk, FakeAlexa(), "amzn1.ask.account.HOME")
    assert "Kontor" in home.sends({"type": "LaunchRequest"})
    assert home.stays
    assert "Bestellnummer" in home.intends("cancel_order")
    heard = " ".join(order["number"].lower().replace("-", ""))
    home.says(f"{heard} postleitzahl {' '.join(customer['address']['postcode'])}")
    plan = home.intends("tell_answer", answer="anderer Grund")
    assert order["number"].replace("-", "") in plan
    assert "Euro" in plan
    assert home.stays
    done = home.intends("AMAZON.YesIntent")
    assert "Erledigt" in done
    assert home.again() == done
    exported = json.loads((talk.export() / "orders.json").read_text("utf-8"))
    (now,) = (each for each in exported if each["number"] == order["number"])
    assert now["status"] == "cancelled"
    refunds = [payment for payment in now["payments"] if payment["kind"] == "refund"]
    assert len(refunds) == 1


def test_english_household_is_answered_in_english_and_leaves(talk):
    home = Household(talk, FakeAlexa(seed=2, locale="en-US"), "amzn1.ask.account.ENGLISH")
    assert home.sends({"type": "LaunchRequest"}).startswith("Hello")
    assert "order number" in home.intends("track_order")
    assert home.stays
    assert "days" in home.intends("tell_question", question="what is your return policy")
    assert home.intends("AMAZON.StopIntent") == "See you soon."
    assert not home.stays


def test_another_household_of_the_same_skill_is_another_conversation(talk):
    platform = FakeAlexa(seed=3)
    first, second = (Household(talk, platform, f"amzn1.ask.account.{name}") for name in "AB")
    assert "Bestellnummer" in first.intends("track_order")
    assert "läuft nichts" in second.intends("AMAZON.CancelIntent")
    assert "Bestellnummer" in first.intends("AMAZON.RepeatIntent")


def test_a_linked_account_says_who_the_customer_is(talk, order):
    _, customer = order
    service = FakeUserInfo()
    service.knows(LINKED_TOKEN, customer["email"].upper())
    home = Household(talk, FakeAlexa(seed=4), "amzn1.ask.account.LINKED", service)
    assert "Bestellnummer" in home.intends("track_order")
    assert home.card == {"type": "LinkAccount"}
    assert service.asked == 0
    home.intends("AMAZON.CancelIntent")
    home.is_linked = True
    heard = home.intends("track_order")
    assert "Postleitzahl" not in heard
    assert "E-Mail" not in heard
    assert home.card.get("type") != "LinkAccount"
    assert home.slots()["customer_id"] == customer["id"]
    assert service.asked == 1


def test_an_account_that_nobody_vouches_for_says_nothing(talk, order):
    _, customer = order
    service = FakeUserInfo()
    service.knows(LINKED_TOKEN, customer["email"], email_verified=False)
    home = Household(talk, FakeAlexa(seed=5), "amzn1.ask.account.UNVERIFIED", service)
    home.is_linked = True
    assert "Bestellnummer" in home.intends("track_order")
    assert "customer_id" not in home.slots()


def test_who_says_who_they_are_is_not_taken_for_the_account(talk, order):
    order, customer = order
    service = FakeUserInfo()
    service.knows(LINKED_TOKEN, "somebody.else@example.org")
    home = Household(talk, FakeAlexa(seed=6), "amzn1.ask.account.GUEST", service)
    home.is_linked = True
    heard = " ".join(order["number"].lower().replace("-", ""))
    home.intends("track_order")
    home.says(f"{heard} postleitzahl {' '.join(customer['address']['postcode'])}")
    assert home.slots()["customer_id"] == customer["id"]


def test_the_language_of_a_household_is_that_of_its_device(talk):
    home = Household(talk, FakeAlexa(seed=7, locale="en-US"), "amzn1.ask.account.NEW")
    assert "How can I help" in home.sends({"type": "LaunchRequest"})
    again = Household(talk, FakeAlexa(seed=8), "amzn1.ask.account.NEU")
    assert "Wie kann ich helfen" in again.sends({"type": "LaunchRequest"})
