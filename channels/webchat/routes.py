"""The web chat's place in a Starlette application: session, socket, upload, files."""

import asyncio
from http import HTTPStatus
from urllib.parse import unquote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from channels.base import ChannelError, Forbidden, Payload, TooLarge, TooMany, WebhookRequest
from channels.webchat.channel import WebChat
from channels.webchat.limits import Limits, RateLimiter, SocketCounter
from channels.webchat.session import Backstage, WebChatSession, read_resume
from channels.webchat.tokens import Signer
from channels.webchat.uploads import MAX_UPLOAD_BYTES, UploadStore

_CLOSE_NORMAL = 1000
_CLOSE_TRY_LATER = 1013
_CLOSE_BASE = 4000


class _StarletteSocket:
    """A Starlette WebSocket as the session sees it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send(self, frame: Payload) -> None:
        """Send one frame; a widget that has gone meanwhile gets it on reconnecting."""
        if self._socket.application_state is WebSocketState.CONNECTED:
            await self._socket.send_text(msgspec.json.encode(frame).decode())

    async def receive(self) -> bytes | None:
        """Return the next frame, or None when the widget has gone."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        if text is not None:
            return str(text).encode("utf-8", "replace")
        return bytes(message.get("bytes") or b"")


class WebChatRoutes:
    """Answers the widget's requests."""

    def __init__(
        self,
        channel: WebChat,
        signer: Signer,
        backstage: Backstage,
        uploads: UploadStore,
        limits: Limits,
    ) -> None:
        """Set up the routes.

        Args:
            channel: checks, reads and writes frames.
            signer: makes session ids.
            backstage: accepts messages, knows the history, notices changes.
            uploads: keeps visitors' files.
            limits: how much visitors may ask.
        """
        self._channel = channel
        self._signer = signer
        self._backstage = backstage
        self._uploads = uploads
        self._limits = limits
        self._message_rate = RateLimiter(limits.message_burst, limits.messages_per_s)
        self._session_rate = RateLimiter(
            limits.sessions_burst_per_host, limits.sessions_per_s_per_host
        )
        self._sockets = SocketCounter(limits)

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        base = "/webhooks/webchat"
        return [
            WebSocketRoute(f"{base}/ws", self.socket),
            Route(f"{base}/session", self.session, methods=["POST", "OPTIONS"]),
            Route(f"{base}/upload", self.upload, methods=["POST", "OPTIONS"]),
            Route(f"{base}/uploads/{{stored:path}}", self.file, methods=["GET"]),
        ]

    async def session(self, request: Request) -> Response:
        """Open a new session and return its id and token."""
        if request.method == "OPTIONS":
            return self._answer(request, None)
        if not self._allows(request):
            return self._answer(request, Forbidden("This site may not use the chat."))
        host = request.client.host if request.client else ""
        if self._session_rate.wait_s(host):
            return self._answer(request, TooMany("session", "too many new chats, wait a little"))
        session_id = self._signer.new_session_id()
        token = self._channel.token(session_id)
        return self._answer(request, {"session_id": session_id, "token": token})

    async def upload(self, request: Request) -> Response:
        """Store the file in the request's body and return its attachment and receipt."""
        if request.method == "OPTIONS":
            return self._answer(request, None)
        try:
            verified = WebhookRequest("POST", request.url.path, headers=dict(request.headers))
            self._channel.verify(verified)
            session_id = request.headers["x-session-id"]
            if self._message_rate.wait_s(f"upload:{session_id}"):
                return self._answer(request, TooMany("file", "too many uploads, wait a little"))
            body = await _read_body(request, MAX_UPLOAD_BYTES)
            name = unquote(request.headers.get("x-file-name", ""))[:255]
            attachment = await run_in_threadpool(self._uploads.save, session_id, name, body)
        except ChannelError as error:
            return self._answer(request, error)
        receipt = self._signer.receipt(session_id, attachment)
        shown = msgspec.to_builtins(attachment)
        return self._answer(request, {"receipt": receipt, "attachment": shown})

    async def file(self, request: Request) -> Response:
        """Serve an uploaded file to whoever has its signed address."""
        stored, signature = request.path_params["stored"], request.query_params.get("sig", "")
        found = await run_in_threadpool(self._uploads.find, stored, signature)
        if found is None:
            return JSONResponse({"message": "There is no such file."}, status_code=404)
        is_image = found.mime_type.startswith("image/")
        headers = {
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, max-age=3600",
            "content-disposition": f"{'inline' if is_image else 'attachment'}; "
            f'filename="{found.path.name}"',
        }
        return FileResponse(found.path, media_type=found.mime_type, headers=headers)

    async def socket(self, socket: WebSocket) -> None:
        """Serve one WebSocket: check the first frame, then run the session."""
        await socket.accept()
        wire = _StarletteSocket(socket)
        code = _CLOSE_NORMAL
        try:
            async with asyncio.timeout(self._limits.first_frame_s):
                first = await wire.receive()
            if first is not None:
                await self._serve(socket, wire, first)
        except ChannelError as error:
            full = isinstance(error, TooMany)
            code = _CLOSE_TRY_LATER if full else _CLOSE_BASE + error.status
            shown = {"type": "error", "code": error.status, "message": str(error)}
            await wire.send({**shown, "retry": full})
        except (TimeoutError, WebSocketDisconnect):
            code = _CLOSE_NORMAL
        if socket.client_state is WebSocketState.CONNECTED:
            await _close(socket, code)

    async def _serve(self, socket: WebSocket, wire: _StarletteSocket, first: bytes) -> None:
        """Check who it is and run the session."""
        resume = read_resume(first, self._limits.max_frame_bytes)
        proof = {
            "origin": socket.headers.get("origin", ""),
            "host": socket.headers.get("host", ""),
            "x-session-id": resume.session_id,
            "authorization": f"Bearer {resume.token}",
        }
        self._channel.verify(WebhookRequest("SOCKET", socket.url.path, headers=proof))
        with self._sockets.hold(resume.session_id):
            await WebChatSession(
                self._channel, self._backstage, wire, resume, self._message_rate, self._limits
            ).run()

    def _allows(self, request: Request) -> bool:
        headers = request.headers
        return self._channel.allows_origin(headers.get("origin", ""), headers.get("host", ""))

    def _answer(self, request: Request, content: Payload | ChannelError | None) -> Response:
        """Return a JSON answer that an allowed page of another site may read."""
        headers = {"cache-control": "no-store", "vary": "Origin"}
        if self._allows(request) and "origin" in request.headers:
            headers["access-control-allow-origin"] = request.headers["origin"]
            headers["access-control-allow-headers"] = (
                "authorization, content-type, x-session-id, x-file-name"
            )
            headers["access-control-max-age"] = "600"
        if content is None:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        if isinstance(content, ChannelError):
            return JSONResponse(content.as_payload(), content.status, headers)
        return JSONResponse(content, HTTPStatus.OK, headers)


async def _read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body, giving up as soon as it is longer than allowed.

    Raises:
        TooLarge: if it is longer.
    """
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > max_bytes:
            raise TooLarge("file", f"must be at most {max_bytes // 1024**2} MB")
    return bytes(chunks)


async def _close(socket: WebSocket, code: int) -> None:
    """Close the socket; one that is gone already needs no more."""
    try:
        await socket.close(code)
    except RuntimeError:
        return
