"""One turn: the one place where I/O is put in order.

load → understand → advance → act → render → commit, one turn at a time per conversation.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec
import structlog

from bot import events as ev
from bot.action_runner import ActionError, ActionRunner, tracker_state
from bot.commands import Affirm, Command
from bot.conversation import Conversation, Draft
from bot.engine import Engine
from bot.flows import FlowSet
from bot.messages import Button, InboundMessage, OutboundMessage, utc_now
from bot.responses import Renderer, ResponseError
from bot.storage.errors import AlreadyHandled, VersionConflict
from bot.storage.ports import (
    Committed,
    InboxEntry,
    NewEvent,
    NewOutbound,
    OutboxEntry,
    Store,
    TurnCommit,
)
from bot.understanding.result import ParseResult
from bot.understanding.router import Router, Understood

MAX_ACTIONS = 60
MAX_TRIES = 5
LAST_WORDS = 4
CACHED_CONVERSATIONS = 2_000
SWITCH_SCORE = 0.8
SWITCH_WORDS = 2
PLAN_CHARS = 16
Turn = Callable[[Conversation, InboundMessage], Awaitable[tuple[Draft, list[OutboundMessage]]]]
log = structlog.get_logger(__name__)


class Brain(msgspec.Struct, frozen=True):
    """Everything that decides and speaks, without any I/O but the actions'."""

    flows: FlowSet
    engine: Engine
    router: Router
    renderer: Renderer
    actions: ActionRunner


class Conversations:
    """Loads conversations; keeps the recent ones folded in memory."""

    def __init__(self, store: Store) -> None:
        """Load from `store`."""
        self._store = store
        self._cache: dict[str, Conversation] = {}
        self._answered_at: dict[str, datetime] = {}

    def answered_at(self, conversation_id: str) -> datetime | None:
        """Return when the last turn of a loaded conversation was committed."""
        return self._answered_at.get(conversation_id)

    async def load(self, conversation_id: str) -> Conversation:
        """Return a conversation as it stands, as a copy the caller may change."""
        cached = self._cache.pop(conversation_id, None) or Conversation(conversation_id)
        events, version = await self._store.events.load(conversation_id, cached.version)
        if version < cached.version:  # erased meanwhile
            return await self.load(conversation_id)
        for stored in events:
            cached.apply(ev.from_wire(stored.data))
            self._answered_at[conversation_id] = stored.at
        cached.version = version
        self._keep(cached)
        return copy.deepcopy(cached)

    def keep(self, conversation: Conversation, version: int, at: datetime) -> None:
        """Remember a conversation after its turn was committed."""
        conversation.version = version
        self._answered_at[conversation.id] = at
        self._cache.pop(conversation.id, None)
        self._keep(conversation)

    def forget(self, conversation_id: str) -> None:
        """Drop a conversation from memory."""
        self._cache.pop(conversation_id, None)
        self._answered_at.pop(conversation_id, None)

    def _keep(self, conversation: Conversation) -> None:
        self._cache[conversation.id] = conversation
        while len(self._cache) > CACHED_CONVERSATIONS:
            oldest = next(iter(self._cache))
            self._cache.pop(oldest)
            self._answered_at.pop(oldest, None)


class TurnRunner:
    """Handles one message of one conversation, from its words to its committed answer."""

    def __init__(
        self,
        brain: Brain,
        store: Store,
        clock: Callable[[], datetime] = utc_now,
        observe: Callable[[Iterable[ev.Event]], None] = lambda events: None,
    ) -> None:
        """Decide with `brain`, write to `store`; show `observe` what each turn committed."""
        self._brain = brain
        self._store = store
        self._clock = clock
        self._observe = observe
        self._conversations = Conversations(store)

    async def handle(self, entry: InboxEntry) -> tuple[OutboxEntry, ...]:
        """Answer an accepted message; a message that was answered before stays as it is.

        Raises:
            VersionConflict: Another process kept changing the conversation.
        """
        return await self._handled(entry, self._turn)

    async def give_up(self, entry: InboxEntry) -> tuple[OutboxEntry, ...]:
        """Answer a message whose turn broke: say so, and count it as handled.

        Raises:
            VersionConflict: Another process kept changing the conversation.
        """
        return await self._handled(entry, self._apology)

    async def _handled(self, entry: InboxEntry, turn: "Turn") -> tuple[OutboxEntry, ...]:
        for attempt in range(MAX_TRIES):
            conversation = await self._conversations.load(entry.conversation_id)
            version = conversation.version
            draft, outbound = await turn(conversation, entry.message)
            now = self._clock()
            try:
                committed = await self._commit(entry, version, draft, outbound, now)
            except VersionConflict:
                self._conversations.forget(entry.conversation_id)
                if attempt == MAX_TRIES - 1:
                    raise
                continue
            except AlreadyHandled:
                self._conversations.forget(entry.conversation_id)
                return ()
            self._conversations.keep(conversation, committed.version, now)
            self._observe(draft.events)
            return committed.outbound
        return ()

    def forget(self, conversation_id: str) -> None:
        """Drop what memory holds of a conversation, after it was erased."""
        self._conversations.forget(conversation_id)

    async def _turn(
        self, conversation: Conversation, message: InboundMessage
    ) -> tuple[Draft, list[OutboundMessage]]:
        draft = Draft(conversation)
        understood = await asyncio.to_thread(
            self._brain.router.understand,
            message.text,
            conversation,
            message.received_at,
            attached=bool(message.attachments),
        )
        commands = understood.commands
        answered_at = self._conversations.answered_at(conversation.id)
        if answered_at is not None and message.received_at < answered_at:
            commands = tuple(_as_early(command) for command in commands)
        self._brain.engine.begin(draft, _uttered(message, parse_data(understood)), commands)
        self._settle_language(draft, understood)
        outbound = await self._advance(draft)
        if not outbound and self._brain.engine.nothing_said(draft):
            outbound = await self._advance(draft)
        return draft, outbound

    async def _apology(
        self, conversation: Conversation, message: InboundMessage
    ) -> tuple[Draft, list[OutboundMessage]]:
        draft = Draft(conversation)
        self._brain.engine.begin(draft, _uttered(message, {}), ())
        if conversation.handoff == "bot":
            self._brain.engine.acted(draft, "action_listen", {}, "the turn broke")
        return draft, await self._advance(draft)

    async def _advance(self, draft: Draft) -> list[OutboundMessage]:
        outbound: list[OutboundMessage] = []
        for _ in range(MAX_ACTIONS):
            step = self._brain.engine.step(draft)
            if step.action is None:
                return outbound
            outbound.extend(await self._act(draft, step.action))
        self._brain.engine.acted(draft, "action_listen", {}, "the turn did not end")
        for _ in range(LAST_WORDS):
            step = self._brain.engine.step(draft)
            if step.action is not None:
                outbound.extend(await self._act(draft, step.action))
        return outbound

    async def _act(self, draft: Draft, action: str) -> list[OutboundMessage]:
        if action.startswith("utter_"):
            said, error = self._utter(draft, action), ""
            if said is None:
                error = f"the response '{action}' cannot be rendered"
            self._brain.engine.acted(draft, action, {}, error)
            return self._spoken(draft, [said] if said else [])
        if action == "action_repeat_bot_messages":
            self._brain.engine.acted(draft, action, {})
            again = [as_message(event) for event in draft.conversation.previous_bot]
            return self._spoken(draft, again)
        return await self._run(draft, action)

    async def _run(self, draft: Draft, action: str) -> list[OutboundMessage]:
        engine, conversation = self._brain.engine, draft.conversation
        values = engine.values(conversation)
        state = tracker_state(
            conversation, {**values, "language": self._language(draft)}, draft.events
        )
        try:
            outcome = await self._brain.actions.run(action, state)
            top = conversation.top
            flow = self._brain.flows.flows[top.flow_id] if top else None
            said = [
                self._brain.renderer.from_action(
                    raw, flow, {**values, **outcome.slots}, self._language(draft), self._seed(draft)
                )
                for raw in outcome.responses
            ]
        except (ActionError, ResponseError) as error:
            log.warning(
                "action_failed", action=action, error=type(error.__cause__ or error).__name__
            )
            engine.acted(draft, action, {}, str(error))
            return []
        engine.acted(draft, action, outcome.slots)
        return self._spoken(draft, said)

    def _utter(self, draft: Draft, name: str) -> OutboundMessage | None:
        conversation = draft.conversation
        flow = self._brain.flows.flows[conversation.top.flow_id] if conversation.top else None
        values = self._brain.engine.values(conversation)
        try:
            return self._brain.renderer.render(
                name, flow, values, self._language(draft), self._seed(draft)
            )
        except ResponseError as error:
            log.warning(
                "response_failed", response=name, error=type(error.__cause__ or error).__name__
            )
            return None

    def _spoken(self, draft: Draft, said: list[OutboundMessage]) -> list[OutboundMessage]:
        plan = self._brain.engine.shown_plan(draft.conversation)
        said = [_bound(message, plan) for message in said] if plan else said
        for message in said:
            data: dict[str, Any] = msgspec.to_builtins(message)
            text = data.pop("text", "")
            response = data.pop("response", "")
            draft.emit(ev.BotUttered(text, data, {"utter_action": response} if response else {}))
        return said

    def _settle_language(self, draft: Draft, understood: Understood) -> None:
        """Follow the customer's language once it is clear."""
        parse = understood.parse
        known = draft.conversation.slots.get("language")
        if not parse.language or parse.language == known:
            return
        if not known or (
            parse.language_score >= SWITCH_SCORE and _own_words(parse) >= SWITCH_WORDS
        ):
            draft.emit(ev.SlotSet("language", parse.language))

    def _language(self, draft: Draft) -> str:
        return str(draft.conversation.slots.get("language") or "")

    def _seed(self, draft: Draft) -> str:
        return f"{draft.conversation.id}:{draft.conversation.turns}"

    async def _commit(
        self,
        entry: InboxEntry,
        version: int,
        draft: Draft,
        outbound: list[OutboundMessage],
        now: datetime,
    ) -> Committed:
        events = []
        for event in draft.events:
            wire = ev.to_wire(event)
            events.append(NewEvent(str(wire["event"]), wire, now))
        message = entry.message
        return await self._store.turns.commit(
            TurnCommit(
                entry.conversation_id,
                version,
                events,
                [NewOutbound(message.channel, message.sender_id, out) for out in outbound],
                entry.inbox_id,
            )
        )


def _as_early(command: Command) -> Command:
    """Return a yes marked as written before the customer saw what it would confirm."""
    return Affirm(command.plan, early=True) if isinstance(command, Affirm) else command


def _bound(message: OutboundMessage, plan: str) -> OutboundMessage:
    """Return a message whose yes button confirms this plan and no other."""
    payload = f'/affirm{{"plan": "{plan[:PLAN_CHARS]}"}}'
    buttons = tuple(
        Button(button.title, payload) if button.payload == "/affirm" else button
        for button in message.buttons
    )
    return msgspec.structs.replace(message, buttons=buttons)


def _own_words(parse: ParseResult) -> int:
    """Return how many words of a text are not part of a name, address or number."""
    text = parse.text
    for entity in parse.entities:
        text = text.replace(entity.text, " ")
    return sum(word.isalpha() for word in text.split())


def _uttered(message: InboundMessage, parsed: dict[str, Any]) -> ev.UserUttered:
    return ev.UserUttered(
        text=message.text,
        message_id=message.message_id,
        input_channel=message.channel,
        parse_data=parsed,
        attachments=tuple(msgspec.to_builtins(a) for a in message.attachments),
        metadata=message.metadata,
    )


def parse_data(understood: Understood) -> dict[str, Any]:
    """Return a reading in the fields of Rasa's `/model/parse`, and ours."""
    parse = understood.parse
    return {
        "text": parse.text,
        "intent": {"name": parse.intent.name, "confidence": parse.intent.confidence},
        "intent_ranking": [
            {"name": intent.name, "confidence": intent.confidence} for intent in parse.ranking[:10]
        ],
        "entities": [
            {
                "entity": entity.type,
                "value": entity.value,
                "start": entity.start,
                "end": entity.end,
                "text": entity.text,
                "confidence_entity": entity.score,
            }
            for entity in parse.entities
        ],
        "language": parse.language,
        "sentiment": {"score": parse.sentiment.score, "anger": parse.sentiment.anger},
        "commands": [msgspec.to_builtins(command) for command in understood.commands],
    }


def as_message(event: ev.BotUttered) -> OutboundMessage:
    """Return what the bot said as it was sent."""
    return msgspec.convert({**event.data, "text": event.text}, OutboundMessage)
