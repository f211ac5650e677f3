"""What the desk keeps of an act beside the conversation."""

from bot.operators import Doing
from tests.desk.house import DeskHouse

ANNA = Doing("op-1", "Anna")


async def test_an_act_whose_answer_got_lost_stands_once_in_the_audit_log(tmp_path):
    house = DeskHouse(tmp_path)
    case_id = await house.waits()
    talk = case_id.partition("#")[0]
    for _ in range(3):
        outcome = await house.desk.act(talk, "assigned", ANNA, "take-1")
        assert not outcome.refusal
    await house.desk.act(talk, "closed", Doing("op-2", "Ben"), "close-1")
    kept = [(e.action, e.details["refusal"]) for e in await house.parts.audit.find(case_id)]
    assert kept == [("closed", "not_yours"), ("assigned", "")]
    house.database.close()
