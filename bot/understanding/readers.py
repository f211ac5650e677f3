"""Reads messages beside the event loop: many at once, so that the encoder gets them in batches."""

import asyncio
import contextvars
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bot.conversation import Conversation
from bot.messages import InboundMessage
from bot.time_zones import written_at
from bot.understanding.ports import Router
from bot.understanding.router import Understood

READERS = 2 if (os.cpu_count() or 1) <= 2 else 4
"""Reading is work for the processor: with more at once, requests wait for their turn."""


class Readers:
    """Threads in which messages are understood; actions and storage have others."""

    def __init__(self, router: Router, most: int = READERS) -> None:
        """Read with `router`, at most `most` messages at a time."""
        self._router = router
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="understand")

    async def understand(self, message: InboundMessage, conversation: Conversation) -> Understood:
        """Return the reading of a message; one that is given up before its turn is not read."""
        read = partial(
            self._router.understand,
            message.text,
            conversation,
            written_at(message, conversation.slots),
            attached=bool(message.attachments),
        )
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._threads, run, read)
