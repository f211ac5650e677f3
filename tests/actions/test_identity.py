"""Who the customer is, over the small shop: matching, codes, expiry."""

import itertools
from datetime import timedelta

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Services
from actions.identity import CheckCode, IdentifyCustomer, LogOut, ResendCode
from actions.policy.policy import Policy
from tests.fixtures.small_shop import RULES

TAU_RULES = RULES.parents[2] / "simulation" / "tau" / "policy.yml"
MAIL = "joerg@mail.example"


class Person:
    """One conversation: its slots live on from action to action."""

    def __init__(self, services, name="web:1"):
        self.services = services
        self.name = name
        self.slots = {"language": "de"}
        self._ids = itertools.count()
        self.latest = {"text": "", "intent": {"name": "identify_customer"}, "entities": []}

    async def do(self, action, *, retried=False, called=False, **slots):
        self.slots |= slots
        if not retried:
            self.latest["message_id"] = f"m{next(self._ids)}"
        top = {"flow_id": "identify_customer", "parent_id": "f1" if called else ""}
        tracker = Tracker(self.name, self.slots, self.latest, [], False, None, {}, "", stack=[top])
        events = await action(self.services).run(CollectingDispatcher(), tracker, {})
        self.slots |= {event["name"]: event["value"] for event in events}
        return self.slots.get("identity_state", "")

    async def tells(self, **facts):
        self.slots["facts"] = {**(self.slots.get("facts") or {}), **facts}
        return await self.do(IdentifyCustomer, told=facts)

    async def types(self, code):
        facts = {**(self.slots.get("facts") or {}), "order_number": f"TR-{code}"}
        return await self.do(CheckCode, facts=facts, code=code)


@pytest.fixture
def services(shop, planner, clock):
    return Services(shop, planner, Policy(RULES), None, clock)


@pytest.fixture
def tau(shop, planner, clock):
    return Services(shop, planner, Policy(TAU_RULES), None, clock)


@pytest.fixture
def person(services):
    return Person(services)


async def mailed(shop, to=MAIL):
    return (await shop.notifications.sent_to(to))[-1].body.split("lautet ")[1][:6]


async def test_an_order_and_its_postcode_identify(person, clock):
    assert await person.tells(order_number="TR-100001") == "need_more"
    assert person.slots["missing"] == "contact"
    assert await person.tells(postcode="20095") == "known"
    assert person.slots["customer_name"] == "Jörg Müller"
    assert person.slots["customer_country"] == "DE"
    assert person.slots["identified_at"] == clock.now.isoformat()


async def test_guessing_postcodes_locks_the_order_for_every_conversation(services, clock):
    for number in range(5):
        stranger = Person(services, f"web:{number}")
        assert await stranger.tells(order_number="TR-100001", postcode=f"1000{number}") == "unknown"
        assert stranger.slots["facts"] == {"order_number": "TR-100001"}
    other = Person(services, "web:other")
    assert await other.tells(order_number="tr 100001", postcode="20095") == "unknown"
    clock.now += timedelta(minutes=31)
    assert await other.tells(order_number="TR-100001", postcode="20095") == "known"


async def test_a_conversation_is_locked_however_it_starts_anew(person):
    for number in range(5):
        person.slots["facts"] = {}
        await person.tells(order_number=f"TR-99999{number}", postcode="20095")
    person.slots["facts"] = {}
    assert await person.tells(order_number="TR-100001", postcode="20095") == "unknown"


async def test_success_resets_the_conversations_count(person):
    for _ in range(3):
        for number in range(3):
            await person.tells(order_number=f"TR-99999{number}", postcode="10999")
        assert await person.tells(order_number="TR-100002", postcode="20095") == "known"
        await person.do(LogOut)


async def test_a_retried_turn_counts_once(person):
    for _ in range(8):
        facts = {"order_number": "TR-100001", "postcode": "10000"}
        await person.do(IdentifyCustomer, retried=True, facts=facts)
    assert await person.tells(order_number="TR-100001", postcode="20095") == "known"


async def test_names_and_mails_are_limited_where_they_suffice(tau):
    for number in range(5):
        stranger = Person(tau, f"web:{number}")
        assert await stranger.tells(name="Jörg Müller", postcode=f"1000{number}") == "unknown"
    other = Person(tau, "web:other")
    assert await other.tells(name="Jörg Müller", postcode="20095") == "unknown"
    guesser = Person(tau, "web:guesser")
    for number in range(5):
        assert await guesser.tells(email=f"{number}@mail.example") == "unknown"
    assert await guesser.tells(email=MAIL) == "unknown"
    assert await other.tells(email=MAIL) == "known"


async def test_a_code_identifies_and_is_no_order_number(person, shop):
    assert await person.tells(email=MAIL) == "code_sent"
    assert person.slots["code_sent_to"] == "j***@mail.example"
    assert await person.types(await mailed(shop)) == "known"
    assert person.slots["facts"] == {}


async def test_an_order_that_does_not_fit_leaves_the_way_by_code(person, shop):
    assert await person.tells(order_number="TR-100004", email=MAIL) == "code_instead"
    assert person.slots["facts"] == {"order_number": "TR-100004"}
    assert await person.types(await mailed(shop)) == "known"
    assert person.slots["facts"] == {"order_number": "TR-100004"}


async def test_a_corrected_order_number_goes_with_the_mail_of_before(person):
    assert await person.tells(order_number="TR-999999", email=MAIL) == "code_instead"
    assert await person.tells(order_number="TR-100001") == "known"


async def test_an_unknown_mail_is_answered_like_a_known_one(services):
    seen = []
    for mail in (MAIL, "jnobody@mail.example"):
        person = Person(services, f"web:{mail}")
        states = [await person.tells(email=mail)]
        masked = person.slots["code_sent_to"]
        states += [await person.types("000000") for _ in range(4)]
        states.append((await person.do(ResendCode), person.slots["code_state"]))
        seen.append((states, masked, person.slots["missing"]))
    assert seen[0] == seen[1]


async def test_a_stranger_does_not_disturb_an_open_code(services, shop, person):
    await person.tells(email=MAIL)
    code = await mailed(shop)
    stranger = Person(services, "web:2")
    assert await stranger.tells(email=MAIL) == "code_sent"
    assert await stranger.types(code) == "code_wrong"
    assert await person.types(code) == "known"


async def test_a_code_is_sent_again_on_request_and_not_without_end(person, shop):
    await person.tells(email=MAIL)
    old = await mailed(shop)
    for state in ("sent", "sent", "limited"):
        await person.do(ResendCode)
        assert person.slots["code_state"] == state
    new = await mailed(shop)
    if new != old:
        assert await person.types(old) == "code_wrong"
    assert await person.types(new) == "known"


async def test_no_code_is_sent_again_when_none_was_asked_for(person, shop):
    await person.do(ResendCode)
    assert person.slots["code_state"] == "none"
    assert await shop.notifications.sent_to(MAIL) == ()


async def test_a_retried_turn_sends_one_code(person, shop):
    for _ in range(2):
        await person.do(IdentifyCustomer, retried=True, facts={"email": MAIL})
    assert len(await shop.notifications.sent_to(MAIL)) == 1


async def test_an_expired_code_says_so(person, shop, clock):
    await person.tells(email=MAIL)
    clock.now += timedelta(minutes=11)
    assert await person.types(await mailed(shop)) == "code_expired"


async def test_a_code_told_in_a_sentence_of_its_own_counts(person, shop):
    await person.tells(email=MAIL)
    person.latest["text"] = f"der Code ist {await mailed(shop)}"
    assert await person.do(IdentifyCustomer, told=None) == "known"


async def test_who_is_known_is_told_so_unless_a_skill_asks(person):
    await person.tells(order_number="TR-100001", postcode="20095")
    assert await person.do(IdentifyCustomer, called=True) == "called"
    assert await person.do(IdentifyCustomer) == "already"
    person.latest["entities"] = [{"entity": "email", "value": MAIL}]
    assert await person.do(IdentifyCustomer) == "already"
    person.latest["entities"] = [{"entity": "name", "value": "Ann Lee"}]
    assert await person.do(IdentifyCustomer) == "other"


async def test_an_identity_lapses_unless_it_is_used(person, clock):
    await person.tells(order_number="TR-100001", postcode="20095")
    for _ in range(3):
        clock.now += timedelta(hours=11)
        assert await person.do(IdentifyCustomer, called=True) == "called"
    clock.now += timedelta(hours=13)
    assert await person.do(IdentifyCustomer, called=True) == "need_more"
    assert person.slots["customer_id"] is None
    assert person.slots["lapsed"] is True
    assert person.slots["facts"] == {}


async def test_logging_out_forgets_everything_personal(person):
    await person.tells(order_number="TR-100001", postcode="20095")
    person.slots |= {"focus_order": "TR-100001", "shown_orders": ["TR-100001"]}
    await person.do(LogOut)
    gone = ("customer_id", "customer_name", "customer_country", "facts", "focus_order")
    assert [person.slots[name] for name in (*gone, "shown_orders")] == [None] * 6
    assert person.slots["was_known"] is True
    assert await person.do(IdentifyCustomer) == "need_more"
