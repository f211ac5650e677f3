"""An operator has the bot do something, from the page."""

import json

import pytest

from bot import events as ev
from desk.web.lending import minor
from desk.web.ports import Lendable, Outside
from tests.desk.house import DeskHouse

LENDS = (
    Lendable("cancel_order", ("order_number",)),
    Lendable("grant_goodwill", ("order_number", "amount_minor"), needs_reason=True),
)


@pytest.fixture
async def house(tmp_path):
    house = DeskHouse(tmp_path, Outside(lends=LENDS))
    yield house
    await house.close()


def told(response):
    return json.loads(response.headers["hx-trigger"])["desk:told"]


async def test_the_bot_does_it_and_the_operator_takes_it_back(house):
    case_id = await house.waits(focus_order="TR-104711")
    anna = await house.at_desk()
    await anna.act(case_id, "take")
    page = (await anna.case(case_id)).text
    assert 'value="TR-104711"' in page
    assert "Let the bot do it" in page
    slots = {"skill": "grant_goodwill", "order": "TR-104711", "amount": "5,50"}
    assert told(await anna.act(case_id, "lend", **slots))["kind"] == "bad", "no reason"
    done = await anna.act(case_id, "lend", **slots, reason="three days late", act="lend-00001")
    assert told(done)["kind"] == "good"
    (begun,) = await house.events(case_id, ev.FlowStarted)
    assert begun.slots == {"order_number": "TR-104711", "amount_minor": 550}
    assert (await house.case(case_id)).lent == "grant_goodwill"
    assert await anna.says(case_id, "One moment") == (409, "lent")
    assert "the bot is at it" in (await anna.case(case_id, "/parts")).text
    assert told(await anna.act(case_id, "take"))["kind"] == "good"
    assert await anna.says(case_id, "One moment", "another-name") == (200, "")
    assert not (await house.case(case_id)).lent


async def test_what_cannot_be_lent_is_refused(house):
    case_id = await house.waits()
    anna = await house.at_desk()
    await anna.act(case_id, "take")
    assert (await anna.act(case_id, "lend", skill="log_out")).status_code == 404
    wrong = await anna.act(case_id, "lend", skill="grant_goodwill", amount="-3", reason="late")
    assert wrong.status_code == 422
    assert not await house.events(case_id, ev.FlowStarted)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("5", 500), ("5,50", 550), ("5.5", 550), (" 0.01 ", 1), ("0", None), ("-1", None),
        ("1.999", None), ("", None), ("NaN", None), ("Infinity", None), ("1e3", 100_000),
        ("9999999999", None), ("five", None), ("١", 100),
    ],
)  # fmt: skip
def test_amounts_are_read_exactly(text, amount):
    assert minor(text, 2) == amount
