"""The summary of a case, made from its events without a language model."""

from collections import Counter
from typing import Literal

import msgspec

from desk.records import Case
from desk.transcript_records import Transcript, Turn

Kind = Literal["flow_done", "flow_open", "flow_dropped", "not_understood", "answered", "error"]
Next = Literal["take", "reply", "wait", "doubt", "over"]
Consent = Literal["shown", "agreed", "refused"]
_MOST_TRIED = 6
_MOST_CHARS = 300
_ENDED: dict[str, Kind] = {"completed": "flow_done", "cancelled": "flow_dropped"}
_DOUBT = "effect_in_doubt"
_ASKS_FOR_PERSON = frozenset({"talk_to_human"})
_CONSENTS: dict[str, Consent] = {"shown": "shown", "given": "agreed", "refused": "refused"}


class Tried(msgspec.Struct, frozen=True):
    """Something that was tried: `subject` is a skill, a source or an action; `times` how often."""

    kind: Kind
    subject: str = ""
    times: int = 1


class Plan(msgspec.Struct, frozen=True):
    """The plan that was put before the customer last: the bot's words, and what came of it."""

    text: str
    consent: Consent
    skill: str


class Summary(msgspec.Struct, frozen=True):
    """A case in a few lines.

    `wish` is what the customer wants in their words, `said` what they said last. `question` is
    what the bot had asked last, where nobody has answered it.
    """

    wish: str
    said: str
    tried: tuple[Tried, ...]
    plan: Plan | None
    next: Next
    question: str = ""


def summary_of(case: Case, transcript: Transcript) -> Summary:
    """Return the summary of a case.

    Args:
        case: which.
        transcript: of its conversation.
    """
    turns = _turns_of(case, transcript)
    return Summary(
        wish=case.wish,
        said=case.last_text,
        tried=tuple(_tried(turns))[-_MOST_TRIED:],
        plan=_plan(turns, transcript),
        next=_next(case),
        question=_question(case, transcript),
    )


def _turns_of(case: Case, transcript: Transcript) -> list[Turn]:
    """Return the turns since the case before this one ended."""
    ended = [h.seq for h in transcript.handoffs if h.state in {"bot", "closed"}]
    opened = [h.seq for h in transcript.handoffs if h.at == case.opened_at]
    first = opened[0] if opened else 0
    since = max((seq for seq in ended if seq < first), default=0)
    until = min((seq for seq in ended if seq > first), default=transcript.version + 1)
    return [turn for turn in transcript.turns if since < turn.seq <= until]


def _tried(turns: list[Turn]) -> list[Tried]:
    last: dict[str, Kind] = {}
    answered: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    lost = 0
    small = {flow for turn in turns for flow in _small_talk(turn)}
    wished = {flow for turn in turns for flow in _wished(turn)}
    for turn in turns:
        for move in turn.moves:
            if move.change != "step" and move.flow in wished - small:
                kind = _ENDED.get(move.change, "flow_open")
                last.pop(move.flow, None)
                last[move.flow] = kind
        for rested in turn.grounding:
            answered.update(
                str(p.get("title") or p.get("source") or p.get("id") or "")
                for p in rested.passages[:1]
            )
        failed.update(ran.action for ran in turn.actions if ran.error)
        lost += turn.cause == "customer" and not turn.understood
    tried = [Tried("answered", title, n) for title, n in answered.items() if title]
    tried += [Tried(kind, flow) for flow, kind in last.items()]
    tried += [Tried("error", action, n) for action, n in failed.items()]
    return tried + ([Tried("not_understood", times=lost)] if lost else [])


def _wished(turn: Turn) -> set[str]:
    """Return the skills that the customer's words began, but for asking for a person."""
    commands = turn.reading.commands if turn.reading else ()
    flows = {str(each.get("flow") or "") for each in commands}
    begun = {move.flow for move in turn.moves if move.change == "started"}
    return (flows & begun) - _ASKS_FOR_PERSON


def _small_talk(turn: Turn) -> set[str]:
    """Return the skills that only said something: begun and ended at once, nothing learnt."""
    begun = {move.flow for move in turn.moves if move.change == "started"}
    ended = {move.flow for move in turn.moves if move.change == "completed"}
    busy = {learned.flow for learned in turn.slots if learned.step} | {p.flow for p in turn.plans}
    return set() if turn.grounding else (begun & ended) - busy


def _plan(turns: list[Turn], transcript: Transcript) -> Plan | None:
    for turn in reversed(turns):
        if not turn.plans:
            continue
        planned = turn.plans[-1]
        shown = next(
            (t for t in reversed(turns) for p in t.plans
             if p.consent == "shown" and p.plan_hash == planned.plan_hash),
            turn,
        )  # fmt: skip
        words = [
            message.text
            for message in transcript.messages
            if message.turn == shown.number and message.speaker == "bot"
        ]
        text = max(words, key=len, default="")[: 3 * _MOST_CHARS]
        return Plan(text, _CONSENTS[planned.consent], planned.flow)
    return None


def _next(case: Case) -> Next:
    if not case.is_open:
        return "over"
    if case.reason.partition(":")[0] == _DOUBT and case.replies == 0:
        return "doubt"
    if case.state == "waiting_for_operator":
        return "take"
    return "reply" if case.awaits_reply else "wait"


def _question(case: Case, transcript: Transcript) -> str:
    """Return the bot's last words before the case, if they ask something and nobody has replied."""
    if case.replies or not case.is_open:
        return ""
    words = [
        message.text
        for message in transcript.messages
        if message.speaker == "bot" and message.at < case.opened_at and message.redaction is None
    ]
    return words[-1][:_MOST_CHARS] if words and words[-1].rstrip().endswith("?") else ""
