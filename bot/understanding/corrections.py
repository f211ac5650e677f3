"""Earlier answers taken back: "no, order 4712", "nein, die andere", "lieber auf PayPal"."""

import re
from bisect import bisect_left

import msgspec

from bot import commands as cm
from bot.conversation import Conversation
from bot.engine import Engine, Expectation
from bot.messages import Json
from bot.understanding.choices_revision import revise
from bot.understanding.normalise import seen
from bot.understanding.reader import SlotValueReader, as_option, mention_without_no
from bot.understanding.result import ParseResult

ANYTHING = frozenset({"text", "product", "any"})
"""Slot types that any words can fill."""
NAMED = frozenset({"choice", "choices", "variant", "category", "code", "rating"})
"""Slot types whose values are known before the customer answers."""
FACTS = frozenset({"email", "phone", "postcode", "name", "order_number"})
"""Entity types that tell who is writing."""
_TAKES_BACK = re.compile(
    r"(?:no|nope|nein|nee|sorry|actually|wait|stop|doch|halt|moment|quatsch|ich meinte|i meant|"
    r"i mean|lieber|rather|instead|not |nicht |falsch|wrong)\b",
    re.IGNORECASE,
)
_IDENTIFIES = "identify_customer"
_SHORT_CHARS = 2
_FEW_WORDS = 4
_SHORT_WORDS = 8


class Situation(msgspec.Struct, frozen=True):
    """One message set against the conversation."""

    conversation: Conversation
    whole: ParseResult
    wishes: tuple[ParseResult, ...]
    mention: cm.Mention
    root_flow: str


class Corrections:
    """Finds which earlier answer a message changes."""

    def __init__(self, engine: Engine, reader: SlotValueReader) -> None:
        """Read answers again with `reader`, as `engine` sees the questions."""
        self._engine = engine
        self._reader = reader

    def changes(self, s: Situation, besides: str = "") -> list[cm.Command]:
        """Return the commands that change an earlier answer; a question changes nothing."""
        if "?" in s.whole.text or len(s.whole.text.strip()) <= _SHORT_CHARS:
            return []
        if revised := self._revised(s, besides):
            return [cm.AddMention(s.mention), revised]
        found: list[cm.CorrectSlot] = []
        for answered in self._engine.answered(s.conversation):
            if answered.slot.name == besides or not self._may_change(s, answered):
                continue
            said = mention_without_no(s.mention) if answered.slot.type in NAMED else s.mention
            value = self._reader.read(answered, said, asked=False).value
            if value is not None and value != _value(s.conversation, answered):
                found.append(cm.CorrectSlot(answered.slot.name, value))
        return [cm.AddMention(s.mention), found[-1]] if found else []

    def _revised(self, s: Situation, besides: str) -> cm.CorrectSlot | None:
        """Read a change to what was picked: one more, one less, or another version of one."""
        expected = self._engine.expectation(s.conversation)
        if expected is None or not expected.is_confirm:
            return None
        answered = self._engine.answered(s.conversation)
        picked = next((a for a in answered if a.slot.type == "choices"), None)
        if picked is None or picked.slot.name == besides:
            return None
        old = _value(s.conversation, picked)
        old = [str(value) for value in old] if isinstance(old, list) else []
        revision = revise(s.whole.text, tuple(map(as_option, picked.options)), old)
        if revision.values and set(revision.values) != set(old):
            return cm.CorrectSlot(picked.slot.name, list(revision.values))
        version = next((a for a in answered if a.slot.type == "variant"), None)
        if version is not None and revision.speaks_of_picked:
            return cm.CorrectSlot(version.slot.name, "")
        return None

    def instead_of(self, s: Situation, flow: str) -> list[cm.Command]:
        """Return the commands that read a wish for a skill as another answer to this one.

        A wish that names an order of its own is left alone.
        """
        if any(entity["type"] == "order_number" for entity in s.mention.entities):
            return []
        for answered in self._engine.answered(s.conversation):
            for option in answered.slot.options:
                if flow in option.intents:
                    change = cm.CorrectSlot(answered.slot.name, option.value)
                    return [cm.AddMention(s.mention), change]
        return []

    def repeats(self, s: Situation) -> bool:
        """Return whether a message only says an earlier answer again, in a few words."""
        if len(s.whole.text.split()) > _FEW_WORDS:
            return False
        for answered in self._engine.answered(s.conversation):
            if answered.slot.type in NAMED:
                value = self._reader.read(answered, s.mention, asked=False).value
                if value is not None:
                    return bool(value == _value(s.conversation, answered))
        return False

    def blank(self, s: Situation) -> cm.Command | None:
        """Return which answer "no, the other one" takes back: the one named, else the last."""
        if changes := self.changes(s):
            return changes[1]
        answered = self._engine.answered(s.conversation)
        if not answered:
            return None
        words = set(s.whole.text.casefold().split())
        for candidate in answered:
            named = {word for listed in candidate.slot.words.values() for word in listed}
            if words & named:
                return cm.CorrectSlot(candidate.slot.name)
        return cm.CorrectSlot(answered[-1].slot.name)

    def _may_change(self, s: Situation, answered: Expectation) -> bool:
        """Return whether words may change an answer of this type in this situation."""
        kind = answered.slot.type
        if kind in ANYTHING:
            return False
        if kind not in NAMED:
            return True
        expected = self._engine.expectation(s.conversation)
        if kind == "choices" and len(s.whole.text.split()) > _SHORT_WORDS:
            return False
        if s.whole.intent.name == "correction" or takes_back(s.whole.text):
            return True
        return kind != "choices" and (expected is None or expected.is_confirm)


def takes_back(text: str) -> bool:
    """Return whether a text begins like a change of mind: "no, …", "actually …", "doch …"."""
    return _TAKES_BACK.match(text.strip()) is not None


def facts_of(parse: ParseResult) -> dict[str, Json]:
    """Return what a parsed text says about who is writing."""
    return {entity.type: entity.value for entity in parse.entities if entity.type in FACTS}


def is_known(s: Situation, flow: str) -> bool:
    """Return whether a message would only say again who is writing: "8001 Zürich"."""
    types = {entity.type for entity in s.whole.entities}
    signed_in = bool(s.conversation.slots.get("customer_id"))
    return flow == _IDENTIFIES and signed_in and not types & {"order_number", "email"}


def mention_of(parse: ParseResult) -> cm.Mention:
    """Return a parsed text as words that later questions can be answered from."""
    text, places = seen(parse.text)
    entities: list[dict[str, Json]] = []
    for e in parse.entities:
        start, end = (bisect_left(places, at) if places else at for at in (e.start, e.end))
        entities.append({
            "type": e.type, "value": e.value, "text": e.text, "start": start, "end": end,
        })  # fmt: skip
    return cm.Mention(text, parse.language, tuple(entities))


def _value(conversation: Conversation, answered: Expectation) -> Json:
    return conversation.frame(answered.frame_id).slots.get(answered.slot.name)
