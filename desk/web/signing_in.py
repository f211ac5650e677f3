"""Signing in and out, and the page on which the first account is made."""

import contextlib
import math
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from desk.accounts import Accounts, NewSession, TooManyTries, WrongSignIn
from desk.accounts_book import NotTheFirst
from desk.accounts_passwords import WeakPassword
from desk.accounts_people import BadOperator, People
from desk.errors import UnknownOperator
from desk.oidc import SingleSignOn
from desk.web.guard import FIRST, SIGN_IN, Visit, read_form, visitor
from desk.web.room import Room
from desk.web.texts import TEXTS, pick_language

HOME = "/desk"


class SigningIn:
    """The pages before the desk."""

    def __init__(
        self,
        room: Room,
        accounts: Accounts,
        people: People,
        sign_on: SingleSignOn | None = None,
    ) -> None:
        """Open sessions of `accounts`; the first account is made with `people`.

        Args:
            room: what routes share.
            accounts: knows passwords and sessions.
            people: makes accounts.
            sign_on: the other way in, with a provider; it may be the only one.
        """
        self._room = room
        self._guard = room.guard
        self._pages = room.pages
        self._accounts = accounts
        self._people = people
        self._sign_on = sign_on
        self._has_passwords = sign_on is None or not sign_on.settings.only

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        opens, lets = self._guard.opens, self._guard.lets
        return [
            Route(SIGN_IN, opens(self.ask), methods=["GET"]),
            Route(SIGN_IN, opens(self.sign_in), methods=["POST"]),
            Route(f"{SIGN_IN}/code", opens(self.ask_code), methods=["GET"]),
            Route(f"{SIGN_IN}/code", opens(self.confirm), methods=["POST"]),
            Route(FIRST, opens(self.ask_first), methods=["GET"]),
            Route(FIRST, opens(self.make_first), methods=["POST"]),
            Route("/desk/sign-out", lets(self.sign_out), methods=["POST"]),
            Route("/desk/sign-out-everywhere", lets(self.sign_out_everywhere), methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """Show the sign-in page; without any account the way to the first one."""
        if await self._guard.current(request):
            return RedirectResponse(back_to(request.query_params.get("next", "")), 303)
        if self._sign_on is None and not await self._accounts.book.count():
            return RedirectResponse(FIRST, 303)
        was_here = "out" in request.query_params
        return self.page(request, notice="signed_out" if was_here else "")

    async def sign_in(self, request: Request) -> Response:
        """Check address and password, and go on to the desk or to the code."""
        form = await read_form(request)
        if not self._has_passwords:
            return self.page(request, status=403, problem="passwords_off")
        email, password = form.get("email", ""), form.get("password", "")
        try:
            opened = await self._accounts.sign_in(email, password, visitor(request))
        except TooManyTries as error:
            return self.too_many(request, "sign_in.html", form, error)
        except WrongSignIn:
            return self.page(request, form, 401, problem="wrong_sign_in")
        return await self.opened(request, opened, form.get("next", ""))

    async def opened(self, request: Request, opened: NewSession, back: str) -> Response:
        """Go on to the desk, or to the code, with a new session in place of the one before."""
        await self._accounts.book.end_token(self._guard.token(request))
        if opened.session.is_verified:
            return await self._welcome(request, opened, back)
        answer = RedirectResponse(f"{SIGN_IN}/code?next={quote(back_to(back), safe='')}", 303)
        return self._guard.keep(request, answer, opened.token)

    async def ask_code(self, request: Request) -> Response:
        """Ask for the second factor."""
        return self._code_page(request)

    async def confirm(self, request: Request) -> Response:
        """Check the second factor, and go on to the desk."""
        form = await read_form(request)
        token, code = self._guard.token(request), form.get("code", "")
        try:
            opened = await self._accounts.confirm(token, code, visitor(request))
        except TooManyTries as error:
            return self.too_many(request, "code.html", form, error)
        except WrongSignIn:
            return self._code_page(request, 401, problem="wrong_code")
        return await self._welcome(request, opened, form.get("next", ""))

    async def ask_first(self, request: Request) -> Response:
        """Show the page for the first account, on this machine only."""
        if not self._has_passwords or await self._accounts.book.count():
            return RedirectResponse(SIGN_IN, 303)
        return self._first_page(request)

    async def make_first(self, request: Request) -> Response:
        """Make the first account and sign in with it."""
        if not self._has_passwords:
            return RedirectResponse(SIGN_IN, 303)
        if not self._guard.is_this_machine(request):
            return self._first_page(request, status=403)
        form = await read_form(request)
        language = pick_language(accepted=request.headers.get("accept-language", ""))
        email, password = form.get("email", ""), form.get("password", "")
        try:
            await self._people.add_first(email, form.get("name", ""), password, language)
        except NotTheFirst:
            return RedirectResponse(SIGN_IN, 303)
        except WeakPassword:
            return self._first_page(request, form, 422, "weak_password")
        except BadOperator:
            return self._first_page(request, form, 422, "bad_operator")
        opened = await self._accounts.sign_in(email, password, visitor(request))
        return await self._welcome(request, opened, "")

    async def sign_out(self, visit: Visit) -> Response:
        """End this session."""
        there = await self._there(visit)
        await self._accounts.sign_out(visit.current)
        return await self._farewell(visit, there)

    async def sign_out_everywhere(self, visit: Visit) -> Response:
        """End all sessions of whoever asks."""
        there = await self._there(visit)
        await self._accounts.sign_out_everywhere(visit.operator.id)
        return await self._farewell(visit, there)

    async def _welcome(self, request: Request, opened: NewSession, back: str) -> Response:
        with contextlib.suppress(UnknownOperator):
            await self._room.operators.present(opened.operator.id, "available", self._room.now())
        answer = RedirectResponse(back_to(back), 303)
        return self._guard.keep(request, answer, opened.token)

    async def _there(self, visit: Visit) -> str:
        """Return where whoever asks signs out at the provider; empty for nowhere."""
        if self._sign_on is None:
            return ""
        return await self._sign_on.farewell(visit.current.session.token_hash)

    async def _farewell(self, visit: Visit, there: str) -> Response:
        with contextlib.suppress(UnknownOperator):
            await self._room.operators.present(visit.operator.id, "offline", self._room.now())
        answer: Response = RedirectResponse(f"{SIGN_IN}?out", 303)
        if there and self._sign_on is not None:
            at_once = self._sign_on.settings.sign_out_there
            answer = self._pages.open(
                visit.request, "signed_out.html", there=there, at_once=at_once
            )
        return self._guard.keep(visit.request, answer, "")

    def page(
        self,
        request: Request,
        form: Mapping[str, str] | None = None,
        status: int = 200,
        *,
        problem: str = "",
        notice: str = "",
    ) -> Response:
        """Return the page to sign in on."""
        given = form or {}
        back = given.get("next", "") or request.query_params.get("next", "")
        return self._pages.open(
            request,
            "sign_in.html",
            status,
            email=given.get("email", "")[:254],
            next=back,
            problem=problem,
            notice=notice,
            wait="",
        )

    def _code_page(self, request: Request, status: int = 200, problem: str = "") -> Response:
        back = request.query_params.get("next", "")
        return self._pages.open(
            request, "code.html", status, problem=problem, wait="", next=back, email=""
        )

    def too_many(
        self, request: Request, template: str, form: Mapping[str, str], error: TooManyTries
    ) -> Response:
        """Return the page that tells how long to wait."""
        texts = TEXTS[pick_language(accepted=request.headers.get("accept-language", ""))]
        seconds = max(1, math.ceil(error.wait_s))
        unit, number = ("seconds", seconds) if seconds < 90 else ("minutes", -(-seconds // 60))
        answer = self._pages.open(
            request,
            template,
            429,
            email=form.get("email", "")[:254],
            next=form.get("next", ""),
            problem="too_many",
            notice="",
            wait=texts[unit].format(n=number),
        )
        answer.headers["retry-after"] = str(seconds)
        return answer

    def _first_page(
        self,
        request: Request,
        form: Mapping[str, str] | None = None,
        status: int = 200,
        problem: str = "",
    ) -> Response:
        given = form or {}
        here = self._guard.is_this_machine(request)
        return self._pages.open(
            request,
            "first.html",
            status if here else 403,
            here=here,
            email=given.get("email", "")[:254],
            name=given.get("name", "")[:80],
            problem=problem,
            wait="",
        )


def back_to(path: str) -> str:
    """Return a page of the desk to go on to; never one elsewhere."""
    parts = urlsplit(path)
    is_ours = (
        not parts.scheme
        and not parts.netloc
        and (parts.path + "/").startswith(("/desk/", "/insights/"))
    )
    is_plain = "\\" not in path and path.isprintable() and not path.startswith(SIGN_IN)
    return path if is_ours and is_plain else HOME
