"""The whole bot on the telephone: what a caller hears, and that it is done once."""

import json

import pytest

from bot.messages import OutboundMessage
from channels.push import ChannelContext
from tests.channels.telephone_line import line
from tests.conversations.talk import ROOT, Talk
from tests.platforms.twilio_voice import PUBLIC

CONTEXT = ChannelContext(PUBLIC)


class Answers:
    """Gives a line the real bot; keeps every message and its answers."""

    def __init__(self, talk):
        self._talk = talk
        self.told = []
        self.said: list[OutboundMessage] = []

    async def exchange(self, message):
        self.told.append(message)
        said = await self._talk.bot.exchange(message)
        self.said += said
        return said


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("telephone"))
    yield talk
    talk.close()


@pytest.fixture(scope="module")
def orders():
    shop = ROOT / "data" / "demo_shop"
    customers = {c["id"]: c for c in json.loads((shop / "customers.json").read_text("utf-8"))}
    found = json.loads((shop / "orders.json").read_text("utf-8"))
    return [(order, customers[order["customer_id"]]) for order in found]


def by_keys(order):
    return f"{order['number'].removeprefix('TR-')}#"


def cancellable(orders):
    return next(
        (order, customer)
        for order, customer in orders
        if order["status"] == "pending"
        and customer["language"] == "de"
        and customer["address"]["postcode"].isdecimal()
        and any(payment["status"] == "paid" for payment in order["payments"])
    )


async def cancelled_by_phone(answers, order, postcode):
    """Return the plan, the result and everything else that the caller heard."""
    async with line(answers, context=CONTEXT) as platform:
        call = await platform.rings(caller="+4915700000007").begins()
        await call.says("Ich möchte meine Bestellung stornieren")
        await call.hears("Bestellnummer", 20)
        await call.presses(by_keys(order))
        await call.hears("Und Ihre Postleitzahl", 20)
        await call.presses(f"{postcode}#")
        await call.hears("Warum möchten Sie stornieren", 20)
        await call.presses("1")
        plan = await call.hears("Soll ich das tun?", 20)
        await call.presses("1")
        done = await call.hears("Erledigt, die Bestellung", 20)
        await call.says("ich will mit einem Menschen sprechen")
        await call.hears("zurück zum Bot", 20)
        return plan, done, call.heard


def test_an_order_is_cancelled_by_voice_and_keys(talk, orders):
    order, customer = cancellable(orders)
    answers = Answers(talk)
    scene = cancelled_by_phone(answers, order, customer["address"]["postcode"])
    plan, done, heard = talk.wait_for(scene)
    digits = order["number"].removeprefix("TR-")
    spelled = f"T R, {' '.join(digits[:3])}, {' '.join(digits[3:])}"
    assert spelled in plan
    assert order["lines"][0]["title"]["de"] in plan
    assert "Euro" in plan
    assert spelled in done
    assert "meldet sich bei Ihnen" in heard[-2]  # no operator is set: a promise
    assert not any(sign in text for text in heard for sign in ("•", "http", "**", "\n"))
    exported = json.loads((talk.export() / "orders.json").read_text("utf-8"))
    (now,) = (o for o in exported if o["number"] == order["number"])
    assert now["status"] == "cancelled"
    assert len({message.message_id for message in answers.told}) == len(answers.told)
    plans = [m for m in answers.said if m.response == "utter_confirm_cancel"]
    assert plans
    assert all(message.voice for message in plans)


def test_what_is_said_stays_in_the_conversation_as_it_was_spoken(talk):
    async def scene():
        async with line(Answers(talk), context=CONTEXT, mode="gather") as platform:
            call = await platform.rings(caller="+4915700000008").begins()
            await call.says("Hallo")
            await call.says("Ich suche einen wasserdichten Wintermantel unter 200 Euro")
            return call.heard[-1], f"telephone:+4915700000008:{call.sid}"

    spoken, caller = talk.wait_for(scene())
    assert "Artikel gefunden" in spoken
    stored, _ = talk.wait_for(talk.bot.store.events.load(caller))
    voices = [e.data["data"].get("voice", "") for e in stored if e.type == "bot"]
    assert any("Artikel gefunden" in voice and "Welcher" in voice for voice in voices)
