"""What happened in a conversation: frozen, past tense, serialisable.

The tags are Rasa's event names where Rasa has one (`user`, `bot`, `slot`, `action`,
`session_started`, `flow_started` …), so that a tracker reads the same to Rasa's tooling.
"""

from typing import Any, Literal

import msgspec

HandoffState = Literal["bot", "waiting_for_operator", "with_operator", "closed"]


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="event"):
    """The common shape of all events."""


class UserUttered(_Event, frozen=True, tag="user"):
    """The customer said something."""

    text: str
    message_id: str = ""
    input_channel: str = ""
    input_sender: str = ""
    parse_data: dict[str, Any] = msgspec.field(default_factory=dict)
    attachments: tuple[dict[str, Any], ...] = ()
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class BotUttered(_Event, frozen=True, tag="bot"):
    """The bot said something; `data` is the OutboundMessage without its text."""

    text: str
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class SlotSet(_Event, frozen=True, tag="slot"):
    """A slot got a value; `frame_id` empty means it belongs to the conversation.

    `step` names the step that asked the customer for the value, empty when an action or a
    computation set it.
    """

    name: str
    value: Any = None
    frame_id: str = ""
    step: str = ""


class ActionExecuted(_Event, frozen=True, tag="action"):
    """An action ran; `error` is empty when it went well."""

    name: str
    error: str = ""


class ActionIntended(_Event, frozen=True, tag="action_intended"):
    """An action with outside effects is about to run; `keys` are those of its effects."""

    name: str
    keys: tuple[str, ...] = ()


class Triggered(_Event, frozen=True, tag="triggered"):
    """Something outside the conversation began a flow in it."""

    flow_id: str
    message_id: str = ""
    slots: dict[str, Any] = msgspec.field(default_factory=dict)


class SessionStarted(_Event, frozen=True, tag="session_started"):
    """A conversation began."""


class FlowStarted(_Event, frozen=True, tag="flow_started"):
    """A skill or pattern began; `parent_id` is the frame that called it."""

    flow_id: str
    frame_id: str
    parent_id: str = ""
    mentions: tuple[dict[str, Any], ...] = ()
    slots: dict[str, Any] = msgspec.field(default_factory=dict)


class FlowCompleted(_Event, frozen=True, tag="flow_completed"):
    """A flow ran to its end."""

    flow_id: str
    frame_id: str


class FlowCancelled(_Event, frozen=True, tag="flow_cancelled"):
    """A flow was given up; `reason` is customer, error, handoff or replaced."""

    flow_id: str
    frame_id: str
    reason: str = "customer"


class FlowInterrupted(_Event, frozen=True, tag="flow_interrupted"):
    """A flow waits because another one was put on top of it."""

    flow_id: str
    frame_id: str


class FlowResumed(_Event, frozen=True, tag="flow_resumed"):
    """A waiting flow goes on."""

    flow_id: str
    frame_id: str


class StepReached(_Event, frozen=True, tag="step_reached"):
    """A frame moved to a step; an empty `step` is the end."""

    frame_id: str
    step: str


class QuestionAsked(_Event, frozen=True, tag="question_asked"):
    """The step's question was put to the customer."""

    frame_id: str
    step: str


class AnswerRejected(_Event, frozen=True, tag="answer_rejected"):
    """The answer to the open question could not be used."""

    frame_id: str
    step: str
    reason: str = ""


class Mentioned(_Event, frozen=True, tag="mentioned"):
    """The customer said something that later steps of the frame may use."""

    frame_id: str
    mention: dict[str, Any]


class FrameRewound(_Event, frozen=True, tag="frame_rewound"):
    """A correction sent a frame back to a step and dropped what came after it."""

    frame_id: str
    step: str
    dropped: tuple[str, ...] = ()
    forget: bool = False


class OptionsNarrowed(_Event, frozen=True, tag="options_narrowed"):
    """The words fitted several options of a slot; only these are offered now."""

    frame_id: str
    slot: str
    values: tuple[str, ...]


class LoopAdvanced(_Event, frozen=True, tag="loop_advanced"):
    """A repeat step moved on to item `index` (0-based) of its list."""

    frame_id: str
    step: str
    index: int


class WishQueued(_Event, frozen=True, tag="wish_queued"):
    """A further wish of the same message waits for its turn."""

    flow_id: str
    mention: dict[str, Any]


class WishTaken(_Event, frozen=True, tag="wish_taken"):
    """The oldest waiting wish is being served."""

    flow_id: str


class PlanShown(_Event, frozen=True, tag="plan_shown"):
    """A plan was put before the customer for consent."""

    frame_id: str
    plan_hash: str


class ConsentGiven(_Event, frozen=True, tag="consent_given"):
    """The customer agreed to exactly the plan with this hash."""

    frame_id: str
    plan_hash: str


class ConsentRefused(_Event, frozen=True, tag="consent_refused"):
    """The customer did not agree to the plan."""

    frame_id: str
    plan_hash: str


class NotUnderstood(_Event, frozen=True, tag="not_understood"):
    """Nothing could be made of a message."""


class Grounding(_Event, frozen=True, tag="grounding"):
    """A message was matched to what supports it.

    `passages` are those it quotes, `withheld` what in it nothing supported: it was not sent then.
    """

    response: str
    claims: int = 0
    withheld: tuple[str, ...] = ()
    passages: tuple[dict[str, Any], ...] = ()


class HandoffChanged(_Event, frozen=True, tag="handoff_changed"):
    """Who speaks to the customer changed; `order` is the platform's, 0 where it was not told.

    `operator` is the id of the person who has it now, `operator_name` what the customer reads;
    `team` is who it waits for, empty for whoever is free.
    """

    state: HandoffState
    reason: str = ""
    order: int = 0
    operator: str = ""
    operator_name: str = ""
    team: str = ""


class OperatorActed(_Event, frozen=True, tag="operator_acted"):
    """An operator did something to the conversation; with a `refusal` it changed nothing.

    `operator` is empty where the desk acted by itself. `data` is what the act tells: the text of
    a note, the mark of an answer.
    """

    act: str
    operator: str = ""
    message_id: str = ""
    refusal: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)


REDACTED = "[redacted]"
"""What stands in an event for what was taken out."""


class Redacted(_Event, frozen=True, tag="redacted"):
    """Personal content of the event with number `seq` was taken out, by whom and why.

    `parts` are where in it; `digest` is the content hash of what it says since then.
    """

    seq: int
    by: str
    reason: str
    digest: str
    parts: tuple[str, ...] = ()


Event = (
    UserUttered
    | BotUttered
    | SlotSet
    | ActionExecuted
    | ActionIntended
    | Triggered
    | SessionStarted
    | FlowStarted
    | FlowCompleted
    | FlowCancelled
    | FlowInterrupted
    | FlowResumed
    | StepReached
    | QuestionAsked
    | AnswerRejected
    | Mentioned
    | FrameRewound
    | LoopAdvanced
    | OptionsNarrowed
    | WishQueued
    | WishTaken
    | PlanShown
    | ConsentGiven
    | ConsentRefused
    | NotUnderstood
    | Grounding
    | HandoffChanged
    | OperatorActed
    | Redacted
)


def to_wire(event: Event) -> dict[str, Any]:
    """Return the event as JSON types, tagged with its name under `event`."""
    wire: dict[str, Any] = msgspec.to_builtins(event)
    return wire


def from_wire(data: dict[str, Any]) -> Event:
    """Return the event that `to_wire` wrote.

    Raises:
        msgspec.ValidationError: The data is not an event of this version.
    """
    event: Event = msgspec.convert(data, Event)
    return event
