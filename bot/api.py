"""The documented API: parse, tracker, status, health, metrics. Answers loopback or a token."""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response

from bot.api_models import ConversationExport, Erasure, Failure, ParseRequest
from bot.effects_api import add_effect_routes
from bot.http_guard import add_guards
from bot.messages import Json
from bot.metrics import Metrics
from bot.storage.effects import Ledger

REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Failure},
    403: {"model": Failure},
    413: {"model": Failure},
}


class Backend(msgspec.Struct, frozen=True):
    """What the API shows, as calls into the running bot.

    `tracker` takes a conversation id and whether to include the engine's own events; `id_of` gives
    the id of a sender's conversation.
    """

    parse: Callable[[str], Awaitable[dict[str, Any]]]
    tracker: Callable[[str, bool], Awaitable[dict[str, Any]]]
    erase: Callable[[str], Awaitable[Mapping[str, int]]]
    export: Callable[[str], Awaitable[Mapping[str, Any]]]
    status: Callable[[], dict[str, Any]]
    ready: Callable[[], bool]
    effects: Ledger
    id_of: Callable[[str], str]


class Guard:
    """Lets in callers with the token, or without a configured token callers on this machine."""

    def __init__(self, token: str) -> None:
        """Ask for `token`; empty lets in loopback only."""
        self._token = token

    def __call__(self, request: Request) -> None:
        """Check one request.

        Raises:
            HTTPException: 401 without the right token, 403 from elsewhere.
        """
        if self._token:
            given = request.headers.get("authorization", "").encode("utf-8", "replace")
            if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
                raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})
            return
        host = request.client.host if request.client else ""
        if not is_loopback(host) or not is_own_page(request.headers):
            raise HTTPException(
                403, "without TRESEN_API_TOKEN only callers on this machine are answered"
            )


def is_loopback(host: str) -> bool:
    """Return whether an address is of this machine's loopback interface."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in {"localhost", "testclient"}
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def is_own_page(headers: Mapping[str, str]) -> bool:
    """Return whether no other site's page makes the call (no foreign Origin, a local Host)."""
    host = headers.get("host", "")
    name = urlsplit(f"//{host}").hostname or ""
    origin = headers.get("origin", "")
    same = not origin or urlsplit(origin).netloc == host
    return same and (is_loopback(name) or not name)


def make_api(
    backend: Backend,
    metrics: Metrics,
    token: str,
    version: str,
    own_limit: tuple[str, ...] = (),
) -> FastAPI:
    """Return the API as an application; the caller mounts further routes on it.

    Args:
        backend: what the routes ask.
        metrics: shown at /metrics.
        token: what callers need to present; empty for callers on this machine only.
        version: of the program.
        own_limit: paths of further routes that limit the body themselves.
    """
    guard = Depends(Guard(token))
    api = FastAPI(
        title="Tresen",
        version=version,
        description="Conversational commerce: the running bot's API.",
        redoc_url=None,
    )
    add_guards(api, own_limit=("/webhooks/webchat/upload", *own_limit))
    _add_open_routes(api, backend)
    _add_guarded_routes(api, backend, metrics, guard)
    guarded: Any = {"dependencies": [guard], "responses": REFUSALS}
    add_effect_routes(api, backend.effects, backend.id_of, guarded)
    return api


def _add_open_routes(api: FastAPI, backend: Backend) -> None:
    @api.get("/health/live", tags=["operations"])
    async def live() -> dict[str, str]:
        """Tell that the process runs."""
        return {"status": "ok"}

    @api.get("/health/ready", tags=["operations"])
    async def ready(response: Response) -> dict[str, str]:
        """Tell whether customers can be served."""
        if backend.ready():
            return {"status": "ok"}
        response.status_code = 503
        return {"status": "starting"}


def _add_guarded_routes(api: FastAPI, backend: Backend, metrics: Metrics, guard: Json) -> None:
    guarded: Any = {"dependencies": [guard], "responses": REFUSALS}

    @api.get("/status", tags=["operations"], **guarded)
    async def status() -> dict[str, Any]:
        """Show what is running: version, model, skills, shop."""
        return backend.status()

    @api.get("/metrics", tags=["operations"], **guarded)
    async def prometheus() -> Response:
        """Show counters and timings in Prometheus' text format."""
        return Response(metrics.text(), media_type=metrics.content_type)

    @api.post("/model/parse", tags=["understanding"], **guarded)
    async def parse(body: ParseRequest) -> dict[str, Any]:
        """Understand a text as Rasa's `/model/parse` does, with language, mood and commands."""
        return await backend.parse(body.text)

    @api.get("/conversations/{sender}/tracker", tags=["conversations"], **guarded)
    async def tracker(
        sender: str,
        include_internal: Annotated[
            bool, Query(description="The engine's own events, too")
        ] = False,
    ) -> dict[str, Any]:
        """Show a conversation in Rasa's event vocabulary; an unknown sender has no events."""
        return await backend.tracker(sender, include_internal)

    @api.delete("/conversations/{sender}", tags=["conversations"], **guarded)
    async def erase(sender: str) -> Erasure:
        """Erase everything that was said in a conversation."""
        return Erasure(**await backend.erase(sender))

    @api.get("/conversations/{sender}/export", tags=["conversations"], **guarded)
    async def export(sender: str) -> ConversationExport:
        """Return everything that is stored about a conversation."""
        return ConversationExport(**await backend.export(sender))


def conversation_id(sender: str, channels: tuple[str, ...]) -> str:
    """Return the id of a sender's conversation; a bare sender is one of the REST channel."""
    channel, colon, _ = sender.partition(":")
    return sender if colon and channel in channels else f"rest:{sender}"
