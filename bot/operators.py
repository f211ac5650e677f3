"""What operators do to a conversation: acts that stand in its queue beside the customer's messages.

The desk puts an act there as a trigger (`as_act`). Its turn keeps what was done, by whom, or why it
was refused (`OperatorActed`); the desk reads that under the act's message id. Who may do what is
decided at the desk; here only what fits the conversation as it is now is done.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Literal, get_args

import msgspec

from bot import events as ev
from bot import merging
from bot.commands import Mention
from bot.conversation import LENT, SKILL_DONE, Conversation, Draft
from bot.engine import Engine
from bot.messages import (
    Attachment,
    InboundMessage,
    OutboundMessage,
    Trigger,
    happened,
    trigger_id,
)
from bot.utterances import speaking

Act = Literal[
    "assigned",
    "said",
    "noted",
    "marked",
    "transferred",
    "returned",
    "gave_back",
    "lent",
    "closed",
    "led",
    "merged",
    "followed",
    "unmerged",
    "parted",
    "heard",
    "replied",
]
Refusal = Literal[
    "", "with_another", "nobody_has_it", "not_yours", "not_open", "unknown_act", "unknown_skill",
    "no_reason", "lent", "merged", "leads", "other_customer",
]  # fmt: skip
"""Why an act did nothing.

`with_another`: somebody else has it. `not_yours`: the operator does not have it. `not_open`: no
operator is needed any more. `nobody_has_it`: it waits, so nobody can speak or give it back.
`unknown_act`: there is none of that name, or it broke. `unknown_skill`: the bot has none of that
name. `no_reason`: it does this only with a reason. `lent`: the bot is at it, so the operator takes
it back before they speak. `merged`: it is answered in another case. `leads`: another one is
answered in it. `other_customer`: the two are of different customers.
"""

_PREFIX = "operator_"
_SAID = frozenset({"text", "attachments", "original", "original_language"})
"""What stands in the message itself."""
JOINED, GIVEN_BACK, LENDING, CLOSED = (
    "pattern_operator_joined",
    "pattern_given_back",
    "pattern_lent",
    "pattern_case_closed",
)
_OPEN = frozenset({"waiting_for_operator", "with_operator"})


class Doing(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The particulars of an act; each act reads its own of them.

    Args:
        operator: the id of who acts; empty for the desk itself.
        name: how the customer reads the operator's name.
        text: what is said or noted.
        attachments: files that go to the customer.
        language: of `text`, as a tag; empty where it is not known.
        original: what the operator wrote, where `text` is its translation.
        original_language: of `original`.
        to: the operator who gets the conversation.
        to_name: their name.
        team: who it waits for, instead of an operator.
        reason: why.
        force: take it from whoever has it, also from the bot; the desk asks for the role.
        resume: the bot goes on where it was.
        quiet: the customer is not told.
        seq: the event that is marked.
        verdict: of the mark.
        link: of two cases that were put together; when the conversation goes back to the bot or is
            closed, the one in which the customer is told.
        customer: a mark of the verified customer of the other one (bot.merging.customer_mark).
        skill: what the bot is to do before the operator has the conversation again.
        slots: what the operator knows for it already.
        mentions: operators that a note calls.
    """

    operator: str = ""
    name: str = ""
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    language: str = ""
    to: str = ""
    to_name: str = ""
    team: str = ""
    reason: str = ""
    force: bool = False
    resume: bool = False
    quiet: bool = False
    seq: int = 0
    verdict: Literal["", "right", "wrong"] = ""
    mentions: tuple[str, ...] = ()
    link: str = ""
    customer: str = ""
    skill: str = ""
    slots: dict[str, Any] = msgspec.field(default_factory=dict)
    original: str = ""
    original_language: str = ""


def as_act(conversation_id: str, name: str, act: Act, doing: Doing, at: datetime) -> InboundMessage:
    """Return the message that brings an act into a conversation, once for each name.

    Args:
        conversation_id: where.
        name: tells the act from all others; repeated after a lost connection, it acts once.
        act: what is done.
        doing: by whom, and with what.
        at: aware UTC.
    """
    slots: dict[str, Any] = msgspec.to_builtins(doing)
    return happened(conversation_id, act_name(name), Trigger(f"{_PREFIX}{act}", slots), at)


def act_name(name: str) -> str:
    """Return the name under which the queue knows an act."""
    return f"desk:{name}"


def act_id(name: str) -> str:
    """Return the id of the act's message."""
    return trigger_id(act_name(name))


def is_act(trigger: Trigger | None) -> bool:
    """Return whether a trigger is an operator's act."""
    return trigger is not None and trigger.flow.startswith(_PREFIX)


class Operators:
    """Carries acts out on a conversation."""

    def __init__(self, engine: Engine) -> None:
        """Let `engine` say what the customer is told of it."""
        self._engine = engine
        self._acts: dict[str, Callable[[Draft, Doing, str], list[OutboundMessage]]] = {
            "assigned": self._assign,
            "said": self._say,
            "noted": self._keep,
            "marked": self._keep,
            "transferred": self._transfer,
            "returned": self._return,
            "gave_back": self._give_back,
            "lent": self._lend,
            "closed": self._close,
            **dict.fromkeys(merging.ACTS, self._keep),
            **{name: partial(self._merge, name) for name in merging.MOVES},
        }

    def act(self, draft: Draft, trigger: Trigger, message_id: str) -> list[OutboundMessage]:
        """Do what an operator did; return what goes to the customer in their words.

        Nothing is done, or kept, in a conversation that nobody began, or that was erased.

        Raises:
            msgspec.ValidationError: the trigger's slots are not those of an act.
        """
        act = trigger.flow.removeprefix(_PREFIX)
        doing = msgspec.convert(trigger.slots, Doing)
        if not draft.conversation.is_begun:
            return []
        why: Refusal = refusal(draft.conversation, act, doing)
        if act == "lent" and not why:
            why = self._not_lent(doing)
        draft.emit(ev.OperatorActed(act, doing.operator, message_id, why, _particulars(act, doing)))
        return [] if why else self._acts[act](draft, doing, message_id)

    def settle(self, draft: Draft) -> None:
        """Give a conversation back to the operator who lent it, once the bot's part is over."""
        conversation = draft.conversation
        if conversation.lent_by and not conversation.runs(conversation.lent_skill):
            by = conversation.lent_by, conversation.lent_name
            draft.emit(ev.HandoffChanged("with_operator", SKILL_DONE, 0, *by))

    def _assign(self, draft: Draft, doing: Doing, message_id: str) -> list[OutboundMessage]:
        had, by_now = draft.conversation.handoff, draft.conversation.operator
        if by_now == doing.operator and had == "with_operator":
            return []
        self._hold(draft, doing.operator, doing.name, doing.reason or "assigned")
        if not doing.quiet:
            self._tell(draft, JOINED, message_id, {"name": doing.name, "before": had})
        return []

    def _say(self, draft: Draft, doing: Doing, message_id: str) -> list[OutboundMessage]:
        message = OutboundMessage(
            text=doing.text,
            attachments=doing.attachments,
            language=doing.language,
            author=doing.name,
        )
        by = {"operator": doing.operator, "name": doing.name, "message_id": message_id}
        if doing.original:
            by |= {"original": doing.original, "original_language": doing.original_language}
        draft.emit(speaking(message, by))
        return [message]

    def _keep(self, draft: Draft, doing: Doing, message_id: str) -> list[OutboundMessage]:
        """Leave the conversation as it is: the act itself is the record."""
        return []

    def _transfer(self, draft: Draft, doing: Doing, message_id: str) -> list[OutboundMessage]:
        if doing.to:
            self._hold(draft, doing.to, doing.to_name, doing.reason or "transferred")
            if not doing.quiet:
                slots = {"name": doing.to_name, "before": "with_operator"}
                self._tell(draft, JOINED, message_id, slots)
            return []
        return self._return(draft, doing, message_id)

    def _return(self, draft: Draft, doing: Doing, message_id: str) -> list[OutboundMessage]:
        reason = doing.reason or "returned"
        draft.emit(ev.HandoffChanged("waiting_for_operator", reason, team=doing.team))
        return []

    def _give_back(self, draft: Draft, doing: Doing, message_id: str) -> list[OutboundMessage]:
        if not doing.resume:
            self._engine.stack.give_up_all(draft, "handoff")
        draft.emit(ev.HandoffChanged("bot", doing.reason or "given_back", operator=doing.operator))
        goes_on = bool(doing.resume and draft.conversation.stack)
        if not doing.quiet and not doing.link:
            slots = {"name": doing.name, "goes_on": goes_on}
            self._tell(draft, GIVEN_BACK, message_id, slots)
        return []

    def _not_lent(self, doing: Doing) -> Refusal:
        """Return why the bot cannot do what it is asked to."""
        if not self._engine.stack.knows_skill(doing.skill):
            return "unknown_skill"
        needs_reason = self._engine.stack.needs_reason(doing.skill)
        return "no_reason" if needs_reason and not doing.reason.strip() else ""

    def _lend(self, draft: Draft, doing: Doing, message_id: str) -> list[OutboundMessage]:
        self._engine.stack.give_up_all(draft, "handoff")
        draft.emit(ev.HandoffChanged("bot", LENT, 0, doing.operator, doing.name))
        self._engine.stack.begin_skill(draft, doing.skill, Mention(""), doing.slots)
        self._tell(draft, LENDING, message_id, {"name": doing.name})
        return []

    def _close(self, draft: Draft, doing: Doing, message_id: str) -> list[OutboundMessage]:
        self._engine.stack.give_up_all(draft, "handoff")
        draft.emit(ev.HandoffChanged("closed", doing.reason or "solved", operator=doing.operator))
        if not doing.quiet and not doing.link:
            self._tell(draft, CLOSED, message_id, {"name": doing.name, "reason": doing.reason})
        return []

    def _merge(
        self, act: str, draft: Draft, doing: Doing, message_id: str
    ) -> list[OutboundMessage]:
        merging.merge(draft, act, doing.to, doing.to_name, doing.reason)
        if act == "merged" and not doing.quiet:
            self._tell(draft, merging.TOLD, message_id, {"name": doing.to_name})
        return []

    def _hold(self, draft: Draft, operator: str, name: str, reason: str) -> None:
        draft.emit(
            ev.HandoffChanged("with_operator", reason, operator=operator, operator_name=name)
        )

    def _tell(self, draft: Draft, flow: str, message_id: str, slots: dict[str, Any]) -> None:
        self._engine.trigger(draft, ev.Triggered(flow, message_id, slots))


def refusal(conversation: Conversation, act: str, doing: Doing) -> Refusal:
    """Return why an act does not fit the conversation as it is now; empty when it does."""
    if act not in get_args(Act):
        return "unknown_act"
    if act in {"noted", "marked"}:
        return ""
    if act in merging.ACTS:
        told = {"link": doing.link, "operator": doing.operator, "customer": doing.customer}
        return merging.merge_refusal(conversation, act, force=doing.force, **told)
    if conversation.merged and act not in merging.WITHIN:
        return "merged"
    return _refused(conversation, act, doing)


def _refused(conversation: Conversation, act: str, doing: Doing) -> Refusal:
    """Return why an act on a conversation that is answered in its own case does not fit it."""
    state = conversation.handoff
    holder = conversation.operator or conversation.lent_by
    is_theirs = bool(holder) and holder == doing.operator
    if act == "assigned":
        is_held = bool(holder) or state == "with_operator"
        if is_held and not is_theirs and not doing.force:
            return "with_another"
        return "" if state in _OPEN or is_theirs or doing.force else "not_open"
    if state not in _OPEN and not conversation.lent_by:
        return "not_open"
    forced = doing.force and act != "said"  # who speaks has taken it first
    if state == "waiting_for_operator":
        return "" if act == "closed" or forced else "nobody_has_it"
    if not is_theirs and not forced:
        return "not_yours" if holder else "with_another"
    return "lent" if act == "said" and conversation.lent_by else ""


def broken(trigger: Trigger, message_id: str) -> ev.OperatorActed:
    """Return the record of an act that could not be carried out."""
    why: Refusal = "unknown_act"
    operator = str(trigger.slots.get("operator") or "")
    return ev.OperatorActed(trigger.flow.removeprefix(_PREFIX), operator, message_id, why)


def reopen(draft: Draft) -> None:
    """Give a closed conversation to the bot again, because its customer is there."""
    if draft.conversation.handoff == "closed":
        draft.emit(ev.HandoffChanged("bot", "customer_wrote"))


def _particulars(act: str, doing: Doing) -> dict[str, Any]:
    """Return what the record keeps of an act beside who did it; what is said stands by itself."""
    told: dict[str, Any] = msgspec.to_builtins(doing)
    left_out = {"operator"} | (_SAID if act == "said" else set())
    return {name: value for name, value in told.items() if name not in left_out}
