"""The shop of a run: a server process of its own, whose door misbehaves and can kill the bot."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn

import msgspec
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bench.faults.board import Board
from tests.platforms.faults import Fault, Faults

Write = tuple[str, str, str]
"""A request with an effect: its method, and regular expressions for its path and body."""


class ServedShop(msgspec.Struct, frozen=True):
    """A shop as it is served, and what it really did.

    `writes` recognise the requests that have an effect. `count` returns how often the shop has the
    effect of the run, once for each way to look at it: all must agree.
    """

    app: ASGIApp
    writes: tuple[Write, ...]
    count: Callable[[], Awaitable[tuple[int, ...]]]


class Door:
    """ASGI middleware: counts requests under way, and marks the points at which the bot may die."""

    def __init__(self, shop: ServedShop, board: Board, faults: tuple[Fault, ...]) -> None:
        """Stand before `shop` with planned faults."""
        self._shop = shop
        self._board = board
        self._inner = Faults(self._watched)
        self._inner.plan(*faults)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        if scope["path"] == "/-/count":
            await _answer(send, 200, msgspec.json.encode(await self._shop.count()))
            return
        if self._board.get("down"):
            await _answer(send, 503, b'{"error":"down"}')
            return
        self._board.put("open_requests", self._board.get("open_requests") + 1)
        try:
            body = await _body(receive)
            writes = self._is_write(scope, body)
            if writes:
                self._board.put("writes", self._board.get("writes") + 1)
                self._board.reached("request arrived")
            await self._inner(scope, _again(body), send)
        finally:
            self._board.put("open_requests", self._board.get("open_requests") - 1)

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        writes = self._is_write(scope, body)

        async def forward(message: Message) -> None:
            if writes:
                self._board.reached("effect done")
            await send(message)

        await self._shop.app(scope, _again(body), forward)

    def _is_write(self, scope: Scope, body: bytes) -> bool:
        text = body.decode("utf-8", "replace")
        return any(
            method == scope["method"] and re.search(path, scope["path"]) and re.search(words, text)
            for method, path, words in self._shop.writes
        )


def serve(
    build: Callable[[], ServedShop], listening: socket.socket, board: Board, faults: list[Fault]
) -> NoReturn:
    """Be the shop, in a process of its own, until it is killed.

    Args:
        build: makes the shop.
        listening: a bound socket.
        board: shared with the other processes of the run.
        faults: what goes wrong.
    """
    try:
        door = Door(build(), board, tuple(faults))
        config = uvicorn.Config(door, log_level="critical", lifespan="off", access_log=False)
        asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))
    except BaseException as error:  # noqa: BLE001 - the parent must see why there is no shop
        sys.stderr.write(f"the shop ended: {type(error).__name__}: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(1)


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
