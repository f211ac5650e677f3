"""What the house checks read: the files we write, and a finding about one of them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WRITTEN_SUFFIXES = {".py", ".js", ".css", ".html", ".md", ".yml", ".yaml", ".toml", ".sh", ""}
SKIPPED_FOLDERS = {"node_modules", "build", "dist", "models", "__pycache__"}
GENERATED = {"LICENSE"}


@dataclass(frozen=True)
class Finding:
    """One place that breaks one rule; `name` is what an exception would be granted to."""

    check: str
    path: str
    line: int
    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: [{self.check}] {self.name}: {self.problem}"


@dataclass(frozen=True)
class Source:
    """One file: its path relative to the repository, and its text."""

    path: str
    text: str

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; empty for a file that is not Python."""
        return ast.parse(self.text if self.is_python else "", self.path)

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Yield the nodes of these kinds; nothing for a file that is not Python."""
        yield from (node for node in self._all_nodes if isinstance(node, kinds))

    @cached_property
    def _all_nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    def finding(self, check: str, line: int, name: str, problem: str) -> Finding:
        return Finding(check, self.path, line, name, problem)


def read_repository(root: Path = ROOT) -> list[Source]:
    """Return every file somebody writes by hand; hidden and built folders are left out."""
    return [
        Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(_walk(root))
    ]


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            hidden = path.name.startswith(".") and path.name != ".ci"
            skipped = path.name in SKIPPED_FOLDERS or path.name.endswith(".egg-info")
            if not hidden and not skipped:
                yield from _walk(path)
        elif path.suffix in WRITTEN_SUFFIXES and path.name not in GENERATED:
            yield path
