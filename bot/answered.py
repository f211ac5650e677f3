"""Finds in the event store which questions were answered, by the marks of customers and operators.

A customer marks the answer before by thanking for it or with four or five stars. What an operator
writes is an answer by itself: a bot event whose metadata names the `operator`.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

import msgspec

from bot.events import BotUttered, FlowStarted, SlotSet, UserUttered, from_wire
from bot.messages import utc_now
from bot.storage.ports import EventStore, StoredEvent
from bot.understanding.entities import EntityExtractor, EntitySettings
from bot.understanding.normalise import mask
from knowledge.suggestions import AnsweredQuestion, Marker

ANSWERING = frozenset({"store_faq", "product_question"})
THANKS = "thanks"
RATING = "rating"
GOOD = 4
_PAGE = 200
_WHO = ("name", "email", "phone", "address", "street", "city", "postcode")
PERSONAL = frozenset({
    "order_number", "excluded_order", "tracking_number", "email", "phone", "postcode", "name",
})  # fmt: skip
"""The entities that say who somebody is, or lead to them."""
_STREET = re.compile(
    r"\b[A-ZÄÖÜ][\w.-]*(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|damm|ufer)\s*\d+\s?[a-z]?\b"
    r"|\b\d+\s+(?:[A-Z]\w+\s+){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive)\b"
)
_NUMBER = re.compile(r"\b[A-Z]{0,2}\d(?:[ -]?\d){6,}\b")
_PIECE = re.compile(r"[^\n]{1,1500}(?!\S)|[^\n]{1,1500}")
"""What the extractor reads at once; a word is not torn."""
_KINDS = {
    "order_number": "ORDER", "excluded_order": "ORDER", "tracking_number": "TRACKING",
    "name": "PERSON",
}  # fmt: skip
_SOURCE_LINE = re.compile(r"\n\s*(?:Source|Quelle):[^\n]*\s*\Z")


class _Turn(msgspec.Struct):
    """A question of a conversation, and what came after it until the next one."""

    question: UserUttered
    at: StoredEvent
    flows: set[str] = msgspec.field(default_factory=set)
    answers: list[str] = msgspec.field(default_factory=list)
    by_operator: list[str] = msgspec.field(default_factory=list)
    is_praised: bool = False


def personal_mask(order_number_pattern: str) -> Callable[[str], str]:
    """Return what replaces personal data by what it is.

    Args:
        order_number_pattern: the shop's, a regular expression.
    """
    extractor = EntityExtractor(EntitySettings(order_number_pattern=order_number_pattern))

    def masked(text: str) -> str:
        found = extractor.extract(text, "en", utc_now())
        named = mask(text, [entity for entity in found if entity.type in PERSONAL])
        return _NUMBER.sub("NUMBER", _STREET.sub("ADDRESS", named))

    return masked


def personal_spans(order_number_pattern: str) -> Callable[[str], list[tuple[int, int, str, str]]]:
    """Return what finds personal data: start, end, kind and usual form. Some may overlap.

    Args:
        order_number_pattern: the shop's, a regular expression.
    """
    extractor = EntityExtractor(EntitySettings(order_number_pattern=order_number_pattern))

    def spans(text: str) -> list[tuple[int, int, str, str]]:
        found = []
        for piece in _PIECE.finditer(text):
            begin = piece.start()
            for one in extractor.extract(piece[0], "en", utc_now()):
                if one.type in PERSONAL:
                    kind, value = _KINDS.get(one.type, one.type.upper()), str(one.value or one.text)
                    found.append((begin + one.start, begin + one.end, kind, value))
        for pattern, kind in ((_STREET, "ADDRESS"), (_NUMBER, "NUMBER")):
            found += [(m.start(), m.end(), kind, m[0]) for m in pattern.finditer(text)]
        return found

    return spans


async def answered_questions(events: EventStore, language: str) -> AsyncIterator[AnsweredQuestion]:
    """Yield every question that is marked as answered.

    Args:
        events: the store.
        language: of a message whose own was not recorded.

    Raises:
        StorageError: the store cannot be read.
    """
    after = ""
    while page := await events.conversations(after, _PAGE):
        after = page[-1].conversation_id
        for info in page:
            stored, _ = await events.load(info.conversation_id)
            for item in marked(stored, language):
                yield item


def marked(stored: Sequence[StoredEvent], language: str) -> Iterator[AnsweredQuestion]:
    """Yield the marked questions of one conversation; what a slot knows of the customer is cut."""
    turns = _turns(stored)
    secrets = said_in_slots(stored)
    for turn, follow in zip(turns, [*turns[1:], None], strict=True):
        marker: Marker = "operator"
        answers = turn.by_operator
        thanked = follow is not None and THANKS in follow.flows
        if not answers and turn.flows & ANSWERING and (thanked or turn.is_praised):
            marker, answers = "customer", turn.answers
        if not answers:
            continue
        told = turn.question.parse_data.get("language")
        question, answer = turn.question.text, _SOURCE_LINE.sub("", "\n\n".join(answers).strip())
        question, answer = without(question, secrets), without(answer, secrets)
        spoken = str(told.get("code", "")) if isinstance(told, dict) else str(told or "")
        yield AnsweredQuestion(question, answer, spoken or language, marker, turn.at.at)


def _turns(stored: Sequence[StoredEvent]) -> list[_Turn]:
    turns: list[_Turn] = []
    asked: _Turn | None = None
    for item in stored:
        event = from_wire(item.data)
        if isinstance(event, UserUttered):
            is_typed = bool(event.text.strip()) and not event.text.startswith("/")
            turns.append(_Turn(event, item))
            asked = turns[-1] if is_typed else asked
        elif turns and isinstance(event, FlowStarted):
            turns[-1].flows.add(event.flow_id)
        elif turns and isinstance(event, BotUttered) and event.text:
            if event.metadata.get("operator") and asked is not None:
                asked.by_operator.append(event.text)
            else:
                turns[-1].answers.append(event.text)
        elif isinstance(event, SlotSet) and event.name == RATING and _is_good(event.value):
            for turn in reversed(turns):
                if turn.flows & ANSWERING:
                    turn.is_praised = True
                    break
    return turns


def _is_good(value: object) -> bool:
    return isinstance(value, int | float) and value >= GOOD


def said_in_slots(stored: Sequence[StoredEvent]) -> list[str]:
    """Return what slots hold that says who somebody is, the longest first."""
    slots = [
        (str(item.data.get("name", "")), item.data.get("value"))
        for item in stored
        if item.data.get("event") == "slot"
    ]
    return sorted({value for _, value in named_in_slots(slots)}, key=len, reverse=True)


def named_in_slots(slots: Iterable[tuple[str, object]]) -> set[tuple[str, str]]:
    """Return those names and values of slots that say who somebody is."""
    return {found for name, value in slots for found in _personal(name, value)}


def without(text: str, secrets: Iterable[str]) -> str:
    """Return a text with PERSON instead of what says who somebody is, however it is written."""
    for secret in secrets:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "PERSON", text, flags=re.IGNORECASE)
    return text


def _personal(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield what a slot holds that says who somebody is; an address may be a mapping."""
    if isinstance(value, dict) and "address" in name:
        for key, part in value.items():
            yield from _personal(str(key), part)
    elif isinstance(value, str) and "product" not in name and any(w in name for w in _WHO):
        yield from [(name, value.strip())] if len(value.strip()) > 2 else []
