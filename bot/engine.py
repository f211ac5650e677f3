"""The dialogue engine: (conversation, commands) → events and action names.

Pure: no I/O, no clock, no randomness. `begin` takes in what the customer said; `step` is then
called until it returns no action, and `acted` reports what each action did.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from bot import events as ev
from bot import flows as fl
from bot.commands import CannotHandle, Command, Mention, Restart, StartFlow
from bot.conditions import ConditionError
from bot.conversation import Conversation, Draft, Frame
from bot.engine_commands import CommandApplier, skipped
from bot.engine_memory import remember
from bot.engine_stack import Stack

MAX_STEPS = 400


class Step(msgspec.Struct, frozen=True):
    """What to do next: run `action` (an `utter_*` or `action_*` name), or listen if None."""

    action: str | None = None


class Expectation(msgspec.Struct, frozen=True):
    """What the open question asks for.

    `options` are those offered now, `all_options` those before they were narrowed; `said` are
    the skill's earlier messages, oldest first.
    """

    frame_id: str
    flow_id: str
    step: str
    slot: fl.Slot
    options: tuple[dict[str, Any], ...] = ()
    all_options: tuple[dict[str, Any], ...] = ()
    current: dict[str, Any] | None = None
    item_name: str = ""
    other_names: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    is_confirm: bool = False
    is_optional: bool = False


class Reading(msgspec.Struct, frozen=True):
    """What a reader made of the customer's words for one slot.

    `value` is None when nothing certain was found; `candidates` are options that fit equally.
    """

    value: Any = None
    candidates: tuple[str, ...] = ()


class SlotReader(Protocol):
    """Reads the value of a slot out of the customer's words; pure."""

    def read(self, expected: Expectation, mention: Mention, *, asked: bool) -> Reading:
        """Return what the words say about the slot; `asked` if they answer its question."""


LISTEN = Step()
_OPEN = frozenset({"waiting_for_operator", "with_operator"})
HANDOFF = "handoff"


class Engine:
    """Runs flows over a conversation."""

    def __init__(self, flows: fl.FlowSet, reader: SlotReader) -> None:
        """Run `flows`, reading slot values out of earlier words with `reader`."""
        self._flows = flows
        self._reader = reader
        self._stack = Stack(flows)
        self._applier = CommandApplier(flows, self._stack, self.expectation)
        self._run: dict[type, Callable[[Draft, Frame, Any], Step | None]] = {
            fl.Say: self._speak,
            fl.Act: self._speak,
            fl.Collect: self._collect,
            fl.Confirm: self._confirm,
            fl.Branch: self._branch,
            fl.Assign: self._assign,
            fl.Loop: self._loop,
            fl.Call: self._call,
            fl.StartOther: self._stack.start_other,
            fl.HandOver: self._hand_over,
            fl.End: self._end,
        }

    def begin(self, draft: Draft, said: ev.UserUttered, commands: tuple[Command, ...]) -> None:
        """Take in a message and the commands that understanding made of it."""
        if not draft.conversation.started:
            draft.emit(ev.SessionStarted())
        draft.emit(said)
        remember(draft, said)
        if draft.conversation.handoff != "bot":
            commands = tuple(c for c in commands if self._holds_meanwhile(c))
        if self._stack.drop_unknown(draft):
            return
        self._applier.apply_all(draft, commands)

    def _holds_meanwhile(self, command: Command) -> bool:
        """Return whether a command does something although a person has the conversation."""
        if isinstance(command, StartFlow):
            flow = self._flows.flows.get(command.flow)
            return flow is not None and flow.during_handoff
        return isinstance(command, Restart)

    def trigger(self, draft: Draft, happened: ev.Triggered) -> None:
        """Take in something that happened outside; an open question stays open.

        It is asked again only if the flow says so. A flow with a slot `handoff` learns who has the
        conversation.
        """
        if not draft.conversation.started:
            draft.emit(ev.SessionStarted())
        draft.emit(happened)
        self._stack.drop_unknown(draft, quiet=True)
        flow = self._flows.flows.get(happened.flow_id)
        if flow is not None:
            slots, quiet = dict(happened.slots), not flow.asks_again
            if HANDOFF in flow.slots:
                slots[HANDOFF] = draft.conversation.handoff
            self._stack.push_pattern(draft, happened.flow_id, slots, quiet=quiet)

    @property
    def stack(self) -> Stack:
        """The moves on a conversation's stack of flows."""
        return self._stack

    def nothing_said(self, draft: Draft) -> bool:
        """Make the bot admit that it has no answer; False when it has nothing to answer."""
        if draft.conversation.handoff != "bot":
            return False
        self._applier.apply_all(draft, (CannotHandle(),))
        return True

    def shown_plan(self, conversation: Conversation) -> str:
        """Return the hash of the plan that is open for a yes, empty if there is none."""
        expected = self.expectation(conversation)
        if expected is None or not expected.is_confirm:
            return ""
        return conversation.frame(expected.frame_id).plan_hash

    def step(self, draft: Draft) -> Step:
        """Run until an action is due or the customer has the word."""
        for _ in range(MAX_STEPS):
            conversation = draft.conversation
            frame = conversation.top
            if conversation.handoff != "bot" and not (frame and self._goes_on(frame)):
                return LISTEN
            if frame is None:
                if conversation.wishes:
                    self._stack.start_wish(draft)
                    continue
                return self._idle(draft)
            run = self._resume if frame.interrupted else self._run_node
            step = run(draft, frame)
            if step is not None:
                return step
        self._stack.fail(draft, "the flow ran in a circle")
        top = draft.conversation.top
        return self._run_node(draft, top) or LISTEN if top else LISTEN

    def acted(self, draft: Draft, action: str, slots: Mapping[str, Any], error: str = "") -> None:
        """Take in what an action did: the slots it set, or why it failed."""
        draft.emit(ev.ActionExecuted(action, error))
        if error:
            self._stack.fail(draft, error)
            return
        frame = draft.conversation.top
        for name, value in slots.items():
            if name in self._flows.session_slots:
                draft.emit(ev.SlotSet(name, value))
            elif frame is not None:
                draft.emit(ev.SlotSet(name, value, frame.id))

    def values(self, conversation: Conversation) -> dict[str, Any]:
        """Return all slots that the flow on top can see."""
        frame = conversation.top
        if frame is None:
            initial = {name: slot.initial for name, slot in self._flows.session_slots.items()}
            return initial | conversation.slots
        return self._values(conversation, frame)

    def expectation(self, conversation: Conversation) -> Expectation | None:
        """Return what the open question asks for, if there is one."""
        frame = conversation.top
        if frame is None or not frame.asked or conversation.handoff != "bot":
            return None
        if not self._stack.stands(frame):
            return None
        node = self._flow(frame).nodes.get(frame.step)
        if isinstance(node, fl.Collect):
            return self._expect(conversation, frame, node)
        if isinstance(node, fl.Confirm):
            slot = fl.Slot("confirmed", "yes_no")
            return Expectation(frame.id, frame.flow_id, node.id, slot, is_confirm=True)
        return None

    def answered(self, conversation: Conversation) -> list[Expectation]:
        """Return the questions of the running skill that the customer has answered."""
        top = conversation.top
        found = []
        for frame in conversation.ancestry(top) if top else ():
            if not self._stack.stands(frame):
                continue
            flow = self._flow(frame)
            for name, step in frame.asked_in.items():
                if name in flow.slots and frame.slots.get(name) is not None:
                    node = fl.Collect(step, "", slot=name, ask="")
                    found.append(self._expect(conversation, frame, node))
        return found

    def _run_node(self, draft: Draft, frame: Frame) -> Step | None:
        node = self._flow(frame).nodes.get(frame.step)
        if node is None:
            self._stack.fail(draft, f"step '{frame.step}' of '{frame.flow_id}' is gone")
            return None
        try:
            return self._run[type(node)](draft, frame, node)
        except ConditionError as error:
            self._stack.fail(draft, str(error))
            return None

    def _speak(self, draft: Draft, frame: Frame, node: fl.Say | fl.Act) -> Step:
        draft.emit(ev.StepReached(frame.id, node.next))
        return Step(node.response if isinstance(node, fl.Say) else node.action)

    def _branch(self, draft: Draft, frame: Frame, node: fl.Branch) -> None:
        holds = node.condition.holds(self._values(draft.conversation, frame))
        draft.emit(ev.StepReached(frame.id, node.next if holds else node.otherwise))

    def _call(self, draft: Draft, frame: Frame, node: fl.Call) -> None:
        values = self._values(draft.conversation, frame)
        slots = {name: value.evaluate(values) for name, value in node.inputs.items()}
        self._stack.start(draft, node.flow, slots=slots, parent_id=frame.id)

    def _hand_over(self, draft: Draft, frame: Frame, node: fl.HandOver) -> None:
        draft.emit(ev.StepReached(frame.id, node.next))
        order, c, to = int(frame.slots.get("order") or 0), draft.conversation, node.to
        if to == "waiting_for_operator" and c.handoff in _OPEN:
            return  # somebody has it already, or is about to
        if to != "waiting_for_operator":
            if c.stays_from(to) or (order and order < c.handoff_order):
                return  # an operator has it, or it came late
            self._stack.give_up_all_but(draft, frame)
        elif c.lent_by:
            to = "with_operator"
        reason = str(frame.slots.get("reason") or node.reason)
        draft.emit(ev.HandoffChanged(to, reason, order, c.lent_by, c.lent_name))

    def _end(self, draft: Draft, frame: Frame, node: fl.End) -> None:
        self._stack.complete(draft, frame, failed=node.failed)

    def _collect(self, draft: Draft, frame: Frame, node: fl.Collect) -> Step | None:
        if frame.slots.get(node.slot) is None and not frame.asked:
            self._fill(draft, frame, node)
        left_out = node.optional and frame.slots.get(skipped(node.slot))
        if frame.slots.get(node.slot) is not None or left_out:
            draft.emit(ev.StepReached(frame.id, node.next))
            return None
        if frame.asked:
            return LISTEN
        draft.emit(ev.QuestionAsked(frame.id, node.id))
        return Step(node.ask)

    def _fill(self, draft: Draft, frame: Frame, node: fl.Collect) -> None:
        """Fill the slot from what the customer said before the question came up."""
        conversation = draft.conversation
        expected = self._expect(conversation, frame, node)
        value = None
        if node.from_mentions and frame.rejections == 0:
            reading = self._from_mentions(conversation, frame, expected)
            value = reading.value
            slot = expected.slot
            if reading.candidates and slot.options_from and slot.type != "choices":
                kept = reading.candidates
                draft.emit(ev.OptionsNarrowed(frame.id, slot.options_from, kept))
        if value is None and expected.slot.remember:
            value = (conversation.slots.get("facts") or {}).get(expected.slot.type)
        alone = len(expected.options) == 1 and frame.rejections == 0
        if value is None and node.auto_single and alone:
            only = expected.options[0]["value"]
            value = [only] if expected.slot.type == "choices" else only
        if value is None and node.default and frame.taken_back != node.id:
            value = node.default.evaluate(self._values(conversation, frame))
        if value is not None and self._applier.is_valid(conversation, frame, expected.slot, value):
            draft.emit(ev.SlotSet(node.slot, value, frame.id, node.id))

    def _from_mentions(self, c: Conversation, frame: Frame, expected: Expectation) -> Reading:
        """Read the newest earlier words that say something about the slot."""
        for source in c.ancestry(frame):
            for said in reversed(source.mentions):
                mention = msgspec.convert(said, Mention)
                reading = self._reader.read(expected, mention, asked=False)
                if reading.value is not None or reading.candidates:
                    return reading
        return Reading()

    def _confirm(self, draft: Draft, frame: Frame, node: fl.Confirm) -> Step | None:
        if frame.asked:
            return LISTEN
        values = self._values(draft.conversation, frame)
        plan = values.get(node.plan) if node.plan else None
        if self._stack.asks_person(draft, frame, values, plan):
            return None
        if isinstance(plan, dict):
            draft.emit(ev.PlanShown(frame.id, str(plan.get("hash", ""))))
        draft.emit(ev.QuestionAsked(frame.id, node.id))
        return Step(node.response)

    def _assign(self, draft: Draft, frame: Frame, node: fl.Assign) -> None:
        values = self._values(draft.conversation, frame)
        computed = {name: value.evaluate(values) for name, value in node.values.items()}
        for name, value in computed.items():
            own = name not in self._flows.session_slots
            draft.emit(ev.SlotSet(name, value, frame.id if own else ""))
        draft.emit(ev.StepReached(frame.id, node.next))

    def _loop(self, draft: Draft, frame: Frame, node: fl.Loop) -> None:
        items = self._values(draft.conversation, frame).get(node.items) or []
        index = frame.loops.get(node.id, -1) + 1
        if index >= len(items):
            draft.emit(ev.LoopAdvanced(frame.id, node.id, -1))
            draft.emit(ev.StepReached(frame.id, node.next))
            return
        draft.emit(ev.LoopAdvanced(frame.id, node.id, index))
        for name in node.inner_slots:
            draft.emit(ev.SlotSet(name, None, frame.id))
        draft.emit(ev.SlotSet(node.item, items[index], frame.id))
        draft.emit(ev.StepReached(frame.id, node.body))

    def _resume(self, draft: Draft, frame: Frame) -> Step | None:
        draft.emit(ev.FlowResumed(frame.flow_id, frame.id))
        flow = self._flow(frame)
        if flow.skip_if and flow.skip_if.holds(self._values(draft.conversation, frame)):
            self._stack.complete(draft, frame)
            return None
        digressed = any(
            isinstance(event, ev.FlowCompleted) and not event.flow_id.startswith("pattern_")
            for event in draft.events
        )
        if digressed and not flow.id.startswith("pattern_"):
            root = draft.conversation.ancestry(frame)[-1]
            title = self._flow(root).title
            self._stack.push_pattern(draft, "pattern_resumed", {"title": title}, quiet=True)
        return None

    def _idle(self, draft: Draft) -> Step:
        done = [e for e in draft.events if isinstance(e, ev.FlowCompleted)]
        said = any(
            isinstance(e, ev.FlowStarted) and e.flow_id == "pattern_completed" for e in draft.events
        )
        if not said and any(self._flows.flows[e.flow_id].anything_else for e in done):
            self._stack.push_pattern(draft, "pattern_completed", {})
            return self.step(draft)
        return LISTEN

    def _expect(self, c: Conversation, frame: Frame, node: fl.Collect) -> Expectation:
        values = self._values(c, frame)
        slot = self._flow(frame).slots[node.slot]
        item = values.get(slot.item_from) if slot.item_from else None
        item = item if isinstance(item, dict) else {"name": item}
        return Expectation(
            frame_id=frame.id,
            flow_id=frame.flow_id,
            step=node.id,
            slot=slot,
            options=tuple(values.get(slot.options_from) or ()),
            all_options=tuple(frame.slots.get(slot.options_from) or ()),
            current=values.get(slot.current_from) if slot.current_from else None,
            item_name=str(item.get("name") or ""),
            other_names=tuple(map(str, item.get("others") or ())),
            said=tuple(m["text"] for f in reversed(c.ancestry(frame)) for m in f.mentions),
            is_optional=node.optional,
        )

    def _goes_on(self, frame: Frame) -> bool:
        """Return whether a flow runs although a person has the word."""
        flow = self._flows.flows.get(frame.flow_id)
        return flow is not None and flow.during_handoff

    def _flow(self, frame: Frame) -> fl.Flow:
        return self._flows.flows[frame.flow_id]

    def _values(self, conversation: Conversation, frame: Frame) -> dict[str, Any]:
        values = self._flows.values(conversation.slots, self._flow(frame), frame.slots)
        for slot, kept in frame.narrowed.items():
            values[slot] = [o for o in values.get(slot) or () if str(o["value"]) in kept]
        return values
