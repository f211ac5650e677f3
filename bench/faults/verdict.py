"""What a run came to: the shop's truth, the ledger and the customer's ears, held together."""

from collections.abc import Sequence
from typing import Any

import msgspec

from actions.commerce.refusals import TEXTS
from bench.faults.cases import Case

_DONE = frozenset({
    "utter_order_cancelled",
    "utter_address_changed",
    "utter_return_registered",
    "utter_complaint_filed",
    "utter_payment_link",
    "utter_settled_done",
})
_NOT_DONE = frozenset({
    "utter_refused",
    "utter_complaint_refused",
    "utter_checkout_refused",
    "utter_plan_changed",
    "utter_settled_not_done",
})
_DOUBT = tuple(text for code in ("outcome_unknown", "unsettled") for text in TEXTS[code])


class Found(msgspec.Struct, frozen=True):
    """What was found after a run.

    `counts` is how often the effect exists, once for each place to look. `writes` are the ledger's
    states with their error codes, `mails` the states of the e-mails, `sent` how many there are.
    `told` is what each conversation was told after the yes.
    """

    plans: int
    counts: tuple[int, ...]
    writes: tuple[tuple[str, str], ...]
    mails: tuple[str, ...]
    sent: int
    told: tuple[tuple[dict[str, Any], ...], ...]
    is_open: bool


class Verdict(msgspec.Struct, frozen=True):
    """A run's outcome: once, refused, doubled, lost, unknown; and what else was wrong."""

    case: Case
    outcome: str
    wrong: tuple[str, ...]
    took_s: float
    kills: int
    found: Found

    @property
    def is_bad(self) -> bool:
        """Whether anything is not as it must be."""
        return self.outcome not in {"once", "refused"} or bool(self.wrong)


def judge(case: Case, found: Found, took_s: float, kills: int) -> Verdict:
    """Return the verdict over what was found."""
    outcome, wrong = _outcome(case, found), []
    done = sum(state == "done" for state, _ in found.writes)
    heard = [_heard(told) for told in found.told]
    finals = [sum(kind != "doubt" for kind in kinds) for kinds in heard]
    if sum(kinds.count("done") for kinds in heard) != done:
        wrong.append("done was not told once")
    if any(count != 1 for count in finals):
        wrong.append(f"told {finals} final outcomes")
    if any(kinds.count("doubt") > 1 for kinds in heard):
        wrong.append("told of the doubt twice")
    if found.sent != done:
        wrong.append(f"{found.sent} e-mails for {done} effects")
    return Verdict(case, outcome, tuple(wrong), took_s, kills, found)


def _outcome(case: Case, found: Found) -> str:
    states = [state for state, _ in found.writes]
    done = states.count("done")
    if found.is_open or not states or set(states) - {"done", "refused"}:
        return "unknown"
    if max(found.counts) > done:
        return "doubled" if done else "denied"
    if min(found.counts) < done:
        return "lost"
    if done > 1 and case.kind != "link":  # two conversations; only links may be two
        return "doubled"
    return "once" if done else "refused"


def _heard(told: Sequence[dict[str, Any]]) -> list[str]:
    """Return what each message that is about the plan says: done, not, or doubt."""
    kinds = []
    for message in told:
        response, text = message.get("response", ""), message.get("text", "")
        if any(words in text for words in _DOUBT):
            kinds.append("doubt")
        elif response in _DONE:
            kinds.append("done")
        elif response in _NOT_DONE:
            kinds.append("not")
        elif response == "utter_error":
            kinds.append("error")
    finals = {"done", "not"} & set(kinds)
    return [kind for kind in kinds if kind != "error" or not finals]
