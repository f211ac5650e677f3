"""Training examples: where they lie and what they must look like."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bot.understanding.normalise import clean, squeeze
from bot.understanding.result import OUT_OF_SCOPE
from bot.yaml_source import Problem, SourceError, Where, YamlSource

_PLACEHOLDER = re.compile(r"\{(\w+)\}|\[([^\]]+)\]\(\w+\)")
_PLACEHOLDERS = {
    "order_number": "TR-104711",
    "email": "jo@example.org",
    "phone": "0151 23456789",
    "postcode": "10115",
    "name": "Jana",
}


class TrainingDataError(ValueError):
    """A file with training examples cannot be read; the message names file and place."""

    def __init__(self, message: str, *problems: Problem) -> None:
        """Keep the problems for whoever shows them beside others."""
        self.problems = problems
        super().__init__(message)


class Example(msgspec.Struct, frozen=True):
    """One sentence a customer might write, and what it means.

    `path` and `line` (1-based) tell where it stands, if it comes from a file.
    """

    text: str
    intent: str
    language: str
    path: str = ""
    line: int = 0


def load_examples(data_dirs: Sequence[Path]) -> list[Example]:
    """Read the examples of all skills, patterns and out-of-scope texts.

    A sentence that occurs twice under the same intent counts once.

    Args:
        data_dirs: folders with `skills/*.yml`, `patterns.yml`, `out_of_scope.yml`.

    Raises:
        TrainingDataError: a file is not YAML, or its examples are not lists of texts.
    """
    found: dict[tuple[str, str], Example] = {}
    for folder in data_dirs:
        for path in sorted((folder / "skills").glob("*.yml")):
            source = _read(path)
            intent = str(_mapping(source, ()).get("skill") or path.stem)
            _collect(found, _examples(source, ("examples",), intent))
        patterns, outside = folder / "patterns.yml", folder / "out_of_scope.yml"
        if patterns.is_file():
            source = _read(patterns)
            for intent in _mapping(source, ("intents",)):
                _collect(found, _examples(source, ("intents", intent, "examples"), intent))
        if outside.is_file():
            _collect(found, _examples(_read(outside), ("examples",), OUT_OF_SCOPE))
    return list(found.values())


def _collect(found: dict[tuple[str, str], Example], examples: Iterator[Example]) -> None:
    for example in examples:
        found.setdefault((example.intent, example.text.casefold()), example)


def _examples(source: YamlSource, where: Where, intent: str) -> Iterator[Example]:
    for language, texts in _mapping(source, where).items():
        place = (*where, language)
        if not isinstance(texts, list):
            raise _wrong(source, place, f"examples.{language} of {intent} must be a list of texts")
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                what = f"example {index + 1} ({language}) of {intent} is not a text: {text!r}"
                raise _wrong(source, (*place, index), f"{what}; put it in quotes")
            plain = squeeze(clean(_PLACEHOLDER.sub(_fill, text)))
            if plain:
                line = source.line((*place, index))
                yield Example(plain, intent, language, source.path, line)


def _fill(match: re.Match[str]) -> str:
    return match.group(2) or _PLACEHOLDERS.get(match.group(1), match.group(1))


def _read(path: Path) -> YamlSource:
    try:
        return YamlSource.read(path)
    except SourceError as error:
        raise TrainingDataError(str(error), *error.problems) from error


def _mapping(source: YamlSource, where: Where) -> dict[str, object]:
    content: object = source.data
    for key in where:
        content = content.get(key) if isinstance(content, dict) else None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise _wrong(source, where, f"{'.'.join(map(str, where)) or 'the file'} must be a mapping")
    return {str(key): value for key, value in content.items()}


def _wrong(source: YamlSource, where: Where, what: str) -> TrainingDataError:
    message = f"{source.path}:{source.line(where)}: {what}"
    return TrainingDataError(message, source.problem(where, what))
