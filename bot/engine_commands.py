"""What each command does to a conversation."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from bot import commands as cm
from bot import events as ev
from bot import flows as fl
from bot.conditions import ConditionError, Expression
from bot.conversation import Conversation, Draft, Frame
from bot.engine_stack import PERSON_DECIDES, Stack, is_pattern
from bot.messages import Json
from bot.slot_values import shaped

if TYPE_CHECKING:
    from bot.engine import Expectation

ASKS_PERSON = "talk_to_human"
"""The skill of who wants a person."""


class CommandApplier:
    """Applies commands to a draft; what does not fit the moment is turned into a question."""

    def __init__(
        self,
        flows: fl.FlowSet,
        stack: Stack,
        expectation: "Callable[[Conversation], Expectation | None]",
    ) -> None:
        """Work with the engine's flows, stack and view of the open question."""
        self._flows = flows
        self._stack = stack
        self._expectation = expectation
        self._apply: dict[type, Callable[[Draft, Any], None]] = {
            cm.StartFlow: self._start,
            cm.QueueWish: self._queue,
            cm.SetSlot: self._set,
            cm.CorrectSlot: self._correct,
            cm.CancelFlow: self._cancel,
            cm.Affirm: self._affirm,
            cm.Deny: self._deny,
            cm.SkipQuestion: self._skip,
            cm.DontKnow: self._dont_know,
            cm.RepeatLast: lambda d, c: self._stack.push_pattern(
                d, "pattern_repeat", {}, quiet=True
            ),
            cm.Restart: self._restart,
            cm.AddMention: self._mention,
            cm.RejectAnswer: self._reject,
            cm.Clarify: self._clarify,
            cm.HandOff: lambda d, c: self._stack.hand_over(d, c.reason),
            cm.CannotHandle: self._cannot,
        }

    def apply_all(self, draft: Draft, commands: tuple[cm.Command, ...]) -> None:
        """Apply commands in order; a second and later StartFlow waits as a wish."""
        started = False
        for command in map(self._allowed, commands):
            if isinstance(command, cm.StartFlow) and started:
                said = msgspec.to_builtins(command.mention)
                draft.emit(ev.WishQueued(command.flow, said))
                continue
            started = started or isinstance(command, cm.StartFlow)
            self._apply[type(command)](draft, command)

    def _allowed(self, command: cm.Command) -> cm.Command:
        """Return a command, or that nothing can be made of it where only operators may give it."""
        if not isinstance(command, cm.StartFlow | cm.QueueWish):
            return command
        flow = self._flows.flows.get(command.flow)
        closed = flow is not None and flow.for_operators
        return cm.CannotHandle(command.mention) if closed else command

    def is_valid(self, c: Conversation, frame: Frame, slot: fl.Slot, value: Json) -> bool:
        """Return whether a value is among the slot's options and passes its check."""
        values = self._flows.values(c.slots, self._flows.flows[frame.flow_id], frame.slots)
        if slot.options_from and slot.type != "order_number":
            known = {str(option["value"]) for option in values.get(slot.options_from) or ()}
            chosen = value if isinstance(value, list) else [value]
            if not chosen or not {str(item) for item in chosen} <= known:
                return False
        if slot.options and str(value) not in {option.value for option in slot.options}:
            return False
        return slot.check is None or _holds(slot.check, {**values, "value": value})

    def _start(self, draft: Draft, command: cm.StartFlow) -> None:
        if command.flow not in self._flows.flows:
            self._cannot(draft, cm.CannotHandle(command.mention))
            return
        if command.flow == ASKS_PERSON and draft.conversation.lent_by:
            self._stack.hand_over(draft, "asked")
            return
        if command.replace:
            self._stack.cancel(draft, "replaced")
        if self._flows.flows[command.flow].alone:
            self._stack.give_up_all(draft, "customer")
        slots = self._opening_slots(draft.conversation, command)
        self._stack.begin_skill(draft, command.flow, command.mention, slots)

    def _queue(self, draft: Draft, command: cm.QueueWish) -> None:
        if command.flow in self._flows.flows:
            draft.emit(ev.WishQueued(command.flow, msgspec.to_builtins(command.mention)))
            if expected := self._expectation(draft.conversation):
                draft.emit(ev.AnswerRejected(expected.frame_id, expected.step, "other wish"))
            self._stack.push_pattern(draft, "pattern_wish_noted", {}, quiet=True)

    def _opening_slots(self, c: Conversation, command: cm.StartFlow) -> dict[str, Any]:
        """Return what a button brings for a skill, without what its slots do not take."""
        flow = self._flows.flows[command.flow]
        kept: dict[str, Any] = {}
        for name, value in command.slots.items():
            slot = flow.slots.get(name)
            fitting = shaped(slot, value) if slot else None
            if slot is None or fitting is None:
                continue
            values = self._flows.values(c.slots, flow, {**kept, "value": fitting})
            if slot.check is None or _holds(slot.check, values):
                kept[name] = fitting
        return kept

    def _set(self, draft: Draft, command: cm.SetSlot) -> None:
        conversation = draft.conversation
        frame = self._owner(conversation, command.name)
        if frame is None:
            self._reject(draft, cm.RejectAnswer("unknown"))
            return
        slot = self._flows.flows[frame.flow_id].slots[command.name]
        value = shaped(slot, command.value)
        if value is None or not self.is_valid(conversation, frame, slot, value):
            self._reject(draft, cm.RejectAnswer("invalid"))
            return
        expected = self._expectation(conversation)
        if expected and expected.is_confirm and command.name in frame.asked_in:
            self._correct(draft, cm.CorrectSlot(command.name, value))
            return
        open_here = expected and expected.slot.name == command.name
        asks = self._flows.flows[frame.flow_id].asks_for(command.name)
        step = expected.step if expected and open_here else asks
        draft.emit(ev.SlotSet(command.name, value, frame.id, step))

    def _correct(self, draft: Draft, command: cm.CorrectSlot) -> None:
        conversation = draft.conversation
        top = conversation.top
        frames = conversation.ancestry(top) if top else []
        frame = next((f for f in frames if command.name in f.asked_in), None)
        if frame is None:
            if command.value is not None:
                self._set(draft, cm.SetSlot(command.name, command.value))
            return
        flow = self._flows.flows[frame.flow_id]
        asked = flow.nodes.get(frame.asked_in[command.name])
        loop = _loop_over(flow, command.name)
        self._stack.cancel_above(draft, frame, "corrected")
        # Inside a loop, every item is gone through again: the newest words count.
        step = loop.id if loop else frame.asked_in[command.name]
        first = loop.inner_slots if loop else (command.name,)
        forget = command.value is None
        dropped = _from_slot(flow, frame, first)
        draft.emit(ev.FrameRewound(frame.id, step, dropped, forget))
        if command.value is not None and loop is None:
            if isinstance(asked, fl.Collect):
                self._set(draft, cm.SetSlot(command.name, command.value))
            elif isinstance(asked, fl.Call) and command.name in asked.inputs:
                draft.emit(ev.SlotSet(command.name, command.value, frame.id))
        slots = {"corrected": command.name, "value": command.value}
        self._stack.push_pattern(draft, "pattern_corrected", slots, quiet=True)

    def _cancel(self, draft: Draft, command: cm.CancelFlow) -> None:
        root = self._stack.cancel(draft, "customer")
        name = "pattern_cancelled" if root else "pattern_nothing_to_cancel"
        title = self._stack.title(root.flow_id) if root else {}
        self._stack.push_pattern(draft, name, {"title": title})

    def _affirm(self, draft: Draft, command: cm.Affirm) -> None:
        expected = self._expectation(draft.conversation)
        if expected is not None and expected.is_confirm:
            shown = draft.conversation.frame(expected.frame_id).plan_hash
            if command.early or not shown.startswith(command.plan):
                self._reject(draft, cm.RejectAnswer("outdated"))
                return
        elif command.plan:
            self._stack.push_pattern(draft, "pattern_plan_gone", {"pressed": command.plan})
            return
        self._answer(draft, yes=True)

    def _deny(self, draft: Draft, command: cm.Deny) -> None:
        self._answer(draft, yes=False)

    def _answer(self, draft: Draft, *, yes: bool) -> None:
        expected = self._expectation(draft.conversation)
        if expected is None:
            self._stack.push_pattern(draft, "pattern_affirm" if yes else "pattern_deny", {})
            return
        if not expected.is_confirm:
            if expected.slot.type == "yes_no":
                self._set(draft, cm.SetSlot(expected.slot.name, yes))
            elif not yes and expected.is_optional:
                self._skip(draft, cm.SkipQuestion())
            else:
                self._reject(draft, cm.RejectAnswer())
            return
        frame = draft.conversation.frame(expected.frame_id)
        node = self._flows.flows[frame.flow_id].nodes[frame.step]
        if not isinstance(node, fl.Confirm):
            return
        if yes:
            draft.emit(ev.ConsentGiven(frame.id, frame.plan_hash))
            draft.emit(ev.SlotSet("consent", frame.plan_hash, frame.id))
        else:
            draft.emit(ev.ConsentRefused(frame.id, frame.plan_hash))
        draft.emit(ev.StepReached(frame.id, node.next if yes else node.refused))

    def _skip(self, draft: Draft, command: cm.SkipQuestion) -> None:
        expected = self._expectation(draft.conversation)
        if expected is None:
            self._stack.push_pattern(draft, "pattern_nothing_to_skip", {})
            return
        frame = draft.conversation.frame(expected.frame_id)
        if expected.is_optional:
            node = self._flows.flows[frame.flow_id].nodes[expected.step]
            draft.emit(ev.SlotSet(skipped(expected.slot.name), True, frame.id))
            draft.emit(ev.StepReached(frame.id, node.next))
            return
        self._stack.push_pattern(draft, "pattern_cannot_skip", {})

    def _dont_know(self, draft: Draft, command: cm.DontKnow) -> None:
        expected = self._expectation(draft.conversation)
        if expected is None:
            self._stack.push_pattern(draft, "pattern_not_understood", {})
            return
        frame = draft.conversation.frame(expected.frame_id)
        node = self._flows.flows[frame.flow_id].nodes[expected.step]
        if isinstance(node, fl.Collect) and node.dont_know:
            draft.emit(ev.StepReached(frame.id, node.dont_know))
        elif expected.is_optional:
            self._skip(draft, cm.SkipQuestion())
        else:
            self._stack.push_pattern(draft, "pattern_dont_know", {"asked_type": expected.slot.type})

    def _restart(self, draft: Draft, command: cm.Restart) -> None:
        self._stack.give_up_all(draft, "customer")
        is_lent = command.to_bot and bool(draft.conversation.lent_by)
        if draft.conversation.handoff != "bot" or is_lent:
            draft.emit(ev.HandoffChanged("bot", "customer"))
        self._stack.push_pattern(draft, "pattern_restarted", {})

    def _mention(self, draft: Draft, command: cm.AddMention) -> None:
        top = draft.conversation.top
        if top is not None and not is_pattern(top.flow_id):
            root = draft.conversation.ancestry(top)[-1]
            draft.emit(ev.Mentioned(root.id, msgspec.to_builtins(command.mention)))

    def _reject(self, draft: Draft, command: cm.RejectAnswer) -> None:
        expected = self._expectation(draft.conversation)
        if expected is None:
            self._cannot(draft, cm.CannotHandle())
            return
        frame = draft.conversation.frame(expected.frame_id)
        draft.emit(ev.AnswerRejected(frame.id, expected.step, command.reason))
        if command.candidates and expected.slot.options_from:
            slot = expected.slot.options_from
            draft.emit(ev.OptionsNarrowed(frame.id, slot, command.candidates))
        slots = {
            "asked_type": "confirm" if expected.is_confirm else expected.slot.type,
            "asked_flow": frame.flow_id,
            "reason": command.reason,
            "tries": frame.rejections,
            "ambiguous": len(command.candidates),
            "message": expected.slot.invalid if command.reason else "",
        }
        self._stack.push_pattern(draft, "pattern_answer_rejected", slots, quiet=True)

    def _clarify(self, draft: Draft, command: cm.Clarify) -> None:
        options = [
            {"value": flow, "title": self._stack.title(flow)}
            for flow in command.flows
            if flow in self._flows.flows
        ]
        self._stack.interrupt(draft)
        mention = msgspec.to_builtins(command.mention)
        self._stack.start(
            draft, "pattern_clarify", mentions=(mention,), slots={"readings": options}
        )

    def _cannot(self, draft: Draft, command: cm.CannotHandle) -> None:
        if command.counts:
            draft.emit(ev.NotUnderstood())
        said = msgspec.to_builtins(command.mention)
        slots = {"tries": draft.conversation.not_understood, "said": said["text"]}
        self._stack.interrupt(draft)
        self._stack.start(draft, "pattern_not_understood", mentions=(said,), slots=slots)

    def _owner(self, conversation: Conversation, name: str) -> Frame | None:
        top = conversation.top
        for frame in conversation.ancestry(top) if top else ():
            if self._flows.flows[frame.flow_id].takes_from_payload(name):
                return frame
        return None


def _loop_over(flow: fl.Flow, name: str) -> fl.Loop | None:
    """Return the loop that asks for a slot anew for each item."""
    loops = (node for node in flow.nodes.values() if isinstance(node, fl.Loop))
    return next((loop for loop in loops if name in loop.inner_slots), None)


def skipped(name: str) -> str:
    """Return the slot that remembers that a question was left unanswered."""
    return f"_skipped_{name}"


def _from_slot(flow: fl.Flow, frame: Frame, first: tuple[str, ...]) -> tuple[str, ...]:
    """Return the frame's slots from the earliest of the given ones on.

    What does not depend on other answers stays: reasons, questions that were skipped, and what a
    person has seen.
    """
    names = list(frame.slots)
    places = [names.index(name) for name in first if name in names]
    later = names[min(places) :] if places else []
    return tuple(name for name in later if name in first or not _stays(flow, name))


def _stays(flow: fl.Flow, name: str) -> bool:
    slot = flow.slots.get(name)
    if name == PERSON_DECIDES or name.startswith(skipped("")):
        return True
    return slot is not None and slot.type == "category"


def _holds(check: Expression, values: dict[str, Any]) -> bool:
    """Return whether a check holds; one that cannot judge the value refuses it."""
    try:
        return check.holds(values)
    except ConditionError:
        return False
