"""An OpenID Connect provider on loopback, for tests: it signs with real keys, lies on demand."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, unquote_plus, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.messages import utc_now

CLIENT, SECRET = "tresen", "s3cret:with/odd chars"
LENA = {
    "sub": "u-lena",
    "email": "lena@shop.example",
    "email_verified": True,
    "name": "Lena Ott",
    "groups": ["everybody", "desk"],
    "sid": "there-1",
}


def some_key(kid, kind="EC"):
    made = RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key("P-256")
    data = made.as_dict(private=True) | {"kid": kid, "use": "sig"}
    return type(made).import_key(data)


KEYS = {"first": some_key("first", "RSA"), "second": some_key("second"), "foreign": some_key("x")}


class LoopbackProvider:
    """A provider whose people sign in without being asked."""

    def __init__(self):
        self.clock = utc_now
        self.issuer = ""
        self.person = dict(LENA)
        self.token_claims = {}  # what it writes into the token, beyond or against the truth
        self.userinfo = {}
        self.published, self.signs_with = ["first"], "first"
        self.sign = self.signed
        self.asked, self.codes, self.calls = [], {}, []
        self.answer = {}  # what it adds to or changes of the way back
        self.metadata = {}
        self.is_down = False

    @asynccontextmanager
    async def serving(self, host="127.0.0.1"):
        routes = [
            Route("/.well-known/openid-configuration", self.configuration),
            Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]),
            Route("/keys", self.keys),
            Route("/userinfo", self.more),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), host="127.0.0.1", port=0, log_level="error", lifespan="off"
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        self.issuer = f"http://{host}:{port}"
        try:
            yield self
        finally:
            server.should_exit = True
            await task

    async def configuration(self, request):
        self.calls.append(request.url.path)
        if self.is_down:
            return Response(status_code=502)
        at = self.issuer
        known = {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys",
            "userinfo_endpoint": f"{at}/userinfo",
            "end_session_endpoint": f"{at}/logout",
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse(known | self.metadata)

    async def keys(self, request):
        self.calls.append(request.url.path)
        shown = [KEYS[name].as_dict(private=False) for name in self.published]
        return JSONResponse({"keys": [{"kty": "oct", "k": "AAAA"}, {"kty": "RSA"}, *shown]})

    async def authorize(self, request):
        asked = dict(request.query_params)
        self.asked.append(asked)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer} | self.answer
        kept = {name: value for name, value in answer.items() if value is not None}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(kept)}", 303)

    async def token(self, request):
        form = dict(parse_qsl((await request.body()).decode()))
        given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        if [unquote_plus(part) for part in given.split(":")] != [CLIENT, SECRET]:
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self.codes.pop(form["code"], None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        is_right = asked is not None and proof.decode().rstrip("=") == asked["code_challenge"]
        if not is_right or form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe(12)
        claims = self.id_claims(asked["nonce"], access)
        return JSONResponse({"access_token": access, "id_token": self.sign(claims)})

    async def more(self, request):
        assert request.headers["authorization"].startswith("Bearer ")
        return JSONResponse({"sub": self.person["sub"]} | self.userinfo)

    def id_claims(self, nonce, access):
        now = int(self.clock().timestamp())
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims = self.person | {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
        }
        told = claims | self.token_claims
        return {name: value for name, value in told.items() if value is not None}

    def signed(self, claims, name=""):
        key = KEYS[name or self.signs_with]
        algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
        return jwt.encode({"alg": algorithm, "kid": name or self.signs_with}, claims, key)

    def logout_token(self, **claims):
        now = int(self.clock().timestamp())
        events = {"http://schemas.openid.net/event/backchannel-logout": {}}
        told = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": "j1"}
        told |= {"sub": "u-lena", "events": events} | claims
        return self.signed({name: value for name, value in told.items() if value is not None})


def unsigned(claims):
    """Return a token that says of itself that it needs no signature."""
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."


def signed_with_the_public_key(claims, kid=None):
    """Return a token with an HMAC whose secret is the provider's public key."""
    header = {"alg": "HS256", "typ": "JWT"} | ({"kid": kid} if kid else {})
    text = f"{_part(header)}.{_part(claims)}"
    mac = hmac.digest(KEYS["first"].as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _part(data):
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")
