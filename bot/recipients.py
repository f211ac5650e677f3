"""Where an answer goes when a conversation has several ends."""

from collections.abc import Collection

from bot.messages import Contact, InboundMessage, is_trigger_id
from bot.storage.channel_ports import Contacts

JOINED_FLOW = "pattern_joined"


async def whereto(
    contacts: Contacts, message: InboundMessage, asked: Collection[str] = ()
) -> tuple[str, str]:
    """Return the channel and sender id that the answer to a message goes to.

    What happened outside is told where the customer of the conversation wrote last; that somebody
    joined it, where it began. An end on a channel in `asked`, which tells nothing by itself, is
    taken only if there is no other.

    Raises:
        StorageError: it could not be looked up.
    """
    trigger = message.trigger
    if trigger is None or trigger.flow == JOINED_FLOW or not is_trigger_id(message.message_id):
        return message.channel, message.sender_id
    known = await contacts.of_conversation(message.conversation_id)
    wrote = [contact for contact in known if contact.last_inbound_at is not None]
    if not wrote:
        return message.channel, message.sender_id
    reachable = [contact for contact in wrote if contact.channel not in asked]
    last = max(reachable or wrote, key=_last_wrote)
    return last.channel, last.sender_id


def _last_wrote(contact: Contact) -> float:
    return contact.last_inbound_at.timestamp() if contact.last_inbound_at else 0.0
