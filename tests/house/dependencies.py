"""Dependencies: what the rooms import is declared, and what is declared has a reason."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from tests.house.source import ROOT, Finding, Source

ROOMS = ("bot", "channels", "actions", "knowledge", "desk", "simulation")
OURS = {*ROOMS, "tests", "bench"}


def undeclared_import(source: Source) -> Iterator[Finding]:
    """A room imports only distributions that pyproject.toml names, core or extra."""
    if not source.path.startswith(tuple(f"{room}/" for room in ROOMS)):
        return
    for line, package in imported_packages(source):
        if package in OURS or package in sys.stdlib_module_names:
            continue
        if not distributions_of(package) & DECLARED:
            problem = "not declared in pyproject.toml"
            yield source.finding("undeclared_import", line, package, problem)


def imported_packages(source: Source) -> Iterator[tuple[int, str]]:
    """Yield (line, top-level package) of every absolute import."""
    for node in source.nodes(ast.Import, ast.ImportFrom):
        names = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        for name in names:
            if name:
                yield node.lineno, name.partition(".")[0]


def distributions_of(package: str) -> set[str]:
    """Return the normal names of the installed distributions that hold a package.

    Of a package that is not installed, as an extra may be, its own name is taken.
    """
    return {normal(name) for name in _DISTRIBUTIONS.get(package, (package,))}


def normal(name: str) -> str:
    """Return a distribution's name as registries compare it."""
    return name.lower().replace("_", "-").replace(".", "-")


def declared_distributions(pyproject: str) -> set[str]:
    """Return the normal names of everything a pyproject.toml asks for."""
    project = tomllib.loads(pyproject)["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return {distribution_name(requirement) for group in groups for requirement in group}


def distribution_name(requirement: str) -> str:
    """Return the normal name in a requirement, without extras, bounds and marker."""
    end = next((i for i, c in enumerate(requirement) if c in " <>=!~;["), len(requirement))
    return normal(requirement[:end])


DECLARED = declared_distributions((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_DISTRIBUTIONS = packages_distributions()
