"""Whether the chat is offered to a visitor: a hold-out group, to compare with, has none."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from channels.base import Forbidden
from channels.webchat.channel import WebChat

PATH = "/webhooks/webchat/offer"
MOST_BYTES = 800


class Offer(msgspec.Struct, frozen=True):
    """What a visitor gets; `is_counted` tells that there is a hold-out group at all."""

    is_offered: bool = True
    is_counted: bool = False


Offers = Callable[[str], Awaitable[Offer]]
"""Returns whether the visitor with an id is offered the chat."""


async def to_everybody(visitor_id: str) -> Offer:
    """Offer the chat to everybody."""
    del visitor_id
    return Offer()


class OfferRoutes:
    """Tells widgets whether to show themselves; it keeps nothing of who asked."""

    def __init__(self, channel: WebChat, offers: Offers) -> None:
        """Answer the sites that `channel` allows, as `offers` says."""
        self._channel = channel
        self._offers = offers

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        return [Route(PATH, self.offer, methods=["POST"])]

    async def offer(self, request: Request) -> Response:
        """Tell whether the visitor whose id is the body is offered the chat; no log has it."""
        origin = request.headers.get("origin", "")
        headers = {"cache-control": "no-store", "vary": "Origin"}
        if not self._channel.allows_origin(origin, request.headers.get("host", "")):
            refused = Forbidden("This site may not use the chat.")
            return JSONResponse(refused.as_payload(), refused.status, headers)
        if origin:
            headers["access-control-allow-origin"] = origin
        visitor = await _body(request)
        found = await self._offers(visitor) if visitor else Offer()
        content = {"offered": found.is_offered, "counted": found.is_counted}
        return JSONResponse(content, HTTPStatus.OK, headers)


async def _body(request: Request) -> str:
    """Return a short body, empty where it is longer."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return ""
    return body.decode("utf-8", "replace").strip()
