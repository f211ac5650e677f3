"""A bot that answers as fast as it can until it is killed; test_kill.py starts it.

It writes one line to standard output for each thing that the store has acknowledged.
"""

import asyncio
import os
import sys

from bot.messages import InboundMessage, OutboundMessage, utc_now
from bot.storage.open import open_store
from bot.storage.ports import InboxEntry, NewEvent, NewOutbound, Store, TurnCommit

CONVERSATIONS = 16


def report(*words: object) -> None:
    """Write one line at once: a pipe takes a short line whole or not at all."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def answer(store: Store, entry: InboxEntry) -> None:
    """Commit the turn that answers one message."""
    key = entry.conversation_id
    _, version = await store.events.load(key)
    said = {"message_id": entry.message.message_id}
    reply = OutboundMessage(text=entry.message.message_id)
    await store.turns.commit(
        TurnCommit(
            key,
            version,
            [NewEvent("user", said, utc_now()), NewEvent("bot", said, utc_now())],
            [NewOutbound("web", entry.message.sender_id, reply)],
            entry.inbox_id,
        )
    )
    report("handled", entry.message.message_id)


async def converse(store: Store, sender: str, life: str) -> None:
    """Work off what the last life left over, then accept and answer without end."""
    number = 0
    while True:
        for entry in await store.inbox.waiting(f"web:{sender}"):
            await answer(store, entry)
        message_id = f"{sender}/{life}/{number}"
        number += 1
        await store.inbox.accept([InboundMessage("web", sender, message_id, "Hallo", utc_now())])
        report("accepted", message_id)


async def main(url: str, life: str) -> None:
    """Keep all conversations going."""
    store = await open_store(url)
    report("ready")
    await asyncio.gather(*(converse(store, f"s{n}", life) for n in range(CONVERSATIONS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
