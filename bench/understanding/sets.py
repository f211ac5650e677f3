"""All sets by name."""

from collections.abc import Callable
from functools import partial

from bench.understanding.data import ROOT, SPLITS, Row, Split
from bench.understanding.projects import PROJECTS, project, stratified
from bot.understanding.examples import load_examples

_SEED = 20261122


def skills() -> Split:
    """Return the examples of our own skills, a fifth of each intent's set aside."""
    rows = [
        Row(example.text, example.intent, example.language)
        for example in load_examples([ROOT / "data"])
    ]
    train, test = stratified(rows, 0.2, _SEED)
    return Split("skills", train, {"": test})


SETS: dict[str, Callable[[], Split]] = {
    **SPLITS,
    **{name: partial(project, name) for name in PROJECTS},
    "skills": skills,
}


def load_split(name: str) -> Split:
    """Return a set by its name.

    Raises:
        DataAbsentError: it is not on this machine.
        KeyError: there is no set of this name.
    """
    return SETS[name]()
