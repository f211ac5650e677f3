"""HTTP to another desk: what may be asked again, and what it will never take."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from desk.bridges.ports import BridgeContext, RefusedThere, TryLater

TIMEOUT_S = 10.0
LONGEST_AFTER_S = 3_600.0
FIRST_ERROR = 300
SERVER_ERROR = 500
_LATER = frozenset({401, 403, 408, 423, 425, 429})
"""What the other desk may take later: a wrong token is put right by a person."""


class BridgeClient:
    """Requests to one other desk."""

    def __init__(
        self,
        base_url: str,
        context: BridgeContext,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> None:
        """Talk to `base_url`.

        Args:
            base_url: such as https://desk.example/api.
            context: says how requests leave.
            headers: sent with every request; they hold the credentials.
            auth: HTTP basic credentials.
        """
        self._clock = context.clock
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers=dict(headers or {}),
            auth=auth,
            timeout=TIMEOUT_S,
            transport=context.transport,
            follow_redirects=False,
        )

    async def ask(self, method: str, path: str, **request: Any) -> Any:  # noqa: ANN401 - JSON, and as httpx takes it
        """Return what the other desk answers: JSON, or None where it says nothing.

        Args:
            method: of HTTP.
            path: below the base address.
            request: httpx's `params`, `json`, `content`, `headers`.

        Raises:
            TryLater: it did not answer, or asks to come again; it may have done it.
            RefusedThere: it will never do it.
        """
        try:
            answer = await self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise TryLater(type(error).__name__) from error
        status = answer.status_code
        if status in _LATER or status >= SERVER_ERROR:
            raise TryLater(f"http_{status}", self._after_s(answer))
        if status >= FIRST_ERROR:
            raise RefusedThere(f"http_{status}")
        if not answer.content.strip():
            return None
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError as error:
            raise TryLater("not_json") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _after_s(self, answer: httpx.Response) -> float:
        """Return how long the other desk asks to be left alone, in seconds; 0 where it does not."""
        told = answer.headers.get("retry-after", "").strip()
        if not told:
            return 0.0
        try:
            wait_s = float(told)
        except ValueError:
            try:
                at = parsedate_to_datetime(told)
            except ValueError:
                return 0.0
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            wait_s = (at - self._now()).total_seconds()
        return min(max(wait_s, 0.0), LONGEST_AFTER_S) if wait_s == wait_s else 0.0  # noqa: PLR0124 - NaN

    def _now(self) -> datetime:
        return self._clock()
