"""Receipts and the action that earns them: kept once, mailed once, shown to their owner alone."""

import itertools
from datetime import timedelta

import msgspec
import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Services
from actions.commerce.plans import LineChoice, PlanRequest
from actions.commerce.ports import Notifications, Orders
from actions.commits import KEPT_RECEIPTS, CommitPlan
from actions.past_receipts import ShowReceipt
from actions.policy.policy import Policy
from tests.fixtures.small_shop import RULES

MAIL = "joerg@mail.example"
CANCEL = PlanRequest(kind="cancel", customer_id="C1", order_number="TR-100001", reason="other")
RETURN = PlanRequest(
    kind="return",
    customer_id="C1",
    order_number="TR-100002",
    lines=(LineChoice("1", 1),),
    method_id="card-1",
)


class Conversation:
    """The slots of one conversation, from action to action."""

    def __init__(self, services, customer_id="C1"):
        self.services = services
        now = services.clock().isoformat()
        self.slots = {"language": "en", "customer_id": customer_id, "identified_at": now}
        self._numbers = itertools.count()
        self.outcomes = []

    async def do(self, action, text="", **slots):
        self.slots |= slots
        latest = {"text": text, "message_id": f"m{next(self._numbers)}", "entities": []}
        tracker = Tracker("web:1", self.slots, latest, [], False, None, {}, "", stack=[])
        events = await action(self.services).run(CollectingDispatcher(), tracker, {})
        self.slots |= {event["name"]: event["value"] for event in events}
        self.outcomes = self.slots.pop("effect_outcomes", [])

    async def agrees(self, request, **effects):
        """Say yes to a plan; `effects` are what the ledger knows of its steps."""
        plan = await self.services.planner.plan(request, f"showing-{next(self._numbers)}")
        await self.commits(plan, **effects)
        return plan

    async def commits(self, plan, **effects):
        known = [
            {"step": step, "key": f"{plan.id}:{step}", "state": "intended"} | effects.get(step, {})
            for step in ("write", "mail")
        ]
        await self.do(CommitPlan, plan=plan.as_json(), consent=plan.hash, effects=known)

    @property
    def states(self):
        return [outcome["state"] for outcome in self.outcomes]

    async def shown(self, text="", **slots):
        await self.do(ShowReceipt, text, asked_number=None, **slots)
        return [item["title"]["en"] for item in self.slots["shown"]]


@pytest.fixture
def services(shop, planner, clock):
    return Services(shop, planner, Policy(RULES), None, clock)


@pytest.fixture
def talk(services):
    return Conversation(services)


def sent(instant, state="unknown"):
    return {"state": state, "sent_at": instant.isoformat()}


async def mails(shop):
    return await shop.notifications.sent_to(MAIL)


async def test_a_receipt_names_everything(talk, clock):
    await talk.agrees(CANCEL)
    (receipt,) = talk.slots["receipts"]
    assert receipt["at"] == clock.now.isoformat()
    assert receipt["title"]["de"] == "Bestellung TR-100001 storniert"
    assert receipt["view"]["refund"] == {"amount_minor": 13000, "currency": "EUR"}
    assert receipt["view"]["method"]["en"] == "credit card …1234"
    assert len(receipt["view"]["items"]) == 2
    assert receipt["customer_id"] == "C1"
    assert talk.states == ["done", "done"]


async def test_the_mail_says_what_the_receipt_says(talk, shop):
    await talk.agrees(RETURN)
    (mail,) = await mails(shop)
    (receipt,) = talk.slots["receipts"]
    assert mail.subject == "Ihre Rückgabe zur Bestellung TR-100002"
    assert f"Belegnummer: {receipt['number']}" in mail.body
    assert receipt["shop_number"] in mail.body
    assert "Regenjacke" in mail.body
    assert "Kreditkarte …1234" in mail.body


async def test_a_mail_that_cannot_be_sent_does_not_undo_what_was_done(talk, shop):
    class Broken(Notifications):
        async def send(self, request, key):
            msg = "no mail today"
            raise RuntimeError(msg)

        async def sent_to(self, to):
            return ()

    talk.services = msgspec.structs.replace(
        talk.services, shop=msgspec.structs.replace(shop, notifications=Broken())
    )
    plan = await talk.agrees(CANCEL)
    assert (talk.slots["plan_state"], talk.states) == ("done", ["done", "unknown"])
    talk.services = msgspec.structs.replace(talk.services, shop=shop)
    write = {"state": "done", "result": talk.outcomes[0]["result"]}
    await talk.commits(plan, write=write, mail={"state": "unknown"})
    assert (talk.states[1], talk.slots["news"]) == ("done", False)
    assert len(await mails(shop)) == 1
    assert len(talk.slots["receipts"]) == 1


async def test_what_was_settled_as_refused_is_never_done(talk, shop):
    plan = await talk.services.planner.plan(CANCEL, "showing")
    await talk.commits(plan, write={"state": "refused"}, mail={"state": "refused"})
    assert (talk.slots["plan_state"], talk.slots["news"]) == ("refused", False)
    assert (await shop.orders.get("TR-100001", "C1")).status == "pending"
    assert "receipts" not in talk.slots


async def test_whatever_breaks_leaves_it_in_doubt_until_it_is_settled(talk, shop, clock):
    class Broken(Orders):
        get, for_customer, change = shop.orders.get, shop.orders.for_customer, shop.orders.change

        async def cancel(self, request, key):
            await shop.orders.cancel(request, key)
            msg = "a bug"
            raise RuntimeError(msg)

    planner = talk.services.planner
    planner.shop = msgspec.structs.replace(shop, orders=Broken())
    plan = await talk.agrees(CANCEL)
    assert talk.states == ["unknown", "unknown"]
    assert talk.slots["refusal"]["code"] == "outcome_unknown"
    assert list(talk.slots["unsettled"].values()) == ["TR-100001"]
    planner.shop = shop
    await talk.commits(plan, write=sent(clock.now), mail={"state": "unknown"})
    assert (talk.slots["plan_state"], talk.slots["news"]) == ("done", True)
    assert talk.slots["unsettled"] == {}
    assert len((await shop.orders.get("TR-100001", "C1")).payments) == 2


async def test_settling_twice_keeps_one_receipt_of_the_first_time(talk, clock):
    plan = await talk.agrees(CANCEL)
    first = talk.slots["receipts"]
    clock.now += timedelta(hours=1)
    write = {"state": "done", "result": talk.outcomes[0]["result"]}
    await talk.commits(plan, write=write, mail={"state": "done"})
    assert talk.slots["receipts"] == first


async def test_only_the_last_receipts_are_kept(talk):
    kept = [{"key": f"k{n}", "customer_id": "C1"} for n in range(KEPT_RECEIPTS)]
    talk.slots["receipts"] = kept
    await talk.agrees(CANCEL)
    assert [r["key"] for r in talk.slots["receipts"]][:-1] == [r["key"] for r in kept[1:]]


async def test_somebody_elses_yes_counts_for_nothing(talk, shop, clock):
    plan = await talk.services.planner.plan(CANCEL, "showing")
    talk.slots["customer_id"] = "C2"
    await talk.commits(plan)
    assert talk.slots["refusal"]["code"] == "identity_lapsed"
    talk.slots["customer_id"] = "C1"
    clock.now += timedelta(hours=13)
    await talk.commits(plan)
    assert talk.slots["refusal"]["code"] == "identity_lapsed"
    assert talk.states == ["refused", "refused"]
    assert (await shop.orders.get("TR-100001", "C1")).status == "pending"


async def test_what_is_in_doubt_is_settled_whoever_sits_there(talk, shop, clock):
    plan = await talk.services.planner.plan(CANCEL, "showing")
    talk.slots["customer_id"] = None
    await talk.commits(plan, write=sent(clock.now), mail={"state": "unknown"})
    assert (talk.slots["plan_state"], talk.slots["theirs"]) == ("done", False)
    assert await talk.shown() == []


async def test_receipts_are_shown_to_their_owner_alone(talk, clock):
    await talk.agrees(CANCEL)
    await talk.agrees(RETURN)
    assert await talk.shown() == ["Your return for order TR-100002"]
    assert talk.slots["more"] == 1
    assert len(await talk.shown("show me all receipts")) == 2
    assert len(await talk.shown("alle Belege bitte")) == 2
    assert await talk.shown(order_number="tr 100001") == ["Order TR-100001 cancelled"]
    assert await talk.shown(order_number="TR-100009") == []
    talk.slots |= {"order_number": None, "customer_id": "C2"}
    assert await talk.shown() == []
    assert talk.slots["kept"]
    talk.slots["customer_id"] = "C1"
    clock.now += timedelta(hours=13)
    assert await talk.shown() == []
