"""Markdown files: front matter tells title, language, country, date, address and topic."""

import re
from typing import Any

import yaml

from knowledge.errors import SourceUnreadable
from knowledge.readers.sections import Page, moment

_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*\r?\n", re.DOTALL)
_TITLE = re.compile(r"^#\s+(.+?)\s*$", re.MULTILINE)
_MAX_FRONT_CHARS = 20_000


def read_markdown(text: str, path: str) -> Page:
    """Return the page of a Markdown text.

    Raises:
        SourceUnreadable: When its front matter is no YAML mapping.
    """
    front: dict[str, Any] = {}
    found = _FRONT.match(text)
    if found and len(found[1]) < _MAX_FRONT_CHARS:
        front = _front(found[1], path)
        text = text[found.end() :]
    heading = _TITLE.search(text)
    language = str(front.get("language") or front.get("lang") or "").partition("-")[0]
    return Page(
        title=str(front.get("title") or (heading[1] if heading else "")),
        text=text,
        language=language.lower(),
        country=str(front.get("country") or "").upper(),
        url=str(front.get("url") or ""),
        updated_at=moment(front.get("updated_at") or front.get("date") or ""),
        topic=str(front.get("topic") or ""),
    )


def _front(text: str, path: str) -> dict[str, Any]:
    if re.search(r"(?m)[&*]\w+", text) and text.count("*") > 20:
        raise SourceUnreadable(path, "its front matter has too many aliases")
    try:
        front = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        reason = f"its front matter is not YAML: {error}".split("\n", 1)[0]
        raise SourceUnreadable(path, reason) from error
    if not isinstance(front, dict):
        raise SourceUnreadable(path, "its front matter is no mapping")
    return front
