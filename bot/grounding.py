"""The grounding gate: what a message claims is matched to what is known, or it is not sent so.

It sits between rendering and the outbox. Evidence of a message is what its wording fills in
(records, plans, passages that an action handed over), what the customer has just said, and what
the wording itself states, if a passage or an own fact states the same.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import msgspec
import structlog
from jinja2 import nodes
from jinja2.sandbox import SandboxedEnvironment

from bot import events as ev
from bot.engine_stack import STALE
from bot.flows import Flow, FlowSet, Responses, Variation
from bot.grounding_claims import Claim, Value, keys, read_claims
from bot.grounding_custom import custom_claims
from bot.grounding_evidence import FADING, READ_AT, Ages, Evidence
from bot.messages import Json, OutboundMessage
from bot.responses import MESSAGE_FIELDS, ResponseError
from bot.time_zones import customer_zone

UNGROUNDED = "ungrounded"
STATED = frozenset({"money", "percent", "span", "date", "weekday", "time", "left"})
"""What a wording may state by itself, if a passage states the same; stock it must be told."""
ECHOED = frozenset({"money", "percent", "span", "date", "weekday", "time"})
"""What may be said back to the customer who has just said it."""
TOLD = frozenset({"percent", "span", "time"})
"""What an action may say in words of its own, if a passage or a rule states the same."""
_FILLED = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_BLOCK = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_NO_KEYS: frozenset[tuple[str, Value]] = frozenset()
log = structlog.get_logger(__name__)


class Ungrounded(ResponseError):
    """A message claims what no record and no passage states."""


class Verdict(msgspec.Struct, frozen=True):
    """What the gate found: what supports a message, and what in it nothing supports.

    `passages` also names the rules of the shop's policy. `as_of` is when the oldest price or stock
    that it may rest on was read; `is_stale`: all that is missing was known, but too long ago.
    """

    response: str
    claims: int
    missing: tuple[Claim, ...] = ()
    passages: tuple[dict[str, Any], ...] = ()
    as_of: str = ""
    is_stale: bool = False

    @property
    def event(self) -> ev.Grounding | None:
        """Return what the conversation keeps of it; None where there is nothing to keep."""
        if not (self.missing or self.passages):
            return None
        old = " (too old)" if self.is_stale else ""
        withheld = tuple(f"{claim.kind}: {claim.text}{old}" for claim in self.missing)
        return ev.Grounding(self.response, self.claims, withheld, self.passages)

    def insist(self) -> None:
        """Let no message pass that claims what nothing supports.

        Raises:
            Ungrounded: Nothing supports a claim.
        """
        if self.missing:
            kinds = sorted({claim.kind for claim in self.missing})
            reason = STALE if self.is_stale else UNGROUNDED
            log.warning("message_withheld", response=self.response, claims=kinds, reason=reason)
            raise Ungrounded(reason)


class Gate:
    """Matches the claims of outgoing messages to their evidence; pure but for its memory."""

    def __init__(
        self,
        flows: FlowSet,
        time_zone: str,
        stated: Callable[[], frozenset[tuple[str, Value]] | None] = lambda: _NO_KEYS,
        most_age: timedelta = timedelta(minutes=30),
        rules: Mapping[tuple[str, Value], tuple[str, ...]] | None = None,
    ) -> None:
        """Check the responses of `flows`.

        Args:
            flows: holds the wordings.
            time_zone: the shop's.
            stated: returns what passages, rules and own facts state, as keys of claims; None
                where there are no texts, and then wordings are taken at their word.
            most_age: how old a record of a price or of stock may be.
            rules: the ids of the rules of the policy that state something, by its key.
        """
        self._flows = flows
        self._zone = ZoneInfo(time_zone)
        self._stated = stated
        self._most_age = most_age
        self._rules = rules or {}
        self._named: dict[tuple[str, str], frozenset[str]] = {}
        self._own: dict[tuple[str, str], tuple[set[tuple[str, Value]], set[tuple[str, Value]]]] = {}

    def check(
        self,
        message: OutboundMessage,
        flow: Flow | None,
        values: Mapping[str, Any],
        said: str,
        now: datetime,
    ) -> Verdict:
        """Return what supports a message and what in it nothing supports.

        What cannot be read supports nothing: then a message passes that claims nothing.

        Args:
            message: as rendered.
            flow: whose response it is.
            values: what the wording was filled with.
            said: the customer's latest words.
            now: aware UTC.
        """
        claims = claims_of(message)
        try:
            return self._matched(message, claims, flow, values, said, now)
        except Exception as error:  # noqa: BLE001 - actions of others hand over what they like
            kind = type(error).__name__
            log.warning("evidence_unreadable", response=message.response, error=kind)
            return Verdict(message.response, len(claims), claims)

    def _matched(
        self, message: OutboundMessage, claims: tuple[Claim, ...], flow: Flow | None,
        values: Mapping[str, Any], said: str, now: datetime,
    ) -> Verdict:  # fmt: skip
        named = self._names(message.response, flow)
        used = values if not message.response else {k: values[k] for k in named if k in values}
        evidence = Evidence(Ages(now, self._most_age), self._zones(values))
        evidence.slots(used, str(values.get(READ_AT) or ""))
        passages = list(evidence.passages.values())
        missing = [claim for claim in claims if not evidence.states(claim)]
        if missing:
            evidence.stock(values)
            allowed = {k for k in keys(read_claims(said)) if k[0] in ECHOED}
            allowed |= self._own_keys(message.response, flow, evidence)
            if not message.response:
                allowed |= {c.key for c in missing if c.kind in TOLD} & (self._stated() or _NO_KEYS)
            passages += self._ruled(c for c in missing if c.key in allowed)
            missing = [c for c in missing if not evidence.states(c) and c.key not in allowed]
        is_stale = bool(missing) and all(_was_known(c, evidence.stale) for c in missing)
        as_of = evidence.as_of if any(c.kind in FADING for c in claims) else ""
        found = tuple(missing), tuple(passages), as_of, is_stale
        return Verdict(message.response, len(claims), *found)

    def _ruled(self, claims: Iterable[Claim]) -> list[dict[str, Any]]:
        """Return the rules that state any of some claims."""
        found = (rule for claim in claims for rule in self._rules.get(claim.key, ()))
        return [{"rule": rule} for rule in dict.fromkeys(found)]

    def is_past(self, moments: Iterable[str], now: datetime) -> bool:
        """Return whether any of some moments, ISO 8601 or empty for none, is too long ago."""
        ages = Ages(now, self._most_age)
        return any(moment and ages.is_past(moment) for moment in moments)

    def _zones(self, values: Mapping[str, Any]) -> tuple[ZoneInfo, ...]:
        own = customer_zone(values)
        return (self._zone, own) if own and own != self._zone else (self._zone,)

    def _names(self, name: str, flow: Flow | None) -> frozenset[str]:
        key = name, flow.id if flow else ""
        if key not in self._named:
            wordings = self._flows.response(name, flow) or {} if name else {}
            found = [used_names(one) for few in wordings.values() for one in few]
            self._named[key] = frozenset().union(*found)
        return self._named[key]

    def _own_keys(self, name: str, flow: Flow | None, evidence: Evidence) -> set[tuple[str, Value]]:
        """Return what a wording may claim by itself.

        Its fixed buttons are words of the customer; what its text states must be stated elsewhere;
        that something is or is not in stock the flow decides, unless a record says otherwise.
        """
        key = name, flow.id if flow else ""
        if key not in self._own:
            wordings = (self._flows.response(name, flow) or {} if name else {}).values()
            texts = [text for few in wordings for one in few for text in (one.text, one.voice)]
            titles = [b.title for few in wordings for one in few for b in one.buttons]
            own = keys(claim for text in texts for claim in own_claims(text))
            self._own[key] = own, keys(claim for title in titles for claim in own_claims(title))
        own, offered = self._own[key]
        known = self._stated()
        stated = {k for k in own if k[0] in STATED and (known is None or k in known)}
        return offered | stated | {k for k in own if k[0] == "stock" and not evidence.knows_stock}


def claims_of(message: OutboundMessage) -> tuple[Claim, ...]:
    """Return everything that a message claims: in text, voice, cards, buttons and payloads."""
    parts = [message.text, message.voice, *(button.title for button in message.buttons)]
    for card in message.cards:
        parts += [card.title, card.subtitle, card.price, *(b.title for b in card.buttons)]
    texts = dict.fromkeys(part for part in parts if part)
    found = [claim for text in texts for claim in read_claims(text, message.language)]
    return tuple(dict.fromkeys([*found, *custom_claims(message.custom, message.language)]))


def own_claims(template: str) -> tuple[Claim, ...]:
    """Return what a template claims by itself, whatever it is filled with."""
    return read_claims(_BLOCK.sub("\n", _FILLED.sub("¤", template)))


def unstated(
    responses: Responses, stated: Collection[tuple[str, Value]]
) -> Iterable[tuple[str, Claim]]:
    """Yield what wordings claim by themselves and no passage states, with the response's name."""
    for name, wordings in responses.items():
        texts = (text for few in wordings.values() for one in few for text in (one.text, one.voice))
        claims = (claim for text in texts for claim in own_claims(text))
        yield from ((name, c) for c in claims if c.kind in STATED and c.key not in stated)


def stated_by(texts: Iterable[str]) -> frozenset[tuple[str, Value]]:
    """Return what texts state, as keys of claims."""
    return frozenset(claim.key for text in texts for claim in read_claims(text))


def used_names(wording: Variation) -> frozenset[str]:
    """Return the names of the values that a wording is filled with."""
    environment = SandboxedEnvironment()
    found = {wording.cards_from, wording.buttons_from.partition("=")[2] or wording.buttons_from}
    for text in (*_texts(wording), wording.image):
        try:
            found |= {node.name for node in environment.parse(text).find_all(nodes.Name)}
        except jinja2.TemplateError:
            continue
    return frozenset(found - {""})


def _texts(wording: Variation) -> tuple[str, ...]:
    return wording.text, wording.voice, *(button.title for button in wording.buttons)


def handed_over(raw: Mapping[str, Json], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an action's message rests on: what it handed over, before the slots.

    What the message itself says proves nothing: neither its text nor its cards or payloads.
    """
    return {**values, **{name: value for name, value in raw.items() if name not in MESSAGE_FIELDS}}


def _was_known(claim: Claim, stale: Collection[str]) -> bool:
    return claim.kind in stale or (claim.kind == "free" and "money" in stale)
