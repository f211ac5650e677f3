"""The port that a language model fills, and the words that go to it and come back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from desk.errors import DeskError

By = Literal["customer", "bot", "operator", "desk", "help"]
State = Literal["ready", "pending", "withheld", "failed"]


class ModelFailed(DeskError):
    """The language model wrote nothing.

    Args:
        why: in one word, nothing of what it was asked or said.
    """

    def __init__(self, why: str) -> None:
        """Say why."""
        super().__init__(why)
        self.why = why


class LanguageModel(ABC):
    """Writes a text; it knows nothing but what it is given, and nothing is done with its help."""

    @abstractmethod
    async def write(self, instructions: str, material: str) -> str:
        """Return what it writes by the instructions from the material, which is data.

        Raises:
            ModelFailed: it cannot be reached, takes no more, refuses, or stops in the middle.
        """

    async def close(self) -> None:
        """Let go of its connections."""
        return


class Line(msgspec.Struct, frozen=True):
    """Something that a text may rest on, and whose words these are."""

    by: By
    text: str


class Source(msgspec.Struct, frozen=True):
    """What a text about a case is written from.

    Args:
        case_id: of which case.
        language: ISO 639-1 code of the text that is wanted.
        facts: what the desk folded from the events.
        talk: the conversation, oldest first.
        help: texts of the shop that could answer.
        names: what people and orders of this case are called, with the kind of placeholder.
        slots: name and value of what the bot learnt.
        redacted_at: when content was last taken out of the conversation.
    """

    case_id: str
    language: str
    facts: tuple[Line, ...]
    talk: tuple[Line, ...]
    help: tuple[Line, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    slots: tuple[tuple[str, Any], ...] = ()
    redacted_at: datetime | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What came of asking for a text.

    Args:
        state: withheld is a text that rests on nothing; failed is none at all.
        parts: the text by the names of its parts.
        only_customer: amounts, dates and shares in it that nobody but the customer named.
        is_old: something was said since.
        why: of a text that is not shown, in one word.
    """

    state: State
    parts: dict[str, str] = msgspec.field(default_factory=dict)
    only_customer: tuple[str, ...] = ()
    is_old: bool = False
    why: str = ""


class Span(msgspec.Struct, frozen=True):
    """A place in a text that holds personal data; `value` is what it says, in its usual form."""

    start: int
    end: int
    kind: str
    value: str


Finds = Callable[[str], Sequence[Span]]
"""Returns the places of a text that hold personal data; they do not overlap."""
Hides = Callable[[Iterable[tuple[str, Any]], Iterable[tuple[str, str]]], Finds]
"""Returns what finds personal data in the texts of a case, by its slots and by its names."""
