"""What a spoken form must not be: long, or full of what only an eye can read."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import jinja2
from jinja2 import nodes

from bot.flow_files import VOICE
from bot.messages import Json
from bot.yaml_source import Problem, SourceError, Where, YamlSource

MAX_VOICE_CHARS = 350
VALUE_CHARS = 12
"""What a placeholder counts for: about as much as a name, a price or a number."""
_FOR_EYES = (
    (re.compile(r"https?://|www\.|\bmailto:"), "an address that nobody can type while listening"),
    (re.compile(r"\*\*|__|`|^#{1,6} |\[[^\]]*\]\([^)]*\)", re.MULTILINE), "markdown"),
    (re.compile(r"^\s*(?:[-*•–]|\d+[.)])\s", re.MULTILINE), "list marks"),
    (re.compile(r"[•→×|]"), "a sign that is not read out"),
    (re.compile(r"\n"), "a line break"),
)
_ENVIRONMENT = jinja2.Environment(autoescape=False)  # noqa: S701 - nothing is rendered


def check_voices(data_dir: Path, root: Path) -> Iterator[Problem]:
    """Find spoken forms in the skills and patterns that no caller wants to hear.

    Args:
        data_dir: holds `patterns.yml` and `skills/`.
        root: problems show paths below it.
    """
    for path in [data_dir / "patterns.yml", *sorted((data_dir / "skills").glob("*.yml"))]:
        try:
            source = YamlSource.read(path, root)
        except SourceError:
            continue  # told by whoever loads the flows
        for where, text in _voices(source.data, ()):
            for message in problems_of(text):
                cure = "say it in one or two sentences for the ear"
                yield source.problem(where, message, cure)


def problems_of(text: str) -> list[str]:
    """Return what is wrong with a spoken form, a template."""
    try:
        tree = _ENVIRONMENT.parse(text)
    except jinja2.TemplateSyntaxError as error:
        return [f"the spoken form is no template: {error.message}"]
    chars = _longest(tree.body)
    found = []
    if chars > MAX_VOICE_CHARS:
        found.append(f"the spoken form has about {chars} characters; at most {MAX_VOICE_CHARS}")
    fixed = "".join(node.data for node in tree.find_all(nodes.TemplateData))
    found.extend(
        f"the spoken form holds {what}" for pattern, what in _FOR_EYES if pattern.search(fixed)
    )
    if any(node.attr == "url" for node in _said(tree.body)):
        found.append("the spoken form reads out an address")
    return found


def _voices(data: Json, where: Where) -> Iterator[tuple[Where, str]]:
    """Yield every spoken form below a part of a file, with its place."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key == VOICE and isinstance(value, str):
                yield (*where, key), value
            else:
                yield from _voices(value, (*where, key))
            if key == VOICE and isinstance(value, dict):
                yield from (
                    ((*where, key, la), text) for la, text in value.items() if isinstance(text, str)
                )
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _voices(value, (*where, index))


def _longest(body: Iterable[nodes.Node]) -> int:
    """Return how many characters the longest way through a template says, loops run once."""
    chars = 0
    for node in body:
        match node:
            case nodes.Output():
                chars += sum(
                    len(part.data) if isinstance(part, nodes.TemplateData) else VALUE_CHARS
                    for part in node.nodes
                )
            case nodes.If():
                ways = [node.body, *(way.body for way in node.elif_), node.else_]
                chars += max(map(_longest, ways))
            case nodes.For():
                chars += _longest(node.body)
            case _:
                pass
    return chars


def _said(body: Iterable[nodes.Node]) -> Iterator[nodes.Getattr]:
    """Yield the attributes that a template puts into words, not those it only asks about."""
    for node in body:
        outputs = [node] if isinstance(node, nodes.Output) else node.find_all(nodes.Output)
        for output in outputs:
            yield from output.find_all(nodes.Getattr)
