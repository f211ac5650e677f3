"""A conversation as Rasa's tracker shows it."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot import events as ev
from bot.conversation import Conversation
from bot.messages import OutboundMessage
from bot.storage.ports import StoredEvent
from bot.utterances import as_message

RASA_EVENTS = frozenset({
    "user",
    "bot",
    "slot",
    "action",
    "session_started",
    "flow_started",
    "flow_completed",
    "flow_cancelled",
    "flow_interrupted",
    "flow_resumed",
})


def tracker_view(
    conversation: Conversation,
    stored: Iterable[StoredEvent],
    values: Mapping[str, Any],
    *,
    include_internal: bool = False,
) -> dict[str, Any]:
    """Return the fields of Rasa's `GET /conversations/…/tracker`.

    Events that only this engine knows are left out unless asked for; a handoff shows as
    Rasa's `pause` and `resume`, and the bot's listening as the action `action_listen`.
    """
    events: list[dict[str, Any]] = []
    for item in stored:
        shown = _as_rasa(item.data, include_internal=include_internal)
        events.extend({**wire, "timestamp": item.at.timestamp()} for wire in shown)
    last = conversation.last_user
    latest = {"text": last.text, **last.parse_data} if last else {}
    actions = [event for event in events if event["event"] == "action"]
    return {
        "sender_id": conversation.id,
        "slots": dict(values),
        "latest_message": latest,
        "latest_event_time": events[-1]["timestamp"] if events else None,
        "followup_action": None,
        "paused": conversation.handoff != "bot",
        "handoff": conversation.handoff,
        "stack": [
            {"frame_id": f.id, "flow_id": f.flow_id, "step_id": f.step} for f in conversation.stack
        ],
        "events": events,
        "latest_input_channel": last.input_channel if last else None,
        "latest_action_name": actions[-1]["name"] if actions else None,
        "latest_action": {"action_name": actions[-1]["name"]} if actions else {},
        "active_loop": {},
    }


def answers_to(message_id: str, stored: Iterable[StoredEvent]) -> list[OutboundMessage]:
    """Return what the bot answered to one message, from the events of its conversation."""
    answers: list[OutboundMessage] = []
    inside = False
    for item in stored:
        event = ev.from_wire(item.data)
        if isinstance(event, ev.UserUttered | ev.Triggered):
            inside = event.message_id == message_id
        elif inside and isinstance(event, ev.BotUttered):
            answers.append(as_message(event))
    return answers


def _as_rasa(data: dict[str, Any], *, include_internal: bool) -> Iterable[dict[str, Any]]:
    name = data["event"]
    if name == "user":
        yield {"event": "action", "name": "action_listen", "policy": "flow", "confidence": 1.0}
    if name in RASA_EVENTS or include_internal:
        yield dict(data)
    if name == "handoff_changed":
        yield {"event": "resume" if data["state"] == "bot" else "pause"}
