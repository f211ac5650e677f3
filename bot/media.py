"""Files that customers send over a platform: fetched outside the turns, kept under our own names.

A message gets the file's lasting address at once; the file itself is fetched afterwards, tried
again, and if it cannot be had the customer is told.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from bot.messages import Attachment, InboundMessage, Trigger, happened
from bot.storage.channel_ports import MediaItem
from bot.storage.errors import StorageError
from bot.storage.ports import Store
from channels.base import BadRequest, ChannelError, TooMany
from channels.push import MediaFile, PushChannel, TryAgain

SCHEME = "media:"
MAX_MEDIA_BYTES = 16 * 1024 * 1024
"""The largest file that is fetched; WhatsApp takes audio and video up to this size."""
MAX_TRIES = 6
FIRST_RETRY_S = 5.0
POLL_S = 30.0
FETCHERS = 4
FAILED_FLOW = "pattern_media_failed"
TOO_MANY = "too_many"
log = structlog.get_logger(__name__)


class Folder(Protocol):
    """Where files lie."""

    def keep(self, owner: str, key: str, body: bytes) -> str:
        """Store a file of a kind that is taken and return its name.

        Raises:
            BadRequest: it is empty, too large, one too many or of a kind that is not taken.
        """

    def check_room(self, owner: str, key: str) -> None:
        """See that a file may be kept.

        Raises:
            TooMany: the conversation has too many files.
        """

    def path_of(self, stored: str) -> Path | None:
        """Return where a stored file lies; None if it is gone."""


class Seal(Protocol):
    """Signs addresses."""

    def sign(self, kind: str, value: str) -> str:
        """Return the signature of a value."""

    def is_valid(self, kind: str, value: str, signature: str) -> bool:
        """Return whether a signature is right."""


class Shelf(msgspec.Struct, frozen=True):
    """Where fetched files are kept, and the address under which they are shown."""

    folder: Folder
    seal: Seal
    base_url: str


class MediaKeeper:
    """Books files with their messages, fetches them, and finds them again."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, PushChannel],
        shelf: Shelf,
        accept: Callable[[Sequence[InboundMessage]], Awaitable[object]],
        clock: Callable[[], datetime],
    ) -> None:
        """Fetch through `channels` what `store` has booked, and put it on the `shelf`.

        Args:
            store: with the book of files.
            channels: by name.
            shelf: keeps the files.
            accept: puts a trigger into a conversation, when a file could not be had.
            clock: gives the present as an aware moment.
        """
        self._store = store
        self._channels = channels
        self._shelf = shelf
        self._accept = accept
        self._clock = clock
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def booked(self, message: InboundMessage) -> InboundMessage:
        """Return the message with lasting addresses for its files, which are booked to be fetched.

        Raises:
            StorageError: they could not be booked; it may be done again.
        """
        if not any(item.url.startswith(SCHEME) for item in message.attachments):
            return message
        contact = await self._store.contacts.get(message.channel, message.sender_id)
        owner = message.conversation or contact.conversation or message.conversation_id
        shown, items = [], []
        for number, attachment in enumerate(message.attachments):
            if not attachment.url.startswith(SCHEME):
                shown.append(attachment)
                continue
            name = f"{message.channel}\n{message.message_id}\n{number}"
            key = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
            reference = attachment.url.removeprefix(SCHEME)
            items.append(MediaItem(key, owner, message.channel, reference))
            shown.append(msgspec.structs.replace(attachment, url=self.address(key)))
        await self._store.media.add(items)
        attachments: tuple[Attachment, ...] = tuple(shown)
        return msgspec.structs.replace(message, attachments=attachments)

    def address(self, key: str) -> str:
        """Return the signed address of a file."""
        return f"{self._shelf.base_url}/media/{key}?sig={self._shelf.seal.sign('media', key)}"

    async def find(self, key: str, signature: str) -> tuple[Path, MediaItem] | None:
        """Return a fetched file; None for a wrong signature, or a file that is not there.

        Raises:
            StorageError: the database failed.
        """
        if not self._shelf.seal.is_valid("media", key, signature):
            return None
        item = await self._store.media.get(key)
        path = self._shelf.folder.path_of(item.stored) if item and item.stored else None
        return (path, item) if path and item else None

    def start(self) -> None:
        """Begin to fetch, with what an earlier process left."""
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Look for files to fetch now."""
        self._wake.set()

    async def close(self) -> None:
        """Stop; a file half fetched is fetched again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                due = await self._store.media.due(FETCHERS)
                await asyncio.gather(*(self._fetch(item) for item in due))
            except StorageError as error:
                log.warning("media_not_read", error=type(error).__name__)
                due = []
            except Exception:
                log.exception("media_broke")
                due = []
            if not due:
                await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(min(POLL_S, FIRST_RETRY_S)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _fetch(self, item: MediaItem) -> None:
        channel = self._channels.get(item.channel)
        if channel is None:
            await self._fail(item, "channel_closed")
            return
        try:
            folder, owner = self._shelf.folder, item.conversation_id
            await asyncio.to_thread(folder.check_room, owner, item.key)
            found = await channel.fetch_media(item.reference, MAX_MEDIA_BYTES)
            await self._keep(item, found)
        except TryAgain as error:
            await self._try_later(item, error)
        except TooMany:
            await self._fail(item, TOO_MANY)
        except BadRequest as error:
            await self._fail(item, error.problem)
        except ChannelError as error:
            await self._fail(item, getattr(error, "code", "") or type(error).__name__)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - one file must not hold up the others
            kind = type(error).__name__
            log.warning("media_fetch_broke", channel=item.channel, error=kind)
            await self._try_later(item, TryAgain(kind))

    async def _keep(self, item: MediaItem, found: MediaFile) -> None:
        folder = self._shelf.folder
        stored = await asyncio.to_thread(folder.keep, item.conversation_id, item.key, found.body)
        kept = msgspec.structs.replace(
            item, state="fetched", stored=stored, mime_type=found.mime_type, next_attempt_at=None
        )
        await self._store.media.save(kept)
        if await self._store.media.get(item.key) is None:  # erased while it was fetched
            path = folder.path_of(stored)
            if path is not None:
                path.unlink(missing_ok=True)

    async def _try_later(self, item: MediaItem, error: TryAgain) -> None:
        if item.attempts + 1 >= MAX_TRIES:
            await self._fail(item, error.code or "not_reachable")
            return
        wait_s = max(FIRST_RETRY_S * 3.0**item.attempts, error.retry_after_s)
        await self._store.media.save(
            msgspec.structs.replace(
                item,
                attempts=item.attempts + 1,
                next_attempt_at=self._clock() + timedelta(seconds=wait_s),
                error=error.code,
            )
        )

    async def _fail(self, item: MediaItem, problem: str) -> None:
        """Give a file up and have the customer told, once.

        Raises:
            StorageError: it could not be written down; it is tried again.
        """
        log.warning("media_failed", channel=item.channel, problem=problem)
        now, name = self._clock(), f"media:{item.key}"
        if problem == TOO_MANY:  # of many files too many it is told once a day
            name = f"media:{item.conversation_id}:{now.date()}"
        trigger = Trigger(FAILED_FLOW, {"problem": problem})
        await self._accept([happened(item.conversation_id, name, trigger, now)])
        failed = msgspec.structs.replace(
            item, state="failed", error=problem, next_attempt_at=None, attempts=item.attempts + 1
        )
        await self._store.media.save(failed)
