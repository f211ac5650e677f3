"""Opens the channels that `endpoints.yml` names, and mounts their webhooks."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from bot.dispatcher import TurnFailed
from bot.http_guard import failure
from bot.intake import MAX_WEBHOOK_BYTES, Intake, IntakeParts
from bot.linking import Linking
from bot.media import MediaKeeper, Shelf
from bot.messages import InboundMessage, OutboundMessage
from bot.metrics import Metrics
from bot.sender import Pace, Sender
from bot.settings import Settings
from bot.storage.errors import StorageError
from bot.storage.ports import Accepted, Store
from bot.web import receive
from bot.yaml_source import Problem, SourceError, YamlSource
from channels.base import ChannelError, Exchange, ExchangeChannel, Reply, WebhookRequest
from channels.push import ChannelContext, PushChannel, SettingsInvalid

MARGIN_S = 1.5
"""How long before the platform's limit an exchange gives up waiting for the turn."""
PROGRESS_S = 2.0
MOST_LATE = 1_000
MOST_LATE_EACH = 20
OWN_KEYS = ("kind", "link_url")
AnyChannel: TypeAlias = PushChannel | ExchangeChannel
Turns: TypeAlias = "asyncio.Future[list[Sequence[OutboundMessage]]]"
Ids: TypeAlias = tuple[str, ...]
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
        shared = IntakeParts(parts.store, parts.accept, parts.linking, self.media, parts.metrics)
        for name, channel in pushed.items():
            sender = Sender(parts.store, channel, clock, parts.metrics, pace)
            self._senders[name] = sender
            self._intakes[name] = Intake(channel, sender, shared)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the channels."""
        return (*self._senders, *self._exchanges)

    @property
    def pushed(self) -> frozenset[str]:
        """Return the names of the channels whose platform is called to deliver."""
        return frozenset(self._senders)

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

    def mount(self, api: FastAPI, exchange: Exchange) -> None:
        """Mount `/webhooks/NAME/webhook` of each channel, and `/media`; `exchange` asks the bot."""
        for name, intake in self._intakes.items():
            endpoint = _endpoint(intake.take)
            api.router.routes.append(Route(webhook_path(name), endpoint, methods=["GET", "POST"]))
        for name, channel in self._exchanges.items():
            held = _Held(channel, self._parts.linking, exchange)
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

    def __init__(self, channel: ExchangeChannel, linking: Linking, exchange: Exchange) -> None:
        self._channel = channel
        self._linking = linking
        self._exchange = exchange
        self._late: dict[str, dict[Ids, _Late]] = {}
        self._told: dict[Ids, list[OutboundMessage]] = {}

    async def take(self, request: WebhookRequest) -> Reply:
        """Answer one request.

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
        turns = self._turns(messages)
        progress = asyncio.create_task(self._progress(request))
        try:
            async with asyncio.timeout(max(self._channel.answer_within_s - MARGIN_S, 0.1)):
                said = await asyncio.shield(turns)
        except (TimeoutError, TurnFailed):
            self._keep(messages, turns)
            return self._channel.answer(request, (), complete=False)
        finally:
            progress.cancel()
        whole = [*self._too_late(messages), *_flat(said)]
        return self._channel.answer(request, whole, complete=True)

    async def say(self, message: InboundMessage) -> Sequence[OutboundMessage]:
        """Give the bot a message and return its answers.

        Raises:
            TurnFailed: the turn could not be completed.
            StorageError: it could not be made durable.
        """
        return await self._exchange(await self._linking.claimed(message))

    def _turns(self, messages: Sequence[InboundMessage]) -> "Turns":
        return asyncio.gather(*(self.say(message) for message in messages))

    def _keep(self, messages: Sequence[InboundMessage], turns: "Turns") -> None:
        """Keep answers that come too late, to be told with the next ones."""
        turns.add_done_callback(_look)
        late = self._late.setdefault(messages[0].sender_id, {})
        late[_ids(messages)] = _Late(messages, turns)
        _trim(late, MOST_LATE_EACH)
        _trim(self._late, MOST_LATE)

    def _too_late(self, messages: Sequence[InboundMessage]) -> list[OutboundMessage]:
        """Return the answers that came too late for this sender's earlier requests.

        A repeated request gets again what the first one got.
        """
        sender_id, ids = messages[0].sender_id, _ids(messages)
        late = self._late.pop(sender_id, {})
        late.pop(ids, None)  # it was repeated, and is answered now
        earlier = self._told.get(ids, [])
        for name in list(late):
            turns = late[name].turns
            if not turns.done():
                continue
            if turns.cancelled() or turns.exception() is not None:  # the bot tried again meanwhile
                late[name] = _Late(late[name].messages, self._turns(late[name].messages))
                late[name].turns.add_done_callback(_look)
                continue
            earlier = [*earlier, *_flat(turns.result())]
            del late[name]
        if late:
            self._late[sender_id] = late
        if earlier:
            self._told[ids] = earlier
            _trim(self._told, MOST_LATE)
        return earlier

    async def _progress(self, request: WebhookRequest) -> None:
        await asyncio.sleep(PROGRESS_S)
        await self._channel.progress(request)


class _Late(msgspec.Struct, frozen=True):
    """Messages whose answers did not come in time, and the turns that make them."""

    messages: Sequence[InboundMessage]
    turns: "asyncio.Future[list[Sequence[OutboundMessage]]]"


def _ids(messages: Sequence[InboundMessage]) -> "Ids":
    return tuple(message.message_id for message in messages)


def _flat(answers: Sequence[Sequence[OutboundMessage]]) -> list[OutboundMessage]:
    return [message for each in answers for message in each]


def _trim(kept: dict[Any, Any], most: int) -> None:
    """Forget what was kept first."""
    while len(kept) > most:
        kept.pop(next(iter(kept)))


def _look(turns: "Turns") -> None:
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
