"""Faults for our fake platforms, and a way to run them as real servers on loopback."""

import asyncio
import re
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import msgspec
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FaultKind = Literal["status", "silent", "lost", "late", "slow", "twice", "partial", "garbage"]


class Fault(msgspec.Struct):
    """One way to misbehave, for the next `times` requests that match.

    status: answer `status` and `answer` (with `retry_after_s`) and do nothing.
    silent: never answer and do nothing.
    lost: do it, and never answer.
    late: wait `delay_s`, then do it and answer (the caller may have given up).
    slow: do it at once, and answer after `delay_s`.
    twice: do it two times, as a proxy that repeats a request; answer the second time's answer.
    partial: do it, and break off in the middle of the answer.
    garbage: do it, and answer with HTML and status 200.
    `path` and `body` are regular expressions searched in the path and the request body.
    """

    kind: FaultKind
    path: str = ""
    body: str = ""
    method: str = ""
    status: int = 500
    retry_after_s: float | None = None
    delay_s: float = 0.5
    times: int = 1
    answer: str = '{"error":"planned"}'


class Faults:
    """ASGI middleware that applies planned faults and counts requests."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self._app = app
        self.planned: list[Fault] = []
        self.requests: list[tuple[str, str]] = []

    def plan(self, *faults: Fault) -> None:
        """Add faults; they are used up in order."""
        self.planned.extend(faults)

    def clear(self) -> None:
        """Forget what is planned and counted."""
        self.planned.clear()
        self.requests.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, with the first fault that fits it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        self.requests.append((scope["method"], scope["path"]))
        fault = self._take(scope["method"], scope["path"], body)
        if fault is None:
            await self._app(scope, _replay(body), send)
            return
        await self._misbehave(fault, scope, body, send)

    def _take(self, method: str, path: str, body: bytes) -> Fault | None:
        text = body.decode("utf-8", "replace")
        for fault in self.planned:
            fits = re.search(fault.path, path) and re.search(fault.body, text)
            if fits and fault.method in {"", method}:
                fault.times -= 1
                if fault.times <= 0:
                    self.planned.remove(fault)
                return fault
        return None

    async def _misbehave(self, fault: Fault, scope: Scope, body: bytes, send: Send) -> None:
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        if fault.kind == "status":
            headers = [(b"content-type", b"application/json")]
            if fault.retry_after_s is not None:
                headers.append((b"retry-after", str(fault.retry_after_s).encode()))
            start = {"type": "http.response.start", "status": fault.status, "headers": headers}
            await send(start)
            await send({"type": "http.response.body", "body": fault.answer.encode()})
            return
        if fault.kind == "late":
            await asyncio.sleep(fault.delay_s)
        if fault.kind != "silent":
            await self._app(scope, _replay(body), keep)
        if fault.kind == "twice":
            answer.clear()
            await self._app(scope, _replay(body), keep)
        await _answer(fault, answer, send)


async def _answer(fault: Fault, answer: list[Message], send: Send) -> None:
    if fault.kind in {"silent", "lost"}:
        await asyncio.sleep(fault.delay_s)
        msg = "planned: no answer"
        raise ConnectionResetError(msg)
    if fault.kind == "garbage":
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<html>Bad gateway</html>"})
        return
    if fault.kind == "partial":
        whole = b"".join(m.get("body", b"") for m in answer if m["type"] == "http.response.body")
        await send(answer[0])
        await send({"type": "http.response.body", "body": whole[: len(whole) // 2]})
        msg = "planned: broke off"
        raise ConnectionResetError(msg)
    if fault.kind == "slow":
        await asyncio.sleep(fault.delay_s)
    for message in answer:
        await send(message)


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await asyncio.sleep(3600)
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


@contextmanager
def serve(app: ASGIApp) -> Generator[str]:
    """Run an ASGI application as a server on a free loopback port; yields its base address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=5)
        listening.close()
