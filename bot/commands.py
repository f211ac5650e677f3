"""What understanding proposes that the engine should do; the engine checks each of them."""

from typing import Any

import msgspec


class Mention(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of the customer's words with the entities read from it.

    `entities` are dicts with `type`, `value`, `text`, `start` and `end`.
    """

    text: str
    language: str = ""
    entities: tuple[dict[str, Any], ...] = ()


class _Command(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="command"):
    """The common shape of all commands."""


class StartFlow(_Command, frozen=True, tag="start flow"):
    """Begin a skill; with `replace` the current one is given up first."""

    flow: str
    mention: Mention = Mention("")
    slots: dict[str, Any] = msgspec.field(default_factory=dict)
    replace: bool = False


class QueueWish(_Command, frozen=True, tag="queue wish"):
    """Begin a skill after what is running."""

    flow: str
    mention: Mention = Mention("")


class SetSlot(_Command, frozen=True, tag="set slot"):
    """Fill a slot of the flow on top."""

    name: str
    value: Any


class CorrectSlot(_Command, frozen=True, tag="correct slot"):
    """Replace a slot that was filled before; a `value` of None asks again."""

    name: str
    value: Any = None


class CancelFlow(_Command, frozen=True, tag="cancel flow"):
    """Give up what is being done."""


class Affirm(_Command, frozen=True, tag="affirm"):
    """Say yes to the open question.

    `plan` is the beginning of the hash of the plan that the pressed button belongs to;
    `early` tells that it was written before the open question was asked.
    """

    plan: str = ""
    early: bool = False


class Deny(_Command, frozen=True, tag="deny"):
    """Say no to the open question."""


class SkipQuestion(_Command, frozen=True, tag="skip question"):
    """Leave the open question unanswered."""


class DontKnow(_Command, frozen=True, tag="dont know"):
    """Tell that the customer does not know the answer."""


class RepeatLast(_Command, frozen=True, tag="repeat"):
    """Say the last answer again."""


class Restart(_Command, frozen=True, tag="restart"):
    """Drop everything and begin anew; `to_bot` also with the person who lent it to the bot."""

    to_bot: bool = False


class AddMention(_Command, frozen=True, tag="add mention"):
    """Keep words that later questions of the running flow may be answered from."""

    mention: Mention


class RejectAnswer(_Command, frozen=True, tag="reject answer"):
    """Tell that the open question was answered with something unusable.

    `candidates` are values that fit equally well.
    """

    reason: str = ""
    candidates: tuple[str, ...] = ()


class Clarify(_Command, frozen=True, tag="clarify"):
    """Ask which of these flows is meant."""

    flows: tuple[str, ...]
    mention: Mention = Mention("")


class HandOff(_Command, frozen=True, tag="hand off"):
    """Give the conversation to a person."""

    reason: str = "asked"


class CannotHandle(_Command, frozen=True, tag="cannot handle"):
    """Admit that nothing could be made of the message; one without words does not count."""

    mention: Mention = Mention("")
    counts: bool = True


Command = (
    StartFlow
    | QueueWish
    | SetSlot
    | CorrectSlot
    | CancelFlow
    | Affirm
    | Deny
    | SkipQuestion
    | DontKnow
    | RepeatLast
    | Restart
    | AddMention
    | RejectAnswer
    | Clarify
    | HandOff
    | CannotHandle
)
