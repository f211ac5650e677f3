"""What operators do, in the customer's conversation."""

import itertools
from datetime import UTC, datetime

import msgspec

from actions.waitroom import Wait
from bot import events as ev
from bot.conditions import Expression
from bot.flows import PersonDecides
from bot.operators import Doing, act_id, as_act
from tests.conversations.back_office import paid_pending

NUMBERS = itertools.count(1)


def acts(talk, customer, act, name=None, /, **particulars):
    """Let an operator act; return what the customer hears."""
    name = name or f"act-{next(NUMBERS)}"
    doing = Doing(**{"operator": "op-1", "name": "Anna", **particulars})
    message = as_act(customer.conversation_id, name, act, doing, talk.watch())
    queued = talk.wait_for(talk.bot.dispatcher.answer(message))
    return [entry.message for entry in queued or ()]


def events(talk, customer):
    stored, _ = talk.wait_for(talk.bot.store.events.load(customer.conversation_id))
    return [ev.from_wire(item.data) for item in stored]


def refusal(talk, customer):
    return [e for e in events(talk, customer) if isinstance(e, ev.OperatorActed)][-1].refusal


def test_a_case_from_the_question_to_its_end(talk, customer):
    customer.says("ich möchte mit einem menschen sprechen")
    (joined,) = acts(talk, customer, "assigned")
    assert joined.text.startswith("Anna ist jetzt für Sie da")
    (said,) = acts(talk, customer, "said", text="Guten Tag, worum geht es?")
    assert (said.text, said.author) == ("Guten Tag, worum geht es?", "Anna")
    assert not customer.says("wo ist meine bestellung TR-104711?"), "the bot keeps quiet"
    closed, asked = acts(talk, customer, "closed", reason="solved")
    assert "abgeschlossen" in closed.text
    assert "zufrieden" in asked.text
    assert customer.says("hallo"), "the bot answers again"
    states = [e.state for e in events(talk, customer) if isinstance(e, ev.HandoffChanged)]
    assert states == ["waiting_for_operator", "with_operator", "closed", "bot"]


def test_one_act_counts_once(talk, customer):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    assert acts(talk, customer, "said", "twice", text="Hello")
    assert not acts(talk, customer, "said", "twice", text="Hello")
    said = [e for e in events(talk, customer) if isinstance(e, ev.BotUttered)]
    assert [e.text for e in said].count("Hello") == 1
    assert said[-1].metadata["operator"] == "op-1"
    assert any(
        isinstance(e, ev.OperatorActed) and e.message_id == act_id("twice")
        for e in events(talk, customer)
    )


def test_two_operators_do_not_speak_at_once(talk, customer):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    assert not acts(talk, customer, "assigned", operator="op-2", name="Ben")
    assert refusal(talk, customer) == "with_another"
    assert not acts(talk, customer, "said", operator="op-2", name="Ben", text="Me first")
    assert refusal(talk, customer) == "not_yours"
    (changed,) = acts(talk, customer, "transferred", to="op-2", to_name="Ben")
    assert changed.text.startswith("Ben takes over")
    assert acts(talk, customer, "said", operator="op-2", name="Ben", text="Me now")
    assert not acts(talk, customer, "said", text="And me")


def test_nobody_speaks_where_nobody_is_needed(talk, customer):
    customer.says("hello")
    assert not acts(talk, customer, "said", text="Hi")
    assert refusal(talk, customer) == "not_open"
    assert acts(talk, customer, "assigned", force=True), "a supervisor may step in"


def test_the_bot_goes_on_where_it_was(talk, customer):
    customer.says("I want to return something")
    assert customer.asked("utter_ask_order_number", "utter_ask_email") or customer.heard
    question = customer.heard[-1].response
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    heard = [m.response for m in acts(talk, customer, "gave_back", resume=True)]
    assert heard[0] == "utter_given_back_goes_on"
    assert heard[-1] == question, heard


def test_the_bot_forgets_what_a_person_has_dealt_with(talk, customer):
    customer.says("I want to return something")
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    assert [m.response for m in acts(talk, customer, "gave_back")] == ["utter_given_back"]


def test_an_abandoned_conversation_waits_again(talk, customer):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    assert not acts(talk, customer, "returned", operator="", force=True, reason="abandoned")
    assert not acts(talk, customer, "said", text="Hello?")
    assert refusal(talk, customer) == "nobody_has_it"
    assert acts(talk, customer, "assigned", operator="op-2", name="Ben")


def test_notes_and_marks_say_nothing(talk, customer):
    customer.says("talk to a person")
    assert not acts(talk, customer, "noted", text="Knows us from the fair", mentions=("op-2",))
    assert not acts(talk, customer, "marked", seq=3, verdict="wrong")
    kept = [e for e in events(talk, customer) if isinstance(e, ev.OperatorActed)]
    assert kept[0].data == {"name": "Anna", "text": "Knows us from the fair", "mentions": ["op-2"]}
    assert kept[1].data["verdict"] == "wrong"


class Room:
    """A waiting room whose outlook the test sets."""

    def __init__(self, wait):
        self.wait = wait
        self.asked = []

    async def outlook(self, conversation_id, language, country, topic):
        self.asked.append((conversation_id, language, topic))
        return self.wait


def test_the_customer_hears_their_place_and_an_honest_wait(talk, customer):
    room = Room(Wait(3, 240.0, 610.0))
    msgspec.structs.force_setattr(talk.bot.services, "waitroom", room)
    said = customer.says("ich will mit einem mitarbeiter sprechen")
    assert "Nummer 3" in said, said
    assert "4 bis 11 Minuten" in said
    room.wait = Wait(2)
    said = talk.customer().says("talk to a person")
    assert "number 2 in the queue; I can't say how long" in said
    room.wait = Wait(opens_at=datetime(2026, 11, 23, 8, tzinfo=UTC))
    said = talk.customer().says("mit einem menschen sprechen")
    assert "ab 23. Nov., 09:00 Uhr wieder da" in said
    assert len(room.asked) == 3
    msgspec.structs.force_setattr(talk.bot.services, "waitroom", None)


def test_a_person_looks_at_a_plan_where_the_shop_wants_it(talk, office):
    flows = talk.bot.brain.flows
    rule = PersonDecides(Expression("customer_tier != null"), "vip")
    msgspec.structs.force_setattr(flows, "hand_off", (rule,))
    order, postcode = office.order(paid_pending)
    customer = talk.customer()
    customer.says(f"cancel {order['number']}, postcode {postcode}")
    customer.says('/SetSlots(reason="no_longer_needed")')
    msgspec.structs.force_setattr(flows, "hand_off", ())
    assert customer.asked("utter_handoff"), customer.transcript
    changed = [e for e in events(talk, customer) if isinstance(e, ev.HandoffChanged)]
    assert [(e.state, e.reason) for e in changed] == [("waiting_for_operator", "vip")]
    acts(talk, customer, "assigned")
    acts(talk, customer, "gave_back", resume=True)
    msgspec.structs.force_setattr(flows, "hand_off", (rule,))
    customer.says("hm")
    msgspec.structs.force_setattr(flows, "hand_off", ())
    assert talk_state(talk, customer) == "bot", "the person has seen it already"


def talk_state(talk, customer):
    changed = [e.state for e in events(talk, customer) if isinstance(e, ev.HandoffChanged)]
    return changed[-1] if changed else "bot"


def test_what_stays_in_doubt_goes_to_a_person_once(talk, customer):
    customer.says("hello")
    assert "asked a colleague" in customer.told("pattern_effect_in_doubt", order_number="TR-1")
    assert talk_state(talk, customer) == "waiting_for_operator"
    assert not customer.told("pattern_effect_in_doubt", order_number="TR-2")
    acts(talk, customer, "assigned")
    assert not customer.told("pattern_effect_in_doubt", order_number="TR-3")
    assert talk_state(talk, customer) == "with_operator", "nobody is sent back into the queue"


def feedback(talk, customer):
    told = [e.value for e in events(talk, customer) if isinstance(e, ev.SlotSet)
            and e.name == "case_feedback"]  # fmt: skip
    return told[-1] if told else None


def ends_case(talk, customer):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    acts(talk, customer, "closed")


def test_the_customer_says_how_it_was(talk, customer):
    ends_case(talk, customer)
    assert "helps us" in customer.says("4")
    assert feedback(talk, customer) == {"kind": "csat", "score": 4, "comment": ""}


def test_who_is_not_content_may_say_why(talk, customer):
    ends_case(talk, customer)
    assert "went wrong" in customer.says("/SetSlots(rating=1)")
    assert "passed that on" in customer.says("nobody told me anything for a week")
    assert feedback(talk, customer) == {
        "kind": "csat", "score": 1, "comment": "nobody told me anything for a week",
    }  # fmt: skip


def test_another_wish_goes_before_the_question(talk, customer):
    ends_case(talk, customer)
    customer.says("where is my order?")
    assert feedback(talk, customer) is None
    assert not customer.asked("utter_ask_satisfaction"), customer.transcript


def test_the_shop_may_ask_something_else(talk, customer):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    flow = talk.bot.brain.flows.flows["pattern_case_closed"]
    before = flow.slots["survey"]
    flow.slots["survey"] = msgspec.structs.replace(before, initial="nps")
    _, asked = acts(talk, customer, "closed")
    assert "0 (not at all) to 10" in asked.text
    assert "helps us" in customer.says("9")
    assert feedback(talk, customer) == {"kind": "nps", "score": 9, "comment": ""}
    flow.slots["survey"] = before


def test_an_operator_lets_the_bot_do_its_part(talk, office):
    order, postcode = office.order(paid_pending)
    customer = talk.customer()
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    assert not acts(talk, customer, "lent", skill="no_such_skill")
    assert refusal(talk, customer) == "unknown_skill"
    heard = acts(talk, customer, "lent", skill="cancel_order",
                 slots={"order_number": order["number"], "reason": "no_longer_needed"})  # fmt: skip
    assert heard[0].response == "utter_lent"
    assert talk_state(talk, customer) == "bot"
    customer.says(f"{order['number']}, {postcode}")
    assert customer.asked("utter_confirm_cancel"), customer.transcript
    customer.says("yes")
    assert office.now(order).status == "cancelled", customer.transcript
    assert talk_state(talk, customer) == "with_operator", "the operator has it again"
    assert acts(talk, customer, "said", text="All done?")
    assert not customer.says("thank you")


def test_a_lent_conversation_comes_back_when_the_customer_does_not_want_it(talk, office):
    order, _ = office.order(paid_pending)
    customer = talk.customer()
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    acts(talk, customer, "lent", skill="cancel_order", slots={"order_number": order["number"]})
    customer.says("stop")
    assert talk_state(talk, customer) == "with_operator", customer.transcript


def test_goodwill_is_granted_by_operators_with_a_reason_and_within_the_rules(talk, office):
    order, postcode = office.order(paid_pending)
    customer = talk.customer()
    number = order["number"]
    said = customer.says(f'/grant_goodwill{{"order_number": "{number}", "amount_minor": 300}}')
    assert not customer.asked("utter_confirm_goodwill", "utter_ask_identity"), said
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    slots = {"order_number": number, "amount_minor": 300}
    assert not acts(talk, customer, "lent", skill="grant_goodwill", slots=slots)
    assert refusal(talk, customer) == "no_reason"
    asked = {"skill": "grant_goodwill", "reason": "parcel three days late"}
    acts(talk, customer, "lent", slots={**slots, "amount_minor": 900_000}, **asked)
    assert "more than I may credit" in customer.says(f"{number}, {postcode}"), customer.transcript
    assert talk_state(talk, customer) == "with_operator"
    (_, shown) = acts(talk, customer, "lent", slots=slots, **asked)
    assert "€3.00" in shown.text
    assert "store credit" in shown.text
    customer.says("yes")
    assert customer.asked("utter_goodwill_granted"), customer.transcript
    (refund,) = [p for p in office.now(order).payments if p.reason == "goodwill"]
    assert refund.amount_minor in {300, -300}
    assert talk_state(talk, customer) == "with_operator"


def test_who_lent_a_conversation_may_take_it_back_at_once(talk, office):
    order, _ = office.order(paid_pending)
    customer = talk.customer()
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    acts(talk, customer, "lent", skill="cancel_order", slots={"order_number": order["number"]})
    assert not acts(talk, customer, "said", text="one moment")
    assert refusal(talk, customer) == "lent"
    assert not acts(talk, customer, "assigned", operator="op-2", name="Ben")
    assert refusal(talk, customer) == "with_another"
    acts(talk, customer, "assigned", quiet=True)
    assert acts(talk, customer, "said", text="one moment")
    assert not customer.says("yes"), "the bot keeps quiet again"
    acts(talk, customer, "closed")
    assert talk_state(talk, customer) == "closed"
