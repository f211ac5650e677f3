"""A sign-in service's userinfo endpoint, as OpenID Connect documents it; can be told to fail."""

import asyncio
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PATH = "/oidc/userinfo"


class FakeUserInfo:
    """`accounts` are the claims by access token; `asked` is how often it was asked."""

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.asked = 0
        self.late_s = 0.0
        self.answer: Response | None = None
        self.app = Starlette(routes=[Route(PATH, self._info, methods=["GET"])])

    def knows(self, token: str, email: str, **claims: Any) -> None:
        """Have a token be good for an account with a verified address, unless claims differ."""
        claims = {"sub": "subject", "email": email, "email_verified": True, **claims}
        self.accounts[token] = {name: each for name, each in claims.items() if each is not None}

    async def _info(self, request: Request) -> Response:
        self.asked += 1
        await asyncio.sleep(self.late_s)
        if self.answer is not None:
            return self.answer
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in self.accounts:
            challenge = {"www-authenticate": 'Bearer error="invalid_token"'}
            return JSONResponse({"error": "invalid_token"}, 401, challenge)
        return JSONResponse(self.accounts[token])
