"""Folds a conversation's events into what operators answered in its solved cases."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from bot import events as ev
from bot.storage.ports import StoredEvent
from desk.case_fold import CaseFold
from desk.insights.facts import SMALL_TALK
from desk.records import Case
from desk.similar_texts import gaps, is_answer, timeless, unnamed, without_gaps

MOST_ASKED_CHARS = 300
LEAST_ANSWER_CHARS, MOST_ANSWER_CHARS = 20, 1_500
MOST_GAPS = 8
"""An answer with more of them says nothing by itself."""
_LEAST_LETTERS = 8
_UNHAPPY: Mapping[str, int] = {"csat": 2, "effort": 2, "nps": 6}
"""Scores at the end of a case up to which it counts as not solved, whatever was said at closing."""
_NO_QUESTION = SMALL_TALK | {"affirm", "deny"}

Masks = Callable[[Sequence[StoredEvent]], Callable[[str], str]]
"""Returns what takes everything personal out of a conversation's texts, and leaves gaps."""


class SolvedAnswer(msgspec.Struct, frozen=True):
    """What an operator answered in a solved case, without what is personal, and what was asked.

    `seqs` are the events with the answer; `at` is when it was given. One that was marked as wrong
    is kept to be told from: nobody is offered it, or what others said alike.
    """

    case_id: str
    language: str
    team: str
    asked: str
    answered: str
    seqs: tuple[int, ...]
    at: datetime
    is_wrong: bool = False


def is_solved(case: Case) -> bool:
    """Return whether a case was closed as solved, and its customer did not say otherwise."""
    if case.state != "closed" or case.end_reason != "solved":
        return False
    score = case.survey_score
    return score is None or score > _UNHAPPY.get(case.survey, 0)


def solved_answers(
    conversation_id: str, stored: Sequence[StoredEvent], masks: Masks
) -> list[SolvedAnswer]:
    """Return what was answered in a conversation's solved cases.

    Args:
        conversation_id: of the events.
        stored: all events.
        masks: takes out what is personal.

    Raises:
        KeyError: an event names a frame that is not on the stack.
        msgspec.ValidationError: an event is not one of this version.
    """
    talk = _Talk(conversation_id)
    for item in stored:
        talk.take(item)
    if not any(map(is_solved, talk.fold.cases)):
        return []
    masked = masks(stored)
    found = []
    for number, answer in talk.answers():
        case = talk.fold.cases[number - 1]
        if is_solved(case):
            made = _masked(answer, case, masked)
            is_wrong = any(talk.verdicts.get(seq) == "wrong" for seq in answer.seqs)
            found.append(msgspec.structs.replace(made, is_wrong=is_wrong))
    return [answer for answer in found if _is_worth_it(answer)]


class _Answer(msgspec.Struct):
    """What operators said to what was asked, while it is gathered."""

    asked: list[str]
    seqs: list[int]
    said: list[str]
    at: datetime


class _Talk:
    """The conversation as it is read."""

    def __init__(self, conversation_id: str) -> None:
        self.fold = CaseFold(conversation_id)
        self.verdicts: dict[int, str] = {}
        self._answers: list[tuple[int, _Answer]] = []
        self._asked: list[str] = []
        self._is_new = True
        self._now: _Answer | None = None

    def answers(self) -> Iterator[tuple[int, _Answer]]:
        """Yield the answers so far, each with the number of its case."""
        yield from self._answers

    def take(self, item: StoredEvent) -> None:
        """Take in the next event."""
        self.fold.apply_all([item])
        event = ev.from_wire(item.data)
        if isinstance(event, ev.UserUttered):
            self._heard(event)
        elif isinstance(event, ev.BotUttered):
            self._said(event, item)
        elif isinstance(event, ev.OperatorActed) and event.act == "marked" and not event.refusal:
            self.verdicts[event.data.get("seq", 0)] = str(event.data.get("verdict") or "")
        elif isinstance(event, ev.HandoffChanged) and event.state in {"bot", "closed"}:
            self._now, self._is_new = None, True

    def _heard(self, event: ev.UserUttered) -> None:
        if not _asks(event):
            return
        if self._is_new or self._now is not None:
            self._asked = []
        self._is_new, self._now = False, None
        self._asked.append(event.text.strip())

    def _said(self, event: ev.BotUttered, item: StoredEvent) -> None:
        cases = self.fold.cases
        if not event.metadata.get("operator"):
            self._is_new = self._is_new or not (cases and cases[-1].is_open)
            return
        text = event.text.strip()
        if not cases or not self._asked or ev.REDACTED in text or not is_answer(text):
            return
        if self._now is None:
            self._now = _Answer([*self._asked], [], [], item.at)
            self._answers.append((cases[-1].number, self._now))
        self._now.seqs.append(item.seq)
        self._now.said.append(text)
        self._now.at = item.at


def _asks(event: ev.UserUttered) -> bool:
    """Return whether somebody wrote what can be answered: no button, greeting or bare number."""
    text = event.text.strip()
    name = str((event.parse_data.get("intent") or {}).get("name") or "")
    if text.startswith("/") or ev.REDACTED in text or name in _NO_QUESTION:
        return False
    return sum(letter.isalpha() for letter in text) >= _LEAST_LETTERS


def _masked(answer: _Answer, case: Case, masked: Callable[[str], str]) -> SolvedAnswer:
    asked = unnamed(masked("\n".join(answer.asked)))[:MOST_ASKED_CHARS]
    said = "\n\n".join(filter(None, (timeless(unnamed(masked(text))) for text in answer.said)))
    seqs = tuple(answer.seqs)
    return SolvedAnswer(case.id, case.language, case.team, asked, said, seqs, answer.at)


def _is_worth_it(answer: SolvedAnswer) -> bool:
    told = without_gaps(answer.answered)
    fits = len(told) >= LEAST_ANSWER_CHARS and len(answer.answered) <= MOST_ANSWER_CHARS
    return fits and len(gaps(answer.answered)) <= MOST_GAPS and bool(without_gaps(answer.asked))
