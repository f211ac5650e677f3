"""A bot that has effects as fast as it can until it is killed; test_kill_effects.py starts it.

Each message has a turn of two commits: a checkpoint that intends an effect, and a last one that
settles it and answers. It writes one line to standard output for each thing that the store has
acknowledged.
"""

import asyncio
import random
import sys

from bot.messages import InboundMessage, OutboundMessage, utc_now
from bot.storage.effects import EffectOutcome, NewEffect
from bot.storage.open import open_store
from bot.storage.ports import InboxEntry, NewEvent, NewOutbound, Store, TurnCommit
from tests.storage.crashing import report

CONVERSATIONS = 8
LONGEST_CALL_S = 0.01


async def agree(store: Store, entry: InboxEntry, version: int) -> int:
    """Commit what the customer agreed to, and what follows from it."""
    key = entry.message.message_id
    committed = await store.turns.commit(
        TurnCommit(
            entry.conversation_id,
            version,
            [NewEvent("agreed", {"key": key}, utc_now())],
            effects=[NewEffect(key, "write", "return", "TR-1", {"items": [key]})],
        )
    )
    report("intended", key)
    return committed.version


async def finish(store: Store, entry: InboxEntry, version: int) -> None:
    """Commit what came of it, with the answer."""
    key = entry.message.message_id
    await store.turns.commit(
        TurnCommit(
            entry.conversation_id,
            version,
            [NewEvent("finished", {"key": key}, utc_now())],
            [NewOutbound("web", entry.message.sender_id, OutboundMessage(text=key))],
            entry.inbox_id,
            outcomes=[EffectOutcome(key, "done", {"refund": key})],
        )
    )
    report("done", key)


async def answer(store: Store, entry: InboxEntry) -> None:
    """Take one message's turn from where an earlier life left it to its end."""
    key = entry.message.message_id
    _, version = await store.events.load(entry.conversation_id)
    if await store.effects.get(key) is None:
        version = await agree(store, entry, version)
    await store.effects.mark(EffectOutcome(key, "sent"))
    await asyncio.sleep(random.random() * LONGEST_CALL_S)
    await finish(store, entry, version)


async def converse(store: Store, sender: str, life: str) -> None:
    """Work off what the last life left over, then accept and answer without end."""
    number = 0
    while True:
        for entry in await store.inbox.waiting(f"web:{sender}"):
            await answer(store, entry)
        message_id = f"{sender}/{life}/{number}"
        number += 1
        await store.inbox.accept([InboundMessage("web", sender, message_id, "Ja", utc_now())])


async def main(url: str, life: str) -> None:
    """Keep all conversations going."""
    store = await open_store(url)
    report("ready")
    await asyncio.gather(*(converse(store, f"s{n}", life) for n in range(CONVERSATIONS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
