"""A sender joins a conversation that began elsewhere: only with their yes, and for as long."""

import re
from datetime import timedelta
from itertools import starmap

import msgspec
import pytest

from bot.accounts import Accounts
from bot.channels import _Held  # noqa: PLC2701 - what answers a line
from bot.exchange import Exchanges
from bot.messages import InboundMessage
from channels.push import ChannelContext
from channels.telephone import connect
from tests.conversations.back_office import BackOffice
from tests.conversations.talk import Talk
from tests.platforms.twilio_voice import PUBLIC, SHOP, TOKEN

YES = {"de": "ja", "en": "yes"}
CODE = re.compile(r"\d{4} \d{4}")


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("linking"))
    msgspec.structs.force_setattr(talk.bot.services, "links", talk.bot.hub.linking)
    yield talk
    talk.close()


@pytest.fixture(scope="module")
def office(talk):
    return BackOffice(talk)


@pytest.fixture
def customer(talk):
    return talk.customer()


class Caller:
    """Somebody at another end, who hears the answers as a caller does."""

    count = 0

    def __init__(self, talk, channel="telephone", name=""):
        Caller.count += 1
        self._talk = talk
        self.channel = channel
        self.name = name or f"+49151000{Caller.count:04}:CA{Caller.count}"
        settings = {"auth_token": TOKEN, "numbers": [SHOP]}
        line = connect(settings, ChannelContext(PUBLIC))
        bot = talk.bot
        exchanges = Exchanges(bot.store, bot.dispatcher, bot.deliveries)
        self._held = _Held(line, bot.services.links, exchanges, Accounts())
        self.heard = []

    def says(self, text):
        Caller.count += 1
        message = InboundMessage(
            self.channel, self.name, f"c{Caller.count}", text, self._talk.watch()
        )
        self.heard = list(self._talk.wait_for(self._held.say(message)))
        return " ".join(said.text for said in self.heard)

    @property
    def responses(self):
        return [said.response for said in self.heard]


def code(customer):
    said = customer.says("kann ich auf WhatsApp weitermachen?")
    return CODE.search(said).group()


def told(talk, customer):
    """Return what was left for the end where the conversation began."""
    talk.idle()
    rows = talk.wait_for(talk.bot.store.outbox.after(customer.conversation_id, 0, 1_000))
    return [(row.channel, row.message.response) for row in rows]


def test_who_says_yes_goes_on_where_the_other_stopped(talk, office, customer):
    order, postcode = office.order(lambda order: order["status"] == "pending")
    customer.says(f"Bitte {order['number']} stornieren, PLZ {postcode}")
    assert customer.asked("utter_ask_cancel_reason"), customer.transcript
    caller = Caller(talk)
    asked = caller.says(code(customer))
    assert caller.responses == ["utter_ask_join"]
    assert "selbst angefordert" in asked
    caller.says("ja")
    assert caller.responses == ["utter_joining", "utter_linked", "utter_ask_cancel_reason"]
    assert ("rest", "utter_joined") in told(talk, customer)
    caller.says("versehentlich bestellt")
    assert caller.responses == ["utter_confirm_cancel"]


@pytest.mark.parametrize("answer", ["nein", "/deny"])
def test_who_says_no_stays_alone(talk, office, customer, answer):
    order, postcode = office.order(lambda order: True)
    customer.says(f"wo ist {order['number']}, PLZ {postcode}")
    caller = Caller(talk)
    caller.says(f"Code {code(customer)}")
    caller.says(answer)
    assert caller.responses == ["utter_link_declined"]
    caller.says("wer bin ich?")
    talk.idle()
    assert "utter_joined" not in dict(told(talk, customer)).values()


def test_a_code_that_is_used_up_meanwhile_joins_nobody(talk, customer):
    shown = code(customer)
    first, second = Caller(talk), Caller(talk)
    for caller in (first, second):
        caller.says(shown)
    first.says("ja")
    assert "utter_joining" in first.responses
    second.says("ja")
    assert second.responses == ["utter_link_gone"]


def test_the_yes_of_another_end_does_not_join_who_presented_the_code(talk, customer):
    first, second = Caller(talk), Caller(talk)
    for caller in (first, second):
        caller.says(code(customer))
        caller.says("ja")
    elsewhere = talk.customer()
    first.says(code(elsewhere))
    assert first.responses == ["utter_ask_join"]
    second.says("ja")
    assert second.responses == ["utter_link_gone"]
    assert ("rest", "utter_joined") not in told(talk, elsewhere)


@pytest.mark.parametrize("wish", ["Kanäle trennen", "unlink the channels"])
def test_where_it_began_everybody_else_is_thrown_out(talk, customer, wish):
    caller = Caller(talk)
    caller.says(code(customer))
    caller.says("ja")
    customer.says(wish)
    assert customer.asked("utter_unlinked_others"), customer.transcript
    customer.says(wish)
    assert customer.asked("utter_not_linked"), customer.transcript
    caller.says("diesen Kanal trennen")
    assert caller.responses[0] == "utter_not_linked"


def test_an_end_that_joined_parts_only_itself(talk, customer):
    callers = Caller(talk), Caller(talk)
    for caller in callers:
        caller.says(code(customer))
        caller.says("ja")
    callers[0].says("diesen Kanal trennen")
    assert callers[0].responses[0] == "utter_unlinked"
    callers[0].says("diesen Kanal trennen")
    assert callers[0].responses[0] == "utter_not_linked"
    callers[1].says("diesen Kanal trennen")
    assert callers[1].responses[0] == "utter_unlinked"


@pytest.mark.parametrize(("name", "lapses"), [("+49151", True), ("whatsapp:+49151", False)])
def test_whom_an_sms_names_is_identified_for_half_an_hour(talk, office, name, lapses):
    order, postcode = office.order(lambda order: True)
    writer = Caller(talk, "twilio", name)
    writer.says(f"wo ist {order['number']}, PLZ {postcode}")
    assert not any("identity" in response for response in writer.responses)
    talk.watch.wait(timedelta(minutes=31))
    writer.says(f"wo ist {order['number']}")
    assert any("identity" in response for response in writer.responses) is lapses


@pytest.mark.parametrize(("language", "asks"), [("en", "Shall I join you"), ("de", "verbinden?")])
def test_who_presents_a_code_is_asked_in_the_language_of_its_conversation(
    talk, customer, language, asks
):
    wish = {"en": "can I continue this on WhatsApp?", "de": "kann ich auf WhatsApp weitermachen?"}
    shown = CODE.search(customer.says(wish[language])).group()
    caller = Caller(talk)
    assert asks in caller.says(shown)
    joined = {"en": "Joined.", "de": "Verbunden."}[language]
    assert joined in caller.says("/affirm")


def test_an_end_that_only_answers_joins_like_any_other(talk, office, customer):
    order, postcode = office.order(lambda order: order["status"] == "pending")
    customer.says(f"Bitte {order['number']} stornieren, PLZ {postcode}")
    other = talk.customer()
    other.says("hallo")
    other.says(code(customer))
    assert other.asked("utter_ask_join"), other.transcript
    other.says("ja")
    said = [message.response for message in other.heard]
    assert said == ["utter_joining", "utter_linked", "utter_ask_cancel_reason"]
    other.says("versehentlich bestellt")
    assert other.asked("utter_confirm_cancel"), other.transcript
    other.says("diesen Kanal trennen")
    assert other.asked("utter_unlinked"), other.transcript
    own = other.conversation_id.partition(":")
    assert not talk.wait_for(talk.bot.store.contacts.get(own[0], own[2])).conversation


def test_a_repeated_message_gets_the_same_answers_after_its_sender_joined(talk, customer):
    sender = talk.customer().conversation_id.removeprefix("rest:")

    def says(number, text):
        message = InboundMessage("rest", sender, f"{sender}:{number}", text, talk.watch())
        return [said.response for said in talk.wait_for(talk.bot.exchange(message))]

    shown = code(customer)
    first = list(starmap(says, ((1, "hallo"), (2, shown), (3, "ja"))))
    assert first[1:] == [["utter_ask_join"], ["utter_joining", "utter_linked"]]
    again = list(starmap(says, ((1, "hallo"), (2, shown), (3, "ja"))))
    assert again == first
