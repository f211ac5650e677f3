"""Builds what tells customers and operators that the other one is writing: ephemeral, no event."""

from collections.abc import Awaitable, Callable, Collection

import structlog

from bot.dispatcher import Dispatcher
from bot.messages import Trigger, happened, utc_now
from bot.recipients import whereto
from bot.storage.errors import StorageError
from bot.storage.ports import Store
from channels.base import ChannelError
from channels.push import PushChannel
from desk.database import DeskDatabase
from desk.desk import Desk
from desk.errors import DeskError
from desk.merge_links import LinkBook
from desk.signs import Seldom, Signs

PLATFORM_EVERY_S = 5.0
"""How often at most a platform is asked to show it."""
Types = Callable[[str, str], Awaitable[None]]
log = structlog.get_logger(__name__)


def customer_types(desk: Desk, database: DeskDatabase) -> Callable[[str], Awaitable[None]]:
    """Return what is called when a conversation's customer writes; it never fails.

    Args:
        desk: whose operators are told.
        database: of the desk.
    """
    signs = Signs(desk, LinkBook(database))

    async def typed(conversation_id: str) -> None:
        try:
            await signs.customer_types(conversation_id)
        except DeskError as error:
            log.info("typing_not_told", error=type(error).__name__)

    return typed


def operator_types(
    dispatcher: Dispatcher, store: Store, channel: Callable[[str], object], names: Collection[str]
) -> Types:
    """Return what is called when an operator writes to a conversation's customer; it never fails.

    Args:
        dispatcher: tells the web chat.
        store: knows where the customer wrote last.
        channel: returns one of `names`.
        names: of the channels that there are.
    """
    seldom = Seldom(PLATFORM_EVERY_S)

    async def typed(conversation_id: str, name: str) -> None:
        dispatcher.person_types(conversation_id, name)
        try:
            await _show(conversation_id)
        except (StorageError, ChannelError) as error:
            log.info("typing_not_shown", error=type(error).__name__)

    async def _show(conversation_id: str) -> None:
        asks = happened(conversation_id, "typing", Trigger("typing"), utc_now())
        last = await whereto(store.contacts, asks)
        shows = channel(last[0]) if last[0] in names else None
        if not isinstance(shows, PushChannel) or not seldom.lets(conversation_id):
            return
        stored, _ = await store.events.load(conversation_id)
        began, _, own = conversation_id.partition(":")
        for item in reversed(stored):
            said = item.data.get("input_channel") or began, item.data.get("input_sender") or own
            if item.type == "user" and said == last:
                await shows.show_typing(last[1], str(item.data.get("message_id")))
                return

    return typed
