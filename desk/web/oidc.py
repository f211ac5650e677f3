"""The pages on the way to a sign-in provider and back, and who is linked with it."""

import asyncio

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from desk.accounts import Accounts, TooManyTries, Visitor
from desk.errors import DeskError, UnknownOperator
from desk.oidc import CALLBACK, SingleSignOn
from desk.oidc_attempt import LASTS
from desk.oidc_errors import SignInRefused
from desk.web.guard import SIGN_IN, BadForm, Visit, read_form, refusal, visitor
from desk.web.room import Room
from desk.web.signing_in import SigningIn

WITH = "/desk/sign-in/with"
BACK_CHANNEL = "/desk/sign-in/back-channel"
LINKS = "/desk/people/sign-in"
_COOKIE, _SAFE_COOKIE = "tresen_sign_in", "__Host-tresen_sign_in"
_STATUS = {"provider_away": 503, "provider_again": 400, "provider_unproved": 400}
log = structlog.get_logger(__name__)


class ProviderSignIn:
    """Leads to the provider and lets in whoever comes back with its word."""

    def __init__(
        self, room: Room, accounts: Accounts, sign_on: SingleSignOn, pages: SigningIn
    ) -> None:
        """Sign in with `sign_on`, besides the other pages of signing in."""
        self._room = room
        self._guard = room.guard
        self._accounts = accounts
        self._sign_on = sign_on
        self._pages = pages
        self._ending = asyncio.Lock()

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        opens, lets = self._guard.opens, self._guard.lets
        return [
            Route(WITH, opens(self.begin), methods=["GET"]),
            Route(CALLBACK, opens(self.finish), methods=["GET"]),
            Route(BACK_CHANNEL, self.log_out, methods=["POST"]),
            Route(LINKS, lets(self.links, "admin"), methods=["GET"]),
            Route(LINKS, lets(self.change_link, "admin"), methods=["POST"]),
        ]

    async def begin(self, request: Request) -> Response:
        """Lead to the provider; a page elsewhere cannot begin it."""
        if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return RedirectResponse(SIGN_IN, 303)
        try:
            there, cookie = await self._sign_on.begin(request.query_params.get("next", ""))
        except SignInRefused as error:
            log.warning("desk_sign_in_refused", reason=error.reason)
            return self._refused(request, error)
        return self._keep(request, RedirectResponse(there, 303), cookie)

    async def finish(self, request: Request) -> Response:
        """Let in whoever comes back from the provider."""
        if request.headers.get("sec-fetch-dest", "document") != "document":
            return refusal(request, 403, "foreign")  # nobody looks at it; it is no try
        who = visitor(request)
        cookie = request.cookies.get(self._cookie(request), "")
        name = f"provider {cookie or who.address}"
        if wait_s := self._accounts.throttle.begin(name, who.address):
            return self._pages.too_many(request, "sign_in.html", {}, TooManyTries(wait_s))
        answer = {name: value for name, value in request.query_params.items() if value}
        try:
            opened, back = await self._sign_on.finish(answer, cookie, who)
        except SignInRefused as error:
            return self._refused(request, error)
        self._accounts.throttle.succeeded(name, who.address)
        return self._keep(request, await self._pages.opened(request, opened, back), "")

    async def log_out(self, request: Request) -> Response:
        """End sessions because the provider says so (back-channel logout)."""
        try:
            form = await read_form(request)
        except BadForm:
            return self._guard.finish(request, Response(status_code=400))
        async with self._ending:  # one by one: all tries that are under way count as failed
            code = await self._logged_out(visitor(request), form.get("logout_token", ""))
        return self._guard.finish(request, Response(status_code=code))

    async def _logged_out(self, who: Visitor, token: str) -> int:
        """End the sessions that a provider's token names; return the status of the answer."""
        name = f"provider logout {who.address}"
        if self._accounts.throttle.begin(name, who.address):
            return 429
        try:
            ended = await self._sign_on.log_out(token)
        except SignInRefused as error:
            log.warning("desk_provider_logout_refused", reason=error.reason)
            return 400
        except DeskError as error:
            log.exception("desk_failed", error=type(error).__name__)
            return 503
        self._accounts.throttle.succeeded(name, who.address)
        log.info("desk_provider_logout", sessions=ended)
        return 200

    async def links(self, visit: Visit) -> Response:
        """Show whose account is linked."""
        return self._room.pages.show(
            visit,
            "people_sign_in.html",
            here="people",
            everybody=await self._room.operators.all(),
            linked=await self._sign_on.book.linked(),
            permitted=await self._sign_on.book.permitted(),
        )

    async def change_link(self, visit: Visit) -> Response:
        """Allow or remove an account's link."""
        operator_id, act = visit.form.get("id", ""), visit.form.get("act", "")
        try:
            operator = await self._room.operators.get(operator_id)
        except UnknownOperator:
            return refusal(visit.request, 404, "not_found", visit.language)
        if act == "allow":
            await self._sign_on.book.permit(operator.id)
            await self._room.audit.add(visit.operator.id, "link_allowed", of=operator.id)
        elif act == "part":
            await self._sign_on.book.part(operator.id)
            await self._accounts.book.end_all(operator.id)
            await self._room.audit.add(visit.operator.id, "link_removed", of=operator.id)
        return RedirectResponse(LINKS, 303)

    def _refused(self, request: Request, error: SignInRefused) -> Response:
        status = _STATUS.get(error.advice, 403)
        answer = self._pages.page(request, status=status, problem=error.advice)
        return self._keep(request, answer, "")

    def _keep(self, request: Request, response: Response, cookie: str) -> Response:
        """Have the browser keep its attempt; an empty one is taken away."""
        response.set_cookie(
            self._cookie(request),
            cookie,
            max_age=int(LASTS.total_seconds()) if cookie else 0,
            path="/",
            secure=self._guard.is_https(request),
            httponly=True,
            samesite="lax",
        )
        return response

    def _cookie(self, request: Request) -> str:
        return _SAFE_COOKIE if self._guard.is_https(request) else _COOKIE
