"""`tresen check`: everything a shop can get wrong in its files, each with file, line and cure."""

from collections.abc import Iterator
from pathlib import Path

from actions.commerce.errors import CommerceError
from actions.commerce.seeds import read_folder
from actions.policy.rules import PolicyInvalid, RuleFile
from actions.registry import action_names
from bot.flow_checks import check_flows
from bot.flow_files import load_flows
from bot.messages import utc_now
from bot.settings import Settings
from bot.understanding.examples import TrainingDataError, load_examples
from bot.yaml_source import Problem, SourceError, YamlSource
from knowledge.sources import SourceDirs, read_shop

LEAST_EXAMPLES = 5


def check_everything(settings: Settings) -> list[Problem]:
    """Return all problems found, the flows' first."""
    data = settings.root / "data"
    problems = list(_check_skills(data, settings))
    problems.extend(_check_examples(data, settings))
    problems.extend(_check_policy(settings))
    problems.extend(_check_shop(settings))
    return problems


def _check_skills(data: Path, settings: Settings) -> Iterator[Problem]:
    try:
        flows = load_flows(data)
    except SourceError as error:
        yield from error.problems
        return
    yield from check_flows(flows, action_names(), settings.config.languages)


def _check_examples(data: Path, settings: Settings) -> Iterator[Problem]:
    """Find broken examples, skills that nobody can reach, and sentences claimed twice."""
    try:
        examples = load_examples([data])
    except TrainingDataError as error:
        yield Problem("data", 1, str(error))
        return
    owners: dict[str, str] = {}
    for example in examples:
        text = example.text.casefold().strip()
        other = owners.setdefault(text, example.intent)
        if other != example.intent:
            where, line = _find(data, example.intent, example.text)
            cure = f"keep it in '{other}' or in '{example.intent}'"
            yield Problem(
                where, line, f"the example “{example.text}” also stands in '{other}'", cure
            )
    for path in sorted((data / "skills").glob("*.yml")):
        source = YamlSource.read(path, settings.root)
        listed = (source.data or {}).get("examples") or {}
        for language in settings.config.languages if listed else ():
            count = len(listed.get(language) or ())
            if count < LEAST_EXAMPLES:
                message = f"only {count} examples in '{language}'"
                cure = f"give at least {LEAST_EXAMPLES}"
                yield Problem(
                    source.path, source.line(("examples", language)), message, cure, warning=True
                )


def _check_policy(settings: Settings) -> Iterator[Problem]:
    own = settings.shop_dir / "policy.yml"
    path = own if own.is_file() else settings.root / "data" / "policies" / "rules.yml"
    try:
        RuleFile(path)
    except PolicyInvalid as error:
        yield Problem(str(path), getattr(error, "line", 1), str(error))


def _check_shop(settings: Settings) -> Iterator[Problem]:
    try:
        read_folder(settings.shop_dir, utc_now())
    except CommerceError as error:
        yield Problem(str(settings.shop_dir), 1, str(error))
        return
    data = settings.root / "data"
    own = settings.is_own_shop
    dirs = SourceDirs(
        shop=settings.shop_dir,
        faq=settings.shop_dir / "faq" if own else data / "faq",
        policies=settings.shop_dir / "policies" if own else data / "policies" / "texts",
    )
    _, problems = read_shop(dirs)
    for problem in problems:
        yield Problem(str(problem.path), 1, f"{problem.item}: {problem.reason}")


def _find(data: Path, intent: str, text: str) -> tuple[str, int]:
    """Return where an example stands."""
    path = data / "skills" / f"{intent}.yml"
    if not path.is_file():
        path = data / "patterns.yml"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if text in line:
            return str(path.relative_to(data.parent)), number
    return str(path.relative_to(data.parent)), 1
