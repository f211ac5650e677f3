"""YAML with the line of every key and value, so that an error can say where it is."""

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import yaml
from rapidfuzz import process

Where = tuple[Hashable, ...]


class Problem(msgspec.Struct, frozen=True):
    """Something wrong in a file: where, what, and what to do about it."""

    path: str
    line: int
    message: str
    cure: str = ""
    warning: bool = False

    def __str__(self) -> str:
        """Return `file:line: error: message (cure)`."""
        kind = "warning" if self.warning else "error"
        cure = f" → {self.cure}" if self.cure else ""
        return f"{self.path}:{self.line}: {kind}: {self.message}{cure}"


class SourceError(ValueError):
    """One or more files cannot be used."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems and show each on its line."""
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Iterable[str], what: str) -> str:
    """Return a cure: the known word most like `word`, else the list of them."""
    names = sorted(known)
    match = process.extractOne(str(word), names, score_cutoff=60)
    if match:
        return f"did you mean '{match[0]}'?"
    return f"known {what}: {', '.join(names)}" if names else f"there are no {what}"


class YamlSource:
    """A YAML file's data together with the line of each of its parts."""

    def __init__(self, path: str, text: str) -> None:
        """Parse `text`; `path` is only used for messages.

        Raises:
            SourceError: The text is not YAML.
        """
        self.path = path
        self._lines: dict[Where, int] = {}
        self.duplicates: list[Problem] = []
        try:
            node = yaml.compose(text, Loader=yaml.CSafeLoader)
            self.data: Any = yaml.load(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError as error:
            raise SourceError([_not_yaml(path, text, error)]) from error
        if node is not None:
            self._walk(node, ())

    @classmethod
    def read(cls, path: Path, root: Path | None = None) -> "YamlSource":
        """Read a file; messages show its path below `root`.

        Raises:
            SourceError: The file cannot be read or is not UTF-8 YAML.
        """
        shown = str(path.relative_to(root)) if root and path.is_relative_to(root) else str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            problem = Problem(shown, line, "not UTF-8", "save the file as UTF-8")
            raise SourceError([problem]) from error
        except OSError as error:
            raise SourceError([Problem(shown, 1, f"cannot be read: {error}")]) from error
        return cls(shown, text)

    def line(self, where: Where) -> int:
        """Return the line (1-based) of a part, or of the nearest part around it."""
        while where not in self._lines and where:
            where = where[:-1]
        return self._lines.get(where, 1)

    def problem(self, where: Where, message: str, cure: str = "") -> Problem:
        """Return a problem at a part of this file."""
        return Problem(self.path, self.line(where), message, cure)

    def _walk(self, node: yaml.Node, where: Where) -> None:
        self._lines.setdefault(where, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                below = (*where, key.value)
                if below in self._lines:
                    line = key.start_mark.line + 1
                    message = f"'{key.value}' stands here twice; only the last one would count"
                    self.duplicates.append(Problem(self.path, line, message, "keep one of them"))
                self._lines[below] = key.start_mark.line + 1
                self._walk(value, below)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._walk(item, (*where, index))


def _not_yaml(path: str, text: str, error: yaml.YAMLError) -> Problem:
    """Return the problem at the place where a text stops being YAML."""
    if isinstance(error, yaml.reader.ReaderError) and isinstance(error.character, int):
        sign = chr(error.character)
        line = text[: max(0, text.find(sign))].count("\n") + 1
        message = f"not valid YAML: the control character U+{error.character:04X}"
        return Problem(path, line, message, "remove it")
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error)
    line = mark.line + 1 if mark else 1
    return Problem(path, line, f"not valid YAML: {what}", "check indentation and quotes")
