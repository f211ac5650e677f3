"""Rasa's training data as examples of skills."""

from collections.abc import Collection, Sequence
from pathlib import Path

import yaml

from bot.understanding.evaluation import Case
from bot.understanding.evaluation_rasa import rasa_cases
from bot.understanding.example_checks import Written
from bot.understanding.language import LanguageDetector
from bot.yaml_source import Problem, SourceError, YamlSource


def read_rasa(path: Path) -> list[Case]:
    """Return the examples of a file of Rasa's NLU data.

    Raises:
        SourceError: It cannot be read, or is none.
    """
    source = YamlSource.read(path)
    problems: list[Problem] = []
    if not isinstance(source.data, dict) or "nlu" not in source.data:
        problems.append(source.problem((), "no key 'nlu'", "give Rasa's nlu.yml"))
        raise SourceError(problems)
    cases = list(rasa_cases(source, problems))
    if problems:
        raise SourceError(problems)
    return cases


def imported(
    cases: Sequence[Case],
    known: Collection[str],
    default: str,
    detector: LanguageDetector | None,
) -> str:
    """Return YAML: for each intent the `examples:` of a skill, by language, each sentence once.

    Args:
        cases: the examples; what was marked in them stays as plain words.
        known: the words of the examples that skills have already, which are left out.
        default: the language of texts that do not tell theirs.
        detector: tells languages apart; without it all are in the default one.
    """
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    seen = set(known)
    for case in cases:
        words = Written(case.text, case.intents[0], default, case.path, case.line).words
        if words in seen:
            continue
        seen.add(words)
        language = detector.detect(case.text, default)[0] if detector else default
        below = found.setdefault(case.intents[0], {"examples": {}})["examples"]
        below.setdefault(language, []).append(case.text)
    if not found:
        return "# every example is there already\n"
    return str(yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=1000))
