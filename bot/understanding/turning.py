"""Turning away: from a question, from what is running, and to another skill instead of it."""

import msgspec

from bot import commands as cm
from bot.engine import Engine, Expectation
from bot.flows import FlowSet
from bot.messages import Json
from bot.understanding.consent import ConsentWords
from bot.understanding.corrections import ANYTHING, NAMED, Situation, takes_back
from bot.understanding.follow_ups import FollowUps
from bot.understanding.normalise import words
from bot.understanding.reader import SlotValueReader
from bot.understanding.result import OUT_OF_SCOPE
from bot.understanding.thresholds import Thresholds

_LEAST_REFUSED = 2


class Turning:
    """Finds out whether a message has a question, or the running skill, go away."""

    def __init__(
        self,
        engine: Engine,
        flows: FlowSet,
        consent: ConsentWords,
        reader: SlotValueReader,
        at: Thresholds,
        follow_ups: FollowUps,
    ) -> None:
        """Know yes and no by `consent`, options by `reader`, and certainty by `at`."""
        self._engine = engine
        self._flows = flows
        self._consent = consent
        self._reader = reader
        self._at = at
        self._follow_ups = follow_ups

    def is_off(self, s: Situation) -> bool:
        """Return whether a message refuses the running skill: "don't cancel it".

        What is refused without a name, by "it" or "that", is what is running.
        """
        refused = s.whole.refused
        return bool(s.root_flow) and (s.root_flow in refused or OUT_OF_SCOPE in refused)

    def rather(self, s: Situation, expected: Expectation) -> bool:
        """Return whether another skill in the message is wanted rather than this question."""
        if self.is_off(s) or self.declines(s, expected):
            return True
        if not takes_back(s.whole.text):
            return False
        return self._reader.read(expected, s.mention, asked=False).value is None

    def start(self, s: Situation, start: cm.StartFlow) -> cm.StartFlow:
        """Return how a skill begins: instead of the running one where that is taken back.

        It goes on with what was chosen before, unless the message says it anew: the order, the
        items.
        """
        if not s.root_flow or start.slots or start.flow not in self._flows.flows:
            return start
        is_off = self.is_off(s)
        kept = self._kept(s, start) if is_off or takes_back(s.whole.text) else {}
        if is_off or kept:
            return msgspec.structs.replace(start, slots=kept, replace=True)
        return start

    def stops(self, s: Situation) -> bool:
        """Return whether a message ends more than the open question: "stop, never mind"."""
        return s.whole.intent.name == "cancel" and s.whole.intent.confidence >= self._at.meta

    def declines(self, s: Situation, expected: Expectation) -> bool:
        """Return whether a plain no answers an optional choice that offers no "no" itself."""
        if expected.slot.type not in NAMED or not expected.is_optional or self.stops(s):
            return False
        offered = self._reader.is_title(expected, s.whole.text)
        if offered or not self._consent.refuses(s.whole.text):
            return False
        named = expected.slot.type == "category"  # "I don't like it" may be one of the reasons
        return not named or self._reader.read(expected, s.mention, asked=False).value is None

    def away(self, s: Situation, expected: Expectation) -> cm.Command | None:
        """Read a message that rather has the question go away than answers it."""
        if self.declines(s, expected):
            return cm.CancelFlow() if self.is_off(s) else cm.Deny()
        if self._is_other_wish(s, expected):
            return cm.QueueWish(s.root_flow, s.mention)
        if self._clearly_stops(s, expected) or self._no_thanks(s, expected):
            return cm.CancelFlow()
        return None

    def _kept(self, s: Situation, start: cm.StartFlow) -> dict[str, Json]:
        """Return what was chosen in the running skill that the other one takes as well."""
        flow, kept = self._flows.flows[start.flow], {}
        for answered in self._engine.answered(s.conversation):
            name = answered.slot.name
            if name in kept or not flow.takes_from_payload(name):
                continue
            said = self._reader.read(answered, s.mention, asked=False)
            if said.value is not None:
                kept[name] = said.value
            elif not said.candidates:
                kept[name] = s.conversation.frame(answered.frame_id).slots.get(name)
        return kept

    def _no_thanks(self, s: Situation, expected: Expectation) -> bool:
        """Return whether "no thanks" ends a question that cannot be left open."""
        kind = expected.slot.type
        if expected.is_optional or kind not in NAMED | ANYTHING:
            return False
        if len(words(s.whole.text)) < _LEAST_REFUSED or self._consent.judge(s.whole.text) != "no":
            return False
        said = self._reader.read(expected, s.mention, asked=True).value
        return kind in ANYTHING or said is None

    def _clearly_stops(self, s: Situation, expected: Expectation) -> bool:
        """Return whether a stop is plainer than any option that its words might also name."""
        if expected.slot.type not in NAMED or not self.stops(s):
            return False
        if self._consent.judge(s.whole.text) == "no":
            return not self._reader.names(expected, s.mention)
        sure = s.whole.intent.confidence >= self._at.override
        return sure and self._reader.read(expected, s.mention, asked=True).value is None

    def _is_other_wish(self, s: Situation, expected: Expectation) -> bool:
        """Return whether words name another thing than the one the question is about."""
        if expected.slot.type not in NAMED:
            return False
        slots = s.conversation.frame(expected.frame_id).slots
        return self._follow_ups.adds_another(s.whole, slots.get("product"))
