"""Finding out who the customer is, by the sets of facts that the shop's policy accepts."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from actions.base import Said, ShopAction, Slots, stamp
from actions.commerce.identity import (
    CODE_LIFETIME,
    IssueCode,
    Subject,
    SubjectKind,
    TryIdentity,
    mask,
)
from actions.commerce.identity import CheckCode as CodeTyped
from actions.commerce.ledger import ledger_name
from actions.commerce.models import Customer
from actions.commerce.requests import CustomerFacts

NOBODY: Slots = {
    "customer_id": None,
    "customer_name": None,
    "customer_country": None,
    "customer_tier": None,
    "customer_facts": None,
    "identified_at": None,
    "facts": None,
    "unverified_customer": None,
    "code_sent_to": None,
    "focus_order": None,
    "shown_orders": None,
    "attachments": None,
}
"""What a conversation forgets together with who it was held with."""

_ASKABLE = ("order_number", "email", "postcode", "phone", "first_name", "last_name")
_TOLD = ("order_number", "email", "postcode", "phone", "name")
_CONTACTS = ("email", "phone", "postcode")
_ABOUT_ONESELF = frozenset({*_CONTACTS, "name"})
_CHANNELS: tuple[tuple[str, Literal["email", "sms"]], ...] = (("email", "email"), ("phone", "sms"))
_CODE = re.compile(r"(?<!\w)(\d{3})[ -]?(\d{3})(?!\w)")
_CODE_NOW = "code"
_AGAIN = r"(?:again|once more|noch ?mal|noch einmal|erneut)"
_SEND = r"(?:send\w*|schick\w*)"
_RESEND = re.compile(
    rf"\bre-?send|\b{_SEND}\b.*\b{_AGAIN}\b|\b{_AGAIN}\b.*\b{_SEND}\b"
    r"|\b(?:no|new|another|kein\w*|neue[nr]?)\s+(?:\w+\s+)?codes?\b",
    re.IGNORECASE,
)
"""Words for a fresh code; short ones may be taken for a name where facts are asked for."""


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """The contact that a code was sent to; `order_number` is what had been said before it."""

    at: datetime
    email: str = ""
    phone: str = ""
    order_number: str = ""

    @property
    def contact(self) -> str:
        """Return the e-mail address or phone number."""
        return self.email or self.phone

    @property
    def channel(self) -> Literal["email", "sms"]:
        """Return the way the code went."""
        return "email" if self.email else "sms"

    def given(self) -> dict[str, str]:
        """Return the contact as a fact."""
        return {"email": self.email} if self.email else {"phone": self.phone}


class _CodeAction(ShopAction):
    """What all actions share that deal with one-time codes."""

    def _claim(self, said: Said) -> Claim | None:
        """Return the contact that the conversation's code was sent to, if it was of late."""
        kept = said.slot("unverified_customer")
        if said.lapsed or not isinstance(kept, dict):
            return None
        claim = msgspec.convert(kept, Claim)
        return claim if self.services.clock() - claim.at <= 2 * CODE_LIFETIME else None

    async def _send(self, said: Said, claim: Claim, purpose: str) -> Slots | None:
        """Send a code to a claimed contact; None when no more may be sent now."""
        request = IssueCode(said.conversation_id, claim.contact, claim.channel, said.language)
        receipt = await self.services.shop.codes.issue(request, said.effect_key(purpose))
        if not receipt.sent:
            return None
        kept = msgspec.structs.replace(claim, at=self.services.clock())
        return {
            "unverified_customer": msgspec.to_builtins(kept),
            "code_sent_to": mask(claim.contact),
        }

    async def _checked(self, said: Said, claim: Claim | None, code: str) -> Slots:
        """Return the customer whom a typed code proves, or what is wrong with it."""
        facts = _without_code(said.slot("facts") or {}, code, claim)
        if claim is None:
            return {"facts": facts, "identity_state": "code_expired", "missing": _CODE_NOW}
        typed = CodeTyped(said.conversation_id, claim.contact, code)
        key = said.effect_key("check_code")
        verdict = await self.services.shop.codes.check(typed, key)
        if verdict.state == "right":
            customer = await self.services.shop.customers.get(verdict.customer_id)
            return {"facts": facts, **self._identified(customer)}
        state = f"code_{verdict.state}"
        return {"facts": facts, "identity_state": state, "missing": _CODE_NOW}

    def _identified(self, customer: Customer) -> Slots:
        return {
            "customer_id": customer.id,
            "customer_name": f"{customer.first_name} {customer.last_name}",
            "customer_country": customer.address.country or None,
            "customer_tier": customer.tier,
            "identified_at": stamp(self.services.clock()),
            "unverified_customer": None,
            "code_sent_to": None,
            "identity_state": "known",
        }


class IdentifyCustomer(_CodeAction):
    """Match what the customer told against the shop's customers.

    Sets `customer_id` when a sufficient set of facts fits exactly one customer, else
    `identity_state`: need_more, unknown, code_sent (code_again, code_instead), code_limited or
    what is wrong with a code, and `missing`: the facts to ask for. When somebody is identified
    already, it is `called` (another skill asks: nothing to say), `already`, or `other` when
    another person was named.
    """

    async def act(self, said: Said) -> Slots:
        """Return the customer, or what is still needed."""
        if said.slot("customer_id"):
            return await self._known(said)
        claim = self._claim(said)
        told = said.slot("told")
        code = _CODE.search(said.text)
        if claim and code and not told and not said.is_called:
            return await self._checked(said, claim, "".join(code.groups()))
        if claim and told and set(told) <= {"name"} and _RESEND.search(said.text):
            return await self._resent(said, claim)
        facts = _latest(said) if said.lapsed else dict(said.slot("facts") or {})
        holder = await self._account_holder(said, facts)
        if holder is not None:
            return {**(NOBODY if said.lapsed else {}), "facts": facts, **self._identified(holder)}
        forgotten = {**NOBODY, "facts": facts, "lapsed": True} if said.lapsed else {}
        return {**forgotten, **await self._identify(said, facts, claim, told or {})}

    async def _account_holder(self, said: Said, facts: Mapping[str, Any]) -> Customer | None:
        """Return whose account is linked at this end, unless somebody says who they are."""
        accounts = self.services.accounts
        if accounts is None or not facts.keys().isdisjoint(_ABOUT_ONESELF):
            return None
        email = await accounts.email_of(said.end)
        found = await self.services.shop.customers.find(CustomerFacts(email=email)) if email else ()
        return found[0] if len(found) == 1 else None

    async def _identify(
        self, said: Said, facts: dict[str, Any], claim: Claim | None, told: Mapping[str, Any]
    ) -> Slots:
        given = _given(facts)
        if claim and told.get("order_number"):
            given = {**claim.given(), **given}
        found, unfit = await self._match(said, given)
        if found is not None:
            return self._identified(found)
        kept = {name: value for name, value in facts.items() if name not in unfit & {*_CONTACTS}}
        for fact, _ in _CHANNELS:
            if fact in facts and frozenset({fact, "code"}) in self.services.policy.identification:
                return await self._prove(said, fact, kept, differs=bool(unfit))
        if unfit:
            missing = _CODE_NOW if claim else self._missing(_known_orders(kept))
            return {"facts": kept, "identity_state": "unknown", "missing": missing}
        if claim and set(told) <= {"name"}:
            return {"identity_state": "code_sent", "missing": _CODE_NOW}
        return {"identity_state": "need_more", "missing": self._missing(given)}

    async def _resent(self, said: Said, claim: Claim) -> Slots:
        """Send the code again, which was asked for in words that look like a name."""
        facts = {kind: v for kind, v in (said.slot("facts") or {}).items() if kind != "name"}
        sent = await self._send(said, claim, "resend_code")
        state = "code_limited" if sent is None else "code_again"
        return {**(sent or {}), "facts": facts, "identity_state": state, "missing": _CODE_NOW}

    async def _known(self, said: Said) -> Slots:
        """Answer for somebody who is identified: that they are, and whether another was named."""
        used = {"identified_at": stamp(self.services.clock())}
        if said.is_called:
            return {**used, "identity_state": "called"}
        named = _given({kind: value for kind, value in _latest(said).items() if kind in _PERSONAL})
        named.pop("order_number", None)
        if named:
            own = await self.services.shop.customers.find(CustomerFacts(**named))
            if said.customer_id not in {customer.id for customer in own}:
                return {**used, "identity_state": "other"}
        return {**used, "identity_state": "already"}

    async def _match(self, said: Said, given: dict[str, str]) -> tuple[Customer | None, set[str]]:
        """Return whom a sufficient set of the given facts names, else the facts that do not fit."""
        sets = [
            facts
            for facts in self.services.policy.identification
            if "code" not in facts and facts <= set(given)
        ]
        if not sets:
            return None, set()
        used = {name: given[name] for name in sorted(frozenset().union(*sets))}
        attempt = TryIdentity(_subjects(said.conversation_id, used))
        purpose = ledger_name(repr(used))
        guard = self.services.shop.guard
        if await guard.attempt(attempt, said.effect_key(f"identify:{purpose}")):
            for facts in sets:
                wanted = CustomerFacts(**{name: given[name] for name in facts})
                customers = await self.services.shop.customers.find(wanted)
                if len(customers) == 1:
                    await guard.succeeded(attempt, said.effect_key(f"identified:{purpose}"))
                    return customers[0], set()
        return None, set(used)

    async def _prove(self, said: Said, fact: str, facts: dict[str, Any], *, differs: bool) -> Slots:
        """Send a code to the contact that somebody claims, whether or not anybody has it."""
        contact = str((said.slot("facts") or _latest(said))[fact])
        order_number = str(facts.get("order_number") or "")
        claim = Claim(self.services.clock(), **{fact: contact}, order_number=order_number)
        rest = {name: value for name, value in facts.items() if name != fact}
        sent = await self._send(said, claim, f"send_code:{ledger_name(contact)}")
        if sent is None:
            missing = self._missing(_known_orders(rest))
            return {"facts": rest, "identity_state": "code_limited", "missing": missing}
        state = "code_instead" if differs else "code_sent"
        return {**sent, "facts": rest, "identity_state": state, "missing": _CODE_NOW}

    def _missing(self, given: Mapping[str, str]) -> str:
        """Return which question to ask: the name of the nearest set of missing facts."""
        missing = self.services.policy.missing_facts(given)
        started = [facts for facts in missing if facts and "code" not in facts]
        sets = set(self.services.policy.identification)
        nearest = min(started, key=len) if started and given else None
        if nearest is not None and any(given.keys() & facts for facts in sets):
            ways = [facts for facts in started if len(facts) == len(nearest)]
            if len(ways) > 1 and "order_number" in given:
                return "contact"
            names = {"name" if n in {"first_name", "last_name"} else n for n in nearest}
            return "_and_".join(sorted(names))
        if any({"order_number"} <= facts for facts in sets):
            return "order_number_and_contact"
        return "email_or_name" if frozenset({"email"}) in sets else "email"


class CheckCode(_CodeAction):
    """Check the one-time code that the customer reads back.

    `identity_state` is known when it is right, else code_wrong, code_expired, code_used_up or
    code_limited (too many tries, so that a new code would not help).
    """

    async def act(self, said: Said) -> Slots:
        """Return the customer, or what is wrong with the code."""
        return await self._checked(said, self._claim(said), str(said.slot("code") or ""))


class ResendCode(_CodeAction):
    """Send a fresh code where the last one went; sets `code_state`: sent, limited or none."""

    async def act(self, said: Said) -> Slots:
        """Return how it went."""
        claim = self._claim(said)
        if claim is None or said.slot("customer_id"):
            return {"code_state": "none"}
        sent = await self._send(said, claim, "resend_code")
        return {"code_state": "limited"} if sent is None else {**sent, "code_state": "sent"}


class LogOut(ShopAction):
    """Forget who the customer is; `was_known` tells whether anybody was identified."""

    async def act(self, said: Said) -> Slots:
        """Return the slots to clear."""
        return {**NOBODY, "was_known": bool(said.slot("customer_id"))}


_PERSONAL = frozenset({"email", "phone", "name"})


def _latest(said: Said) -> dict[str, Any]:
    """Return the facts told in the latest message alone."""
    found = {kind: said.latest_entities(kind) for kind in _TOLD}
    return {kind: values[-1] for kind, values in found.items() if values}


def _known_orders(facts: Mapping[str, Any]) -> dict[str, str]:
    return {"order_number": str(facts["order_number"])} if facts.get("order_number") else {}


def _given(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts told, with a full name parted into first and last."""
    given = {name: str(facts[name]) for name in _ASKABLE if facts.get(name)}
    words = str(facts.get("name") or "").split()
    if len(words) > 1:
        given["first_name"] = words[0]
        given["last_name"] = " ".join(words[1:])
    return given


def _subjects(conversation_id: str, used: Mapping[str, str]) -> tuple[Subject, ...]:
    """Return what an attempt with these facts is counted for."""
    kinds: tuple[SubjectKind, ...] = ("order_number", "email", "phone")
    subjects = [Subject(kind, used[kind]) for kind in kinds if kind in used]
    if "last_name" in used:
        subjects.append(Subject("name", f"{used.get('first_name', '')} {used['last_name']}"))
    return (Subject("conversation", conversation_id), *subjects)


def _without_code(facts: Mapping[str, Any], code: str, claim: Claim | None) -> dict[str, Any]:
    """Return the facts without those that are only the typed code misread."""
    kept = {
        name: value
        for name, value in facts.items()
        if name not in {"order_number", "phone"} or not _is_code(str(value), code)
    }
    if claim and claim.order_number and "order_number" not in kept:
        kept["order_number"] = claim.order_number
    return kept


def _is_code(value: str, code: str) -> bool:
    digits = re.sub(r"\D", "", value)
    bare = code.lstrip("0")
    return bool(bare) and digits.endswith(bare) and len(digits) <= len(bare) + 3
