"""A conversation is the fold of its events; nothing else changes it."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from bot import events as ev
from bot.messages import Json
from bot.mood import Mood

LENT = "lent"
"""Why the bot has a conversation that an operator gets back when it is done."""
SKILL_DONE = "skill_done"
"""Why an operator has a conversation again that they lent to the bot."""
MERGED = "merged"
"""Why a person has a conversation whose case goes on in another one."""
_NO_CASE = frozenset({"bot", "closed"})


class Frame(msgspec.Struct):
    """One running flow: where it stands, what it knows, what the customer said to it."""

    id: str
    flow_id: str
    parent_id: str = ""
    step: str = ""
    slots: dict[str, Any] = msgspec.field(default_factory=dict)
    asked_in: dict[str, str] = msgspec.field(default_factory=dict)
    taken_back: str = ""
    mentions: list[dict[str, Any]] = msgspec.field(default_factory=list)
    loops: dict[str, int] = msgspec.field(default_factory=dict)
    asked: bool = False
    rejections: int = 0
    interrupted: bool = False
    plan_hash: str = ""
    narrowed: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


class Wish(msgspec.Struct, frozen=True):
    """A wish that waits until the flows before it are done."""

    flow_id: str
    mention: dict[str, Any]


class Conversation(msgspec.Struct):
    """Everything the bot knows about one conversation at one moment.

    `begun` is the id of the message whose turn began last; `intended` the action with outside
    effects that its turn was about to run, empty once it has run. `operator` is who has it while
    `handoff` is with_operator, `cases` how often people were needed so far. `lent_by` is who lent
    it to the bot, for `lent_skill` only. `merged` is the link to the case with which its own was
    put together, empty for none; `leads` are the links to those that are answered in its own.
    """

    id: str
    version: int = 0
    started: bool = False
    slots: dict[str, Any] = msgspec.field(default_factory=dict)
    stack: list[Frame] = msgspec.field(default_factory=list)
    wishes: list[Wish] = msgspec.field(default_factory=list)
    handoff: ev.HandoffState = "bot"
    handoff_order: int = 0
    operator: str = ""
    cases: int = 0
    lent_by: str = ""
    lent_name: str = ""
    lent_skill: str = ""
    merged: str = ""
    leads: frozenset[str] = frozenset()
    not_understood: int = 0
    mood: Mood = Mood()
    turns: int = 0
    frames_started: int = 0
    last_flow: str = ""
    begun: str = ""
    intended: str = ""
    last_user: ev.UserUttered | None = None
    last_bot: list[ev.BotUttered] = msgspec.field(default_factory=list)
    previous_bot: list[ev.BotUttered] = msgspec.field(default_factory=list)

    @property
    def top(self) -> Frame | None:
        """Return the frame that has the word, if any."""
        return self.stack[-1] if self.stack else None

    @property
    def is_begun(self) -> bool:
        """Return whether there is anything of it: it was neither never begun nor erased."""
        return self.started or self.cases > 0

    def stays_from(self, state: ev.HandoffState) -> bool:
        """Return whether it stays where it is although a platform says that it passed to `state`.

        Nobody else moves what an operator of ours has; who waits for one goes on waiting.
        """
        is_ours = bool(self.operator or self.lent_by or self.merged)
        return is_ours or (state == "bot" and self.handoff == "waiting_for_operator")

    def runs(self, flow_id: str) -> bool:
        """Return whether a flow is under way, or waits to go on."""
        return any(frame.flow_id == flow_id for frame in self.stack)

    def frame(self, frame_id: str) -> Frame:
        """Return a frame of the stack.

        Raises:
            KeyError: No such frame is on the stack.
        """
        for frame in reversed(self.stack):
            if frame.id == frame_id:
                return frame
        raise KeyError(frame_id)

    def ancestry(self, frame: Frame) -> list[Frame]:
        """Return the frame and the frames that called it, innermost first."""
        chain = [frame]
        while chain[-1].parent_id:
            chain.append(self.frame(chain[-1].parent_id))
        return chain

    def apply(self, event: ev.Event) -> None:
        """Fold one more event into the conversation.

        Raises:
            KeyError: The event names a frame that is not on the stack.
        """
        _FOLD[type(event)](self, event)

    def apply_all(self, events: Iterable[ev.Event]) -> None:
        """Fold events in order.

        Raises:
            KeyError: An event names a frame that is not on the stack.
        """
        for event in events:
            self.apply(event)


class Draft:
    """A conversation during one turn, and the events that the turn adds to it."""

    def __init__(self, conversation: Conversation) -> None:
        """Work on `conversation`, which the caller gives away."""
        self.conversation = conversation
        self.events: list[ev.Event] = []

    def emit(self, event: ev.Event) -> None:
        """Record an event and fold it in.

        Raises:
            KeyError: The event names a frame that is not on the stack.
        """
        self.conversation.apply(event)
        self.events.append(event)


def _user(c: Conversation, e: ev.UserUttered) -> None:
    c.turns += 1
    c.begun = e.message_id
    c.last_user = e
    c.mood = c.mood.after(e.parse_data.get("sentiment") or {})
    c.previous_bot = c.last_bot or c.previous_bot
    c.last_bot = []


def _triggered(c: Conversation, e: ev.Triggered) -> None:
    c.turns += 1
    c.begun = e.message_id
    c.previous_bot = c.last_bot or c.previous_bot
    c.last_bot = []


def _intended(c: Conversation, e: ev.ActionIntended) -> None:
    c.intended = e.name


def _executed(c: Conversation, e: ev.ActionExecuted) -> None:
    if e.name == c.intended or e.error:
        c.intended = ""


def _bot(c: Conversation, e: ev.BotUttered) -> None:
    c.last_bot.append(e)


def _slot(c: Conversation, e: ev.SlotSet) -> None:
    value = _known(e.value)
    if not e.frame_id:
        c.slots[e.name] = value
        return
    frame = c.frame(e.frame_id)
    frame.slots[e.name] = value
    if e.step:
        frame.asked_in[e.name] = e.step


def _known(value: Json) -> Json:
    """Return a slot's value without what was redacted: nobody may act on the mark."""
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if item != ev.REDACTED}
    return None if value == ev.REDACTED else value


def _flow_started(c: Conversation, e: ev.FlowStarted) -> None:
    if not e.flow_id.startswith("pattern_"):
        c.not_understood = 0
    c.frames_started += 1
    c.stack.append(
        Frame(e.frame_id, e.flow_id, e.parent_id, mentions=list(e.mentions), slots=dict(e.slots))
    )


def _flow_ended(c: Conversation, e: ev.FlowCompleted | ev.FlowCancelled) -> None:
    c.stack = [frame for frame in c.stack if frame.id != e.frame_id]
    if not e.flow_id.startswith("pattern_"):
        c.last_flow = e.flow_id


def _interrupted(c: Conversation, e: ev.FlowInterrupted) -> None:
    frame = c.frame(e.frame_id)
    frame.interrupted = True
    frame.asked = False


def _resumed(c: Conversation, e: ev.FlowResumed) -> None:
    c.frame(e.frame_id).interrupted = False


def _step(c: Conversation, e: ev.StepReached) -> None:
    frame = c.frame(e.frame_id)
    frame.step = e.step
    frame.asked = False
    frame.rejections = 0
    frame.narrowed = {}


def _asked(c: Conversation, e: ev.QuestionAsked) -> None:
    c.frame(e.frame_id).asked = True


def _rejected(c: Conversation, e: ev.AnswerRejected) -> None:
    frame = c.frame(e.frame_id)
    frame.rejections += 1
    frame.asked = False


def _mentioned(c: Conversation, e: ev.Mentioned) -> None:
    c.frame(e.frame_id).mentions.append(e.mention)


def _rewound(c: Conversation, e: ev.FrameRewound) -> None:
    frame = c.frame(e.frame_id)
    if e.forget:
        frame.mentions = []
    for name in e.dropped:
        frame.slots.pop(name, None)
        frame.asked_in.pop(name, None)
    frame.loops = {}
    frame.narrowed = {}
    frame.plan_hash = ""
    frame.step = e.step
    frame.asked = False
    frame.taken_back = e.step if e.forget else ""


def _narrowed(c: Conversation, e: ev.OptionsNarrowed) -> None:
    c.frame(e.frame_id).narrowed[e.slot] = e.values


def _loop(c: Conversation, e: ev.LoopAdvanced) -> None:
    c.frame(e.frame_id).loops[e.step] = e.index


def _wish_queued(c: Conversation, e: ev.WishQueued) -> None:
    c.wishes.append(Wish(e.flow_id, e.mention))


def _wish_taken(c: Conversation, e: ev.WishTaken) -> None:
    c.wishes = c.wishes[1:]


def _plan_shown(c: Conversation, e: ev.PlanShown) -> None:
    c.frame(e.frame_id).plan_hash = e.plan_hash


def _handoff(c: Conversation, e: ev.HandoffChanged) -> None:
    if c.handoff in _NO_CASE and e.state not in _NO_CASE and not c.lent_by:
        c.cases += 1
    c.handoff = e.state
    c.operator = e.operator if e.state == "with_operator" else ""
    is_lent = e.state == "bot" and e.reason == LENT
    c.lent_by, c.lent_name = (e.operator, e.operator_name) if is_lent else ("", "")
    c.handoff_order = max(c.handoff_order, e.order)
    if e.state != "with_operator" or e.reason != MERGED:
        c.merged = ""
    if e.state in _NO_CASE and not is_lent:
        c.leads = frozenset()
    if e.state == "bot":  # what a person has dealt with does not count again
        c.mood = Mood()


def _acted(c: Conversation, e: ev.OperatorActed) -> None:
    if e.act == LENT and not e.refusal:
        c.lent_skill = str(e.data.get("skill") or "")
    if e.act == MERGED and not e.refusal:
        c.merged = str(e.data.get("link") or "")
    elif e.act == "led" and not e.refusal:
        c.leads |= {str(e.data.get("link") or "")}
    elif e.act == "parted":
        c.leads -= {str(e.data.get("link") or "")}


def _not_understood(c: Conversation, e: ev.NotUnderstood) -> None:
    c.not_understood += 1


def _started(c: Conversation, e: ev.SessionStarted) -> None:
    c.started = True


def _nothing(c: Conversation, e: Json) -> None:
    """Leave the conversation as it is: the event is for the record."""


_FOLD: dict[type, Callable[[Conversation, Any], None]] = {
    ev.UserUttered: _user,
    ev.BotUttered: _bot,
    ev.SlotSet: _slot,
    ev.ActionExecuted: _executed,
    ev.ActionIntended: _intended,
    ev.Triggered: _triggered,
    ev.SessionStarted: _started,
    ev.FlowStarted: _flow_started,
    ev.FlowCompleted: _flow_ended,
    ev.FlowCancelled: _flow_ended,
    ev.FlowInterrupted: _interrupted,
    ev.FlowResumed: _resumed,
    ev.StepReached: _step,
    ev.QuestionAsked: _asked,
    ev.AnswerRejected: _rejected,
    ev.Mentioned: _mentioned,
    ev.FrameRewound: _rewound,
    ev.LoopAdvanced: _loop,
    ev.OptionsNarrowed: _narrowed,
    ev.WishQueued: _wish_queued,
    ev.WishTaken: _wish_taken,
    ev.PlanShown: _plan_shown,
    ev.ConsentGiven: _nothing,
    ev.ConsentRefused: _nothing,
    ev.NotUnderstood: _not_understood,
    ev.Grounding: _nothing,
    ev.HandoffChanged: _handoff,
    ev.OperatorActed: _acted,
    ev.Redacted: _nothing,
}
