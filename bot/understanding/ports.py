"""What the parts of the pipeline have to be able to do; `config.yml` replaces any of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec

from bot.conversation import Conversation
from bot.engine import Engine
from bot.flows import FlowSet
from bot.understanding.encoder import Encoder
from bot.understanding.entities import EntitySettings, LiveWords
from bot.understanding.examples import Example
from bot.understanding.result import Entity, Intent, Sentiment
from bot.understanding.router import Parser, Understood
from bot.understanding.thresholds import Thresholds

__all__ = [
    "CommandProposer",
    "Encoder",
    "EntityExtractor",
    "IntentClassifier",
    "LanguageDetector",
    "Normaliser",
    "Parser",
    "Proposal",
    "ProposalRequest",
    "Router",
    "RouterParts",
    "SentimentScorer",
    "Workshop",
]


class LanguageDetector(Protocol):
    """Tells the language of a text."""

    def detect(self, text: str, hint: str | None = None) -> tuple[str, float]:
        """Return an ISO 639-1 code and a score in [0, 1]; `hint` when the text says nothing."""


class Normaliser(Protocol):
    """Makes texts fit to be read."""

    def clean(self, text: str) -> str:
        """Return the text without what libraries choke on; every offset stays where it is."""

    def corrected(self, text: str) -> str:
        """Return a masked text as its writer meant to spell it; offsets do not matter."""


class IntentClassifier(Protocol):
    """Ranks the intents of texts."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the intents it knows."""

    def rank(self, masked: Sequence[str]) -> list[tuple[Intent, ...]]:
        """Return per text its intents, best first, with calibrated confidences in [0, 1]."""


class EntityExtractor(Protocol):
    """Finds what has a value in a text."""

    def extract(
        self, text: str, language: str, now: datetime, expected: Collection[str] = ()
    ) -> tuple[Entity, ...]:
        """Return entities in the order of the text; those of one extractor do not overlap.

        Args:
            text: cleaned text.
            language: of the text.
            now: aware moment the text was written.
            expected: entity types the bot has just asked for.
        """


class SentimentScorer(Protocol):
    """Reads the mood of a text."""

    def score(self, text: str, language: str, spoken: tuple[str, str] = ("", "")) -> Sentiment:
        """Return the mood of a cleaned text.

        Args:
            text: cleaned text.
            language: of the text.
            spoken: the text with its entities masked, and what of it the intent was read from.
        """


class Router(Protocol):
    """Sets words against the conversation."""

    def understand(
        self, text: str, conversation: Conversation, now: datetime, *, attached: bool = False
    ) -> Understood:
        """Return the reading of a message in its conversation; `attached` if files came with it."""


class ProposalRequest(msgspec.Struct, frozen=True):
    """A message that nothing here could read, with the closed lists of what may be proposed.

    Args:
        text: the customer's words.
        language: ISO 639-1 code, "" when it is not known.
        skills: id → title in that language.
        open_skill: the skill whose question is open, or "".
        open_slot: the slot it asks for, or "".
        choices: of the open question: value → title; a yes to a plan is never among them.
    """

    text: str
    language: str
    skills: Mapping[str, str]
    open_skill: str = ""
    open_slot: str = ""
    choices: Mapping[str, str] = msgspec.field(default_factory=dict)


class Proposal(msgspec.Struct, frozen=True):
    """What may be meant: one of the request's `skills`, or one of its `choices`."""

    skill: str = ""
    choice: str = ""


class CommandProposer(Protocol):
    """A language model or another helper that may propose and never decides."""

    def propose(self, request: ProposalRequest) -> Sequence[Proposal]:
        """Return proposals, likeliest first; what is not on the request's lists is dropped."""


Mask: TypeAlias = Callable[[str], str]


class Workshop(msgspec.Struct, frozen=True):
    """What factories of components get to work with.

    Args:
        models_dir: where trained models and caches lie.
        data_dirs: folders with skills and word lists.
        lexicons: the folder with the word lists.
        languages: ISO 639-1 codes; the first is the default.
        entities: what extractors know about the shop.
        examples: the training sentences, read when called.
        mask: replaces the entities of an example by their kind.
        words: tells of changes in the shop's catalogue.
        encoder: the pipeline's encoder; None only while the encoder itself is made.
    """

    models_dir: Path
    data_dirs: tuple[Path, ...]
    lexicons: Path
    languages: tuple[str, ...]
    entities: EntitySettings
    examples: Callable[[], Sequence[Example]]
    mask: Mask
    words: LiveWords = msgspec.field(default_factory=LiveWords)
    encoder: Encoder | None = None

    def path(self, given: str) -> Path:
        """Return a path that `config.yml` names, relative to the folder it lies in."""
        return self.data_dirs[0].parent / given


class RouterParts(msgspec.Struct, frozen=True):
    """What factories of routers get to work with.

    Args:
        parser: reads a text on its own.
        engine: knows the open question.
        flows: the skills.
        thresholds: how sure a reading must be.
        data: the folder with `lexicons/`.
    """

    parser: Parser
    engine: Engine
    flows: FlowSet
    thresholds: Thresholds
    data: Path
