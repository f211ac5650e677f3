"""What an operator has stays theirs, what they lent comes back to them, and how it was is heard."""

import msgspec
import pytest

from bot import events as ev
from bot.conditions import Expression
from bot.flows import PersonDecides
from tests.conversations.back_office import paid_pending
from tests.conversations.test_operators import acts, ends_case, events, feedback, talk_state
from tests.conversations.test_taken_over import happens


def hands(talk, customer):
    changed = [e for e in events(talk, customer) if isinstance(e, ev.HandoffChanged)]
    return [(e.state, e.reason, e.operator) for e in changed]


def test_a_platform_takes_nothing_from_our_operator(talk, customer):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    happens(customer, "handed_over", 5)
    happens(customer, "handed_back", 6)
    assert hands(talk, customer)[-1] == ("with_operator", "assigned", "op-1")
    assert acts(talk, customer, "said", text="I am still here")


def test_who_waits_for_our_operators_goes_on_waiting(talk, customer):
    customer.says("talk to a person")
    happens(customer, "handed_back", 5)
    assert talk_state(talk, customer) == "waiting_for_operator"
    happens(customer, "handed_over", 6)
    assert hands(talk, customer)[-1][:2] == ("with_operator", "taken_over")
    happens(customer, "handed_back", 7)
    assert talk_state(talk, customer) == "bot"


def test_a_platform_takes_nothing_that_is_lent(talk, customer):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    acts(talk, customer, "lent", skill="return_items")
    happens(customer, "handed_over", 5)
    assert hands(talk, customer)[-1] == ("bot", "lent", "op-1")


@pytest.mark.parametrize("said", ["talk to a person", "/talk_to_human"])
def test_who_asks_for_a_person_gets_the_lender_back_and_no_queue(talk, customer, said):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    acts(talk, customer, "lent", skill="return_items")
    heard = customer.says(said)
    assert "back to Anna" in heard, customer.transcript
    assert "queue" not in heard
    assert hands(talk, customer)[-1] == ("with_operator", "asked", "op-1")
    assert acts(talk, customer, "said", text="Here I am")


@pytest.fixture
def rules(talk):
    flows = talk.bot.brain.flows

    def put(*pairs):
        made = tuple(PersonDecides(Expression(when), reason) for when, reason in pairs)
        msgspec.structs.force_setattr(flows, "hand_off", made)

    yield put
    put()


def test_a_plan_with_new_reasons_is_looked_at_again(talk, office, rules):
    tier = ("customer_tier != null", "vip")
    rules(tier, ("customer_tier != null", "second"))
    order, postcode = office.order(paid_pending)
    customer = talk.customer()
    customer.says(f"cancel {order['number']}, postcode {postcode}")
    customer.says('/SetSlots(reason="no_longer_needed")')
    assert hands(talk, customer)[-1][1] == "vip"
    acts(talk, customer, "assigned")
    acts(talk, customer, "gave_back", resume=True)
    assert talk_state(talk, customer) == "bot", "both reasons were there when a person looked"
    customer.says('/SetSlots(reason="ordered_by_mistake")')
    assert talk_state(talk, customer) == "bot", "changed, but for no other reason"
    rules(tier, ("customer_tier != null", "second"), ("reason == 'no_longer_needed'", "third"))
    customer.says('/SetSlots(reason="no_longer_needed")')
    assert hands(talk, customer)[-1][1] == "third", customer.transcript


@pytest.mark.parametrize(
    ("said", "score"),
    [("Sehr zufrieden, danke!", 5), ("gar nicht zufrieden", 1), ("das war super", 5),
     ("not very helpful", 2), ("geht so", 3), ("war ok", 3)],
)  # fmt: skip
def test_words_are_a_rating_after_a_case(talk, customer, said, score):
    ends_case(talk, customer)
    customer.says(said)
    assert (feedback(talk, customer) or {}).get("score") == score, customer.transcript


@pytest.mark.parametrize("said", ["2 more shirts please", "noch 2 Hemden bitte"])
def test_a_number_of_goods_is_no_rating(talk, customer, said):
    ends_case(talk, customer)
    customer.says(said)
    assert feedback(talk, customer) is None, customer.transcript


@pytest.mark.parametrize(("said", "score"), [("auf jeden Fall", 10), ("8", 8), ("3 mugs", None)])
def test_how_likely_is_said_in_words_too(talk, customer, said, score):
    flow = talk.bot.brain.flows.flows["pattern_case_closed"]
    before = flow.slots["survey"]
    nps = msgspec.structs.replace(before, initial="nps")
    flow.slots["survey"] = nps
    try:
        ends_case(talk, customer)
        customer.says(said)
        found = feedback(talk, customer)
    finally:
        flow.slots["survey"] = before
    assert (found["score"] if found else None) == score, customer.transcript
