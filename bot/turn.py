"""One turn: the one place where I/O is put in order.

load → understand → advance → act → render → commit, one turn at a time per conversation. Before an
action with outside effects the turn is committed as far as it got, with what it intends; a turn
that is cut off after that goes on from there.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog

from bot import events as ev
from bot.action_runner import ActionError, ActionRunner, tracker_state
from bot.commands import Affirm, Command
from bot.conversation import Draft
from bot.conversations import Conversations
from bot.effects import OUTCOMES, STEPS, as_slot, has_effects, intents, is_held_up, outcomes
from bot.engine import Engine
from bot.flows import FlowSet
from bot.grounding import Gate
from bot.languages import settled_language
from bot.messages import Trigger, utc_now
from bot.open_turn import OpenTurn
from bot.operators import Operators, broken, is_act, reopen
from bot.recipients import whereto
from bot.responses import Renderer, ResponseError
from bot.speaking import Speaker
from bot.storage.effects import SETTLED, EffectEntry, EffectOutcome, NewEffect
from bot.storage.errors import (
    AlreadyHandled,
    EffectSettled,
    UnknownEffect,
    UnknownInboxMessage,
    VersionConflict,
)
from bot.storage.ports import (
    InboxEntry,
    NewEvent,
    NewOutbound,
    OutboxEntry,
    Store,
    TurnCommit,
)
from bot.time_zones import TOLD, newly_told
from bot.understanding.entities import LiveWords
from bot.understanding.ports import Router
from bot.understanding.readers import Readers
from bot.utterances import parse_data, uttered

MAX_ACTIONS = 60
MAX_TRIES = 5
LAST_WORDS = 4
FOREIGN_WORDS = frozenset({"address"})
"""What is spelt the same in every language, so that it tells nothing about the customer's."""
log = structlog.get_logger(__name__)


class Brain(msgspec.Struct, frozen=True):
    """Everything that decides and speaks, without any I/O but the actions'."""

    flows: FlowSet
    engine: Engine
    router: Router
    renderer: Renderer
    actions: ActionRunner
    words: LiveWords = msgspec.field(default_factory=LiveWords)
    gate: Gate | None = None


class TurnRunner:
    """Handles one message of one conversation, from its words to its committed answer."""

    def __init__(
        self,
        brain: Brain,
        store: Store,
        clock: Callable[[], datetime] = utc_now,
        observe: Callable[[str, Sequence[ev.Event]], None] = lambda conversation_id, events: None,
        asked: Collection[str] = (),
    ) -> None:
        """Decide with `brain`, write to `store`, show `observe` the events; `asked` only answer."""
        self._brain = brain
        self._store = store
        self._clock = clock
        self._observe, self._asked = observe, asked
        self._conversations = Conversations(store)
        self._readers = Readers(brain.router)
        parts = brain.flows, brain.engine, brain.renderer, brain.gate
        self._speaker = Speaker(*parts, clock)
        self._operators = Operators(brain.engine)

    async def handle(self, entry: InboxEntry) -> tuple[OutboxEntry, ...]:
        """Answer an accepted message; a message that was answered before stays as it is.

        Raises:
            VersionConflict: Another process kept changing the conversation.
        """
        queued = await self._handled(entry, self._turn)
        trigger = entry.message.trigger
        if trigger is not None and await self._is_left_over(entry, trigger):
            if await self._store.inbox.waiting(entry.conversation_id, 1):
                return queued  # it begins anew: what has come meanwhile must not get lost
            # Erased while something was under way: what the turn wrote of it goes, too.
            await self._store.events.erase(entry.conversation_id)
            self.forget(entry.conversation_id)
            return ()
        return queued

    async def _is_left_over(self, entry: InboxEntry, trigger: Trigger) -> bool:
        """Return whether something happened for a conversation that is no more."""
        if is_act(trigger):
            return not (await self._conversations.load(entry.conversation_id)).is_begun
        return bool(trigger.effect_key) and not await self._had_talked(entry)

    async def _had_talked(self, entry: InboxEntry) -> bool:
        """Return whether anybody but ourselves has begun a turn of the conversation."""
        events, _ = await self._store.events.load(entry.conversation_id)
        return any(event.type == "user" for event in events)

    async def give_up(self, entry: InboxEntry) -> tuple[OutboxEntry, ...]:
        """Answer a message whose turn broke: say so, and count it as handled.

        Raises:
            VersionConflict: Another process kept changing the conversation.
        """
        return await self._handled(entry, self._apology)

    async def _handled(
        self, entry: InboxEntry, work: Callable[[OpenTurn], Awaitable[None]]
    ) -> tuple[OutboxEntry, ...]:
        queued: list[OutboxEntry] = []
        for attempt in range(MAX_TRIES):
            turn = OpenTurn(entry, await self._conversations.load(entry.conversation_id))
            turn.queued = queued
            try:
                await work(turn)
                self._operators.settle(turn.draft)
                now = await self._write(turn, entry.inbox_id)
            except VersionConflict:
                self._conversations.forget(entry.conversation_id)
                if attempt == MAX_TRIES - 1:
                    raise
                continue
            except (AlreadyHandled, UnknownInboxMessage):  # by another process, or erased
                self._conversations.forget(entry.conversation_id)
                return ()
            self._conversations.keep(turn.draft.conversation, turn.version, now if queued else None)
            self._observe(entry.conversation_id, turn.draft.events)
            return tuple(queued)
        return ()

    def forget(self, conversation_id: str) -> None:
        """Drop what memory holds of a conversation, after it was erased."""
        self._conversations.forget(conversation_id)

    async def _turn(self, turn: OpenTurn) -> None:
        draft, message, engine = turn.draft, turn.message, self._brain.engine
        if turn.is_resumed:
            await self._run(turn, draft.conversation.intended)
            await self._advance(turn)
            return
        if message.trigger is not None:
            await self._happened(turn, message.trigger)
            return
        reopen(draft)
        understood = await self._readers.understand(message, draft.conversation)
        commands = understood.commands
        answered_at = self._conversations.answered_at(draft.conversation.id)
        if answered_at is not None and message.received_at < answered_at:
            commands = tuple(_as_early(command) for command in commands)
        asked = engine.expectation(draft.conversation)
        engine.begin(draft, uttered(message, parse_data(understood)), commands)
        if asked is None or asked.slot.type not in FOREIGN_WORDS:
            known = str(draft.conversation.slots.get("language") or "")
            if language := settled_language(known, understood):
                draft.emit(ev.SlotSet("language", language))
        if zone := newly_told(message, draft.conversation.slots):
            draft.emit(ev.SlotSet(TOLD, zone))
        await self._advance(turn)
        if not turn.said and not turn.queued and engine.nothing_said(draft):
            await self._advance(turn)

    async def _happened(self, turn: OpenTurn, trigger: Trigger) -> None:
        """Take in what an operator did, or what happened outside."""
        draft, message_id = turn.draft, turn.message.message_id
        if is_act(trigger):
            turn.said += self._operators.act(draft, trigger, message_id)
            await self._advance(turn)
            return
        slots = await self._trigger_slots(turn, trigger)
        if slots is None:
            return
        flow = self._brain.flows.flows.get(trigger.flow)
        if flow is not None and not flow.during_handoff:
            reopen(draft)
        self._brain.engine.trigger(draft, ev.Triggered(trigger.flow, message_id, slots))
        await self._advance(turn)

    async def _trigger_slots(self, turn: OpenTurn, trigger: Trigger) -> dict[str, Any] | None:
        """Return what a trigger's flow begins with; None when its effect is settled by now."""
        if not trigger.effect_key:
            return trigger.slots
        entry = await self._store.effects.get(trigger.effect_key)
        if entry is None or entry.state in SETTLED:
            return None
        for effect in intents(entry.conversation_id, entry.data):
            if await self._store.effects.get(effect.key) is None:
                # The other step was settled and erased; without it nothing can be carried out.
                turn.outcomes.append(EffectOutcome(entry.key, "refused", error="erased"))
                return None
        return {"plan": entry.data, "consent": entry.data.get("hash")}

    async def _apology(self, turn: OpenTurn) -> None:
        draft, trigger = turn.draft, turn.message.trigger
        if turn.is_resumed:
            self._brain.engine.acted(draft, draft.conversation.intended, {}, "the turn broke")
        elif trigger is not None and is_act(trigger):
            draft.emit(broken(trigger, turn.message.message_id))
        else:
            reopen(draft)
            self._brain.engine.begin(draft, uttered(turn.message, {}), ())
            if draft.conversation.handoff == "bot":
                self._brain.engine.acted(draft, "action_listen", {}, "the turn broke")
        await self._advance(turn)

    async def _advance(self, turn: OpenTurn) -> None:
        for _ in range(MAX_ACTIONS):
            step = self._brain.engine.step(turn.draft)
            if step.action is None:
                return
            await self._act(turn, step.action)
        self._brain.engine.acted(turn.draft, "action_listen", {}, "the turn did not end")
        for _ in range(LAST_WORDS):
            step = self._brain.engine.step(turn.draft)
            if step.action is not None:
                await self._act(turn, step.action)

    async def _act(self, turn: OpenTurn, action: str) -> None:
        draft = turn.draft
        if action.startswith("utter_"):
            said, error = self._speaker.utter(turn, action)
            self._brain.engine.acted(draft, action, {}, error)
            self._speaker.speak(turn, said)
        elif action == "action_repeat_bot_messages":
            said, error = self._speaker.again(draft.conversation.previous_bot)
            self._brain.engine.acted(draft, action, {}, error)
            self._speaker.speak(turn, said)
        else:
            await self._run(turn, action)

    async def _run(self, turn: OpenTurn, action: str) -> None:
        effects, held_up = await self._intend(turn, action) if has_effects(action) else ([], False)
        engine, conversation = self._brain.engine, turn.draft.conversation
        values = {**engine.values(conversation), "effects": as_slot(effects, held_up=held_up)}
        state = tracker_state(
            conversation, {**values, "language": self._speaker.language(turn)}, turn.draft.events
        )
        try:
            outcome = await self._brain.actions.run(action, state)
            told = outcome.slots.pop(OUTCOMES, ())
            turn.outcomes += outcomes(effects, told)
            said = self._speaker.answers(turn, outcome, values)
        except (ActionError, ResponseError) as error:
            kind = type(error.__cause__ or error).__name__
            log.warning("action_failed", action=action, error=kind)
            known = {item.key for item in turn.outcomes}
            doubtful = [entry for entry in effects if entry.key not in known]
            turn.outcomes += outcomes(doubtful, (), kind)
            self._doubt(turn.draft, doubtful)
            engine.acted(turn.draft, action, {}, "outcome_unknown" if doubtful else str(error))
            return
        engine.acted(turn.draft, action, outcome.slots)
        self._speaker.speak(turn, said)

    def _doubt(self, draft: Draft, entries: Sequence[EffectEntry]) -> None:
        """Keep in mind which changes may or may not have been made."""
        known = draft.conversation.slots.get("unsettled") or {}
        found = {e.key: e.subject or e.operation for e in entries if e.step == STEPS[0]}
        if found:
            draft.emit(ev.SlotSet("unsettled", {**known, **found}))

    async def _intend(self, turn: OpenTurn, action: str) -> tuple[list[EffectEntry], bool]:
        """Write down what is about to happen, so that a crash leaves its trace; then mark it sent.

        Returns:
            the effects, and whether they must not happen while another conversation changes the
            same order.

        Raises:
            UnknownEffect: Somebody erased it in between.
        """
        conversation = turn.draft.conversation
        values = self._brain.engine.values(conversation)
        plan = values.get("plan") or {}
        agreed = bool(plan.get("hash")) and values.get("consent") == plan["hash"]
        new = intents(conversation.id, plan) if agreed else ()
        if not turn.is_resumed:
            turn.draft.emit(ev.ActionIntended(action, tuple(effect.key for effect in new)))
            await self._write(turn, None, () if turn.message.trigger else new)
        found, held_up = [], False
        for effect in new:
            entry = await self._store.effects.get(effect.key)
            if entry is None:
                raise UnknownEffect(effect.key)
            if entry.step == "write" and entry.state == "intended":
                held_up = await is_held_up(self._store.effects, entry)
            repeated = entry.state not in {"intended", *SETTLED}
            if repeated or (entry.step == "write" and entry.state == "intended" and not held_up):
                try:
                    await self._store.effects.mark(EffectOutcome(entry.key, "sent"))
                except EffectSettled as settled:  # given up, or done, by another process
                    entry = await self._store.effects.get(effect.key)
                    if entry is None:
                        raise UnknownEffect(effect.key) from settled
            found.append(entry)
        return found, held_up

    async def _write(
        self, turn: OpenTurn, inbox_id: int | None, effects: Sequence[NewEffect] = ()
    ) -> datetime:
        """Commit what the turn came to since the last time; `inbox_id` when that is all of it.

        Raises:
            VersionConflict: The conversation changed since it was loaded.
            AlreadyHandled: The message was answered before.
        """
        now = self._clock()
        events = []
        for event in turn.draft.events[turn.written :]:
            wire = ev.to_wire(event)
            events.append(NewEvent(str(wire["event"]), wire, now))
        people, asked = self._store.contacts, self._asked
        recipient = await whereto(people, turn.message, asked) if turn.said else ("", "")
        committed = await self._store.turns.commit(
            TurnCommit(
                turn.entry.conversation_id,
                turn.version,
                events,
                [NewOutbound(*recipient, said) for said in turn.said],
                inbox_id,
                effects,
                turn.outcomes,
            )
        )
        turn.written = len(turn.draft.events)
        turn.version = committed.version
        turn.queued.extend(committed.outbound)
        turn.said, turn.outcomes = [], []
        return now


def _as_early(command: Command) -> Command:
    """Return a yes marked as written before the customer saw what it would confirm."""
    return Affirm(command.plan, early=True) if isinstance(command, Affirm) else command
