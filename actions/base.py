"""What every action builds on: the services behind it, and a typed view of the tracker."""

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import starmap
from typing import Any

import msgspec
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

from actions.accounts import LinkedAccounts
from actions.channel_links import ChannelLinks, End
from actions.commerce.errors import ShopUnavailable
from actions.commerce.ledger import ledger_name
from actions.commerce.planner import Planner
from actions.commerce.shop import Shop
from actions.freshness import dated
from actions.policy.policy import Policy
from actions.waitroom import Waitroom
from knowledge.image_search import PhotoSearch
from knowledge.library import Library

IDENTITY_LIFETIME = timedelta(hours=12)
"""How long somebody stays identified without using it."""
UNPROVED_LIFETIME = timedelta(minutes=30)
"""The same where the platform does not prove who writes: the number of an SMS can be faked."""
_UNPROVED = "twilio:+"

Slots = dict[str, Any]
"""Slots that an action sets; JSON types only."""


_IDENTITY = frozenset({"customer_id", "customer_name"})


class Photos(msgspec.Struct, frozen=True):
    """Search by photo; `read` returns a file that a customer sent, by its address, or None."""

    search: PhotoSearch
    read: Callable[[str], Awaitable[bytes | None]]


class Services(msgspec.Struct, frozen=True):
    """Everything an action may use, built once by the composition root."""

    shop: Shop
    planner: Planner
    policy: Policy
    library: Library
    clock: Callable[[], datetime]
    links: ChannelLinks | None = None
    accounts: LinkedAccounts | None = None
    photos: Photos | None = None
    waitroom: Waitroom | None = None


class EffectState(msgspec.Struct, frozen=True):
    """How far one step of an agreed plan has come: its key, and what is known of it.

    `sent_at` is when it was sent last; in the states sent and unknown nobody knows what became
    of it. `held_up` tells that another conversation is changing the same order.
    """

    step: str
    key: str
    state: str = "intended"
    result: dict[str, Any] = msgspec.field(default_factory=dict)
    sent_at: datetime | None = None
    held_up: bool = False

    @property
    def doubtful_since(self) -> datetime | None:
        """Return when it was sent without an answer, None when there is no doubt."""
        return self.sent_at if self.state in {"sent", "unknown"} else None

    def outcome(
        self, state: str, result: dict[str, Any] | None = None, error: str = ""
    ) -> dict[str, Any]:
        """Return what became of it, as the ledger takes it."""
        return {"key": self.key, "state": state, "result": result or {}, "error": error}


class NotIdentified(RuntimeError):
    """The skill needs to know who the customer is: let it call identify_customer first."""


class Said:
    """What the conversation knows, as an action needs it; `end` is where it was said last."""

    def __init__(self, tracker: Tracker, dispatcher: CollectingDispatcher, now: datetime) -> None:
        """Read from `tracker`; speak through `dispatcher`.

        Args:
            tracker: the conversation.
            dispatcher: takes what the bot says.
            now: the present time, aware UTC; tells whether the identity still counts.
        """
        self._tracker = tracker
        self._dispatcher = dispatcher
        self._now = now
        self.end = _end(tracker)

    @property
    def conversation_id(self) -> str:
        """Return the id of the conversation: `channel:sender`."""
        return str(self._tracker.sender_id)

    @property
    def language(self) -> str:
        """Return the language the customer is spoken to in."""
        return str(self.slot("language") or "en")

    @property
    def text(self) -> str:
        """Return the customer's latest message."""
        return str((self._tracker.latest_message or {}).get("text") or "")

    @property
    def elsewhere(self) -> float:
        """Return how sure it is that the latest message is no matter of a shop, in [0, 1]."""
        message = self._tracker.latest_message or {}
        ranking = [message.get("intent") or {}, *(message.get("intent_ranking") or ())]
        outside = (one for one in ranking if one.get("name") == "out_of_scope")
        return max((float(one.get("confidence") or 0.0) for one in outside), default=0.0)

    @property
    def customer_id(self) -> str:
        """Return the verified customer.

        Raises:
            NotIdentified: The customer has not been identified, or too long ago.
        """
        customer_id = self.slot("customer_id")
        if not customer_id:
            raise NotIdentified(str(NotIdentified.__doc__))
        return str(customer_id)

    @property
    def lapsed(self) -> bool:
        """Return whether a customer was identified too long ago for it to count."""
        if not self._tracker.slots.get("customer_id"):
            return False
        since = self._tracker.slots.get("identified_at")
        wrote = f"{self.end.channel}:{self.end.sender_id}"
        lifetime = UNPROVED_LIFETIME if wrote.startswith(_UNPROVED) else IDENTITY_LIFETIME
        return not since or self._now - datetime.fromisoformat(since) > lifetime

    @property
    def anger(self) -> bool:
        """Return whether the latest message is angry."""
        return bool(((self._tracker.latest_message or {}).get("sentiment") or {}).get("anger"))

    @property
    def skill(self) -> str:
        """Return the skill that the conversation is busy with, empty when there is none."""
        running = (str(frame["flow_id"]) for frame in self._tracker.stack)
        return next((flow for flow in running if not flow.startswith("pattern_")), "")

    @property
    def is_called(self) -> bool:
        """Return whether the running flow was called by another, not started by the customer."""
        top = self._tracker.stack[-1] if self._tracker.stack else {}
        if "parent_id" in top:
            return bool(top["parent_id"])
        intent = (self._tracker.latest_message or {}).get("intent") or {}
        return bool(str(intent.get("name") or "") != top.get("flow_id"))

    def slot(self, name: str) -> Any:  # noqa: ANN401 - slots hold any JSON value
        """Return a slot's value, None when it is empty or unknown, or an identity that lapsed."""
        if name in _IDENTITY and self.lapsed:
            return None
        return self._tracker.slots.get(name)

    def mentions(self) -> Iterator[Mapping[str, Any]]:
        """Yield what the customer said to the running skill, newest first.

        Each has `text`, `language` and `entities` (dicts with `type` and `value`).
        """
        yield from self.slot("said") or ()

    def entity(self, kind: str) -> Any:  # noqa: ANN401 - entities hold any JSON value
        """Return the newest value of an entity type said to the running skill, or None."""
        for mention in self.mentions():
            for entity in mention.get("entities", ()):
                if entity["type"] == kind:
                    return entity["value"]
        return None

    def entities(self, kind: str) -> list[Any]:
        """Return all values of an entity type in the newest mention that has any."""
        for mention in self.mentions():
            found = [e["value"] for e in mention.get("entities", ()) if e["type"] == kind]
            if found:
                return found
        return []

    def latest_entities(self, kind: str) -> list[Any]:
        """Return the values of an entity type in the latest message alone."""
        found = (self._tracker.latest_message or {}).get("entities") or ()
        return [entity["value"] for entity in found if entity.get("entity") == kind]

    @property
    def turn_id(self) -> str:
        """Return what tells this turn from the others of the conversation."""
        return ledger_name((self._tracker.latest_message or {}).get("message_id") or "")

    def effect_key(self, purpose: str) -> str:
        """Return the idempotency key of an effect: the same when the turn is run again."""
        message_id = (self._tracker.latest_message or {}).get("message_id") or ""
        return f"{ledger_name(self.conversation_id)}:{ledger_name(message_id)}:{purpose}"

    def effect(self, step: str) -> EffectState:
        """Return how far one step of what the running action commits has come before.

        The bot tells; a Rasa server does not, and then the key is made here.

        Args:
            step: such as `write` or `mail`.
        """
        for item in self.slot("effects") or ():
            if item["step"] == step:
                return msgspec.convert(item, EffectState)
        plan = self.slot("plan") or {}
        return EffectState(step, self.effect_key(f"{plan.get('hash', '')}:{step}"))

    def say(self, response: str, **values: Any) -> None:  # noqa: ANN401 - template values
        """Have the bot utter a response, with values for its placeholders."""
        self._dispatcher.utter_message(response=response, **values)

    def show(self, **message: Any) -> None:  # noqa: ANN401 - rasa-sdk's own fields
        """Have the bot utter `text`, `buttons`, `image` or `json_message` as they are."""
        self._dispatcher.utter_message(**message)


class ShopAction(Action, ABC):  # type: ignore[misc] # rasa_sdk ships no types
    """An action over the shop's services; its name is its class's name in snake case."""

    def __init__(self, services: Services) -> None:
        """Work with `services`."""
        self.services = services

    @classmethod
    def action_name(cls) -> str:
        """Return the name flows call the action by, such as `action_load_order`."""
        words = re.findall(r"[A-Z][a-z]*", cls.__name__)
        return "_".join(["action", *words]).lower()

    def name(self) -> str:
        """Return the name rasa-sdk registers the action under."""
        return self.action_name()

    @abstractmethod
    async def act(self, said: Said) -> Slots:
        """Do the work; return the slots to set."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Run as rasa-sdk asks, in process or behind its server.

        Raises:
            ActionExecutionRejection: The shop cannot be reached; its message is the error's code.
        """
        began_at, told = self.services.clock(), len(dispatcher.messages)
        try:
            slots = await self.act(Said(tracker, dispatcher, began_at))
        except ShopUnavailable as error:
            raise ActionExecutionRejection(self.name(), ShopUnavailable().code) from error
        dispatcher.messages[told:] = [dated(m, began_at) for m in dispatcher.messages[told:]]
        return list(starmap(SlotSet, dated(slots, began_at).items()))


def _end(tracker: Tracker) -> End:
    """Return where the latest message was said."""
    conversation_id = str(tracker.sender_id)
    began, _, sender_id = conversation_id.partition(":")
    return End(
        conversation_id,
        str(tracker.slots.get("input_channel") or began),
        str(tracker.slots.get("input_sender") or sender_id),
        str((tracker.latest_message or {}).get("message_id") or ""),
    )


def money(amount_minor: int, currency: str) -> dict[str, Any]:
    """Return an amount as slots and responses hold it."""
    return {"amount_minor": amount_minor, "currency": currency}


def stamp(moment: datetime | None) -> str | None:
    """Return a moment as slots and responses hold it: ISO 8601, or None."""
    return moment.isoformat() if moment else None
