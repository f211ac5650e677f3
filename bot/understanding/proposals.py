"""Lets a command proposer speak where the router knows no further; customers decide, not it.

A proposal becomes a question, never a step: proposed skills are offered in a clarifying question,
proposed choices are asked for again by name. What stands on no list is dropped, and whatever the
proposer does wrong leaves the router's own reading as it is.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
import structlog

from bot import commands as cm
from bot.conversation import Conversation
from bot.engine import Expectation
from bot.understanding.corrections import mention_of
from bot.understanding.ports import (
    CommandProposer,
    Proposal,
    ProposalRequest,
    Router,
    RouterParts,
)
from bot.understanding.router import Understood

_MOST = 3
_log = structlog.get_logger(__name__)


class ProposingRouter:
    """A router that asks a proposer what a message may mean that it cannot read itself."""

    def __init__(self, router: Router, proposer: CommandProposer, parts: RouterParts) -> None:
        """Ask `proposer` only for what `router` gives up on."""
        self._router = router
        self._proposer = proposer
        self._engine = parts.engine
        self._flows = parts.flows.flows

    def understand(
        self, text: str, conversation: Conversation, now: datetime, *, attached: bool = False
    ) -> Understood:
        """Return the reading of a message in its conversation; `attached` if files came with it."""
        found = self._router.understand(text, conversation, now, attached=attached)
        if not _gave_up(found.commands) or not text.strip() or conversation.handoff != "bot":
            return found
        expected = self._engine.expectation(conversation)
        request = self._request(found, expected)
        if not request.skills and not request.choices:
            return found
        try:
            proposals = tuple(self._proposer.propose(request))
            commands = self._questions(found, request, proposals)
        except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
            _log.warning("proposer_failed", error=type(error).__name__)
            return found
        return msgspec.structs.replace(found, commands=commands) if commands else found

    def _request(self, found: Understood, expected: Expectation | None) -> ProposalRequest:
        language = found.parse.language
        skills = {
            flow.id: flow.title_in(language)
            for flow in self._flows.values()
            if flow.listed and not flow.id.startswith("pattern_")
        }
        request = ProposalRequest(found.parse.text, language, skills)
        if expected is None or expected.is_confirm:
            return request if expected is None else msgspec.structs.replace(request, skills={})
        choices = {
            option.value: option.title.get(language) or option.value
            for option in expected.slot.options
        }
        choices |= {
            str(option["value"]): str(option.get("title") or option["value"])
            for option in expected.options
        }
        return msgspec.structs.replace(
            request,
            skills={},  # an open question is not left on a guess
            open_skill=expected.flow_id,
            open_slot=expected.slot.name,
            choices=choices,
        )

    def _questions(
        self, found: Understood, request: ProposalRequest, proposals: Iterable[Proposal]
    ) -> tuple[cm.Command, ...]:
        """Return a question that names what was proposed, as far as it stands on the lists."""
        listed = list(proposals)
        skills = dict.fromkeys(p.skill for p in listed if p.skill in request.skills)
        if skills:
            return (cm.Clarify(tuple(skills)[:_MOST], mention_of(found.parse)),)
        choices = dict.fromkeys(p.choice for p in listed if p.choice in request.choices)
        if choices:
            return (cm.RejectAnswer("ambiguous", tuple(choices)[:_MOST]),)
        return ()


def _gave_up(commands: tuple[cm.Command, ...]) -> bool:
    """Return whether the router could not read a message."""
    if len(commands) != 1:
        return False
    command = commands[0]
    unread = isinstance(command, cm.RejectAnswer) and command.reason == "unreadable"
    return unread or isinstance(command, cm.CannotHandle)
