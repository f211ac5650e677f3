"""Rasa's NLU training data in YAML: intents with examples in which entities are marked."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from bot.understanding.evaluation import Case
from bot.understanding.result import Entity
from bot.yaml_source import Problem, Where, YamlSource

_MARKED = re.compile(r"\[(?P<words>[^\]]*)\](?:\((?P<kind>[^)]*)\)|(?P<json>\{[^}]*\}))")
_OPENED = re.compile(r"\[[^\]]*(?:$|\](?=[({]))")
_KINDS_BESIDE = frozenset({"synonym", "lookup", "regex"})
_CURE = 'write [words](entity) or [words]{"entity": …, "value": …}'


class WrongMark(ValueError):
    """An entity is not marked as Rasa marks them."""


def rasa_cases(source: YamlSource, problems: list[Problem]) -> Iterator[Case]:
    """Yield the examples of all intents; synonyms, lookup tables and patterns are passed over.

    Args:
        source: a file with the key `nlu`.
        problems: takes what is wrong in the file.
    """
    sections = source.data["nlu"]
    if not isinstance(sections, list):
        problems.append(source.problem(("nlu",), "nlu must be a list", "write - intent: …"))
        return
    for index, section in enumerate(sections):
        where: Where = ("nlu", index)
        if isinstance(section, dict) and _KINDS_BESIDE & section.keys():
            continue
        intent = section.get("intent") if isinstance(section, dict) else None
        if not isinstance(intent, str) or not intent.strip():
            problems.append(source.problem(where, "an entry without intent", "write - intent: …"))
            continue
        found = list(_examples(source, (*where, "examples"), section.get("examples"), problems))
        if not found:
            problem = source.problem(where, f"'{intent}' has no examples", "write examples: |")
            problems.append(problem)
        for text, line in found:
            try:
                plain, entities = unmarked(text)
            except WrongMark as error:
                problems.append(Problem(source.path, line, str(error), _CURE))
                continue
            yield Case(plain, (intent.split("/")[0],), source.path, line, entities=entities)


def _examples(
    source: YamlSource, where: Where, listed: object, problems: list[Problem]
) -> Iterator[tuple[str, int]]:
    """Yield the examples with their lines: those of a block of text, or of a list of texts."""
    first = source.line(where)
    if isinstance(listed, str):
        for number, content in enumerate(listed.split("\n"), first + 1):
            text = content.strip()
            if text and not text.startswith("- "):
                problem = Problem(source.path, number, f"an example begins with '- ': {text}")
                problems.append(problem)
            elif text:
                yield text.removeprefix("- ").strip(), number
    elif isinstance(listed, list):
        for index, item in enumerate(listed):
            said: object = item.get("text") if isinstance(item, dict) else item
            line = source.line((*where, index))
            if not isinstance(said, str) or not said.strip():
                problems.append(Problem(source.path, line, f"not a text: {said!r}"))
            else:
                yield said.strip().removeprefix("- ").strip(), line


def unmarked(text: str) -> tuple[str, tuple[Entity, ...]]:
    """Return a text without its marks, and the entities they marked.

    Raises:
        WrongMark: A mark names no entity, marks no words, or is left open.
    """
    plain, place = "", 0
    entities: list[Entity] = []
    for match in _MARKED.finditer(text):
        plain += text[place : match.start()]
        words = match["words"]
        said = _said(match)
        kind = str(said.get("entity") or "").strip()
        if not kind or not words.strip():
            message = f"'{match.group()}' marks no {'words' if kind else 'entity'}"
            raise WrongMark(message)
        start = len(plain)
        plain += words
        entities.append(Entity(kind, said.get("value", words), words, start, len(plain)))
        place = match.end()
    rest = plain + text[place:]
    if _OPENED.search(_MARKED.sub("", text)):
        message = f"a mark is left open in '{text}'"
        raise WrongMark(message)
    return rest, tuple(entities)


def _said(match: re.Match[str]) -> dict[str, Any]:
    """Return what a mark says of its words: entity, and perhaps value, role and group.

    Raises:
        WrongMark: What stands in braces is not JSON.
    """
    if match["json"] is None:
        kind, _, value = match["kind"].partition(":")
        return {"entity": kind, "value": value} if value else {"entity": kind}
    try:
        said = msgspec.json.decode(match["json"])
    except msgspec.DecodeError as error:
        message = f"'{match['json']}' is not JSON: {error}"
        raise WrongMark(message) from error
    return said if isinstance(said, dict) else {}
