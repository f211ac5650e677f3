"""The hard messages of `tests/understanding/hard`: what each says, where, and what it wants."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bot import commands as cm
from bot import flows as fl
from bot.conversation import Conversation, Frame
from bot.flows import FlowSet

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "understanding" / "hard"
LANGUAGES = ("de", "en")
OUTSIDE, NOTHING, ANSWER, CORRECTION, CLARIFY = (
    "out_of_scope",
    "none",
    "answer",
    "correction",
    "clarify",
)
SAID_BY: dict[type[cm.Command], str] = {
    cm.Affirm: "affirm",
    cm.Deny: "deny",
    cm.CancelFlow: "cancel",
    cm.SkipQuestion: "skip",
    cm.DontKnow: "dont_know",
    cm.RepeatLast: "repeat",
    cm.Restart: "go_back",
    cm.HandOff: "talk_to_human",
    cm.CannotHandle: OUTSIDE,
    cm.RejectAnswer: "rejected",
    cm.CorrectSlot: CORRECTION,
    cm.Clarify: CLARIFY,
}
_SMALL_TALK = frozenset({OUTSIDE, "chitchat"})


class HardMessagesError(ValueError):
    """The messages cannot be used; the text names the file and the message."""


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entity that stands in a text; `value` as the parser normalises it."""

    kind: str
    value: str | int


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The question that is open: of a skill's slot, or (`confirm`) whether to do what it showed.

    `under` is the skill that called this one, `slots` what is answered already.
    """

    skill: str
    slot: str = ""
    confirm: bool = False
    under: str = ""
    slots: dict[str, Any] = {}
    options: list[dict[str, Any]] = []


class Context(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What went before: products (`P…`) or orders shown, the one in focus, the open question."""

    offered: list[str] = []
    focus: str = ""
    last_skill: str = ""
    known: bool = False
    open: Question | None = None


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message; `wants` in order, each with `|` between readings that are equally good."""

    id: str
    text: str
    kinds: list[str]
    wants: list[str]
    not_wants: list[str] = []
    answer: str | int | None = None
    entities: list[Value] | None = None
    context: Context = Context()
    mood: dict[str, bool | str] = {}


class Judged(msgspec.Struct, frozen=True):
    """How the commands for one message compare with what it wants.

    `asked` tells that a clarifying question offers the first wish.
    """

    right: bool
    first: bool
    false_start: bool
    asked: bool


def load_messages(language: str, folder: Path = FOLDER) -> list[Message]:
    """Return the messages of a language.

    Raises:
        HardMessagesError: The file is missing or holds something else.
    """
    path = folder / f"{language}.yml"
    try:
        return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), list[Message])
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        message = f"{path}: {error}"
        raise HardMessagesError(message) from error


def conversation_of(message: Message, flows: FlowSet, language: str) -> Conversation:
    """Return the conversation that a message is said in.

    Raises:
        HardMessagesError: The open question is none of that skill's.
    """
    context = message.context
    conversation = Conversation(f"bench:{message.id}", started=True, last_flow=context.last_skill)
    slots = conversation.slots
    slots["language"] = language
    if context.known or context.open:
        slots["customer_id"] = "C0001"
    products = [value for value in context.offered if value.startswith("P")]
    if products:
        titles = _titles()
        slots["shown_products"] = [{"value": p, "title": titles[p]} for p in products]
        slots["last_search"] = {"query": {}, "total": len(products)}
    if orders := [value for value in context.offered if value not in products]:
        slots["shown_orders"] = orders
    if context.focus:
        slots["focus_product" if context.focus.startswith("P") else "focus_order"] = context.focus
    if context.open:
        conversation.stack.extend(_frames(message.id, context.open, flows))
        conversation.frames_started = len(conversation.stack)
    return conversation


def said(commands: Iterable[cm.Command]) -> list[tuple[str, Any]]:
    """Return commands as skills and patterns, each with the value that it brings."""
    return list(_said(commands))


def judge(message: Message, commands: Iterable[cm.Command], flows: FlowSet) -> Judged:
    """Return how the commands for a message compare with what it wants."""
    kept = list(commands)
    found = said(kept)
    names = [name for name, _ in found]
    wants = [set(want.split("|")) for want in message.wants]
    starts = [c.flow for c in kept if isinstance(c, (cm.StartFlow, cm.QueueWish))]
    starts = [name for name in starts if name not in flows.flows or not flows.flows[name].yields]
    offered = [name for c in kept if isinstance(c, cm.Clarify) for name in c.flows]
    if message.wants == [NOTHING]:
        right = first = not starts and not set(offered) & set(message.not_wants)
        return Judged(right, first, bool(starts), asked=False)
    if message.wants == [OUTSIDE]:
        right = first = set(names) <= _SMALL_TALK
        return Judged(right, first, bool(starts), asked=False)
    matches = len(found) == len(wants)
    for (name, value), want in zip(found, wants, strict=False):
        matches = matches and name in want and _is_value(message, name, value)
    first = bool(found) and found[0][0] in wants[0] and _is_value(message, *found[0])
    return Judged(matches, first, _starts_too_much(starts, wants), bool(wants[0] & set(offered)))


def _said(commands: Iterable[cm.Command]) -> Iterator[tuple[str, Any]]:
    for command in commands:
        if isinstance(command, (cm.StartFlow, cm.QueueWish)):
            yield command.flow.removeprefix("pattern_"), None
        elif isinstance(command, cm.SetSlot):
            yes_no = isinstance(command.value, bool)
            plain = ("affirm" if command.value else "deny") if yes_no else ANSWER
            yield plain, command.value
        elif isinstance(command, cm.CorrectSlot):
            yield CORRECTION, command.value
        elif type(command) in SAID_BY:
            yield SAID_BY[type(command)], None


def _is_value(message: Message, name: str, value: object) -> bool:
    """Return whether an answer brings the right value, where the message tells one."""
    if message.answer is None or name not in {ANSWER, CORRECTION}:
        return True
    return str(value) == str(message.answer)


def _starts_too_much(starts: list[str], wants: list[set[str]]) -> bool:
    left = list(wants)
    for name in starts:
        met = next((want for want in left if name in want), None)
        if met is None:
            return True
        left.remove(met)
    return False


def _frames(name: str, question: Question, flows: FlowSet) -> list[Frame]:
    """Return the frames of a skill that asks, and of the one that called it.

    Raises:
        HardMessagesError: There is no such skill.
    """
    flow = flows.flows.get(question.skill)
    if flow is None:
        message = f"{name}: there is no skill '{question.skill}'"
        raise HardMessagesError(message)
    slots = dict(question.slots)
    if question.slot and question.options:
        slots[flow.slots[question.slot].options_from] = question.options
    frames = [Frame("f0", question.under)] if question.under else []
    parent = "f0" if question.under else ""
    answered = dict.fromkeys(question.slots, "answered")
    step = _step(name, question, flow)
    frames.append(
        Frame("f1", flow.id, parent, step=step, slots=slots, asked_in=answered, asked=True)
    )
    if question.under:
        frames[0].step = next(iter(flows.flows[question.under].nodes))
    return frames


def _step(name: str, question: Question, flow: fl.Flow) -> str:
    for node in flow.nodes.values():
        if question.confirm and isinstance(node, fl.Confirm):
            return node.id
        if not question.confirm and isinstance(node, fl.Collect) and node.slot == question.slot:
            return node.id
    message = f"{name}: '{flow.id}' has no such question"
    raise HardMessagesError(message)


def _titles() -> Mapping[str, Any]:
    path = ROOT / "data" / "demo_shop" / "products.json"
    listed = json.loads(path.read_text(encoding="utf-8"))
    rows = listed if isinstance(listed, list) else listed["products"]
    return {row["id"]: row["title"] for row in rows}
