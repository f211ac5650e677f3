"""The customer's words, set against the conversation, become commands."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from bot import commands as cm
from bot.conversation import Conversation
from bot.engine import Engine, Expectation, Reading
from bot.flows import FlowSet
from bot.mood import need_of, why_hand_off
from bot.understanding.bare_words import alternatives
from bot.understanding.candidates import candidates
from bot.understanding.consent import ConsentWords
from bot.understanding.corrections import (
    ANYTHING,
    FACTS,
    NAMED,
    Corrections,
    Situation,
    facts_of,
    is_known,
    mention_of,
)
from bot.understanding.normalise import words
from bot.understanding.payloads import pressed, read_payload
from bot.understanding.pictures import with_picture
from bot.understanding.reader import SlotValueReader
from bot.understanding.remarks import Remarks
from bot.understanding.result import OUT_OF_SCOPE, Intent, ParseResult
from bot.understanding.survey_words import asks_mark, read_mark
from bot.understanding.thresholds import Thresholds
from bot.understanding.turning import Turning
from bot.understanding.unclear import HELP, Unclear, is_code
from bot.understanding.wishes import (
    asks,
    asks_how,
    is_rushing,
    named_skills,
    only_vents,
    tells_of_goods,
)

_WORDS = re.compile(r"\w")
_COUNTED = frozenset({"rating"})
"""Slots that any number fills, also the one in "I want to return 2 shirts"."""
_NUMBER = re.compile(r"nummer|number|\bnr\b|\bmail\b", re.IGNORECASE)
_IN_NEED = "pattern_in_need"
_BACK_TO_BOT = re.compile(r"\bback to the bot\b|\bzurück zum bot\b", re.IGNORECASE)


class Parser(Protocol):
    """Text → ParseResult."""

    def parse(
        self,
        text: str,
        hint_language: str | None = None,
        now: datetime | None = None,
        expected: Sequence[str] = (),
    ) -> ParseResult:
        """Return what the whole text says; `expected` are entity types just asked for."""

    def parse_wishes(
        self,
        text: str,
        hint_language: str | None = None,
        now: datetime | None = None,
        expected: Sequence[str] = (),
    ) -> list[ParseResult]:
        """Return what each wish says, at least one; offsets are those of the whole text."""


class Understood(msgspec.Struct, frozen=True):
    """A parsed message and what the engine should do about it."""

    parse: ParseResult
    commands: tuple[cm.Command, ...]


class Router:
    """Proposes commands; the engine decides what they do."""

    def __init__(
        self,
        parser: Parser,
        engine: Engine,
        flows: FlowSet,
        consent: ConsentWords,
        thresholds: Thresholds,
        remarks: Remarks | None = None,
    ) -> None:
        """Read with `parser`, against the open question as `engine` sees it."""
        self._remarks = known = remarks or Remarks()
        self._follow_ups = known.follow_ups
        self._asides = known.asides
        self._bare = known.bare
        self._parser = parser
        self._engine = engine
        self._flows = flows
        self._consent = consent
        self._at = thresholds
        self._reader = SlotValueReader()
        self._corrections = Corrections(engine, self._reader)
        self._unclear = Unclear(flows, thresholds)
        known_words = consent, self._reader, thresholds, self._follow_ups
        self._turning = Turning(engine, flows, *known_words)

    def understand(
        self, text: str, conversation: Conversation, now: datetime, *, attached: bool = False
    ) -> Understood:
        """Return the reading of a message in its conversation; `attached` if files came with it."""
        hint = conversation.slots.get("language")
        payload = read_payload(pressed(text, conversation) or text, self._flows)
        if payload is not None:
            language = str(hint or "")
            intent = payload[0].flow if isinstance(payload[0], cm.StartFlow) else "payload"
            return Understood(ParseResult(text, language, Intent(intent, 1.0)), payload)
        asked = self._engine.expectation(conversation)
        types: tuple[str, ...] = (asked.slot.type,) if asked else ()
        types = tuple(FACTS) if types == ("facts",) else types
        wishes = tuple(self._parser.parse_wishes(text, hint, now, types))
        whole = wishes[0] if len(wishes) == 1 else self._parser.parse(text, hint, now, types)
        top = conversation.top
        root = conversation.ancestry(top)[-1].flow_id if top else ""
        situation = Situation(conversation, whole, wishes, mention_of(whole), root)
        if attached and not text.strip() and conversation.handoff == "bot":
            return Understood(whole, (self._only_files(situation),))
        commands = tuple(self._commands(situation))
        return Understood(whole, with_picture(commands, self._flows) if attached else commands)

    def _commands(self, s: Situation) -> list[cm.Command]:
        need = need_of(msgspec.structs.asdict(s.whole.sentiment))
        if s.conversation.handoff != "bot" or s.conversation.lent_by:
            if _BACK_TO_BOT.search(s.whole.text):
                return [cm.Restart(to_bot=True)]
            if s.conversation.handoff != "bot":
                return self._while_waiting(s, need)
        if grave := self._grave(s, need):
            return grave
        if not _WORDS.search(s.whole.text) and not self._answers_without_words(s):
            if only_vents(s.whole):
                return [cm.StartFlow("pattern_insult", s.mention)]
            open_question = self._engine.expectation(s.conversation)
            return [cm.RejectAnswer() if open_question else cm.CannotHandle(counts=False)]
        expected = self._engine.expectation(s.conversation)
        if expected is None:
            return self._opening(s)
        found = (self._confirming if expected.is_confirm else self._answering)(s, expected)
        first = found[0]
        if isinstance(first, cm.StartFlow):
            return [self._turning.start(s, first), *found[1:]]
        return found

    def _grave(self, s: Situation, need: str) -> list[cm.Command]:
        """Hand over what a person decides, or who is in need; nothing for all other messages."""
        said = msgspec.structs.asdict(s.whole.sentiment)
        if reason := why_hand_off(self._at.hand_off, s.conversation.mood, said):
            asked = not (s.root_flow or need)
            wanted = self._starts(s.wishes, self._at.start)[:1] if asked else ()
            return [*wanted, cm.HandOff(reason)]  # the person learns what was wanted
        return [cm.StartFlow(_IN_NEED, s.mention, {"need": need})] if need else []

    def _while_waiting(self, s: Situation, need: str) -> list[cm.Command]:
        """Return nothing for a person's conversation, but help for who is in need and waits."""
        is_new = bool(need) and s.conversation.mood.vulnerable != need
        if not is_new or s.conversation.handoff != "waiting_for_operator":
            return []
        return [cm.StartFlow(_IN_NEED, s.mention, {"need": need})]

    def _answers_without_words(self, s: Situation) -> bool:
        """Return whether signs alone say something: a thumb, a smile that greets or thanks."""
        sure = s.whole.intent.confidence >= self._at.start
        return self._consent.judge(s.whole.text) != "unclear" or (
            bool(s.whole.text.strip()) and sure and s.whole.intent.name != OUT_OF_SCOPE
        )

    def _only_files(self, s: Situation) -> cm.Command:
        """Read files without words: they answer an optional question, else are put aside."""
        expected = self._engine.expectation(s.conversation)
        if expected and expected.slot.type == "text" and expected.is_optional:
            return cm.SkipQuestion()
        return cm.StartFlow("pattern_attachment", s.mention, {"busy": expected is not None})

    def _opening(self, s: Situation) -> list[cm.Command]:
        """Read a message when no question is open."""
        if is_code(s.whole.text):
            return [cm.CannotHandle(s.mention)]
        if followed := self._remarks.on_last(s):
            return [followed]
        either = self._bare.skills(s.whole.text) or self._either(s.whole.text)
        if either:
            return [cm.Clarify(either, s.mention)]
        starts = self._starts(s.wishes, self._at.start)
        if starts and not (len(s.wishes) == 1 and only_vents(s.whole)):
            return list(starts)
        if meta := self._meta(s, None):
            return [meta]
        verdict = self._consent.judge(s.whole.text)
        if verdict != "unclear":
            return [cm.Affirm() if verdict == "yes" else cm.Deny()]
        if s.whole.intent.name == "deny" and s.whole.intent.confidence >= self._at.override:
            return [cm.Deny()]
        return [self._unclear.command(s)]

    def _either(self, text: str) -> tuple[str, ...]:
        """Return the two skills between which a message asks: "return or exchange?"."""
        sides = [self._parser.parse_wishes(side) for side in alternatives(text)]
        named = tuple(start.flow for side in sides for start in self._starts(side, self._at.start))
        return named if len(set(named)) == len(sides) == len(named) else ()

    def _confirming(self, s: Situation, expected: Expectation) -> list[cm.Command]:
        """Read a message that should be a yes or a no to a plan."""
        starts = self._starts(s.wishes, self._at.digress, without=s.root_flow)
        if starts and self._turning.is_off(s):
            return list(starts)
        verdict = self._consent.judge(s.whole.text, slips=not s.whole.entities)
        if verdict != "unclear":
            return [cm.Affirm() if verdict == "yes" else cm.Deny()]
        if changes := self._corrections.changes(s):
            return changes
        if s.root_flow in s.whole.refused and s.whole.intent.name == "cancel":
            return [cm.Deny()]  # "please don't cancel it"
        if meta := self._meta(s, expected):
            return [meta]
        if self._corrections.repeats(s):
            return [cm.RejectAnswer("unclear")]
        if starts:
            return self._corrections.instead_of(s, starts[0].flow) or list(starts)
        is_no = s.whole.intent.name == "deny" and s.whole.intent.confidence >= self._at.override
        return [cm.Deny() if is_no else cm.RejectAnswer("unclear")]

    def _answering(self, s: Situation, expected: Expectation) -> list[cm.Command]:
        """Read a message that should answer the open question."""
        if expected.slot.type == "yes_no":
            return self._yes_no(s, expected)
        anything = expected.slot.type in ANYTHING
        refused = self._consent.judge(s.whole.text) == "no" and not self._turning.stops(s)
        if anything and expected.is_optional and refused:
            return [cm.SkipQuestion()]
        reading = self._reading(s, expected)
        is_mark = asks_mark(expected) and reading.value is not None  # praise is no other wish then
        if not is_mark and (turned := self._turns_away(s, expected)):
            return turned
        certain = reading.value is not None and not anything
        if not certain and (meta := self._meta(s, expected)):
            return [meta]
        if not is_mark and (leaves := self._leaves(s, expected, reading)):
            return leaves
        if reading.value is not None:
            return self._answer(s, expected, reading)
        if reading.candidates:
            return [cm.AddMention(s.mention), cm.RejectAnswer("ambiguous", reading.candidates)]
        return self._unread(s)

    def _turns_away(self, s: Situation, expected: Expectation) -> list[cm.Command]:
        """Read a message that wants another skill, or nothing, instead of the question."""
        going_on, told = self._remarks.going_on, expected.slot.type == "facts"
        if back := going_on.start(s) if told else going_on.points_back(s):
            return [back]
        if self._turning.rather(s, expected):
            starts = self._starts(s.wishes, self._at.leave_choice, without=s.root_flow)
            if starts:
                return list(starts)
        turned = self._turning.away(s, expected)
        return [turned] if turned else []

    def _answer(self, s: Situation, expected: Expectation, reading: Reading) -> list[cm.Command]:
        """Return the commands for a message that answers the question."""
        answer = cm.SetSlot(expected.slot.name, reading.value)
        if isinstance(reading.value, dict) and "code" in reading.value:
            return [answer]  # a code is a secret, and no order number that counts later
        certain = expected.slot.type not in ANYTHING
        changes = self._corrections.changes(s, besides=expected.slot.name) if certain else []
        return changes or [cm.AddMention(self._reader.about(expected, s.mention)), answer]

    def _reading(self, s: Situation, expected: Expectation) -> Reading:
        """Read the open question's answer, if the message holds one."""
        if asks_mark(expected):
            named = [start.flow for start in self._starts(s.wishes, self._at.digress)]
            return Reading(read_mark(s.whole.text, expected.slot.name, named))
        if expected.slot.type != "facts":
            reading = self._reader.read(expected, s.mention, asked=True)
            wider = len(expected.all_options) > len(expected.options)
            if wider and reading.value is None:
                everything = msgspec.structs.replace(expected, options=expected.all_options)
                return self._reader.read(everything, s.mention, asked=True)
            offered = {str(option["value"]) for option in expected.options}
            if reading.value is None and offered and offered <= self._flows.flows.keys():
                likely = candidates(s.whole.ranking, self._unclear.level)
                return Reading(next((name for name in likely if name in offered), None))
            return reading
        code = self._reader.code(s.whole.text)
        if code and s.conversation.slots.get("unverified_customer"):
            return Reading({"code": code})
        return Reading(facts_of(s.whole) or None)

    def _leaves(self, s: Situation, expected: Expectation, reading: Reading) -> list[cm.Command]:
        """Return the other skills a message asks for, unless it rather answers the question."""
        asking = asks(s.whole, HELP, self._at.override, anything=expected.slot.type in ANYTHING)
        named = expected.slot.type in NAMED - _COUNTED and reading.value is not None and not asking
        if named or (isinstance(reading.value, dict) and "code" in reading.value):
            return []
        if expected.slot.type in ANYTHING and not asking and tells_of_goods(s.whole):
            return []
        level = self._at.digress if reading.value is None or asking else self._at.override
        if expected.slot.type in NAMED:
            level = max(level, self._at.leave_choice)
        found = self._starts(s.wishes, level, without=s.root_flow)
        word = expected.slot.type in ANYTHING and len(words(s.whole.text)) == 1 and not asking
        told = {"chitchat"} if word else set()  # "birthday", asked for the occasion
        found = tuple(x for x in found if x.flow not in told and not is_known(s, x.flow))
        leaves = [start for start in found if not self._corrections.instead_of(s, start.flow)]
        return [] if self._only_answers(s, expected) or self._is_aside(s) else list(leaves)

    def _is_aside(self, s: Situation) -> bool:
        """Return whether words about money belong to the running skill."""
        known = self._asides is not None and s.root_flow in self._asides.skills
        return known and self._asides is not None and self._asides.only(s.whole.text)

    def _unread(self, s: Situation) -> list[cm.Command]:
        """Read a message that neither answers the question nor asks for another skill."""
        if followed := self._follow_ups.asks(s.whole, s.conversation.slots, s.root_flow):
            return [cm.StartFlow(followed, s.mention)]
        if changes := self._corrections.changes(s):
            return changes
        if self._starts(s.wishes, self._at.start) and s.root_flow:
            if self._follow_ups.means_other(s.whole, s.root_flow):
                return [cm.QueueWish(s.root_flow, s.mention)]
            if asks_how(s.whole.text) and HELP in self._flows.flows:
                return [cm.StartFlow(HELP, s.mention)]
            return [cm.AddMention(s.mention), cm.RejectAnswer()]
        verdict = self._consent.judge(s.whole.text)
        if verdict != "unclear":
            return [cm.Affirm() if verdict == "yes" else cm.Deny()]
        return [cm.RejectAnswer("unreadable")]

    def _yes_no(self, s: Situation, expected: Expectation) -> list[cm.Command]:
        verdict = self._consent.judge(s.whole.text, slips=not s.whole.entities)
        name = s.whole.intent.name
        if verdict == "unclear" and name in {"affirm", "deny"}:
            verdict = "yes" if name == "affirm" else "no"
        if verdict == "unclear" and self._reader.read(expected, s.mention, asked=True).value:
            verdict = "no" if self._consent.refuses(s.whole.text) else "yes"
        if verdict != "unclear":
            return [cm.AddMention(s.mention), cm.SetSlot(expected.slot.name, verdict == "yes")]
        if meta := self._meta(s, expected):
            return [meta]
        starts = self._starts(s.wishes, self._at.digress, without=s.root_flow)
        return list(starts) or [cm.RejectAnswer("unclear")]

    def _meta(self, s: Situation, expected: Expectation | None) -> cm.Command | None:
        """Read talk about the conversation itself: cancel, skip, repeat, start over."""
        intent = s.whole.intent
        if only_vents(s.whole):
            return cm.StartFlow("pattern_insult", s.mention)
        if intent.confidence < self._at.meta:
            return None
        name = intent.name
        is_free = expected is not None and expected.slot.type in ANYTHING  # "quick and clear"
        if is_rushing(s.whole) and not is_free:
            return cm.StartFlow("pattern_hurry", s.mention, {"busy": expected is not None})
        if name == "correction" and s.conversation.top is not None:
            return self._corrections.blank(s)
        if name == "cancel":
            return cm.CancelFlow()
        if name == "insult" and (s.whole.sentiment.anger or s.whole.sentiment.score < 0):
            return cm.StartFlow("pattern_insult", s.mention)
        if name == "show_more" and expected is None and "find_product" in self._flows.flows:
            return cm.StartFlow("find_product", s.mention)
        simple: dict[str, cm.Command] = {
            "skip": cm.SkipQuestion(),
            "dont_know": _not_known(s, expected),
            "repeat": cm.RepeatLast(),
            "go_back": cm.Restart(),
        }
        pointless = expected is None and name in {"skip", "dont_know"}
        return None if pointless else simple.get(name)

    def _starts(
        self, wishes: Iterable[ParseResult], level: float, without: str = ""
    ) -> tuple[cm.StartFlow, ...]:
        """Return the skills that the wishes name for sure."""
        return named_skills(wishes, self._flows, level, without)

    def _only_answers(self, s: Situation, expected: Expectation) -> bool:
        """Return whether a digression's words are no more than the asked-for value."""
        covered = sum(e.end - e.start for e in s.whole.entities if e.type == expected.slot.type)
        return covered * 2 >= len(s.whole.text.strip())


def _not_known(s: Situation, expected: Expectation | None) -> cm.Command:
    """Read "I don't have it": who lacks an order number can be found without one."""
    if expected and expected.slot.type == "facts" and _NUMBER.search(s.whole.text):
        return cm.RejectAnswer("no_number")
    return cm.DontKnow()
