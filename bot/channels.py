"""Opens the channels that `endpoints.yml` names, and mounts their webhooks."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias

import msgspec
import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from bot.accounts import Accounts
from bot.dispatcher import TurnFailed
from bot.exchange import Exchanges
from bot.http_guard import failure
from bot.intake import MAX_WEBHOOK_BYTES, Intake, IntakeParts, as_trigger
from bot.linking import Linking
from bot.media import MediaKeeper, Shelf
from bot.messages import InboundMessage, OutboundMessage
from bot.metrics import Metrics
from bot.outcomes import Pace
from bot.precedence import Precedence
from bot.sender import Sender
from bot.settings import Settings
from bot.storage.errors import StorageError
from bot.storage.ports import Accepted, OutboxEntry, Store
from bot.web import receive
from bot.yaml_source import Problem, SourceError, YamlSource
from channels.base import ChannelError, ExchangeChannel, Reply, WebhookRequest
from channels.push import ChannelContext, PushChannel, SettingsInvalid

MARGIN_S = 1.5
"""How long before the platform's limit an exchange gives up waiting for the turn."""
PROGRESS_S = 2.0
OWN_KEYS = ("kind", "link_url")
AnyChannel: TypeAlias = PushChannel | ExchangeChannel
log = structlog.get_logger(__name__)


def webhook_path(name: str) -> str:
    """Return where a channel's platform delivers."""
    return f"/webhooks/{name}/webhook"


def link_addresses(settings: Settings) -> dict[str, str]:
    """Return, by channel, the address that opens it with a text: the key `link_url`."""
    named = settings.endpoints.channels.items()
    return {name: str(own["link_url"]) for name, own in named if own.get("link_url")}


def connect_channels(settings: Settings, context: ChannelContext) -> dict[str, AnyChannel]:
    """Return the channels of `endpoints.yml` by name.

    The key `kind` names the module: one of `channels/`, or a dotted path; without it the name does.

    Raises:
        SourceError: a channel is unknown, its package is missing, or one of its settings is wrong.
    """
    found: dict[str, AnyChannel] = {}
    for name, own in settings.endpoints.channels.items():
        kind = str(own.get("kind") or name)
        path = kind if "." in kind else f"channels.{kind}"
        values = {key: value for key, value in own.items() if key not in OWN_KEYS}
        try:
            module = importlib.import_module(path)
            channel = module.connect(values, context)
        except ModuleNotFoundError as error:
            missing = error.name or path
            cure = (
                f"write channels/{kind}.py, or pip install what it needs"
                if missing == path
                else f"pip install 'tresen[{kind}]'"
            )
            text = f"there is no module '{missing}'"
            raise SourceError([_problem(settings, name, text, cure)]) from error
        except AttributeError as error:
            text = f"{path} is no channel: it has no connect()"
            raise SourceError([_problem(settings, name, text)]) from error
        except SettingsInvalid as error:
            raise SourceError([_problem(settings, name, str(error))]) from error
        if channel.name != name:
            text = f"{path} calls itself '{channel.name}'; its key has to be the same"
            raise SourceError([_problem(settings, name, text)])
        found[name] = channel
    return found


def _problem(settings: Settings, name: str, text: str, cure: str = "") -> Problem:
    path = settings.root / "endpoints.yml"
    if not path.is_file():
        return Problem(str(path), 1, text, cure)
    return YamlSource.read(path, settings.root).problem(("channels", name), text, cure)


def push_channels(channels: Mapping[str, AnyChannel]) -> dict[str, PushChannel]:
    """Return the channels whose platform is called to deliver."""
    return {name: item for name, item in channels.items() if isinstance(item, PushChannel)}


class HubParts(msgspec.Struct, frozen=True):
    """What the channels of one bot share."""

    store: Store
    accept: Callable[[Sequence[InboundMessage]], Awaitable[list[Accepted]]]
    linking: Linking
    shelf: Shelf
    metrics: Metrics
    precedence: Precedence = msgspec.field(default_factory=Precedence)
    accounts: Accounts = msgspec.field(default_factory=Accounts)
    has_person: Callable[[str], bool] = lambda conversation_id: False


class ChannelHub:
    """All channels of a running bot that live in `endpoints.yml`."""

    def __init__(
        self,
        channels: Mapping[str, AnyChannel],
        parts: HubParts,
        clock: Callable[[], datetime],
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        """Set up what delivers and what takes in for each channel.

        Args:
            channels: by name.
            parts: what they share.
            clock: gives the present as an aware moment.
            pace: how often and how long a delivery is tried.
        """
        self._parts = parts
        self._channels = dict(channels)
        self._exchanges = {n: c for n, c in channels.items() if isinstance(c, ExchangeChannel)}
        self._senders: dict[str, Sender] = {}
        self._intakes: dict[str, Intake] = {}
        pushed = push_channels(channels)
        self.media = MediaKeeper(parts.store, pushed, parts.shelf, parts.accept, clock)
        parts.linking.on_join(parts.accept)
        shared = IntakeParts(
            parts.store,
            parts.accept,
            parts.linking,
            self.media,
            parts.metrics,
            parts.precedence,
            parts.has_person,
        )
        for name, channel in pushed.items():
            sender = Sender(parts.store, channel, clock, parts.metrics, pace, parts.precedence)
            self._senders[name] = sender
            self._intakes[name] = Intake(channel, sender, shared)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the channels."""
        return (*self._senders, *self._exchanges)

    @property
    def linking(self) -> Linking:
        """Return what makes and takes the codes that link channels."""
        return self._parts.linking

    def channel(self, name: str) -> AnyChannel:
        """Return a channel.

        Raises:
            KeyError: there is no such channel.
        """
        return self._channels[name]

    def intake(self, name: str) -> Intake:
        """Return what takes the requests of a channel's platform.

        Raises:
            KeyError: there is no such channel, or its platform waits for the answer.
        """
        return self._intakes[name]

    def answered(self, channel: str) -> None:
        """Deliver what a turn left for a channel."""
        if channel in self._senders:
            self._senders[channel].wake()

    def start(self) -> None:
        """Begin to deliver, and to fetch files."""
        for sender in self._senders.values():
            sender.start()
        self.media.start()

    async def close(self) -> None:
        """Let what is under way finish."""
        await self.media.close()
        for intake in self._intakes.values():
            await intake.close()
        for sender in self._senders.values():
            await sender.close()
        for channel in self._exchanges.values():
            await channel.close()

    def mount(self, api: FastAPI, exchanges: Exchanges) -> None:
        """Mount `/webhooks/NAME/webhook` of each channel, and `/media`; `exchanges` ask the bot."""
        for name, intake in self._intakes.items():
            endpoint = _endpoint(intake.take)
            api.router.routes.insert(
                0, Route(webhook_path(name), endpoint, methods=["GET", "POST"])
            )
        for name, channel in self._exchanges.items():
            held = _Held(channel, self._parts.linking, exchanges, self._parts.accounts)
            endpoint = _endpoint(held.take)
            api.router.routes.append(Route(webhook_path(name), endpoint, methods=["GET", "POST"]))
            api.router.routes.extend(channel.routes(held.say))
        api.router.routes.append(Route("/media/{key}", self._file, methods=["GET"]))

    async def _file(self, request: Request) -> Response:
        """Serve a file that a customer sent to whoever has its signed address."""
        signature = request.query_params.get("sig", "")
        found = await self.media.find(request.path_params["key"], signature)
        if found is None:
            return failure(404, "There is no such file, or it is still being fetched.")
        path, _ = found
        return _as_file(path)


def _as_file(path: Path) -> Response:
    """Return a file so that a browser neither runs it nor guesses what it is."""
    headers = {
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cache-control": "private, max-age=3600",
    }
    is_image = path.suffix in {".png", ".jpg", ".webp", ".gif"}
    disposition = "inline" if is_image else "attachment"
    return FileResponse(
        path, headers=headers, filename=path.name, content_disposition_type=disposition
    )


class _Held:
    """Answers the requests of a channel whose platform waits for the answer."""

    def __init__(
        self, channel: ExchangeChannel, linking: Linking, exchanges: Exchanges, accounts: Accounts
    ) -> None:
        self._channel = channel
        self._linking = linking
        self._exchanges = exchanges
        self._accounts = accounts

    async def take(self, request: WebhookRequest) -> Reply:
        """Answer one request; what comes too late is told with the next answer.

        Raises:
            ChannelError: it is forged, or not what the platform documents.
            StorageError: it could not be made durable.
        """
        await self._channel.prepare(request)
        self._channel.verify(request)
        incoming = self._channel.parse(request)
        messages = [item for item in incoming if isinstance(item, InboundMessage)]
        if not messages:
            return self._channel.answer(request, (), complete=True)
        waiting = asyncio.Event()  # set once nobody waits any more
        self._accounts.heard(messages, partial(self._channel.account_email, request))
        turns = asyncio.gather(*(self._ask(message, waiting) for message in messages))
        turns.add_done_callback(lambda _: self._accounts.answered(messages))
        progress = asyncio.create_task(self._progress(request))
        try:
            async with asyncio.timeout(max(self._channel.answer_within_s - MARGIN_S, 0.1)):
                answers = await asyncio.shield(turns)
        except (TimeoutError, TurnFailed):
            waiting.set()
            turns.add_done_callback(_look)
            for message in messages:
                self._exchanges.give_up(message)
            return self._channel.answer(request, (), complete=False)
        finally:
            progress.cancel()
        entries = [entry for each in answers for entry in each]
        reply = self._channel.answer(request, [e.message for e in entries], complete=True)
        self._exchanges.told(entries)
        return reply

    async def say(self, message: InboundMessage) -> Sequence[OutboundMessage]:
        """Give the bot a message and return its answers.

        Raises:
            TurnFailed: the turn could not be completed.
            StorageError: it could not be made durable.
        """
        entries = await self._ask(message, asyncio.Event())
        self._exchanges.told(entries)
        return [entry.message for entry in entries]

    async def _ask(self, message: InboundMessage, gone: asyncio.Event) -> list[OutboxEntry]:
        def waits() -> bool:
            return not gone.is_set()

        claimed = as_trigger(await self._linking.claimed(message))
        said = await self._exchanges.ask(claimed, waits)
        follows = await self._linking.followed(message, [entry.message for entry in said])
        return [*said, *(await self._exchanges.ask(follows, waits) if follows else ())]

    async def _progress(self, request: WebhookRequest) -> None:
        await asyncio.sleep(PROGRESS_S)
        await self._channel.progress(request)


def _look(turns: "asyncio.Future[list[list[OutboxEntry]]]") -> None:
    """Read the outcome of turns that nobody waits for any more."""
    if not turns.cancelled() and turns.exception() is not None:
        log.warning("late_turn_failed", error=type(turns.exception()).__name__)


def _endpoint(
    take: Callable[[WebhookRequest], Awaitable[Reply]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return the HTTP endpoint of a channel; whatever goes wrong, the platform may try again."""

    async def endpoint(request: Request) -> Response:
        try:
            reply = await take(await receive(request, MAX_WEBHOOK_BYTES))
        except ChannelError as error:
            return JSONResponse(error.as_payload(), error.status)
        except StorageError as error:
            log.warning("webhook_not_kept", error=type(error).__name__)
            return failure(503, "the message could not be kept; send it again")
        except Exception:
            log.exception("webhook_broke", path=request.url.path)
            return failure(503, "something went wrong here; send it again")
        return Response(reply.body, reply.status, media_type=reply.content_type)

    return endpoint
