"""Entities by spaCy: patterns of your own, or a trained pipeline (extra `spacy`)."""

import json
import threading
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.understanding.pipeline import ComponentInvalid
from bot.understanding.ports import Workshop
from bot.understanding.result import Entity

_SCORE = 0.9
_MAX_CHARS = 2_000
_UNUSED = ("tagger", "parser", "lemmatizer", "attribute_ruler", "morphologizer", "senter")
_TYPES = {"PER": "name", "PERSON": "name"}
_RULER = "tresen_patterns"


class SpacyExtractor:
    """Entities of spaCy pipelines, one per language. Thread-safe.

    Args:
        pipelines: language → spaCy pipeline; a language without one finds nothing.
        types: spaCy's label → our entity type; others keep their label in lower case.
    """

    def __init__(self, pipelines: Mapping[str, Any], types: Mapping[str, str]) -> None:
        self._pipelines = dict(pipelines)
        self._types = {**_TYPES, **types}
        self._lock = threading.Lock()  # a pipeline learns new words while it reads

    def extract(
        self, text: str, language: str, now: datetime, expected: Collection[str] = ()
    ) -> tuple[Entity, ...]:
        """Return entities in the order of the text; an `id` of a pattern is the value.

        Args:
            text: cleaned text; only the first 2,000 characters are read.
            language: of the text.
            now: not used.
            expected: not used.
        """
        pipeline = self._pipelines.get(language)
        if pipeline is None or not text.strip():
            return ()
        with self._lock:
            spans = pipeline(text[:_MAX_CHARS]).ents
        return tuple(
            Entity(
                self._types.get(span.label_, span.label_.lower()),
                span.ent_id_ or span.text,
                span.text,
                span.start_char,
                span.end_char,
                _SCORE,
            )
            for span in spans
        )


def make(
    workshop: Workshop,
    *,
    patterns: str = "",
    models: dict[str, str] | None = None,
    types: dict[str, str] | None = None,
) -> SpacyExtractor:
    """Return an extractor with patterns, trained pipelines, or both.

    Args:
        workshop: for the languages.
        patterns: a JSON Lines file of spaCy's entity ruler, {"label", "pattern", "id"} a line;
            a pattern that is a text is found in upper and lower case alike.
        models: language → name of an installed pipeline, or a folder.
        types: spaCy's label → our entity type.

    Raises:
        ComponentInvalid: there is neither, a pattern is wrong, or a pipeline cannot be loaded.
        ImportError: the extra `spacy` is not installed.
    """
    import spacy

    if not patterns and not models:
        message = "needs patterns, models or both"
        raise ComponentInvalid(message)
    listed = _patterns(workshop.path(patterns)) if patterns else []
    pipelines: dict[str, Any] = {}
    for language in workshop.languages:
        named = (models or {}).get(language, "")
        if not named and not listed:
            continue
        pipeline = _loaded(spacy, workshop, named) if named else spacy.blank(language)
        if listed:
            _add_patterns(pipeline, listed, patterns)
        pipelines[language] = pipeline
    return SpacyExtractor(pipelines, types or {})


def _loaded(spacy: Any, workshop: Workshop, named: str) -> Any:  # noqa: ANN401 - spaCy's pipelines are untyped here
    """Return a trained pipeline without the parts that find no entities.

    Raises:
        ComponentInvalid: there is none, or it has no entity recogniser.
    """
    try:
        folder = workshop.path(named)
        pipeline = spacy.load(folder if folder.is_dir() else named, exclude=list(_UNUSED))
    except (OSError, ValueError, ImportError) as error:
        message = f"the pipeline {named} cannot be loaded: {error}"
        raise ComponentInvalid(message) from error
    if not {"ner", "entity_ruler", "span_ruler"}.intersection(pipeline.pipe_names):
        message = f"the pipeline {named} finds no entities: it has {pipeline.pipe_names}"
        raise ComponentInvalid(message)
    return pipeline


def _patterns(path: Path) -> list[dict[str, Any]]:
    """Return the patterns of a file.

    Raises:
        ComponentInvalid: it cannot be read, or a line is no pattern; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise ComponentInvalid(message) from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except ValueError as error:
            message = f"{path}:{number}: not JSON: {error}"
            raise ComponentInvalid(message) from error
        pattern = data.get("pattern") if isinstance(data, dict) else None
        if not isinstance(pattern, str | list) or not pattern or not data.get("label"):
            message = f'{path}:{number}: a pattern is {{"label": …, "pattern": text or list}}'
            raise ComponentInvalid(message)
        found.append(data)
    return found


def _add_patterns(pipeline: Any, patterns: list[dict[str, Any]], path: str) -> None:  # noqa: ANN401
    """Add patterns in front of what a pipeline finds by itself.

    Raises:
        ComponentInvalid: spaCy refuses one.
    """
    first = pipeline.pipe_names[0] if pipeline.pipe_names else None
    before = "ner" if "ner" in pipeline.pipe_names else first
    config = {"phrase_matcher_attr": "LOWER", "validate": True}
    ruler = pipeline.add_pipe("entity_ruler", name=_RULER, before=before, config=config)
    try:
        ruler.add_patterns(patterns)
    except (ValueError, TypeError, KeyError) as error:
        message = f"{path}: {error}"
        raise ComponentInvalid(message) from error
