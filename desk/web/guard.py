"""Who may call a route of the desk: session, role, origin, token; and the headers of answers."""

import ipaddress
import secrets
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from bot.storage.errors import StorageError
from desk.accounts import Accounts, Current, Visitor
from desk.errors import DeskError
from desk.records import Operator, Role
from desk.web.texts import TEXTS, pick_language

COOKIE, SAFE_COOKIE = "tresen_desk", "__Host-tresen_desk"
TOKEN_HEADER, TOKEN_FIELD = "x-desk-token", "token"
SIGN_IN, FIRST = "/desk/sign-in", "/desk/first"
MAX_FORM_BYTES = 256_000
MAX_FIELDS = 60
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": _CSP,
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_RANKS: Mapping[str, int] = {"operator": 0, "supervisor": 1, "admin": 2}
_OVER_HTTPS = {"strict-transport-security": "max-age=31536000"}
log = structlog.get_logger(__name__)


class Visit(msgspec.Struct, frozen=True):
    """A request of somebody who is signed in, with what was sent along."""

    request: Request
    current: Current
    language: str
    form: Mapping[str, str]

    @property
    def operator(self) -> Operator:
        """Who it is."""
        return self.current.operator

    @property
    def is_htmx(self) -> bool:
        """Whether a part of a page is asked for."""
        return "hx-request" in self.request.headers

    def text(self, key: str) -> str:
        """Return a text of the desk in their language."""
        return TEXTS[self.language][key]


Handler = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class BadForm(DeskError):
    """A form was too large, or not one."""


class Guard:
    """Lets in who is signed in, has the role, and calls from the desk's own pages."""

    def __init__(self, accounts: Accounts, public_url: str = "") -> None:
        """Ask `accounts` who somebody is.

        Args:
            accounts: knows sessions.
            public_url: where operators reach this server; empty for wherever they call it.
        """
        self._accounts = accounts
        self._public = urlsplit(public_url)

    def lets(
        self, handler: Handler, role: Role = "operator", *, is_quiet: bool = False
    ) -> Endpoint:
        """Return an endpoint that calls `handler` for those who may.

        Args:
            handler: answers.
            role: the least one that may.
            is_quiet: pages ask by themselves; that keeps no session alive.
        """

        async def endpoint(request: Request) -> Response:
            return await self._guarded(request, handler, role, is_quiet)

        return endpoint

    def opens(self, handler: Endpoint) -> Endpoint:
        """Return an endpoint for those who are not signed in; it takes forms of own pages only."""

        async def endpoint(request: Request) -> Response:
            if request.method == "POST" and not self.is_own(request):
                return self.finish(request, refusal(request, 403, "foreign"))
            try:
                return self.finish(request, await handler(request))
            except BadForm:
                return self.finish(request, refusal(request, 413, "broken"))
            except (DeskError, StorageError) as error:
                log.exception("desk_failed", error=type(error).__name__)
                return self.finish(request, refusal(request, 503, "broken"))

        return endpoint

    async def current(self, request: Request, *, is_quiet: bool = False) -> Current | None:
        """Return who is signed in with a request."""
        token = self.token(request)
        return await self._accounts.who(token, visitor(request), is_quiet=is_quiet)

    def token(self, request: Request) -> str:
        """Return the token of a request's cookie, empty if there is none."""
        return request.cookies.get(self._cookie(request), "")

    def keep(self, request: Request, response: Response, token: str) -> Response:
        """Have a browser keep a token; an empty one is taken away."""
        response.set_cookie(
            self._cookie(request),
            token,
            max_age=None if token else 0,
            path="/",
            secure=self.is_https(request),
            httponly=True,
            samesite="lax",
        )
        return response

    def is_https(self, request: Request) -> bool:
        """Return whether the browser's side of the connection is encrypted."""
        return "https" in {self._public.scheme, request.url.scheme}

    def is_this_machine(self, request: Request) -> bool:
        """Return whether a browser on this machine asks, as far as that can be told.

        Where operators come from elsewhere there is a proxy, and one that adds no header, as
        nginx does by default, makes everybody look like this machine.
        """
        host = self._public.hostname or ""
        return (not host or _is_loopback(host)) and is_this_machine(request)

    def is_own(self, request: Request) -> bool:
        """Return whether a browser says that a page of ours makes the call."""
        site = request.headers.get("sec-fetch-site", "")
        origin = urlsplit(request.headers.get("origin", ""))
        if site and site != "same-origin":
            return False
        if not origin.netloc:
            return site == "same-origin"
        return origin.netloc in {request.headers.get("host", ""), self._public.netloc or "-"}

    def finish(self, request: Request, response: Response) -> Response:
        """Give a response the headers that all of them have."""
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if self.is_https(request):
            response.headers.update(_OVER_HTTPS)
        return response

    def _cookie(self, request: Request) -> str:
        return SAFE_COOKIE if self.is_https(request) else COOKIE

    async def _guarded(
        self, request: Request, handler: Handler, role: Role, is_quiet: bool
    ) -> Response:
        try:
            return self.finish(request, await self._answer(request, handler, role, is_quiet))
        except BadForm:
            return self.finish(request, refusal(request, 413, "broken"))
        except (DeskError, StorageError) as error:
            log.exception("desk_failed", error=type(error).__name__, path=request.url.path[:60])
            return self.finish(request, refusal(request, 503, "broken"))

    async def _answer(
        self, request: Request, handler: Handler, role: Role, is_quiet: bool
    ) -> Response:
        current = await self.current(request, is_quiet=is_quiet)
        if current is None:
            return _to_sign_in(request)
        accepted = request.headers.get("accept-language", "")
        language = pick_language(current.operator.language, accepted=accepted)
        form: Mapping[str, str] = {}
        if request.method != "GET":
            given = request.headers.get(TOKEN_HEADER, "")
            if request.headers.get("content-type", "").startswith(
                "application/x-www-form-urlencoded"
            ):
                form = await read_form(request)
                given = given or form.get(TOKEN_FIELD, "")
            if not self.is_own(request) or not _same(given, current.session.csrf):
                log.warning("desk_forged_request", operator=current.operator.id)
                return refusal(request, 403, "foreign", language)
        if _RANKS[current.operator.role] < _RANKS[role]:
            return refusal(request, 403, "forbidden", language)
        return await handler(Visit(request, current, language, form))


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form.

    Raises:
        BadForm: it is too large, has too many fields, or is not UTF-8.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise BadForm
    try:
        fields = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise BadForm from error
    return {name: value.replace("\r\n", "\n").replace("\0", "") for name, value in fields}


def visitor(request: Request) -> Visitor:
    """Return where a request comes from."""
    browser = request.headers.get("user-agent", "")
    return Visitor(request.client.host if request.client else "", browser)


def is_this_machine(request: Request) -> bool:
    """Return whether a browser on this machine asks, not through a proxy, under its own name.

    Another name that leads here may be a stranger's page (DNS rebinding).
    """
    if any(name in request.headers for name in ("x-forwarded-for", "forwarded", "via")):
        return False
    host = request.client.host if request.client else ""
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    return _is_loopback(host) and _is_loopback(name)


def refusal(request: Request, code: int, key: str, language: str = "") -> Response:
    """Return a refusal as a plain sentence."""
    accepted = request.headers.get("accept-language", "")
    texts = TEXTS[pick_language(language, accepted=accepted)]
    return PlainTextResponse(texts[key], code)


def _same(given: str, kept: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), kept.encode())


def _to_sign_in(request: Request) -> Response:
    """Lead to the sign-in page, and back afterwards; parts of pages and scripts are told so."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    is_page = request.method == "GET" and "hx-request" not in request.headers
    if is_page and "text/html" in request.headers.get("accept", "text/html"):
        return RedirectResponse(f"{SIGN_IN}?next={quote(path, safe='')}", 303)
    shown = urlsplit(request.headers.get("hx-current-url", "")).path
    back = f"{SIGN_IN}?next={quote(shown, safe='')}" if shown else SIGN_IN
    return PlainTextResponse("", 401, {"hx-redirect": back})


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in {"localhost", "testclient", "testserver"}
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
