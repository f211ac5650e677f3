"""Runs an action by name: in this process, or on an action server over rasa-sdk's protocol."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import httpx
import msgspec

from bot import events as ev
from bot.conversation import Conversation

RECENT_EVENTS = 20


class ActionError(RuntimeError):
    """An action could not be run, or failed."""


class ActionRejected(ActionError):
    """An action said that it cannot run now; the message is the reason's code."""


class ActionOutcome(msgspec.Struct, frozen=True):
    """What an action did: slots to set, and messages as rasa-sdk's dispatcher collects them."""

    slots: dict[str, Any]
    responses: tuple[dict[str, Any], ...]


class ActionRunner(Protocol):
    """Runs actions."""

    async def run(self, name: str, tracker: Mapping[str, Any]) -> ActionOutcome:
        """Run an action over a tracker state.

        Raises:
            ActionError: The action is unknown or failed.
        """

    def names(self) -> frozenset[str] | None:
        """Return the actions it can run, or None if it cannot know."""


class InProcessRunner:
    """Runs rasa-sdk actions in this process, through the SDK's own executor."""

    def __init__(self, actions: Iterable[Any]) -> None:
        """Register action objects (rasa_sdk.Action instances)."""
        from rasa_sdk.executor import ActionExecutor

        self._executor = ActionExecutor()
        for action in actions:
            self._executor.register_action(action)

    async def run(self, name: str, tracker: Mapping[str, Any]) -> ActionOutcome:
        """Run an action over a tracker state.

        Raises:
            ActionRejected: The action cannot run now.
            ActionError: The action is unknown or failed.
        """
        from rasa_sdk.interfaces import ActionExecutionRejection

        call = {
            "next_action": name,
            "sender_id": tracker["sender_id"],
            "tracker": tracker,
            "domain": {},
        }
        try:
            result = await self._executor.run(call)
        except ActionExecutionRejection as error:
            raise ActionRejected(error.message) from (error.__cause__ or error)
        except Exception as error:  # whatever an action raises ends its flow, not the bot
            raise ActionError(f"{name} failed: {type(error).__name__}: {error}") from error
        if result is None:
            raise ActionError(f"{name} returned nothing")
        return _outcome(name, result.model_dump())

    def names(self) -> frozenset[str]:
        """Return the registered actions."""
        return frozenset(self._executor.actions)


class HttpRunner:
    """Runs actions on a rasa-sdk action server."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        """Post to `url`, such as `http://127.0.0.1:5055/webhook`."""
        self._url = url
        self._client = client

    async def run(self, name: str, tracker: Mapping[str, Any]) -> ActionOutcome:
        """Run an action over a tracker state.

        Raises:
            ActionRejected: The action cannot run now.
            ActionError: The server cannot be reached, or refused, or answered nonsense.
        """
        call = {
            "next_action": name,
            "sender_id": tracker["sender_id"],
            "tracker": tracker,
            "domain": {},
        }
        try:
            response = await self._client.post(self._url, json=call)
            if response.status_code == httpx.codes.BAD_REQUEST:
                raise ActionRejected(str(response.json()["error"]))
            response.raise_for_status()
            body = response.json()
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise ActionError(f"{name} failed on {self._url}: {error}") from error
        return _outcome(name, body)

    def names(self) -> frozenset[str] | None:
        """Return None: an action server is only asked when an action is due."""
        return None


def tracker_state(
    conversation: Conversation, values: Mapping[str, Any], recent: Iterable[ev.Event]
) -> dict[str, Any]:
    """Return a conversation in the form that rasa-sdk's Tracker reads.

    `slots` also hold `said`: what the customer said to the running skill, newest first; and
    `input_channel`: the channel that the latest message came by, and `input_sender`: who sent it,
    empty where the conversation's id tells; and `input_metadata`: what came with it.
    """
    top = conversation.top
    mentions: list[dict[str, Any]] = []
    for frame in conversation.ancestry(top) if top else ():
        mentions.extend(reversed(frame.mentions))
    said = conversation.last_user
    latest = {"text": said.text, **said.parse_data} if said else {}
    latest["message_id"] = conversation.begun
    latest.setdefault("intent", {"name": None, "confidence": 0.0})
    latest.setdefault("entities", [])
    return {
        "sender_id": conversation.id,
        "slots": {
            **values,
            "said": mentions,
            "input_channel": said.input_channel if said else "",
            "input_sender": said.input_sender if said else "",
            "input_metadata": said.metadata if said else {},
        },
        "latest_message": latest,
        "events": [ev.to_wire(event) for event in recent][-RECENT_EVENTS:],
        "paused": conversation.handoff != "bot",
        "followup_action": None,
        "active_loop": {},
        "active_form": {},
        "latest_action_name": None,
        "stack": [
            {"flow_id": f.flow_id, "frame_id": f.id, "parent_id": f.parent_id, "step_id": f.step}
            for f in conversation.stack
        ],
        "user_id": values.get("customer_id"),
        "turn": conversation.turns,
    }


def _outcome(name: str, body: Mapping[str, Any]) -> ActionOutcome:
    slots = {}
    for event in body.get("events") or ():
        if not isinstance(event, Mapping) or "event" not in event:
            raise ActionError(f"{name} returned something that is not an event")
        if event["event"] == "slot":
            slots[str(event["name"])] = event.get("value")
    return ActionOutcome(slots, tuple(body.get("responses") or ()))
