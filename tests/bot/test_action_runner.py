"""Actions that cannot run now say why by a code; others that fail are faults."""

import httpx
import pytest
from rasa_sdk import Action
from rasa_sdk.interfaces import ActionExecutionRejection

from bot.action_runner import ActionError, ActionRejected, HttpRunner, InProcessRunner

TRACKER = {"sender_id": "rest:1", "slots": {}, "latest_message": {}, "events": []}


class Away(Action):
    def name(self):
        return "action_away"

    async def run(self, dispatcher, tracker, domain):
        raise ActionExecutionRejection(self.name(), "shop_unavailable") from ConnectionError("down")


class Broken(Action):
    def name(self):
        return "action_broken"

    async def run(self, dispatcher, tracker, domain):
        msg = "a bug"
        raise RuntimeError(msg)


async def test_a_rejection_in_process_carries_its_code_and_cause():
    runner = InProcessRunner([Away(), Broken()])
    with pytest.raises(ActionRejected, match=r"^shop_unavailable$") as rejected:
        await runner.run("action_away", TRACKER)
    assert isinstance(rejected.value.__cause__, ConnectionError)
    with pytest.raises(ActionError, match="a bug") as broken:
        await runner.run("action_broken", TRACKER)
    assert not isinstance(broken.value, ActionRejected)


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (400, {"error": "shop_unavailable", "action_name": "x"}, ActionRejected, "^shop_unava"),
        (400, {"detail": "what?"}, ActionError, "failed"),
        (400, ["what?"], ActionError, "failed"),
        (500, {"error": "a bug"}, ActionError, "500"),
    ],
)
async def test_an_action_server_rejects_the_same_way(status, body, error, said):
    transport = httpx.MockTransport(lambda request: httpx.Response(status, json=body))
    async with httpx.AsyncClient(transport=transport) as client:
        runner = HttpRunner("http://127.0.0.1:5055/webhook", client)
        with pytest.raises(error, match=said) as failed:
            await runner.run("action_x", TRACKER)
    assert type(failed.value) is error
