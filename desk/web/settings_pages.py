"""The pages beside the conversations: one's account, all accounts, prepared replies, audit log."""

import re
import secrets

from msgspec import structs
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from desk.accounts import Accounts, TooManyTries, WrongSignIn
from desk.accounts_codes import enrolment, new_secret
from desk.accounts_passwords import WeakPassword, new_password
from desk.accounts_people import BadOperator, LastAdmin, People
from desk.errors import DeskError, EmailTaken, ShortcutTaken, UnknownOperator
from desk.records import ROLES, CannedReply, Operator
from desk.web import words
from desk.web.cases import VARIABLES, unknown_variables
from desk.web.guard import Visit, refusal
from desk.web.pages import case_path
from desk.web.room import Room
from desk.web.texts import LANGUAGES

_SHORTCUT = re.compile(r"[a-z0-9-]{1,30}")
_MOST_CAPACITY = 50
_AUDIT_PAGE = 100
_PROBLEMS: dict[type[DeskError], str] = {
    WrongSignIn: "wrong_password",
    TooManyTries: "too_often",
    WeakPassword: "weak_password",
    BadOperator: "bad_operator",
    LastAdmin: "last_admin",
    EmailTaken: "email_taken",
    ShortcutTaken: "shortcut_taken",
}


class SettingsPages:
    """Serves them."""

    def __init__(self, room: Room, accounts: Accounts, people: People) -> None:
        """Change `accounts` through `people`, and prepared replies in `room`."""
        self._room = room
        self._accounts = accounts
        self._people = people

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        lets = self._room.guard.lets
        return [
            Route("/desk/presence", lets(self.presence), methods=["POST"]),
            Route("/desk/account", lets(self.account), methods=["GET"]),
            Route("/desk/account/language", lets(self.language), methods=["POST"]),
            Route("/desk/account/password", lets(self.password), methods=["POST"]),
            Route("/desk/account/codes", lets(self.set_up_codes), methods=["POST"]),
            Route("/desk/account/codes/drop", lets(self.drop_codes), methods=["POST"]),
            Route("/desk/people", lets(self.everybody, "admin"), methods=["GET"]),
            Route("/desk/people", lets(self.save_person, "admin"), methods=["POST"]),
            Route("/desk/people/reset", lets(self.reset, "admin"), methods=["POST"]),
            Route("/desk/canned", lets(self.canned, "supervisor"), methods=["GET"]),
            Route("/desk/canned", lets(self.save_canned, "supervisor"), methods=["POST"]),
            Route("/desk/canned/remove", lets(self.remove_canned, "supervisor"), methods=["POST"]),
            Route("/desk/audit", lets(self.audit, "supervisor"), methods=["GET"]),
        ]

    async def presence(self, visit: Visit) -> Response:
        """Keep whether somebody takes conversations."""
        given = visit.form.get("presence", "")
        for presence in ("available", "away", "offline"):
            if presence == given:
                now = self._room.now()
                await self._room.operators.present(visit.operator.id, presence, now)
                return Response(status_code=204)
        return refusal(visit.request, 422, "not_found", visit.language)

    async def account(self, visit: Visit) -> Response:
        """Show one's own account."""
        return await self._account(visit)

    async def language(self, visit: Visit) -> Response:
        """Keep the language that somebody reads."""
        language = visit.form.get("language", "")
        if language in LANGUAGES:
            record = await self._room.operators.get(visit.operator.id)
            await self._room.operators.save(structs.replace(record, language=language))
        return RedirectResponse("/desk/account", 303)

    async def password(self, visit: Visit) -> Response:
        """Change one's password."""
        old, new = visit.form.get("old", ""), visit.form.get("new", "")
        try:
            await self._people.change_password(visit.current, old, new)
        except (WrongSignIn, TooManyTries, WeakPassword) as error:
            return await self._account(visit, problem=_PROBLEMS[type(error)], status=422)
        return await self._account(visit, notice="saved")

    async def set_up_codes(self, visit: Visit) -> Response:
        """Begin to ask for codes, and show the recovery codes once."""
        form = visit.form
        try:
            recovery = await self._people.set_up_codes(
                visit.current,
                form.get("password", ""),
                form.get("secret", ""),
                form.get("code", ""),
            )
        except (WrongSignIn, TooManyTries) as error:
            secret = form.get("secret", "")
            return await self._account(
                visit, problem=_PROBLEMS[type(error)], status=422, secret=secret
            )
        return await self._account(visit, recovery=recovery)

    async def drop_codes(self, visit: Visit) -> Response:
        """Ask for no codes any more."""
        try:
            await self._people.drop_codes(visit.current, visit.form.get("password", ""))
        except (WrongSignIn, TooManyTries) as error:
            return await self._account(visit, problem=_PROBLEMS[type(error)], status=422)
        return await self._account(visit, notice="saved")

    async def everybody(self, visit: Visit) -> Response:
        """Show all accounts."""
        return await self._everybody(visit)

    async def save_person(self, visit: Visit) -> Response:
        """Make or change an account."""
        form = visit.form
        operator_id = form.get("id", "")
        try:
            if not operator_id:
                password = form.get("password", "") or new_password()
                made = await self._people.add(
                    _person(Operator("", "", ""), visit), password, visit.operator.id
                )
                return await self._everybody(visit, given=(made.name, password))
            before = await self._room.operators.get(operator_id)
            await self._people.change(_person(before, visit), visit.operator.id)
        except (BadOperator, LastAdmin, EmailTaken, WeakPassword) as error:
            return await self._everybody(visit, problem=_PROBLEMS[type(error)], status=422)
        except UnknownOperator:
            return refusal(visit.request, 404, "not_found", visit.language)
        return RedirectResponse("/desk/people", 303)

    async def reset(self, visit: Visit) -> Response:
        """Give somebody a new password, and show it once."""
        try:
            operator = await self._room.operators.get(visit.form.get("id", ""))
        except UnknownOperator:
            return refusal(visit.request, 404, "not_found", visit.language)
        password = await self._people.reset(operator.id, visit.operator.id)
        return await self._everybody(visit, given=(operator.name, password))

    async def canned(self, visit: Visit) -> Response:
        """Show the prepared replies."""
        return await self._canned(visit)

    async def save_canned(self, visit: Visit) -> Response:
        """Make or change a prepared reply."""
        form = visit.form
        texts = {code: form.get(f"text_{code}", "").strip()[:5000] for code in LANGUAGES}
        shortcut = form.get("shortcut", "").strip().lstrip("/").lower()
        bad = [name for text in texts.values() for name in unknown_variables(text)]
        if not _SHORTCUT.fullmatch(shortcut) or not any(texts.values()) or bad:
            return await self._canned(visit, problem="bad_canned", status=422)
        title = form.get("title", "").strip()[:80] or shortcut
        reply = CannedReply(
            id=form.get("id", "") or secrets.token_hex(8),
            shortcut=shortcut,
            title=dict.fromkeys(LANGUAGES, title),
            text={code: text for code, text in texts.items() if text},
            team=form.get("team", "").strip()[:60],
        )
        try:
            await self._room.canned.put(reply)
        except ShortcutTaken:
            return await self._canned(visit, problem="shortcut_taken", status=422)
        await self._room.audit.add(visit.operator.id, "canned_saved", shortcut=shortcut)
        return RedirectResponse("/desk/canned", 303)

    async def remove_canned(self, visit: Visit) -> Response:
        """Remove a prepared reply."""
        await self._room.canned.remove(visit.form.get("id", ""))
        await self._room.audit.add(visit.operator.id, "canned_removed")
        return RedirectResponse("/desk/canned", 303)

    async def audit(self, visit: Visit) -> Response:
        """Show who did what, the latest first."""
        asked = visit.request.query_params.get("before", "")
        before = int(asked) if asked.isdecimal() and len(asked) < 18 else 0
        entries = await self._room.audit.find(limit=_AUDIT_PAGE, before=before)
        names = {operator.id: operator.name for operator in await self._room.operators.all()}
        return self._room.pages.show(
            visit,
            "audit.html",
            here="audit",
            entries=entries,
            names=names,
            path=case_path,
            when=lambda at: words.moment(at, self._room.zone, visit.language),
            more=entries[-1].id if len(entries) == _AUDIT_PAGE else 0,
        )

    async def _account(
        self,
        visit: Visit,
        *,
        status: int = 200,
        problem: str = "",
        notice: str = "",
        secret: str = "",
        recovery: tuple[str, ...] = (),
    ) -> Response:
        me = await self._room.operators.get(visit.operator.id)
        fresh = structs.replace(visit, current=structs.replace(visit.current, operator=me))
        app = None
        if not me.has_totp:
            app = enrolment(secret or new_secret(), me.email, self._room.pages.shop_name)
        return self._room.pages.show(
            fresh,
            "account.html",
            status,
            here="account",
            problem=problem,
            notice=notice,
            app=app,
            recovery=recovery,
            sessions=await self._accounts.book.sessions_of(me.id),
            this=visit.current.session.token_hash,
            when=lambda at: words.moment(at, self._room.zone, visit.language),
        )

    async def _everybody(
        self,
        visit: Visit,
        *,
        status: int = 200,
        problem: str = "",
        given: tuple[str, str] | None = None,
    ) -> Response:
        return self._room.pages.show(
            visit,
            "people.html",
            status,
            here="people",
            problem=problem,
            given=given,
            everybody=await self._room.operators.all(),
            roles=ROLES,
        )

    async def _canned(self, visit: Visit, *, status: int = 200, problem: str = "") -> Response:
        return self._room.pages.show(
            visit,
            "canned.html",
            status,
            here="canned",
            problem=problem,
            replies=await self._room.canned.all(),
            variables=", ".join(f"{{{{ {name} }}}}" for name in VARIABLES),
        )


def _person(before: Operator, visit: Visit) -> Operator:
    """Return an operator as a form describes them."""
    form = visit.form
    capacity = form.get("capacity", "")
    return structs.replace(
        before,
        email=form.get("email", ""),
        name=form.get("name", ""),
        role=form.get("role", ""),  # the accounts check it
        languages=_names(form.get("languages", "")),
        teams=_names(form.get("teams", "")),
        areas=_names(form.get("areas", "")),
        capacity=min(int(capacity), _MOST_CAPACITY)
        if capacity.isdecimal() and len(capacity) < 4
        else 4,
        is_active=form.get("active") == "1",
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.strip()[:60] for each in text.split(",") if each.strip()))
