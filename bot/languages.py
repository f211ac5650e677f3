"""The language a conversation is held in: the customer's words decide, then what else is known."""

from collections.abc import Collection

from bot import events as ev
from bot.conversation import Conversation
from bot.messages import InboundMessage
from bot.storage.ports import Store
from bot.understanding.router import Understood
from bot.utterances import own_words

SWITCH_SCORE = 0.8
SWITCH_WORDS = 2


def settled_language(known: str, understood: Understood) -> str:
    """Return the language of the customer's words, empty if they do not tell clearly.

    Args:
        known: the language so far; it takes more to change one than to find it out.
        understood: what was said.
    """
    parse = understood.parse
    if not parse.language or parse.language == known:
        return ""
    is_clear = parse.language_score >= SWITCH_SCORE and own_words(parse) >= SWITCH_WORDS
    return parse.language if is_clear or not known else ""


def spoken_language(
    conversation: Conversation, message: InboundMessage, languages: Collection[str]
) -> str:
    """Return the language to answer in, empty if nothing is known of it.

    While no words told it, the bot goes on in the language that it spoke, or begins in that which
    the channel tells of its customer: `metadata.language`.

    Args:
        conversation: with what was said so far.
        message: that is answered.
        languages: those that the bot speaks.
    """
    if known := conversation.slots.get("language"):
        return str(known)
    said = conversation.last_bot or conversation.previous_bot
    if said and (last := said[-1].data.get("language")) in languages:
        return str(last)
    hint = str(message.metadata.get("language") or "").partition("-")[0].lower()
    return hint if hint in languages else ""


async def language_of(store: Store, conversation_id: str) -> str:
    """Return the language that a customer's words told, empty if none did.

    Raises:
        StorageError: the conversation could not be read.
    """
    events, _ = await store.events.load(conversation_id)
    found = ""
    for stored in events:
        event = ev.from_wire(stored.data)
        if isinstance(event, ev.SlotSet) and event.name == "language" and not event.frame_id:
            found = str(event.value or "")
    return found
