"""Tables of what may be together, and the search for a case that satisfies all of them."""

from collections.abc import Hashable, Iterable, Sequence

import msgspec

Case = dict[str, Hashable]


class Table(msgspec.Struct, frozen=True):
    """The combinations of values that some axes may take together."""

    axes: tuple[str, ...]
    rows: frozenset[tuple[Hashable, ...]]

    def at(self, axis: str, values: Iterable[Hashable]) -> "Table":
        """Return the table with only the rows where the axis has one of the values."""
        if axis not in self.axes:
            return self
        place, wanted = self.axes.index(axis), frozenset(values)
        return Table(self.axes, frozenset(row for row in self.rows if row[place] in wanted))

    def without(self, axis: str) -> "Table":
        """Return the table with one axis left out: any of its values will do."""
        if axis not in self.axes:
            return self
        place = self.axes.index(axis)
        rows = frozenset(row[:place] + row[place + 1 :] for row in self.rows)
        return Table(self.axes[:place] + self.axes[place + 1 :], rows)


def only(axis: str, *values: Hashable) -> Table:
    """Return the table in which one axis has one of the values."""
    return Table((axis,), frozenset((value,) for value in values))


def find_case(tables: Sequence[Table]) -> Case | None:
    """Return values for all axes that every table allows, None when there are none.

    The search is complete: None is a proof for the tables given.
    """
    narrowed = _narrow(list(tables))
    if narrowed is None:
        return None
    domains = _domains(narrowed)
    open_axes = [axis for axis, values in domains.items() if len(values) > 1]
    if not open_axes:
        return {axis: next(iter(values)) for axis, values in domains.items()}
    axis = min(open_axes, key=lambda name: len(domains[name]))
    for value in sorted(domains[axis], key=repr):
        found = find_case([table.at(axis, [value]) for table in narrowed])
        if found is not None:
            return found
    return None


def connected(first: Sequence[Table], others: Sequence[Table]) -> list[Table]:
    """Return `first` with those of the others that share axes with them, directly or not."""
    found, left = list(first), list(others)
    axes = {axis for table in found for axis in table.axes}
    while True:
        touching = [table for table in left if axes & set(table.axes)]
        if not touching:
            return found
        left = [table for table in left if table not in touching]
        found += touching
        axes |= {axis for table in touching for axis in table.axes}


def _narrow(tables: list[Table]) -> list[Table] | None:
    """Drop the rows that fit no row of another table, axis by axis, until nothing changes."""
    domains = _domains(tables)
    stale = set(domains)
    while stale:
        changed: set[str] = set()
        for number, table in enumerate(tables):
            wanted = [(n, domains[axis]) for n, axis in enumerate(table.axes) if axis in stale]
            if not wanted:
                continue
            rows = frozenset(
                row for row in table.rows if all(row[n] in values for n, values in wanted)
            )
            if not rows:
                return None
            if len(rows) < len(table.rows):
                tables[number] = Table(table.axes, rows)
                for axis, column in zip(table.axes, zip(*rows, strict=True), strict=True):
                    values = domains[axis].intersection(column)
                    if len(values) < len(domains[axis]):
                        domains[axis] = values
                        changed.add(axis)
        stale = changed
    return tables


def _domains(tables: Sequence[Table]) -> dict[str, set[Hashable]]:
    found: dict[str, set[Hashable]] = {}
    for table in tables:
        columns = zip(*table.rows, strict=True) if table.rows else [()] * len(table.axes)
        for axis, column in zip(table.axes, columns, strict=True):
            found[axis] = found[axis].intersection(column) if axis in found else set(column)
    return found
