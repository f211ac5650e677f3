"""Calling Meta's Graph API: one request, and what its answers mean for a message."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cached_property

import httpx

from channels.base import Payload
from channels.push import InDoubt, SendFailed, TryAgain, Undeliverable, WindowClosed
from channels.wire import LONGEST_WAIT_S, wait_s

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
# Each of these names a limit, or an error that Meta says will pass.
_LATER = {"1", "2", "4", "17", "32", "341", "368", "613", "1200", "80002", "80006"}
_OUTSIDE_WINDOW = {"2018278", "2018065", "2534022"}
_NOT_REACHABLE = {"2018108", "1545041"}
# "Received invalid JSON reply": documented as coming after messages that were all sent.
_PERHAPS_SENT = {"1/1357046"}
_EXPIRED = "190"
_TOKEN_RETRY_S = 300.0


class Graph:
    """One account's door to the Graph API.

    The token goes in a header, never into an address that is logged somewhere, and with every call
    the proof that its sender also knows the app's secret.
    """

    def __init__(self, base_url: str, token: str, app_secret: str) -> None:
        """Call `base_url` (with the version) as the account that the token belongs to."""
        self._base_url = base_url.rstrip("/")
        proof = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        # Tokens of a login with Instagram are not Facebook's, which alone documents the proof.
        by_instagram = self._base_url.startswith("https://graph.instagram.com/")
        self._query = {} if by_instagram else {"appsecret_proof": proof}
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    @cached_property
    def client(self) -> httpx.AsyncClient:
        """Return the connections to the platform, opened when they are first needed."""
        return httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False)

    async def post(self, edge: str, body: Payload, node: str = "me") -> dict[str, object]:
        """Post to an edge of the account and return the answer.

        Args:
            edge: such as `messages`.
            body: the JSON object to post.
            node: another one than the account.

        Raises:
            TryAgain: nothing happened.
            InDoubt: it may have happened.
            Undeliverable: it never will.
        """
        return await self._call("POST", f"{node}/{edge}", {}, body)

    async def get(self, path: str, **query: str) -> dict[str, object]:
        """Return what the platform tells of an object or an edge.

        Args:
            path: below the version, such as `me/conversations`.
            query: the parameters.

        Raises:
            TryAgain: it may tell later.
            Undeliverable: it does not tell, such as for want of a permission.
        """
        try:
            return await self._call("GET", path, query, None)
        except InDoubt as error:
            raise TryAgain(error.code, "the platform does not tell") from error

    async def _call(
        self, method: str, path: str, query: Mapping[str, str], body: Payload | None
    ) -> dict[str, object]:
        """Make one request and return its answer.

        Raises:
            TryAgain: nothing happened.
            InDoubt: it may have happened.
            SendFailed: it never will; see `_failure`.
        """
        try:
            response = await self.client.request(
                method,
                f"{self._base_url}/{path}",
                params={**query, **self._query},
                headers=self._headers,
                content=None if body is None else json.dumps(body),
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TryAgain("connection", "the platform cannot be reached") from error
        except httpx.RequestError as error:
            raise InDoubt(type(error).__name__, "the platform did not answer") from error
        answer = _object(response)
        if response.is_success and answer is not None and "error" not in answer:
            return answer
        failure = _failure(response, answer)
        raise failure

    async def close(self) -> None:
        """Let go of connections."""
        if "client" in self.__dict__:
            await self.client.aclose()


def _object(response: httpx.Response) -> dict[str, object] | None:
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _failure(response: httpx.Response, answer: Mapping[str, object] | None) -> SendFailed:
    """Return what an answer that is no success means for the message."""
    error = answer.get("error") if answer else None
    told = error if isinstance(error, dict) else {}
    code, subcode = str(told.get("code") or ""), str(told.get("error_subcode") or "")
    name = "/".join(part for part in (code, subcode) if part) or str(response.status_code)
    is_gateway = not told and response.status_code == httpx.codes.GATEWAY_TIMEOUT
    if name in _PERHAPS_SENT or is_gateway or (response.is_success and not told):
        return InDoubt(name, "the platform's answer cannot be read")
    if subcode in _OUTSIDE_WINDOW:
        return WindowClosed(name, "the customer wrote too long ago")
    if subcode in _NOT_REACHABLE:
        return Undeliverable(name, "the customer cannot be reached")
    if code == _EXPIRED:
        return TryAgain(name, "the access token is not valid: renew it", _TOKEN_RETRY_S)
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or code in _LATER:
        return TryAgain(name, "the platform asks to wait", wait_s_in(response.headers))
    if response.is_server_error:
        return TryAgain(name, "the platform is out of order", wait_s_in(response.headers))
    return Undeliverable(name, "the platform refuses the message")


def wait_s_in(headers: httpx.Headers) -> float:
    """Return how long the platform asks to wait; 0 where it does not say.

    `X-Business-Use-Case-Usage` tells minutes until the account may call again.
    """
    if told := headers.get("retry-after", ""):
        return wait_s(told)
    try:
        usage = json.loads(headers.get("x-business-use-case-usage", "{}"))
    except (ValueError, RecursionError):
        return 0.0
    uses = usage.values() if isinstance(usage, dict) else ()
    minutes = [
        use["estimated_time_to_regain_access"]
        for group in uses
        for use in (group if isinstance(group, list) else ())
        if isinstance(use, dict) and isinstance(use.get("estimated_time_to_regain_access"), int)
    ]
    return min(max(minutes, default=0) * 60.0, LONGEST_WAIT_S)
