"""Putting flows on the stack and taking them off again."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bot import events as ev
from bot import flows as fl
from bot.commands import Mention
from bot.conversation import Draft, Frame
from bot.messages import Json

MAX_ROOTS = 5
STALE = "stale"
"""The fault of an action or response that would tell what was read too long ago."""
PERSON_DECIDES = "person_decides"
"""The slot of a flow that holds why a person was asked to see its plan, and how much it moved."""


def is_pattern(flow_id: str) -> bool:
    """Return whether a flow is one of the conversation patterns rather than a skill."""
    return flow_id.startswith("pattern_")


class Stack:
    """The moves on a conversation's stack of flows."""

    def __init__(self, flows: fl.FlowSet) -> None:
        """Take flows from `flows`."""
        self._flows = flows

    def knows_skill(self, flow_id: str) -> bool:
        """Return whether there is a skill of that name."""
        return flow_id in self._flows.flows and not is_pattern(flow_id)

    def needs_reason(self, flow_id: str) -> bool:
        """Return whether an operator who begins a skill must say why."""
        return self._flows.flows[flow_id].for_operators

    def start(
        self,
        draft: Draft,
        flow_id: str,
        mentions: tuple[dict[str, Any], ...] = (),
        slots: dict[str, Any] | None = None,
        parent_id: str = "",
    ) -> Frame:
        """Put a flow on top, at its first step; one whose `skip_if` holds ends at once."""
        frame_id = f"f{draft.conversation.frames_started + 1}"
        flow = self._flows.flows[flow_id]
        draft.emit(ev.FlowStarted(flow_id, frame_id, parent_id, mentions, slots or {}))
        draft.emit(ev.StepReached(frame_id, flow.start))
        frame = draft.conversation.frame(frame_id)
        values = self._flows.values(draft.conversation.slots, flow, frame.slots)
        if flow.skip_if and flow.skip_if.holds(values):
            self.complete(draft, frame)
        return frame

    def push_pattern(
        self, draft: Draft, flow_id: str, slots: dict[str, Any], *, quiet: bool = False
    ) -> None:
        """Put a pattern on top; unless `quiet`, the open question is asked again after it."""
        if not quiet:
            self.interrupt(draft)
        self.start(draft, flow_id, slots=slots)

    def hand_over(self, draft: Draft, reason: str) -> None:
        """Have a person take over: who lent the conversation to the bot, else the queue."""
        name = draft.conversation.lent_name
        if draft.conversation.lent_by:
            self.push_pattern(draft, "pattern_lender_back", {"reason": reason, "name": name})
        else:
            self.push_pattern(draft, "pattern_handoff", {"reason": reason})

    def asks_person(
        self, draft: Draft, frame: Frame, values: Mapping[str, Any], plan: Json
    ) -> bool:
        """Hand over where a person has to see a plan before it is put to the customer.

        Once; but a plan that was changed afterwards is looked at again if it has a reason that the
        one they saw had not, or moves more money.
        """
        asked = (*self._flows.flows[frame.flow_id].hand_off, *self._flows.hand_off)
        found = [each.reason for each in asked if each.holds(values)]
        seen = frame.slots.get(PERSON_DECIDES)
        known: dict[str, Any] = seen if isinstance(seen, dict) else {"reasons": [], "minor": 0}
        new = [reason for reason in found if reason not in known["reasons"]]
        minor = _moved_minor(plan)
        if not found or not (new or minor > known["minor"]):
            return False
        told = {"reasons": sorted({*found, *known["reasons"]}), "minor": minor}
        draft.emit(ev.SlotSet(PERSON_DECIDES, told, frame.id))
        self.hand_over(draft, (new or found)[0])
        return True

    def interrupt(self, draft: Draft) -> None:
        """Let the flow on top wait; patterns on top that wait for an answer are dropped."""
        while (top := draft.conversation.top) and is_pattern(top.flow_id):
            draft.emit(ev.FlowCancelled(top.flow_id, top.id, "replaced"))
        if top is not None and not top.interrupted:
            draft.emit(ev.FlowInterrupted(top.flow_id, top.id))

    def start_wish(self, draft: Draft) -> None:
        """Begin the oldest waiting wish."""
        wish = draft.conversation.wishes[0]
        draft.emit(ev.WishTaken(wish.flow_id))
        self.start(draft, wish.flow_id, mentions=(wish.mention,))
        slots = {"title": self.title(wish.flow_id)}
        self.push_pattern(draft, "pattern_next_wish", slots, quiet=True)

    def start_other(self, draft: Draft, frame: Frame, node: fl.StartOther) -> None:
        """End a flow and begin the one that its slot names, with what was said to it."""
        chosen = str(frame.slots.get(node.slot) or "")
        mentions = tuple(frame.mentions)
        draft.emit(ev.FlowCompleted(frame.flow_id, frame.id))
        if chosen in self._flows.flows:
            self.start(draft, chosen, mentions=mentions)

    def complete(self, draft: Draft, frame: Frame, *, failed: bool = False) -> None:
        """End a flow; hand its results to the flow that called it, or end that one too."""
        conversation = draft.conversation
        parent = conversation.frame(frame.parent_id) if frame.parent_id else None
        draft.emit(ev.FlowCompleted(frame.flow_id, frame.id))
        if parent is None:
            return
        if failed:
            self.complete(draft, parent, failed=True)
            return
        node = self._flows.flows[parent.flow_id].nodes.get(parent.step)
        if not isinstance(node, fl.Call):
            return
        child = self._flows.flows[frame.flow_id]
        values = self._flows.values({}, child, frame.slots)
        for name, source in node.returns.items():
            draft.emit(ev.SlotSet(name, values.get(source), parent.id, node.id))
        draft.emit(ev.StepReached(parent.id, node.next))

    def cancel(self, draft: Draft, reason: str) -> Frame | None:
        """Take the running skill with all it called off the stack; return its root."""
        self._drop_patterns(draft)
        top = draft.conversation.top
        if top is None:
            return None
        chain = draft.conversation.ancestry(top)
        for frame in chain:
            draft.emit(ev.FlowCancelled(frame.flow_id, frame.id, reason))
        return chain[-1]

    def cancel_above(self, draft: Draft, frame: Frame, reason: str) -> None:
        """Take everything above a frame off the stack."""
        while (top := draft.conversation.top) and top.id != frame.id:
            draft.emit(ev.FlowCancelled(top.flow_id, top.id, reason))

    def give_up_all(self, draft: Draft, reason: str) -> None:
        """Take everything off the stack, and forget what else was wished for."""
        while draft.conversation.stack:
            top = draft.conversation.stack[-1]
            draft.emit(ev.FlowCancelled(top.flow_id, top.id, reason))
        while draft.conversation.wishes:
            draft.emit(ev.WishTaken(draft.conversation.wishes[0].flow_id))

    def give_up_all_but(self, draft: Draft, frame: Frame) -> None:
        """Take everything but one frame off the stack, and forget what else was wished for."""
        for other in reversed(draft.conversation.stack[:]):
            if other.id != frame.id:
                draft.emit(ev.FlowCancelled(other.flow_id, other.id, "handoff"))
        while draft.conversation.wishes:
            draft.emit(ev.WishTaken(draft.conversation.wishes[0].flow_id))

    def fail(self, draft: Draft, error: str) -> None:
        """Give up the running skill because of a fault, and tell the customer.

        Nothing is told of what no customer asked for; an open question stays open. A skill whose
        records have become too old begins again with what the customer said, if it can.
        """
        top = draft.conversation.top
        if top is not None and (top.flow_id == "pattern_error" or self._is_by_itself(top)):
            draft.emit(ev.FlowCancelled(top.flow_id, top.id, "error"))
            return
        if error == STALE and self._begin_again(draft):
            return
        root = self.cancel(draft, "error")
        title = self.title(root.flow_id) if root else {}
        slots = {"title": title, "error": error}
        self.push_pattern(draft, "pattern_error", slots, quiet=True)

    def _begin_again(self, draft: Draft) -> bool:
        """Take the running skill back to its first step; what the customer chose stays.

        Once in a turn, and not after an action with outside effects.
        """
        self._drop_patterns(draft)
        top = draft.conversation.top
        is_new = not any(isinstance(e, ev.FrameRewound | ev.ActionIntended) for e in draft.events)
        if top is None or not is_new:
            return False
        root = draft.conversation.ancestry(top)[-1]
        flow = self._flows.flows[root.flow_id]
        self.cancel_above(draft, root, "replaced")
        slots = flow.slots.items()
        read = {name for name, slot in slots if slot.type == "any" and not slot.from_payload}
        draft.emit(ev.FrameRewound(root.id, flow.start, tuple(sorted(read & root.slots.keys()))))
        return True

    def drop_unknown(self, draft: Draft, *, quiet: bool = False) -> bool:
        """Give up skills that the data no longer has, as they stand on the stack.

        Args:
            draft: the conversation.
            quiet: the customer has not said anything, and is not told.
        """
        gone = [f for f in draft.conversation.stack if not self.stands(f)]
        if not gone:
            return False
        for frame in reversed(draft.conversation.stack[:]):
            draft.emit(ev.FlowCancelled(frame.flow_id, frame.id, "error"))
        if quiet:
            return True
        slots = {"title": self.title(gone[0].flow_id), "error": "the skill has changed"}
        self.push_pattern(draft, "pattern_error", slots, quiet=True)
        return True

    def _is_by_itself(self, frame: Frame) -> bool:
        """Return whether something outside began a flow, not the customer."""
        flow = self._flows.flows.get(frame.flow_id)
        return flow is not None and flow.during_handoff

    def stands(self, frame: Frame) -> bool:
        """Return whether the data still has the skill and the step that a frame stands at."""
        flow = self._flows.flows.get(frame.flow_id)
        return flow is not None and frame.step in flow.nodes

    def begin_skill(
        self, draft: Draft, flow_id: str, mention: Mention, slots: dict[str, Any]
    ) -> None:
        """Put a skill on top of what is running; one that already waits is gone back to."""
        said = msgspec.to_builtins(mention)
        self._drop_patterns(draft)
        waiting = next(
            (f for f in draft.conversation.stack if f.flow_id == flow_id and not f.parent_id), None
        )
        if waiting is not None:
            self._return_to(draft, waiting, said)
            return
        self.interrupt(draft)
        self.start(draft, flow_id, mentions=(said,), slots=slots)
        roots = [frame for frame in draft.conversation.stack if not frame.parent_id]
        if len(roots) > MAX_ROOTS:
            self._forget_oldest(draft, roots[0])

    def title(self, flow_id: str) -> dict[str, str]:
        """Return a flow's title per language."""
        flow = self._flows.flows.get(flow_id)
        return flow.title if flow else {}

    def _return_to(self, draft: Draft, root: Frame, said: dict[str, Any]) -> None:
        draft.emit(ev.Mentioned(root.id, said))
        own = {frame.id for frame in draft.conversation.stack if self._root(draft, frame) is root}
        while (top := draft.conversation.top) and top.id not in own:
            draft.emit(ev.FlowCancelled(top.flow_id, top.id, "replaced"))
        if top is not None and not top.interrupted:
            draft.emit(ev.FlowInterrupted(top.flow_id, top.id))

    def _forget_oldest(self, draft: Draft, root: Frame) -> None:
        own = [f for f in draft.conversation.stack if self._root(draft, f) is root]
        for frame in reversed(own):
            draft.emit(ev.FlowCancelled(frame.flow_id, frame.id, "replaced"))

    def _drop_patterns(self, draft: Draft) -> None:
        while (top := draft.conversation.top) and is_pattern(top.flow_id):
            draft.emit(ev.FlowCancelled(top.flow_id, top.id, "replaced"))

    def _root(self, draft: Draft, frame: Frame) -> Frame:
        return draft.conversation.ancestry(frame)[-1]


def _moved_minor(plan: Json) -> int:
    """Return how much a plan moves in either direction, in minor units."""
    told = plan if isinstance(plan, dict) else {}
    return int(told.get("pays_minor") or 0) + int(told.get("refunds_minor") or 0)
