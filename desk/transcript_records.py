"""What a transcript says: both sides' messages in order, what the bot knew, and why it decided."""

from datetime import datetime
from typing import Any, Literal

import msgspec

Speaker = Literal["customer", "bot", "operator"]


class Redaction(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who took personal content out of an event, when and why; `parts` are where in it."""

    at: datetime
    by: str
    reason: str
    parts: tuple[str, ...] = ()


class Delivered(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a message to the customer.

    `state` is the outbox's, and after that the platform's news: the least that holds for all its
    payloads. Empty where the outbox does not know the message.
    """

    state: Literal["", "pending", "sent", "delivered", "read", "failed"] = ""
    at: datetime | None = None
    attempts: int = 0
    error: str = ""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody said.

    `at` is when the customer's message came in, or when the answer was written. `data` is what an
    answer had beside its text: buttons, cards, files. `turn` is the turn that it began or answers.
    `original` is what an operator wrote, in `original_language`, where the text is its translation.
    """

    seq: int
    at: datetime
    speaker: Speaker
    text: str
    turn: int
    channel: str = ""
    sender_id: str = ""
    operator: str = ""
    name: str = ""
    message_id: str = ""
    response: str = ""
    attachments: tuple[dict[str, Any], ...] = ()
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    delivery: Delivered | None = None
    redaction: Redaction | None = None
    original: str = ""
    original_language: str = ""


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the bot understood a message; `confidence` in [0, 1], `mood` as events hold it."""

    intent: str = ""
    confidence: float = 0.0
    ranking: tuple[dict[str, Any], ...] = ()
    entities: tuple[dict[str, Any], ...] = ()
    language: str = ""
    mood: dict[str, Any] = msgspec.field(default_factory=dict)
    commands: tuple[dict[str, Any], ...] = ()


class Moved(msgspec.Struct, frozen=True, omit_defaults=True):
    """A skill began, went on to a step, or ended; `change` says which."""

    seq: int
    flow: str
    change: str
    step: str = ""
    reason: str = ""


class Learned(msgspec.Struct, frozen=True, omit_defaults=True):
    """A slot got a value; `flow` is empty where it belongs to the whole conversation."""

    seq: int
    name: str
    value: Any = None
    flow: str = ""
    step: str = ""
    redaction: Redaction | None = None


class Ran(msgspec.Struct, frozen=True, omit_defaults=True):
    """An action ran; `effects` are the keys of what it did outside, `error` why it failed."""

    seq: int
    action: str
    error: str = ""
    effects: tuple[str, ...] = ()


class Planned(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plan was shown, agreed to or refused; its hash tells that it was this one."""

    seq: int
    consent: Literal["shown", "given", "refused"]
    plan_hash: str
    flow: str = ""


class Rested(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an answer rested on: passages and rules; `withheld` is what nothing supported."""

    seq: int
    response: str
    claims: int = 0
    passages: tuple[dict[str, Any], ...] = ()
    withheld: tuple[str, ...] = ()
    redaction: Redaction | None = None


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened between one message, or event from outside, and the next.

    `cause` is who began it, `flow` the skill that an event from outside began. `rules` are the ids
    of the policy's rules that were asked.
    """

    number: int
    seq: int
    at: datetime
    cause: Literal["customer", "trigger", "operator", "start"]
    flow: str = ""
    reading: Reading | None = None
    moves: tuple[Moved, ...] = ()
    slots: tuple[Learned, ...] = ()
    actions: tuple[Ran, ...] = ()
    plans: tuple[Planned, ...] = ()
    grounding: tuple[Rested, ...] = ()
    rules: tuple[str, ...] = ()
    understood: bool = True


class Handed(msgspec.Struct, frozen=True, omit_defaults=True):
    """The conversation passed from one to another."""

    seq: int
    at: datetime
    state: str
    reason: str = ""
    operator: str = ""
    name: str = ""
    team: str = ""


class Acted(msgspec.Struct, frozen=True, omit_defaults=True):
    """An operator did something; with a `refusal` it changed nothing."""

    seq: int
    at: datetime
    act: str
    operator: str = ""
    refusal: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    redaction: Redaction | None = None


class Transcript(msgspec.Struct, frozen=True, omit_defaults=True):
    """A conversation as it went; `notes` are the operators' own and no part of what was said.

    `redactions` are by the number of the event.
    """

    conversation_id: str
    version: int
    messages: tuple[Message, ...] = ()
    turns: tuple[Turn, ...] = ()
    handoffs: tuple[Handed, ...] = ()
    acts: tuple[Acted, ...] = ()
    notes: tuple[Acted, ...] = ()
    redactions: dict[int, Redaction] = msgspec.field(default_factory=dict)
