"""What a conversation keeps of every message, whatever it is about."""

from typing import Any

from bot import events as ev
from bot.conversation import Draft

MAX_ATTACHMENTS = 10
FACT_TYPES = frozenset({"email", "phone", "name", "postcode", "order_number"})


def remember(draft: Draft, said: ev.UserUttered) -> None:
    """Keep facts about the customer, the files they sent, and how to speak to them."""
    tone = draft.conversation.mood.tone
    if tone != draft.conversation.slots.get("tone", "calm"):
        draft.emit(ev.SlotSet("tone", tone))
    entities = sorted(
        (e for e in said.parse_data.get("entities", ()) if e["entity"] in FACT_TYPES),
        key=lambda entity: -float(entity.get("confidence_entity", 1.0)),
    )
    found: dict[str, Any] = {}
    for entity in entities:  # the surest wins; of equals, the one said first
        found.setdefault(entity["entity"], entity["value"])
    if found:
        known = draft.conversation.slots.get("facts") or {}
        draft.emit(ev.SlotSet("facts", {**known, **found}))
    if said.attachments:
        kept = draft.conversation.slots.get("attachments") or []
        urls = [*kept, *(str(item["url"]) for item in said.attachments)]
        draft.emit(ev.SlotSet("attachments", urls[-MAX_ATTACHMENTS:]))
