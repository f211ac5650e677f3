"""The SDK's way to Twilio: one request, its own time limits, and our errors."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
from twilio.http import HttpClient
from twilio.http.response import Response

from channels.push import InDoubt, TryAgain, Undeliverable, WindowClosed
from channels.wire import wait_s

WINDOW_CLOSED = "63016"
"""WhatsApp's window of 24 hours has closed; told by the answer, or later by the report."""
_SLOWER = ("20429", "63018", "14107", "30022")
_ACCOUNT = ("20003", "20005")
_ACCOUNT_WAIT_S = 60.0


class Wire(HttpClient):  # type: ignore[misc] # the SDK has no types
    """An HTTP client for the SDK, whose own ones log who is written to."""

    def __init__(self, api_url: str) -> None:
        """Send to `api_url` what the SDK wants to send to Twilio's own host."""
        super().__init__(logger=None, is_async=True)
        self._api_url = api_url.rstrip("/")
        limits = httpx.Limits(max_connections=64, keepalive_expiry=3.0)
        timeout = httpx.Timeout(10.0, connect=5.0)
        self.http = httpx.AsyncClient(timeout=timeout, limits=limits, follow_redirects=False)

    async def request(  # noqa: PLR0913 - the SDK's signature
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
        allow_redirects: bool = False,
    ) -> Response:
        """Make one request for the SDK.

        Raises:
            TryAgain: nothing was delivered.
            InDoubt: it may have been delivered.
            Undeliverable: Twilio refused it.
        """
        del timeout, allow_redirects
        target = urlsplit(url)
        base = self._api_url
        if target.hostname == "messaging.twilio.com":
            base = base.replace("://api.", "://messaging.", 1)
        address = target._replace(scheme="", netloc="").geturl()
        try:
            answer = await self.http.request(
                method, base + address, params=params, data=data, headers=headers, auth=auth
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TryAgain("connection", "Twilio cannot be reached") from error
        except httpx.TimeoutException as error:
            raise InDoubt("timeout", "Twilio did not answer in time") from error
        except httpx.RequestError as error:
            raise InDoubt("connection", "the connection to Twilio broke") from error
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            wait = wait_s(answer.headers.get("retry-after", ""))
            refuse(answer.status_code, _code(answer.text), wait)
        return Response(answer.status_code, answer.text, answer.headers)


def _code(body: str) -> str:
    """Return Twilio's own code in an error; its words may name the recipient."""
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    code = told.get("code") if isinstance(told, dict) else None
    return str(code) if isinstance(code, int) else ""


def refuse(status: int, code: str, retry_after_s: float) -> NoReturn:
    """Say what Twilio's refusal means for the message.

    Raises:
        TryAgain: nothing was delivered.
        InDoubt: it may have been delivered.
        WindowClosed: only a template may be sent now.
        Undeliverable: it never will be.
    """
    shown = code or str(status)
    if code == WINDOW_CLOSED:
        raise WindowClosed(code, "the customer wrote more than 24 hours ago")
    if status == httpx.codes.GATEWAY_TIMEOUT:
        raise InDoubt(shown, "a gateway before Twilio gave up waiting")
    if code in _SLOWER or status == httpx.codes.TOO_MANY_REQUESTS:
        raise TryAgain(shown, "Twilio asks to send slower", retry_after_s)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise TryAgain(shown, "Twilio is out of order", retry_after_s)
    if status == httpx.codes.UNAUTHORIZED or code in _ACCOUNT:
        problem = "Twilio does not know the account and its token: check them"
        raise TryAgain(shown, problem, max(retry_after_s, _ACCOUNT_WAIT_S))
    raise Undeliverable(shown, "Twilio does not take the message")
