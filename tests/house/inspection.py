"""The house inspection: every check over every file, less the exceptions with reasons."""

import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house import dependencies, shape, words
from tests.house.source import Finding, Source

Check = Callable[[Source], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    shape.file_length,
    shape.function_length,
    shape.constructor_width,
    shape.port_width,
    shape.module_name,
    shape.empty_init,
    shape.no_mock,
    words.banned_word,
    words.registry_host,
    dependencies.undeclared_import,
)
EXCEPTIONS = Path(__file__).with_name("exceptions.toml")


@dataclass(frozen=True)
class Allowed:
    """One granted exception: which check, in which file, for which name, and why."""

    check: str
    path: str
    reason: str
    name: str = "*"

    def covers(self, finding: Finding) -> bool:
        return (
            self.check == finding.check
            and self.path == finding.path
            and self.name in {"*", finding.name}
        )


def read_exceptions(text: str) -> list[Allowed]:
    """Return the exceptions of a TOML text; one without a reason is refused."""
    allowed = [Allowed(**entry) for entry in tomllib.loads(text).get("exception", [])]
    for entry in allowed:
        if not entry.reason.strip():
            raise ValueError(f"exception for {entry.path} ({entry.check}) gives no reason")
    return allowed


def inspect(sources: Iterable[Source], allowed: list[Allowed]) -> list[Finding]:
    """Return what breaks a rule, and every exception that nothing needs any more."""
    found = [finding for source in sources for finding in _inspect_file(source)]
    broken = [finding for finding in found if not any(a.covers(finding) for a in allowed)]
    stale = [a for a in allowed if not any(a.covers(finding) for finding in found)]
    problem = "nothing needs this exception any more: remove it"
    return broken + [
        Finding("exceptions", a.path, 1, f"{a.check}/{a.name}", problem) for a in stale
    ]


def _inspect_file(source: Source) -> Iterator[Finding]:
    try:
        source.tree  # noqa: B018 - parsed once, here
    except SyntaxError as error:
        yield source.finding("syntax", error.lineno or 1, source.name, error.msg)
        return
    for check in CHECKS:
        yield from check(source)
