"""The whole bot behind an Alexa skill: what a household hears, and that it is done once."""

import json

import pytest

from bot.messages import utc_now
from tests.channels.alexa_skill import channel
from tests.conversations.talk import ROOT
from tests.platforms.alexa import FakeAlexa


class Household:
    """Speaks to the skill through signed requests, as the webhook's endpoint handles them."""

    def __init__(self, talk, platform, user):
        self._talk, self._platform, self._user = talk, platform, user
        self._skill = channel(platform, utc_now)
        self.stays = True
        self.last = None

    def sends(self, request):
        self.last = self._platform.signed(self._platform.body(request, self._user))
        return self.again()

    def again(self):
        reply = self._talk.wait_for(self._reply(self.last))
        response = json.loads(reply.body)["response"]
        self.stays = not response.get("shouldEndSession", True)
        return self._platform.hears(self.last, reply.body)

    async def _reply(self, request):
        await self._skill.prepare(request)
        self._skill.verify(request)
        said = [
            answer
            for message in self._skill.parse(request)
            for answer in await self._talk.bot.exchange(message)
        ]
        return self._skill.answer(request, said, complete=True)

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
