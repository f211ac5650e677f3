"""What can be wrong with training examples that can be read: each with file and line."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from unicodedata import category

import msgspec
import yaml

from bot.understanding.evaluation_rasa import WrongMark, unmarked
from bot.understanding.example_files import example_paths
from bot.understanding.kernel import MOST_EXACT
from bot.understanding.language import LanguageDetector
from bot.understanding.normalise import clean, fold, squeeze, words
from bot.understanding.result import OUT_OF_SCOPE
from bot.yaml_source import Problem, SourceError, Where, YamlSource, nearest

PLACEHOLDERS = ("order_number", "email", "phone", "postcode", "name")
"""What an example may name in braces."""
ENTITIES = (
    "order_number", "email", "phone", "postcode", "name", "product", "color", "size", "material",
    "price_max", "price_min", "date", "quantity", "ordinal", "tracking_number", "rating",
    "excluded_order",
)  # fmt: skip
"""What comes with the repository; a shop's own extractors may find more."""
MOST_EXAMPLES = MOST_EXACT
"""Beyond this some stand for all; a skill needs dozens of examples, not thousands."""
MOST_CHARS = 500
"""Nobody writes more in one wish, and of a longer text only head and tail are encoded."""
_PLACEHOLDER = re.compile(r"\{([^{}\[\]]*)\}")
_LEAST_WORDS = 3
_SHOWN_CHARS = 80
_SURELY = 0.95
_MARK_CURE = "write {order_number}, or the words themselves"


class Written(msgspec.Struct, frozen=True):
    """An example as it stands in a file."""

    text: str
    intent: str
    language: str
    path: str
    line: int

    @property
    def where(self) -> str:
        """Return file and line."""
        return f"{self.path}:{self.line}"

    @property
    def short(self) -> str:
        """Return its beginning, for messages."""
        return self.text if len(self.text) <= _SHOWN_CHARS else f"{self.text[:_SHOWN_CHARS]}…"

    @property
    def words(self) -> str:
        """Return its words alone: two examples with the same ones teach the same."""
        return " ".join(fold(word) for word, _, _ in words(self.text)) or squeeze(self.text)

    def problem(self, message: str, cure: str, *, warning: bool = True) -> Problem:
        """Return a problem at this example."""
        return Problem(self.path, self.line, message, cure, warning)


def written_examples(data: Path, root: Path | None = None) -> list[Written]:
    """Return all examples of skills, patterns and out-of-scope texts, in the order of the files.

    What cannot be read is passed over: loading the examples says what is wrong with it.

    Args:
        data: the folder with `skills/*.yml`, `patterns.yml` and `out_of_scope.yml`.
        root: paths are shown below it.
    """
    found: list[Written] = []
    for path in example_paths(data):
        try:
            source = YamlSource.read(path, root)
        except SourceError:
            continue
        content = source.data if isinstance(source.data, dict) else {}
        if path.name == "patterns.yml":
            below = content.get("intents")
            for intent in below if isinstance(below, dict) else ():
                found.extend(_written(source, ("intents", intent, "examples"), str(intent)))
        elif path.name == "out_of_scope.yml":
            found.extend(_written(source, ("examples",), OUT_OF_SCOPE))
        else:
            found.extend(_written(source, ("examples",), str(content.get("skill") or path.stem)))
    return found


def _written(source: YamlSource, where: Where, intent: str) -> Iterator[Written]:
    content = source.data
    for key in where:
        content = content.get(key) if isinstance(content, dict) else None
    for language, texts in content.items() if isinstance(content, dict) else ():
        for index, text in enumerate(texts if isinstance(texts, list) else ()):
            if isinstance(text, str):
                line = source.line((*where, language, index))
                yield Written(text, intent, str(language), source.path, line)


def check_examples(examples: Sequence[Written], detector: LanguageDetector | None) -> list[Problem]:
    """Return what is wrong with the examples; a sentence that two intents claim is an error.

    Args:
        examples: all of them.
        detector: tells the languages of the bot apart; without it languages are not checked.
    """
    problems = list(_broken(examples))
    problems.extend(_claimed_twice(examples))
    problems.extend(_alone(examples))
    if detector is not None:
        problems.extend(_in_another_language(examples, detector))
    if len(examples) > MOST_EXAMPLES:
        largest = max(_by_intent(examples).values(), key=len)
        message = f"{len(examples)} examples, {len(largest)} of them for '{largest[0].intent}'; "
        message += f"beyond {MOST_EXAMPLES} a part stands for all, and training takes minutes"
        cure = "keep those that differ: a few dozen for each intent and language"
        problems.append(largest[0].problem(message, cure))
    return problems


def read_detector(data: Path, languages: Sequence[str]) -> LanguageDetector | None:
    """Return what tells the languages apart, or None where their word list cannot be read."""
    path = data / "lexicons" / "language_markers.yml"
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
        markers = msgspec.convert(listed, dict[str, str], strict=False)
    except (OSError, yaml.YAMLError, msgspec.ValidationError):
        return None
    return LanguageDetector(languages, {key: text.split() for key, text in markers.items()})


def _by_intent(examples: Sequence[Written]) -> dict[str, list[Written]]:
    grouped: dict[str, list[Written]] = defaultdict(list)
    for example in examples:
        grouped[example.intent].append(example)
    return grouped


def _broken(examples: Sequence[Written]) -> Iterator[Problem]:
    """Find examples that say nothing, are too long, or are wrongly marked."""
    for example in examples:
        if not squeeze(clean(example.text)):
            message = f"an empty example of '{example.intent}' ({example.language})"
            yield example.problem(message, "remove it, or write a sentence")
        elif not _says_something(example.text):
            message = f"an example of '{example.intent}' without words: “{example.short}”"
            yield example.problem(message, "remove it, or write a sentence")
        elif len(example.text) > MOST_CHARS:
            message = f"an example of {len(example.text)} characters: “{example.short}”"
            cure = "write one wish as a customer would, in a sentence or two"
            yield example.problem(message, cure)
        else:
            yield from _marks(example)


def _says_something(text: str) -> bool:
    """Return whether a text holds a letter, a digit or a sign such as 👍, and not only “?!”."""
    return any(category(sign)[0] in "LNS" for sign in text)


def _marks(example: Written) -> Iterator[Problem]:
    try:
        plain, marked = unmarked(example.text)
    except WrongMark as error:
        yield example.problem(str(error), "write [words](entity)")
        return
    for entity in marked:
        if entity.type not in ENTITIES:
            cure = nearest(entity.type, ENTITIES, "entities")
            message = f"'{entity.text}' is marked as '{entity.type}', which the bot does not find"
            yield example.problem(message, cure)
    for match in _PLACEHOLDER.finditer(plain):
        if match[1] not in PLACEHOLDERS:
            cure = nearest(match[1], PLACEHOLDERS, "placeholders") if match[1] else _MARK_CURE
            yield example.problem(f"'{match[0]}' stands for nothing", cure)


def _claimed_twice(examples: Sequence[Written]) -> Iterator[Problem]:
    """Find sentences of two intents: the same signs are an error, the same words a warning."""
    owners: dict[str, Written] = {}
    for example in examples:
        if not squeeze(example.text):
            continue
        other = owners.setdefault(example.words, example)
        if other.intent == example.intent:
            continue
        same = squeeze(other.text).casefold() == squeeze(example.text).casefold()
        beside = "" if same else f" as “{other.short}”"
        also = f"also stands in '{other.intent}'{beside} ({other.where})"
        yield example.problem(
            f"the example “{example.short}” {also}",
            f"keep it in '{other.intent}' or in '{example.intent}'",
            warning=not same,
        )


def _alone(examples: Sequence[Written]) -> Iterator[Problem]:
    for intent, some in _by_intent(examples).items():
        if len({example.words for example in some}) == 1:
            cure = "give at least 8, in the words of different people"
            yield some[0].problem(f"'{intent}' has one example only", cure)


def _in_another_language(
    examples: Sequence[Written], detector: LanguageDetector
) -> Iterator[Problem]:
    strange: set[str] = set()
    for example in examples[:MOST_EXAMPLES]:
        if example.language not in detector.languages:
            if example.language not in strange:
                message = f"examples under '{example.language}', which is none of the languages"
                cure = nearest(example.language, detector.languages, "languages")
                yield example.problem(message, cure)
            strange.add(example.language)
            continue
        if len(words(example.text)) < _LEAST_WORDS:
            continue
        found, sure = detector.detect(example.text, example.language)
        if found != example.language and sure >= _SURELY:
            message = (
                f"“{example.short}” stands under '{example.language}' and reads like '{found}'"
            )
            yield example.problem(message, f"move it below '{found}:'")
