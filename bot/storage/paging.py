"""Everything of one conversation that the ports give in pages."""

from bot.storage.ports import Inbox, InboxEntry, Outbox, OutboxEntry

PAGE = 500


async def all_received(inbox: Inbox, conversation_id: str) -> list[InboxEntry]:
    """Return the accepted messages of a conversation that are still known, in order."""
    entries: list[InboxEntry] = []
    while True:
        after = entries[-1].inbox_id if entries else 0
        page = await inbox.history(conversation_id, after, PAGE)
        entries.extend(page)
        if len(page) < PAGE:
            return entries


async def all_sent(outbox: Outbox, conversation_id: str) -> list[OutboxEntry]:
    """Return the messages to the customer of a conversation, in order."""
    entries: list[OutboxEntry] = []
    while True:
        after = entries[-1].seq if entries else 0
        page = await outbox.after(conversation_id, after, PAGE)
        entries.extend(page)
        if len(page) < PAGE:
            return entries
