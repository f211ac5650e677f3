"""Folds the events of one conversation into the conversations that are counted."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from bot import events as ev
from bot.conversation import LENT, MERGED
from bot.storage.ports import StoredEvent
from desk.insights.facts import (
    NO_GOAL,
    PAUSE,
    QUESTIONS,
    SMALL_TALK,
    ConversationFacts,
    Order,
    RunEnd,
    Survey,
)
from desk.insights.fold_parts import CaseSoFar, RunSoFar, Talk, as_facts, counts, open_case

_FEEDBACK = "case_feedback"
_SURVEYS = "pattern_case_closed"
_PAID = "pattern_payment_notice"
_RECEIVED = frozenset({"received", "oversold"})
_OPEN = frozenset({"waiting_for_operator", "with_operator"})
_COULD_NOT = frozenset({
    "utter_cannot_confirm",
    "utter_faq_nearby",
    "utter_no_faq_answer",
    "utter_search_none",
    "utter_search_unknown",
})
_LANGUAGE_CODE_CHARS = 2


class FactsFold:
    """The fold; it keeps nothing that anybody said."""

    def __init__(self, conversation_id: str) -> None:
        """Begin before the first event."""
        self._id = conversation_id
        self._talks: list[Talk] = []
        self._frames: dict[str, RunSoFar | None] = {}
        self._flows: dict[str, str] = {}
        self._running: RunSoFar | None = None
        self._asking: dict[str, str] = {}
        self._asked: set[str] = set()
        self._spoke: dict[int, Talk] = {}
        self._marks: dict[int, str] = {}
        self._merged: CaseSoFar | None = None
        self._language = ""
        self._customer_id = ""
        self._folds: dict[type, Callable[[Any, datetime], None]] = {
            ev.UserUttered: self._heard,
            ev.BotUttered: self._said,
            ev.SlotSet: self._slot,
            ev.QuestionAsked: self._asked_something,
            ev.FlowStarted: self._started,
            ev.StepReached: self._step,
            ev.PlanShown: self._planned,
            ev.FlowCompleted: self._completed,
            ev.FlowCancelled: self._cancelled,
            ev.Grounding: self._rests,
            ev.ActionExecuted: self._ran,
            ev.NotUnderstood: self._puzzled,
            ev.Triggered: self._triggered,
            ev.HandoffChanged: self._changed_hands,
            ev.OperatorActed: self._acted,
        }

    def apply_all(self, stored: Iterable[StoredEvent]) -> None:
        """Fold further events in order.

        Raises:
            msgspec.ValidationError: an event is not one of this version.
        """
        for item in stored:
            event = ev.from_wire(item.data)
            is_bot = isinstance(event, ev.BotUttered) and not event.metadata.get("operator")
            if is_bot and self._talks:
                self._spoke[item.seq] = self._talks[-1]
            if (fold := self._folds.get(type(event))) is not None:
                fold(event, item.at)

    @property
    def facts(self) -> tuple[ConversationFacts, ...]:
        """The counted conversations so far, the oldest first."""
        marks = self._counted_marks()
        talks = [talk for talk in self._talks if counts(talk)]
        return tuple(
            as_facts(self._id, number, talk, marks.get(id(talk), (0, 0)))
            for number, talk in enumerate(talks, 1)
        )

    def _counted_marks(self) -> dict[int, tuple[int, int]]:
        """Return how many answers of each conversation were last marked right, and wrong."""
        found: dict[int, tuple[int, int]] = {}
        for seq, verdict in self._marks.items():
            if (talk := self._spoke.get(seq)) is not None:
                right, wrong = found.get(id(talk), (0, 0))
                found[id(talk)] = right + (verdict == "right"), wrong + (verdict == "wrong")
        return found

    def _talk(self, at: datetime, channel: str = "") -> Talk:
        """Return the conversation that something at a moment belongs to."""
        last = self._talks[-1] if self._talks else None
        if last is not None and (open_case(last) or at - last.ended_at <= PAUSE):
            return last
        self._talks.append(Talk(at, at, channel or self._id.partition(":")[0]))
        self._renew(self._talks[-1])
        return self._talks[-1]

    def _renew(self, talk: Talk) -> None:
        talk.language = self._language or talk.language
        talk.customer_id = self._customer_id or talk.customer_id

    def _heard(self, event: ev.UserUttered, at: datetime) -> None:
        told = event.parse_data.get("language")
        said_in = str(told.get("code") or "") if isinstance(told, dict) else str(told or "")
        self._language = self._language or said_in
        talk = self._talk(at, event.input_channel)
        talk.heard += 1
        talk.ended_at = at
        self._renew(talk)

    def _said(self, event: ev.BotUttered, at: datetime) -> None:
        if not self._talks:
            return
        talk = self._talks[-1]
        if not event.metadata.get("operator"):
            talk.bot_said += 1
            if event.metadata.get("utter_action") in _COULD_NOT:
                self._failed()
            return
        talk.operators_said += 1
        talk.ended_at = at
        if (case := open_case(talk)) is not None and case.first_reply_s is None:
            case.first_reply_s = _seconds(case.opened_at, at)

    def _slot(self, event: ev.SlotSet, _at: datetime) -> None:
        run = self._frames.get(event.frame_id)
        if event.name == "plan_state" and event.value == "done" and run is not None:
            run.planned = False
            self._reached(run.skill)
        elif (event.name == "refusal" and event.value is not None) or (
            event.name == "search_state" and event.value in {"none", "unknown"}
        ):
            self._failed()
        elif event.name == _FEEDBACK:
            self._rated(event)
        elif not event.frame_id and event.name == "language":
            self._language = str(event.value or "")
        elif not event.frame_id and event.name == "customer_id":
            self._customer_id = str(event.value or "")
        elif event.name == "survey" and event.frame_id in self._asking:
            self._asking[event.frame_id] = str(event.value or "")
        if self._talks and event.name in {"language", "customer_id"}:
            self._renew(self._talks[-1])

    def _rated(self, event: ev.SlotSet) -> None:
        told = event.value if isinstance(event.value, dict) else {}
        score, talk = told.get("score"), self._last_with_case()
        if not isinstance(score, int) or talk is None:
            return
        self._talks[-1].rated = True
        answer = Survey(str(told.get("kind") or ""), score)
        open_ones = [each for each in talk.surveys if each.kind == answer.kind]
        if open_ones:
            talk.surveys.remove(open_ones[-1])
        talk.surveys.append(answer)

    def _last_with_case(self) -> Talk | None:
        return next((talk for talk in reversed(self._talks) if talk.cases), None)

    def _asked_something(self, event: ev.QuestionAsked, _at: datetime) -> None:
        talk = self._last_with_case()
        kind = self._asking.get(event.frame_id)
        if talk is not None and kind and event.frame_id not in self._asked:
            self._asked.add(event.frame_id)
            talk.surveys.append(Survey(kind))

    def _started(self, event: ev.FlowStarted, at: datetime) -> None:
        self._flows[event.frame_id] = event.flow_id
        if event.flow_id == _SURVEYS:
            self._asking[event.frame_id] = str(event.slots.get("survey") or "csat")
        if event.parent_id:
            self._frames[event.frame_id] = self._frames.get(event.parent_id)
        elif event.flow_id.startswith("pattern_"):
            self._frames[event.frame_id] = None
        else:
            run = RunSoFar(event.flow_id, [])
            self._frames[event.frame_id] = self._running = run
            talk = self._talk(at)
            talk.runs.append(run)
            if run.skill not in SMALL_TALK | QUESTIONS:
                talk.topics[run.skill] = None

    def _step(self, event: ev.StepReached, _at: datetime) -> None:
        run = self._frames.get(event.frame_id)
        if run is None:
            return
        self._running = run
        if self._flows.get(event.frame_id) == run.skill and event.step:
            run.last = event.step
            if event.step not in run.steps:
                run.steps.append(event.step)

    def _planned(self, event: ev.PlanShown, _at: datetime) -> None:
        if (run := self._frames.get(event.frame_id)) is not None:
            run.planned = True

    def _completed(self, event: ev.FlowCompleted, _at: datetime) -> None:
        run = self._ended(event.frame_id, event.flow_id, "completed")
        if run is not None and not run.failed and not run.planned and run.skill not in NO_GOAL:
            self._reached(run.skill)

    def _cancelled(self, event: ev.FlowCancelled, _at: datetime) -> None:
        self._ended(event.frame_id, event.flow_id, "cancelled")

    def _ended(self, frame_id: str, flow_id: str, end: RunEnd) -> RunSoFar | None:
        run = self._frames.pop(frame_id, None)
        self._flows.pop(frame_id, None)
        if run is None or run.skill != flow_id:
            return None
        run.end = end
        if end == "completed":
            run.last = ""
        return run

    def _rests(self, event: ev.Grounding, _at: datetime) -> None:
        skill = self._running.skill if self._running else ""
        quoted = [str(each["passage_id"]) for each in event.passages if each.get("passage_id")]
        if event.withheld:
            self._failed()
        elif skill in QUESTIONS and quoted:
            for topic in dict.fromkeys(map(_topic_of, quoted)):
                self._reached(topic)

    def _ran(self, event: ev.ActionExecuted, _at: datetime) -> None:
        if event.error:
            self._failed()

    def _puzzled(self, _event: ev.NotUnderstood, _at: datetime) -> None:
        if self._talks:
            self._talks[-1].failed = True

    def _reached(self, topic: str) -> None:
        if self._talks:
            talk = self._talks[-1]
            talk.topics[topic] = talk.goals[topic] = None
            talk.failed = False

    def _failed(self) -> None:
        if self._running is not None:
            self._running.failed = True
        if self._talks:
            self._talks[-1].failed = True

    def _triggered(self, event: ev.Triggered, _at: datetime) -> None:
        slots = event.slots
        paid = slots.get("amount")
        if event.flow_id != _PAID or slots.get("kind") not in _RECEIVED or not self._talks:
            return
        if isinstance(paid, dict) and isinstance(paid.get("amount_minor"), int):
            number = str(slots.get("order_number") or event.message_id)
            order = Order(number, paid["amount_minor"], str(paid.get("currency") or ""))
            if not any(number in talk.orders for talk in self._talks):
                self._buying().orders[number] = order

    def _buying(self) -> Talk:
        """Return the last conversation in which something was bought, else the last one."""
        bought = (talk for talk in reversed(self._talks) if "checkout" in talk.goals)
        return next(bought, self._talks[-1])

    def _changed_hands(self, event: ev.HandoffChanged, at: datetime) -> None:
        if event.state == "bot" and event.reason == LENT:
            return
        if event.state == "with_operator" and event.reason == MERGED:
            return
        if self._merged is not None:
            self._merged.open = event.state in _OPEN  # it has a case of its own again
            self._merged.end_reason = "" if self._merged.open else MERGED
            self._merged = None
        case = open_case(self._talks[-1]) if self._talks else None
        if event.state in _OPEN:
            if case is None:
                case = CaseSoFar(event.reason.partition(":")[0].strip(), at)
                self._talk(at).cases.append(case)
            self._hold(case, at, is_held=event.state == "with_operator")
        elif case is not None:
            self._hold(case, at, is_held=False)
            case.open, case.end_reason = False, event.reason or event.state
            case.resolution_s = _seconds(case.opened_at, at)
            self._talks[-1].ended_at = at

    def _hold(self, case: CaseSoFar, at: datetime, *, is_held: bool) -> None:
        if case.held_since is not None and not is_held:
            case.held_s += _seconds(case.held_since, at)
            case.held_since = None
        elif case.held_since is None and is_held:
            case.held_since = at

    def _acted(self, event: ev.OperatorActed, at: datetime) -> None:
        case = open_case(self._talks[-1]) if self._talks else None
        if case is not None and event.act in {MERGED, "replied"} and not event.refusal:
            if event.act == MERGED:
                self._hold(case, at, is_held=False)
                case.open, case.end_reason, self._merged = False, MERGED, case
            elif case.first_reply_s is None:
                case.first_reply_s = _seconds(case.opened_at, at)
        seq, verdict = event.data.get("seq"), event.data.get("verdict")
        if event.act == "marked" and not event.refusal and isinstance(seq, int):
            self._marks[seq] = str(verdict or "")


def _seconds(since: datetime, until: datetime) -> int:
    return max(0, int((until - since).total_seconds()))


def _topic_of(passage_id: str) -> str:
    """Return a passage's id without the language that it is written in."""
    name, _, tail = passage_id.rpartition(":")
    return name if name and len(tail) == _LANGUAGE_CODE_CHARS and tail.isalpha() else passage_id
