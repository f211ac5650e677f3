"""What a turn is about to do outside the conversation, before it does it.

An action whose name begins with `action_commit_` carries out the plan in the slot `plan`. The turn
first commits what it will do, then runs the action with the keys, then commits what became of it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bot.storage.effects import (
    SETTLED,
    EffectEntry,
    EffectOutcome,
    EffectQuery,
    EffectState,
    Ledger,
    NewEffect,
)

PREFIX = "action_commit_"
STEPS = ("write", "mail")
"""What carrying out a plan consists of; only the first is sent over a network we do not own."""
OUTCOMES = "effect_outcomes"
"""The slot in which the action tells what became of each step; it never reaches the events."""
KEY_CHARS = 24
OPEN: tuple[EffectState, ...] = ("intended", "sent", "unknown")


def has_effects(action: str) -> bool:
    """Return whether an action changes something outside the conversation."""
    return action.startswith(PREFIX)


def intents(conversation_id: str, plan: Mapping[str, Any]) -> tuple[NewEffect, ...]:
    """Return the effects of carrying out a plan.

    The keys are made of conversation, plan, showing of the plan and step: a second yes to the same
    showing has the same keys, the same wish agreed to again later has others.

    Args:
        conversation_id: where it was agreed.
        plan: as the slot holds it, with `hash`, `id`, `kind` and `request`.
    """
    request = plan.get("request") or {}
    return tuple(
        NewEffect(
            key=":".join((
                _hashed(conversation_id),
                str(plan.get("hash", ""))[:KEY_CHARS],
                _hashed(str(plan.get("id", "")))[:12],
                step,
            )),
            step=step,
            operation=str(plan.get("kind", "")),
            subject=str(request.get("order_number", "")),
            data=dict(plan),
        )
        for step in STEPS
    )


async def is_held_up(ledger: Ledger, entry: EffectEntry) -> bool:
    """Return whether another conversation began before to change the same order, and goes on.

    Both write down what they intend before they look, so of two at least the later one sees the
    other. A shop without preconditions would do both.

    Args:
        ledger: the effects of all conversations.
        entry: what is intended.
    """
    query = EffectQuery(states=OPEN, step=entry.step)
    while entry.subject and (page := await ledger.find(query)):
        for other in page:
            ahead = (other.intended_at, other.key) < (entry.intended_at, entry.key)
            ahead = other.key != entry.key and (ahead or other.state != "intended")
            if ahead and other.subject == entry.subject:
                return True
        query = msgspec.structs.replace(query, after_key=page[-1].key)
    return False


def as_slot(entries: Sequence[EffectEntry], *, held_up: bool = False) -> list[dict[str, Any]]:
    """Return effects as an action reads them: step, key, state, result, sent_at (ISO 8601).

    Args:
        entries: the effects.
        held_up: another conversation is changing the same order.
    """
    return [
        {
            "step": entry.step,
            "key": entry.key,
            "state": entry.state,
            "result": entry.result,
            "sent_at": entry.sent_at.isoformat() if entry.sent_at else None,
            "held_up": held_up,
        }
        for entry in entries
    ]


def outcomes(
    entries: Sequence[EffectEntry], told: Sequence[Mapping[str, Any]], error: str = ""
) -> list[EffectOutcome]:
    """Return what became of the effects; those the action says nothing of are in doubt.

    Args:
        entries: the effects as they were before the action ran.
        told: what the action says: key, state, result, error.
        error: why the action failed, if it did.
    """
    by_key = {str(item["key"]): item for item in told}
    found = []
    for entry in entries:
        if entry.state in SETTLED:
            continue
        item = by_key.get(entry.key)
        if item is None:
            found.append(EffectOutcome(entry.key, "unknown", error=error or "not told"))
            continue
        result = item.get("result") or {}
        found.append(EffectOutcome(entry.key, item["state"], result, str(item.get("error") or "")))
    return found


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:KEY_CHARS]
