"""What files of training examples get wrong as files: names and keys, not sentences."""

from collections.abc import Iterator
from pathlib import Path

from bot.yaml_source import Problem, SourceError, YamlSource


def example_paths(data: Path) -> list[Path]:
    """Return the files that may hold examples: of skills, of patterns, and out of scope."""
    skills = sorted((data / "skills").glob("*.yml"))
    return [*skills, data / "patterns.yml", data / "out_of_scope.yml"]


def file_problems(data: Path, root: Path | None = None) -> Iterator[Problem]:
    """Yield repeated keys, skills without a name, and names that two skills have.

    Args:
        data: the folder with `skills/*.yml`, `patterns.yml` and `out_of_scope.yml`.
        root: paths are shown below it.
    """
    owners: dict[str, str] = {}
    for path in example_paths(data):
        try:
            source = YamlSource.read(path, root)
        except SourceError:
            continue  # loading the examples says what is wrong
        yield from source.duplicates
        if path.parent.name != "skills" or not isinstance(source.data, dict):
            continue
        name = source.data.get("skill")
        if not name:
            message = "a skill file starts with 'skill: name'"
            yield source.problem(("skill",), message)
            continue
        other = owners.setdefault(str(name), source.path)
        if other != source.path:
            message = f"the skill '{name}' is also defined in {other}"
            yield source.problem(("skill",), message, "rename one of them")
