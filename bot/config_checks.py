"""What is wrong with `config.yml` or `endpoints.yml`: each with its line and a cure."""

import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import yaml

from bot.messages import Json
from bot.mood import HandOffWhen
from bot.yaml_source import Problem, Where, YamlSource, nearest

_PLACE = re.compile(r"^(.*?)(?: - at `\$(.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_SIGNALS = Path("data", "lexicons", "sentiment.signals.yml")
_KINDS: Mapping[str, str] = {"threat": "threats", "vulnerable": "vulnerable"}


def unknown_keys(
    source: YamlSource, data: Json, kind: type, where: Where = ()
) -> Iterator[Problem]:
    """Yield every key that a type has no field for, with those it has.

    Args:
        source: the file.
        data: what stands at `where`.
        kind: a `msgspec.Struct`.
        where: place in the file.
    """
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in data.items() if isinstance(data, dict) else ():
        place = (*where, key)
        if key not in fields:
            name = ".".join(map(str, place))
            cure = nearest(str(key), fields, "keys")
            listed = "" if cure.startswith("known") else f" known keys: {', '.join(sorted(fields))}"
            yield source.problem(place, f"unknown key '{name}'", cure + listed)
        elif isinstance(fields[key], type) and issubclass(fields[key], msgspec.Struct):
            yield from unknown_keys(source, value, fields[key], place)


def wrong_value(
    source: YamlSource, error: msgspec.ValidationError, kind: type[msgspec.Struct]
) -> Problem:
    """Return the problem at a value that has another type, or is out of its range."""
    what, steps, cure = meant(error, kind)
    named = f"{'.'.join(map(str, steps))}: " if steps else ""
    return source.problem(steps, f"{named}{what}", cure)


def meant(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> tuple[str, Where, str]:
    """Return what is wrong with a value, where it stands, and what is allowed there."""
    found = _PLACE.match(str(error))
    what, path = (found[1], found[2] or "") if found else (str(error), "")
    steps = [key or int(index) for key, index in _STEP.findall(path)]
    meta = _meta(kind, [step for step in steps if isinstance(step, str)])
    cure = ""
    if meta is not None and meta.ge is not None and meta.le is not None:
        cure = f"write a number from {meta.ge} to {meta.le}"
    elif meta is not None and meta.description:
        cure = meta.description
    return what, tuple(steps), cure


def _meta(kind: type, names: list[str]) -> msgspec.Meta | None:
    """Return the limits of a field, found by the names on the way to it."""
    for name in names:
        hints = typing.get_type_hints(kind, include_extras=True)
        found = hints.get(name)
        choices = [found, *typing.get_args(found)]
        for choice in choices:
            for meta in getattr(choice, "__metadata__", ()):
                return meta if isinstance(meta, msgspec.Meta) else None
        if not isinstance(found, type):
            return None
        kind = found
    return None


def unknown_kinds(source: YamlSource, when: HandOffWhen, root: Path) -> Iterator[Problem]:
    """Yield every kind of threat or hard situation that the shop's word list does not tell."""
    try:
        signals = yaml.safe_load((root / _SIGNALS).read_text(encoding="utf-8"))
        known = {field: set(signals[section]) for field, section in _KINDS.items()}
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError):
        return  # whoever reads the list says what is wrong with it
    for field, kinds in known.items():
        for index, kind in enumerate(getattr(when, field)):
            if kind not in kinds:
                message = f"thresholds.hand_off.{field}: there is no kind '{kind}'"
                near = nearest(kind, kinds, "kinds")
                meant = f"{near} " if near.startswith("did you mean") else ""
                where = ("thresholds", "hand_off", field, index)
                yield source.problem(where, message, f"{meant}known: {', '.join(sorted(kinds))}")
