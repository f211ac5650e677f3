"""Whether a shop is exactly what a task expects: every record and every field."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from simulation.errors import TasksInvalid
from simulation.tasks import Added, AnyChange, Changed, Removed

Raw = dict[str, Any]
Tables = Mapping[str, list[Raw]]
KEYS = ("number", "id", "customer_id", "session_id")
ELEMENT_KEYS = ("id", "line_id", "variant_id")
GENERATED = frozenset({"id", "number", "url", "at", "events", "session_id", "reference"})
"""Fields that the shop fills in by itself; in new records they may hold anything."""
_REFERENCE = re.compile(r"@([^.\s]+)((?:\.\S+)?)(?: ([+-]) (\d+))?")
_EMPTY: tuple[object, ...] = (None, "", 0, False, [], {})


class _Wanted(msgspec.Struct, frozen=True):
    """A value written by the author of a task: what it does not name must be empty."""

    value: object


def differences(before: Tables, after: Tables, expected: tuple[AnyChange, ...]) -> list[str]:
    """Return where `after` is not `before` with exactly the expected changes.

    Raises:
        TasksInvalid: an expected change names a table, record or field that does not exist.
    """
    wanted: dict[str, dict[str, Raw]] = {name: index(rows) for name, rows in before.items()}
    new: dict[str, list[Raw]] = {}
    for change in expected:
        match change:
            case Added():
                _table(before, change.to)
                new.setdefault(change.to, []).append(_resolved(before, change.record))
            case Removed():
                table, key = _address(before, change.of)
                del wanted[table][key]
            case Changed():
                table, key = _address(before, change.of)
                wanted[table][key] = _changed(before, wanted[table][key], change)
    found: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        rows = index(after.get(name, []))
        found += _compare(name, wanted.get(name, {}), rows, new.get(name, []))
    return found


def index(rows: list[Raw]) -> dict[str, Raw]:
    """Return records by what identifies them."""
    return {next(str(row[key]) for key in KEYS if row.get(key)): row for row in rows}


def check_change(before: Tables, change: AnyChange) -> None:
    """Check that a change speaks of tables, records and fields that exist.

    Raises:
        TasksInvalid: it does not; names which.
    """
    differences(before, before, (change,))


def _compare(
    name: str, wanted: dict[str, Raw], rows: dict[str, Raw], new: list[Raw]
) -> Iterator[str]:
    for key in wanted.keys() & rows.keys():
        if rows[key] is not wanted[key]:
            yield from _unequal(f"{name}/{key}", wanted[key], rows[key])
    for key in sorted(wanted.keys() - rows.keys()):
        yield f"{name}/{key}: is gone"
    left = list(new)
    for key in sorted(rows.keys() - wanted.keys()):
        ways = [(list(_open(f"{name}/{key}", item, rows[key])), item) for item in left]
        if not ways:
            yield f"{name}/{key}: must not be there: {_shown(rows[key])}"
            continue
        problems, nearest = min(ways, key=lambda way: len(way[0]))
        left.remove(nearest)
        yield from problems
    for item in left:
        yield f"{name}: is missing: {_shown(item)}"


def _unequal(path: str, wanted: object, found: object) -> Iterator[str]:
    """Compare exactly, but for values that the task's author wrote."""
    if isinstance(wanted, _Wanted):
        yield from _open(path, wanted.value, found)
    elif isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted(wanted.keys() | found.keys()):
            yield from _unequal(f"{path}.{key}", wanted.get(key), found.get(key))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (first, second) in enumerate(zip(wanted, found, strict=True)):
            yield from _unequal(f"{path}[{number}]", first, second)
    elif wanted != found:
        yield f"{path}: expected {_shown(wanted)}, got {_shown(found)}"


def _open(path: str, wanted: object, found: object) -> Iterator[str]:
    """Compare with what an author wrote: unnamed fields must be empty or generated."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted(wanted.keys() | found.keys()):
            if key in wanted:
                yield from _open(f"{path}.{key}", wanted[key], found.get(key))
            elif key not in GENERATED and not key.endswith("_at") and found[key] not in _EMPTY:
                yield f"{path}.{key}: expected nothing, got {_shown(found[key])}"
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (first, second) in enumerate(zip(wanted, found, strict=True)):
            yield from _open(f"{path}[{number}]", first, second)
    elif wanted != found:
        yield f"{path}: expected {_shown(wanted)}, got {_shown(found)}"


def _changed(before: Tables, record: Raw, change: Changed) -> Raw:
    result = copy.deepcopy(record)
    for path, value in change.set.items():
        place, last = _place(result, path, change.of)
        place[last] = _Wanted(_resolved(before, value))
    for path, values in change.append.items():
        place, last = _place(result, path, change.of)
        if not isinstance(place[last], list):
            raise TasksInvalid(f"{change.of}: {path!r} is not a list")
        place[last] = [*place[last], *(_Wanted(_resolved(before, value)) for value in values)]
    return result


def _place(record: Raw, path: str, of: str) -> tuple[Any, Any]:
    """Return the container and the last step of a dotted path.

    Raises:
        TasksInvalid: the record has no such field.
    """
    *steps, last = path.split(".")
    place: Any = record
    for step in steps:
        place = _step(place, step, f"{of}: {path!r}")
    if isinstance(place, list):
        return place, place.index(_step(place, last, f"{of}: {path!r}"))
    if not isinstance(place, dict) or last not in place:
        raise TasksInvalid(f"{of}: there is no field {path!r}")
    return place, last


def _step(place: Any, step: str, where: str) -> Any:  # noqa: ANN401
    if isinstance(place, list):
        for item in place:
            if isinstance(item, dict) and step in (item.get(key) for key in ELEMENT_KEYS):
                return item
    elif isinstance(place, dict) and step in place:
        return place[step]
    raise TasksInvalid(f"{where}: there is no {step!r}")


def _resolved(before: Tables, value: Any) -> Any:  # noqa: ANN401
    """Return a value with `@table/key.path` replaced by what stands there before."""
    if isinstance(value, dict):
        return {key: _resolved(before, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(before, item) for item in value]
    if isinstance(value, str) and value.startswith("@"):
        return _referred(before, value)
    return value


def _referred(before: Tables, value: str) -> Any:  # noqa: ANN401
    reference = _REFERENCE.fullmatch(value)
    if reference is None:
        raise TasksInvalid(f"{value!r} is no reference such as @customers/C0001.address")
    address, path, sign, number = reference.groups()
    table, key = _address(before, address)
    found: Any = index(before[table])[key]
    for step in path.removeprefix(".").split(".") if path else ():
        found = _step(found, step, value)
    if not number:
        return found
    if not isinstance(found, int):
        raise TasksInvalid(f"{value!r}: {_shown(found)} is no number")
    return found + (int(number) if sign == "+" else -int(number))


def _address(before: Tables, address: str) -> tuple[str, str]:
    table, _, key = address.partition("/")
    _table(before, table)
    if key not in index(before[table]):
        raise TasksInvalid(f"there is no {address!r} in the shop")
    return table, key


def _table(before: Tables, name: str) -> None:
    if name not in before:
        raise TasksInvalid(f"there is no table {name!r}; there are {', '.join(sorted(before))}")


def _shown(value: object) -> str:
    if isinstance(value, _Wanted):
        value = value.value
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 300 else f"{text[:300]}…"
