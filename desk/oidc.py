"""Signing in with an OpenID Connect provider: whose account it is, and what they may."""

import hmac
from collections.abc import Mapping

import structlog

from desk.accounts import Accounts, NewSession, Visitor, WrongSignIn
from desk.accounts_people import BadOperator, checked
from desk.books import AuditLog
from desk.oidc_attempt import Attempt, begin, kept
from desk.oidc_book import IdentityBook, IdentityTaken, ProviderSession
from desk.oidc_errors import SignInRefused
from desk.oidc_person import Person, lacks, person
from desk.oidc_provider import Granted, Provider
from desk.oidc_tokens import Claims
from desk.records import Operator

CALLBACK = "/desk/sign-in/callback"
_LANGUAGES = frozenset({"de", "en"})
_MOST_CODE_CHARS = 4000
log = structlog.get_logger(__name__)


class SingleSignOn:
    """Signs operators in on a provider's word."""

    def __init__(
        self,
        provider: Provider,
        book: IdentityBook,
        accounts: Accounts,
        audit: AuditLog,
        public_url: str,
    ) -> None:
        """Open sessions of `accounts` for those whom `provider` knows.

        Args:
            provider: tells who somebody is.
            book: keeps whose account that is.
            accounts: opens and ends sessions.
            audit: is told who came, who did not, and why.
            public_url: where operators reach this server.
        """
        self.settings = provider.settings
        self.book = book
        self._provider = provider
        self._accounts = accounts
        self._audit = audit
        self._public = public_url.rstrip("/")

    async def begin(self, back: str) -> tuple[str, str]:
        """Return where a browser signs in, and what it has to keep meanwhile.

        Args:
            back: the page to go on to.

        Raises:
            SignInRefused: the provider cannot be reached.
        """
        attempt = begin(back, self._accounts.clock())
        return await self._provider.address(attempt, self._callback), attempt.cookie

    async def finish(
        self, answer: Mapping[str, str], cookie: str, visitor: Visitor
    ) -> tuple[NewSession, str]:
        """Open a session for whom the provider sends back; return it and the page to go on to.

        Args:
            answer: what the browser brings from the provider.
            cookie: what the browser was to keep.
            visitor: where it comes from.

        Raises:
            SignInRefused: nobody is signed in; the audit log has the reason.
        """
        try:
            return await self._finish(answer, cookie, visitor)
        except SignInRefused as error:
            log.warning("desk_sign_in_refused", reason=error.reason)
            await self._audit.add(
                error.operator_id, "sign_in_failed",
                address=visitor.address, reason=error.reason, via=self.settings.issuer,
            )  # fmt: skip
            raise

    async def log_out(self, token: str) -> int:
        """End the sessions that the provider says have ended there; return how many.

        Raises:
            SignInRefused: the token does not come from the provider.
        """
        claims = await self._provider.logout_claims(token)
        subject, sid = claims.get("sub") or "", claims.get("sid") or ""
        ended = await self.book.sessions(str(subject), str(sid))
        for token_hash in ended:
            found = await self._accounts.book.session(token_hash)
            await self._accounts.book.end(token_hash)
            if found is not None:
                await self._audit.add(found[0].operator_id, "signed_out_by_provider")
        return len(ended)

    async def farewell(self, token_hash: str) -> str:
        """Return where the owner of a session signs out at the provider; empty for nowhere."""
        id_token = await self.book.id_token(token_hash)
        return await self._provider.farewell(id_token, self._home) if id_token else ""

    @property
    def _callback(self) -> str:
        return f"{self._public}{CALLBACK}"

    @property
    def _home(self) -> str:
        return f"{self._public}/desk/sign-in"

    async def _finish(
        self, answer: Mapping[str, str], cookie: str, visitor: Visitor
    ) -> tuple[NewSession, str]:
        attempt = kept(cookie, self._accounts.clock())
        if attempt is None:
            raise SignInRefused("no_attempt", "provider_again")
        code = await self._code(answer, attempt)
        granted = await self._provider.redeem(code, attempt, self._callback)
        claims = await self._provider.id_claims(granted, attempt)
        somebody = person(claims, await self._more(granted, claims), self.settings)
        operator = await self._operator(somebody)
        opened = await self._open(operator, visitor)
        there = ProviderSession(somebody.subject, somebody.sid, granted.id_token)
        await self.book.began(opened.session.token_hash, there)
        return opened, attempt.back

    async def _code(self, answer: Mapping[str, str], attempt: Attempt) -> str:
        """Return the code that the provider answers this attempt with.

        Raises:
            SignInRefused: it is another's answer, or a refusal.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise SignInRefused("wrong_state", "provider_again")
        known = await self._provider.metadata()
        told = answer.get("iss", "")
        is_told = known.authorization_response_iss_parameter_supported
        if (told or is_told) and told != known.issuer:
            raise SignInRefused("answer_of_another", "provider_unproved")
        if "error" in answer:
            raise SignInRefused("refused_there", "provider_refused")
        code = answer.get("code", "")
        if not 0 < len(code) <= _MOST_CODE_CHARS:
            raise SignInRefused("no_code", "provider_again")
        return code

    async def _more(self, granted: Granted, claims: Claims) -> Claims:
        if not lacks(claims, self.settings):
            return {}
        return await self._provider.more_claims(granted, claims["sub"])

    async def _operator(self, somebody: Person) -> Operator:
        """Return whose account it is, with the role that the provider gives them today.

        Raises:
            SignInRefused: nobody's, or it is locked.
        """
        owner = await self.book.owner(somebody.subject) or await self._linked(somebody)
        if not owner:
            return await self._created(somebody)
        known = await self._accounts.book.by_id(owner)
        if not known.operator.is_active:
            raise SignInRefused("locked", "provider_locked", owner)
        renewed, is_other = await self.book.renew(owner, somebody.role, somebody.areas)
        if is_other:
            await self._accounts.book.end_all(owner)
            await self._audit.add(
                owner, "operator_changed",
                changed=owner, role=renewed.role, via=self.settings.issuer,
            )  # fmt: skip
        return renewed

    async def _linked(self, somebody: Person) -> str:
        """Return whose account has the verified address and is now theirs; empty if nobody's.

        Raises:
            SignInRefused: somebody's, but it may not be linked.
        """
        known = await self._accounts.book.by_email(somebody.email) if somebody.email else None
        if known is None:
            return ""
        owner = known.operator.id
        if not known.operator.is_active:
            raise SignInRefused("locked", "provider_locked", owner)
        needs_permit = self.settings.link == "approved"
        try:
            is_linked = await self.book.link(somebody.subject, owner, needs_permit=needs_permit)
            reason = "link_not_approved"
        except IdentityTaken:
            is_linked, reason = False, "linked_to_another"
        if not is_linked:
            if await self.book.owner(somebody.subject) == owner:  # by another browser, just now
                return owner
            raise SignInRefused(reason, "provider_ask_link", owner)
        await self._audit.add(owner, "sign_in_linked", via=self.settings.issuer)
        return owner

    async def _created(self, somebody: Person) -> Operator:
        """Make an account for somebody who has a role.

        Raises:
            SignInRefused: they have none, or no address that is verified.
        """
        if not self.settings.create or somebody.role is None:
            raise SignInRefused("no_account", "provider_no_account")
        if not somebody.email:
            reason = "email_unverified" if somebody.has_unverified else "no_email"
            raise SignInRefused(reason, "provider_no_email")
        try:
            made = checked(
                Operator(
                    "",
                    somebody.email,
                    somebody.name or somebody.email.partition("@")[0],
                    somebody.role,
                    areas=somebody.areas or (),
                    language=somebody.language if somebody.language in _LANGUAGES else "",
                )
            )
            await self.book.create(made, somebody.subject)
        except BadOperator as error:
            raise SignInRefused("bad_address", "provider_no_email") from error
        except IdentityTaken as error:  # by another browser, just now
            if owner := await self.book.owner(somebody.subject):
                return (await self._accounts.book.by_id(owner)).operator
            raise SignInRefused("address_taken", "provider_again") from error
        via = self.settings.issuer
        await self._audit.add("", "operator_added", added=made.id, role=made.role, via=via)
        return made

    async def _open(self, operator: Operator, visitor: Visitor) -> NewSession:
        try:
            return await self._accounts.vouched(operator.id, visitor, self.settings.issuer)
        except WrongSignIn as error:  # locked in this very moment
            raise SignInRefused("locked", "provider_locked", operator.id) from error
