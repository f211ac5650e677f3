"""Payloads: what a pressed button sends instead of words.

`/skill`, `/skill{"slot": "value"}` (Rasa) and `/SetSlots(slot="value", …)` (Rasa CALM).
"""

import re
from itertools import starmap
from typing import Any

import msgspec

from bot import commands as cm
from bot.conversation import Conversation
from bot.flows import FlowSet
from bot.messages import Json

_INTENT = re.compile(r"^/(\w+)\s*(\{.*\})?\s*$", re.DOTALL)
_SET_SLOTS = re.compile(r"^/SetSlots\((.*)\)\s*$", re.DOTALL)
_PAIR = re.compile(r'(?:^|,)\s*(\w{1,60})\s*=\s*("(?:[^"\\]|\\.)*"|[^,"]+)')
_NUMBER = re.compile(r"\(?([1-9]\d?)[.)]?")
_MAX_CHARS = 2_000
_MOST_BRACKETS = 50  # a value nested without end would exhaust the stack
_META: dict[str, tuple[cm.Command, ...]] = {
    "affirm": (cm.Affirm(),),
    "deny": (cm.Deny(),),
    "cancel": (cm.CancelFlow(),),
    "skip": (cm.SkipQuestion(),),
    "dont_know": (cm.DontKnow(),),
    "repeat": (cm.RepeatLast(),),
    "restart": (cm.Restart(),),
}


def read_payload(text: str, flows: FlowSet) -> tuple[cm.Command, ...] | None:
    """Return the commands of a payload; None when the text is not a payload we know."""
    text = text.strip()
    if not text.startswith("/") or len(text) > _MAX_CHARS:
        return None
    if text.count("{") + text.count("[") > _MOST_BRACKETS:
        return None
    if match := _SET_SLOTS.match(text):
        pairs = _pairs(match.group(1))
        return tuple(starmap(cm.SetSlot, pairs.items())) or None
    match = _INTENT.match(text)
    if match is None:
        return None
    name, body = match.groups()
    slots = _json(body) if body else {}
    if name == "affirm" and slots:
        return (cm.Affirm(plan=str(slots.get("plan", ""))),)
    if name in _META and slots is not None:
        return _META[name]
    if name == "session_start" and "greet" in flows.flows:
        name = "greet"
    if slots is None or name not in flows.flows or not flows.flows[name].listed:
        is_closed = name in flows.flows and flows.flows[name].for_operators
        return (cm.CannotHandle(),) if is_closed else None  # no words to be read either
    allowed = {k: v for k, v in slots.items() if flows.flows[name].takes_from_payload(k)}
    return (cm.StartFlow(name, slots=allowed),)


def pressed(text: str, conversation: Conversation) -> str:
    """Return the payload of the offered button whose title or number the customer typed, if any.

    Channels without buttons list them numbered, after the cards of the same message.
    """
    said = _plain(text)
    for event in conversation.last_bot if said else ():
        for button in event.data.get("buttons") or ():
            if _plain(str(button["title"])) == said:
                return str(button["payload"])
    number = _NUMBER.fullmatch(said)
    return _numbered(int(number.group(1)), conversation) if number else ""


def _numbered(number: int, conversation: Conversation) -> str:
    """Return the payload of what stood under a number in the last list that was shown.

    A card that is picked by its number is looked at, which is its last button.
    """
    for event in reversed(conversation.last_bot):
        cards = event.data.get("cards") or ()
        buttons = event.data.get("buttons") or ()
        if not cards and not buttons:
            continue
        if 1 <= number <= len(cards):
            own = cards[number - 1].get("buttons") or ()
            return str(own[-1]["payload"]) if own else ""
        place = number - len(cards) - 1
        return str(buttons[place]["payload"]) if 0 <= place < len(buttons) else ""
    return ""


def _plain(text: str) -> str:
    return text.casefold().strip(" .!\n\t")


def _pairs(text: str) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for match in _PAIR.finditer(text):
        raw = match.group(2).strip()
        value = _decode(raw)
        pairs[match.group(1)] = value
    return pairs


def _decode(raw: str) -> Json:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw


def _json(body: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
