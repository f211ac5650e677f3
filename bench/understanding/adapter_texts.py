"""What the encoder's adapter learns from, and which texts come together in one step.

Texts that mean the same shall lie together: those of one intent of clinc150, of one question to
the company's bot roboai, of one of our own skills. banking77, xSID and NLU++ are not learned from:
they show how well it carries over to texts it was not made for, and xSID may be shared on under
its own terms only. The last run also learns from everyday wishes to an assistant, our own and those
of voice assistants' packages.
"""

import math
import random
from collections.abc import Iterable, Sequence

import msgspec

from bench.understanding.adapter_noise import DIALECT_SHARE, Noise, load_dialects
from bench.understanding.adapter_packages import load_packages
from bench.understanding.assistant_wishes import load_wishes
from bench.understanding.data import OUTSIDE, ROOT, Row, clinc150, roboai
from bot.understanding.examples import load_examples
from bot.understanding.intents import encoder_inputs
from bot.understanding.normalise import clean, squeeze

_CLINC, _ROBO, _OWN = "clinc150", "roboai", "own"
_CLINC_OUTSIDE_TIMES = 2
_LEAST_TEXTS = 2
_SHARES = {
    _CLINC: 0.13,
    _ROBO: 0.15,
    _OWN: 0.12,
    "packages": 0.2,
    "wishes": 0.25,
    "wish pairs": 0.15,
}


class Sampling(msgspec.Struct, frozen=True):
    """What one step sees.

    Args:
        classes: how many of one task, at most.
        of_each: texts of each class.
        outsiders: texts that belong to no class, which the others shall keep away from.
        dialect_share: share of the German texts put into dialect, 0–1.
        seed: of every choice.
    """

    classes: int = 32
    of_each: int = 3
    outsiders: int = 10
    dialect_share: float = DIALECT_SHARE
    seed: int = 1


class Written(msgspec.Struct, frozen=True):
    """A text and its language."""

    text: str
    language: str


class Task(msgspec.Struct, frozen=True):
    """Texts by what they mean.

    Args:
        name: of the task.
        classes: texts by class and language; each class has two or more.
        outside: texts of no class.
        share: how often it is this task's turn, 0–1; 0: by how many texts it has.
        pairs: whether a class is one text in two languages, so that two of it make it whole.
    """

    name: str
    classes: dict[str, dict[str, list[str]]]
    outside: list[Written] = []
    share: float = 0.0
    pairs: bool = False

    @property
    def weight(self) -> float:
        """Return how often it is this task's turn, in proportion to others'."""
        return self.share or math.sqrt(
            sum(len(texts) for one in self.classes.values() for texts in one.values())
        )


class Batch(msgspec.Struct, frozen=True):
    """The texts of one step.

    Args:
        task: its name.
        texts: those of the classes first, then those of none.
        classes: number of each text's class within its task; fewer than `texts`.
    """

    task: str
    texts: list[str]
    classes: list[int]


def load_tasks() -> list[Task]:
    """Return what the adapter learns from: the train splits, whole.

    Raises:
        DataAbsentError: clinc150 or roboai is not on this machine.
        TrainingDataError: an example of ours cannot be read.
    """
    company = [*roboai("de").train, *roboai("en").train]
    examples = load_examples([ROOT / "data"])
    own = [Row(example.text, example.intent, example.language) for example in examples]
    return make_tasks(clinc150().train, company, own)


def load_wish_tasks(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks as the last run sees them, with the wishes to assistants beside them.

    Raises:
        PackagesAbsentError: a package is not on this machine.
        OSError: our own wishes cannot be read.
    """
    known = [msgspec.structs.replace(task, share=_SHARES[task.name]) for task in tasks]
    own = load_wishes()
    wishes = {
        wish: _by_language(pair for pairs in texts for pair in pairs) for wish, texts in own.items()
    }
    pairs = {
        f"{wish} {number}": _by_language(pairs)
        for wish, texts in own.items()
        for number, pairs in enumerate(texts)
    }
    packages = {
        label: {language: [_prepared(text) for text in texts] for language, texts in both.items()}
        for label, both in load_packages().items()
    }
    return [
        *known,
        Task("packages", packages, share=_SHARES["packages"]),
        Task("wishes", wishes, share=_SHARES["wishes"]),
        Task("wish pairs", pairs, share=_SHARES["wish pairs"], pairs=True),
    ]


def _by_language(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    english, german = zip(*pairs, strict=True)
    return {"en": [_prepared(text) for text in english], "de": [_prepared(text) for text in german]}


def make_tasks(clinc: Sequence[Row], company: Sequence[Row], own: Sequence[Row]) -> list[Task]:
    """Return the tasks of rows.

    What lies outside clinc150 or our own skills may well be a question to the company.
    """
    outside = [*_outside(clinc) * _CLINC_OUTSIDE_TIMES, *_outside(own)]
    tasks = [
        Task(_CLINC, _classes(clinc), outside),
        Task(_ROBO, _classes(company)),
        Task(_OWN, _classes(own), outside),
    ]
    return [task for task in tasks if task.classes]


def _classes(rows: Iterable[Row]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        if row.label != OUTSIDE:
            texts = found.setdefault(row.label, {}).setdefault(row.language, [])
            texts.append(_prepared(row.text))
    return {
        label: texts
        for label, texts in found.items()
        if sum(map(len, texts.values())) >= _LEAST_TEXTS
    }


def _outside(rows: Iterable[Row]) -> list[Written]:
    return [Written(_prepared(row.text), row.language) for row in rows if row.label == OUTSIDE]


def _prepared(text: str) -> str:
    return encoder_inputs([squeeze(clean(text))])[0]


class Sampler:
    """Chooses texts, the same ones for the same seed.

    Args:
        tasks: what to choose from.
        sampling: how.
    """

    def __init__(self, tasks: Sequence[Task], sampling: Sampling) -> None:
        self.tasks = list(tasks)
        self.numbers = random.Random(sampling.seed)
        self._sampling = sampling
        self._noise = Noise(self.numbers, load_dialects(), sampling.dialect_share)

    def some_of_each(self, task: Task, count: int) -> list[list[str]]:
        """Return a few texts of each class of a task, as they are, in the order of the names."""
        choice = self.numbers.choice
        return [
            [choice(choice(list(task.classes[label].values()))) for _ in range(count)]
            for label in sorted(task.classes)
        ]

    def batch(self) -> Batch:
        """Return the texts of the next step, those of a class in each of its languages in turn."""
        numbers, sampling = self.numbers, self._sampling
        (task,) = numbers.choices(self.tasks, [task.weight for task in self.tasks])
        labels = sorted(task.classes)
        of_each = len(task.classes[labels[0]]) if task.pairs else sampling.of_each
        at_once = sampling.classes * sampling.of_each // of_each
        texts, classes = [], []
        for label in numbers.sample(labels, min(at_once, len(labels))):
            languages = list(task.classes[label])
            for turn in range(of_each):
                language = languages[turn % len(languages)]
                text = numbers.choice(task.classes[label][language])
                texts.append(self._noise.respell(text, language))
                classes.append(labels.index(label))
        count = min(sampling.outsiders, len(task.outside))
        outsiders = numbers.sample(task.outside, count)
        texts.extend(self._noise.respell(one.text, one.language) for one in outsiders)
        return Batch(task.name, texts, classes)
