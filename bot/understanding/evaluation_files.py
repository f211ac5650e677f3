"""Test files of `tresen nlu test`: CSV, JSON lines, YAML, and Rasa's training data."""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from bot.understanding.evaluation import Case
from bot.understanding.evaluation_rasa import rasa_cases
from bot.understanding.result import Entity
from bot.yaml_source import Problem, SourceError, Where, YamlSource, nearest

_FORMS: Final = "CSV (text,intent[,language,entities]), JSON lines, YAML, or Rasa NLU YAML"
_MOST_PROBLEMS = 20
_YAML = frozenset({".yml", ".yaml", ".json"})
"""JSON is YAML as well."""
_FIELDS = ("text", "intent", "language", "entities")
_ITEM_CURE = "write text: and intent:, or intent: and a list of texts per language"


def read_cases(path: Path, known: Collection[str], languages: Sequence[str]) -> list[Case]:
    """Return the texts of a test file with what they mean.

    Args:
        path: the file; its ending says its form.
        known: the intents there are.
        languages: ISO 639-1 codes of the languages there are.

    Raises:
        SourceError: The file cannot be read, has another form, names an intent that does not
            exist, or marks an entity where it does not stand; with file and line of each.
    """
    text = _read(path)
    readers: Mapping[str, Callable[[str, str, list[Problem]], Iterator[Case]]] = {
        ".csv": _csv, ".tsv": _csv, ".jsonl": _json_lines,
    }  # fmt: skip
    problems: list[Problem] = []
    if path.suffix.lower() in _YAML:
        cases = list(_yaml(YamlSource(str(path), text), languages, problems))
    elif (reader := readers.get(path.suffix.lower())) is not None:
        cases = list(reader(str(path), text, problems))
    else:
        raise SourceError([Problem(str(path), 1, "no known kind of test file", f"give {_FORMS}")])
    problems.extend(_unknown(cases, known))
    if not cases and not problems:
        problems.append(Problem(str(path), 1, "there is no text to test", f"give {_FORMS}"))
    if problems:
        raise SourceError(_first(sorted(problems, key=lambda problem: problem.line)))
    return cases


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problem = Problem(str(path), line, "not UTF-8", "save the file as UTF-8")
        raise SourceError([problem]) from error
    except OSError as error:
        raise SourceError([Problem(str(path), 1, f"cannot be read: {error.strerror}")]) from error


def _first(problems: list[Problem]) -> list[Problem]:
    """Return the first problems, and how many more there are."""
    if len(problems) <= _MOST_PROBLEMS:
        return problems
    more = problems[_MOST_PROBLEMS]
    rest = len(problems) - _MOST_PROBLEMS
    return [
        *problems[:_MOST_PROBLEMS],
        Problem(more.path, more.line, f"and {rest} more like these"),
    ]


def _unknown(cases: Iterable[Case], known: Collection[str]) -> Iterator[Problem]:
    """Yield each intent that does not exist, once."""
    places: dict[str, list[Case]] = {}
    for case in cases:
        for intent in case.intents:
            if intent not in known:
                places.setdefault(intent, []).append(case)
    for intent, named in places.items():
        more = f", which {len(named) - 1} more texts name" if len(named) > 1 else ""
        message = f"there is no intent '{intent}'{more}"
        yield Problem(named[0].path, named[0].line, message, nearest(intent, known, "intents"))


def _csv(path: str, text: str, problems: list[Problem]) -> Iterator[Case]:
    head = text.partition("\n")[0]
    delimiter = max("\t;,", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        missing = [name for name in ("text", "intent") if name not in (reader.fieldnames or ())]
        if missing:
            message = f"the first line names no column '{missing[0]}'"
            problems.append(Problem(path, 1, message, "begin with: text,intent"))
            return
        line = reader.line_num + 1
        for row in reader:
            if None in row or None in row.values():
                message = f"{sum(v is not None for v in row.values())} cells under "
                message += f"{len(reader.fieldnames or ())} columns"
                cure = "put texts with commas in quotes"
                problems.append(Problem(path, line, message, cure))
            else:
                yield from _record(path, line, dict(row), problems)
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(path, line, f"not valid CSV: {error}", "close every quote"))


def _json_lines(path: str, text: str, problems: list[Problem]) -> Iterator[Case]:
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            record = msgspec.json.decode(content)
        except msgspec.DecodeError as error:
            cure = 'one object a line: {"text": …, "intent": …}'
            problems.append(Problem(path, line, f"not valid JSON: {error}", cure))
            continue
        if isinstance(record, dict):
            yield from _record(path, line, record, problems)
        else:
            problems.append(Problem(path, line, "not an object", "write text and intent"))


def _record(
    path: str, line: int, record: Mapping[str, Any], problems: list[Problem]
) -> Iterator[Case]:
    """Yield the case of a record unless something is wrong with it."""
    text, intents = record.get("text"), _names(record.get("intent"))
    wrong = ""
    if not isinstance(text, str) or not text.strip():
        wrong = "text is not a text" if text and not isinstance(text, str) else "no text"
    elif not intents:
        wrong = "intent is not a text" if record.get("intent") else "no intent"
    if wrong:
        problems.append(Problem(path, line, wrong, "each text needs its intent"))
        return
    marked = record.get("entities")
    entities = None
    if marked or isinstance(marked, list):
        try:
            entities = tuple(_entities(str(text), marked))
        except ValueError as error:
            problems.append(Problem(path, line, str(error)))
            return
    yield Case(str(text), intents, path, line, str(record.get("language") or ""), entities)


def _names(value: object) -> tuple[str, ...]:
    """Return one intent, or those of which each is right."""
    if isinstance(value, str):
        return (value.strip(),) if value.strip() else ()
    if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
        return tuple(value)
    return ()


def _entities(text: str, listed: object) -> Iterator[Entity]:
    """Yield the entities marked in a record.

    Raises:
        ValueError: They are no list, or one does not stand where it is said to.
    """
    if isinstance(listed, str):
        try:
            listed = msgspec.json.decode(listed)
        except msgspec.DecodeError as error:
            message = f"entities are not valid JSON: {error}"
            raise ValueError(message) from error
    if not isinstance(listed, list):
        raise ValueError("entities must be a list")  # noqa: TRY004 - a value in a file
    for item in listed:
        mark = item if isinstance(item, dict) else {}
        kind = mark.get("entity") or mark.get("type")
        start, end = mark.get("start"), mark.get("end")
        if not isinstance(kind, str) or not isinstance(start, int) or not isinstance(end, int):
            message = f"an entity needs entity, start and end: {item!r}"
            raise ValueError(message)  # noqa: TRY004
        if not 0 <= start < end <= len(text):
            message = f"the entity '{kind}' is said to be at {start} to {end}, "
            raise ValueError(f"{message}but the text has {len(text)} characters")
        words, said = text[start:end], mark.get("text")
        if words != words.strip() or (said is not None and said != words):
            message = f"the entity '{kind}' is said to be at {start} to {end}, where '{words}' is"
            raise ValueError(message)
        yield Entity(kind, mark.get("value", words), words, start, end)


def _yaml(source: YamlSource, languages: Sequence[str], problems: list[Problem]) -> Iterator[Case]:
    data = source.data
    if isinstance(data, dict) and "nlu" in data:
        yield from rasa_cases(source, problems)
    elif isinstance(data, dict) and all(isinstance(below, dict | list) for below in data.values()):
        for intent, below in data.items():
            yield from _texts(source, (intent,), below, (str(intent),), problems)
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from _item(source, index, item, languages, problems)
    else:
        problems.append(source.problem((), "neither a list nor a mapping of intents", _ITEM_CURE))


def _item(
    source: YamlSource,
    index: int,
    item: object,
    languages: Sequence[str],
    problems: list[Problem],
) -> Iterator[Case]:
    where: Where = (index,)
    if not isinstance(item, dict):
        problems.append(source.problem(where, "not a mapping", _ITEM_CURE))
        return
    intents = _names(item.get("intent", item.get("is")))
    if "text" in item or not intents:
        record = {field: item.get(field) for field in _FIELDS} | {"intent": list(intents)}
        yield from _record(source.path, source.line(where), record, problems)
        return
    listed = {key: value for key, value in item.items() if key in languages}
    if not listed:
        problems.append(source.problem(where, f"no text for {intents[0]}", _ITEM_CURE))
    yield from _texts(source, where, listed, intents, problems)


def _texts(
    source: YamlSource, where: Where, below: object, intents: tuple[str, ...],
    problems: list[Problem],
) -> Iterator[Case]:  # fmt: skip
    """Yield a case per text of a list, or of a mapping of languages to lists."""
    if isinstance(below, dict):
        for language, texts in below.items():
            for case in _texts(source, (*where, language), texts, intents, problems):
                yield msgspec.structs.replace(case, language=str(language))
        return
    if not isinstance(below, list):
        problems.append(source.problem(where, "must be a list of texts", _ITEM_CURE))
        return
    for index, text in enumerate(below):
        record = {"text": text, "intent": list(intents)}
        if not isinstance(text, str):
            problem = source.problem((*where, index), f"not a text: {text!r}", "put it in quotes")
            problems.append(problem)
        else:
            yield from _record(source.path, source.line((*where, index)), record, problems)
