"""Builds the parser from the data folders and the pipeline's settings."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec

from bot.understanding.batching import BatchedEncoder
from bot.understanding.clauses import ClauseSplitter
from bot.understanding.courtesies import Courtesies, CourtesyWords
from bot.understanding.encoder import Encoder
from bot.understanding.entities import EntityExtractor, EntitySettings, LiveWords
from bot.understanding.entities_joined import JoinedExtractors
from bot.understanding.examples import Example, load_examples
from bot.understanding.kept_mask import KeptMask
from bot.understanding.memory import give_back
from bot.understanding.normalise import mask
from bot.understanding.parser import Parser
from bot.understanding.pipeline import Pipeline, make
from bot.understanding.ports import EntityExtractor as EntityPort
from bot.understanding.ports import Workshop
from bot.understanding.standard import LexiconError, converted, word_lists

_EXAMPLE_ORDERS = r"[A-Z]{2}-?\d{6}|#?W\d{7}"
_EXAMPLES_READ_AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
"""One moment for all, so that the same examples give the same model on any day."""
_WARM_UP = "Hallo, wo bleibt meine Bestellung vom 3. November?"


class ParserSettings(msgspec.Struct, frozen=True):
    """What the parser is built from.

    Args:
        models_dir: where trained models and the embedding cache lie.
        data_dirs: folders with `skills/`, `patterns.yml`, `out_of_scope.yml`; the first one
            that has it gives `lexicons/`.
        languages: ISO 639-1 codes; the first is the default.
        pipeline: which component plays which role.
        entities: what the extractors know about the shop.
        words: tells them of changes in its catalogue.
    """

    models_dir: Path
    data_dirs: tuple[Path, ...]
    languages: tuple[str, ...] = ("de", "en")
    pipeline: Pipeline = Pipeline()
    entities: EntitySettings = msgspec.field(default_factory=EntitySettings)
    words: LiveWords = msgspec.field(default_factory=LiveWords)


def open_encoder(settings: ParserSettings) -> Encoder:
    """Return the pipeline's encoder behind its cache, for many threads at once.

    Raises:
        LexiconError: there is no folder with word lists.
        SourceError: its package is missing, or it cannot be made with its options.
    """
    encoder = make(settings.pipeline.encoder, _workshop(settings))
    return BatchedEncoder(encoder, settings.pipeline.encoder_cache_size)


def build_parser(settings: ParserSettings, encoder: Encoder | None = None) -> Parser:
    """Load or train the models and put the parser together.

    Args:
        settings: of the shop and the pipeline.
        encoder: an encoder to share; built from the settings when missing.

    Raises:
        LexiconError: a word list is missing or has the wrong form.
        SourceError: a component's package is missing, or its options do not fit.
        TrainingDataError: an example file is not readable.
        TooFewExamplesError: there are examples of fewer than two intents.
        re.error: the order number pattern is not a regular expression.
        ZoneInfoNotFoundError: the time zone does not exist.
    """
    pipeline = settings.pipeline
    workshop = _workshop(settings)
    own = encoder or BatchedEncoder(make(pipeline.encoder, workshop), pipeline.encoder_cache_size)
    workshop = msgspec.structs.replace(workshop, encoder=own)
    extractors: list[EntityPort] = [make(each, workshop) for each in pipeline.entity_extractors]
    parser = Parser(
        language=make(pipeline.language, workshop),
        intents=make(pipeline.intent_classifier, workshop),
        entities=extractors[0] if len(extractors) == 1 else JoinedExtractors(extractors),
        sentiment=make(pipeline.sentiment, workshop),
        clauses=_clauses(workshop.lexicons),
        normaliser=make(pipeline.normaliser, workshop),
    )
    parser.parse(_WARM_UP)
    give_back()
    return parser


def _clauses(lexicons: Path) -> ClauseSplitter:
    courtesies = converted(lexicons / "courtesies.yml", CourtesyWords)
    return ClauseSplitter(word_lists(lexicons / "clauses.yml"), Courtesies(courtesies))


def _workshop(settings: ParserSettings) -> Workshop:
    lexicons = next(
        (folder / "lexicons" for folder in settings.data_dirs if (folder / "lexicons").is_dir()),
        None,
    )
    if lexicons is None:
        message = f"no lexicons folder in {', '.join(map(str, settings.data_dirs))}"
        raise LexiconError(message)

    @cache
    def examples() -> tuple[Example, ...]:
        return tuple(load_examples(settings.data_dirs))

    return Workshop(
        models_dir=settings.models_dir,
        data_dirs=settings.data_dirs,
        lexicons=lexicons,
        languages=settings.languages,
        entities=settings.entities,
        examples=examples,
        mask=example_mask(settings.models_dir),
        words=settings.words,
    )


def example_mask(models_dir: Path) -> KeptMask:
    """Return what replaces entities in training examples by their kind, for any shop.

    Args:
        models_dir: where it keeps what it has read.
    """

    @cache
    def extractor() -> EntityExtractor:
        return EntityExtractor(EntitySettings(order_number_pattern=_EXAMPLE_ORDERS))

    def masked(text: str) -> str:
        return mask(text, extractor().extract(text, "en", _EXAMPLES_READ_AT))

    return KeptMask(masked, models_dir / "masks.json", f"{_EXAMPLE_ORDERS} {_EXAMPLES_READ_AT}")
