"""Whether an expression names what exists and compares what can be compared."""

import difflib
from collections.abc import Iterator

import msgspec

from actions.policy.expression import MACROS as _MACROS
from actions.policy.expression import Call, Field, Items, Name, Node, Value, path_of
from actions.policy.vocabulary import Kind, Type

_COMPARING = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ORDERED = frozenset({"int", "time", "duration", "string"})
_RESULTS: dict[str, Type] = {
    "size": "int", "int": "int", "string": "string", "timestamp": "time", "duration": "duration",
    "has": "bool", "startsWith": "bool", "endsWith": "bool", "contains": "bool", "matches": "bool",
    "getFullYear": "int", "getMonth": "int", "getDate": "int", "getDayOfMonth": "int",
    "getDayOfWeek": "int", "getHours": "int", "getMinutes": "int",
}  # fmt: skip
_SUMS: dict[tuple[str, str, str], Type] = {
    ("time", "+", "duration"): "time",
    ("duration", "+", "time"): "time",
    ("time", "-", "duration"): "time",
    ("time", "-", "time"): "duration",
    ("duration", "+", "duration"): "duration",
    ("duration", "-", "duration"): "duration",
    ("string", "+", "string"): "string",
}
_LISTS: dict[str, Type] = {"string": "strings", "int": "ints"}
_PIECES: dict[str, Type] = {"strings": "string", "ints": "int"}
_WORDS = {
    "string": "a text", "int": "a number", "bool": "true or false", "time": "a time",
    "duration": "a duration", "strings": "a list of texts", "ints": "a list of numbers",
    "null": "null",
}  # fmt: skip
ANY = Kind("any")


class Misfit(msgspec.Struct, frozen=True):
    """Something in an expression that cannot be meant, and what to write instead."""

    problem: str
    cure: str


def misfits(tree: Node, fields: dict[str, Kind], wanted: Type) -> tuple[Misfit, ...]:
    """Return what is wrong with an expression.

    Args:
        tree: of the expression.
        fields: the kind of every variable.
        wanted: the type that the expression must have.
    """
    typer = _Typer(fields)
    found = typer.kind(tree)
    if not typer.misfits and found.type not in {wanted, "any"}:
        cure = f"write one that gives {_WORDS[wanted]}"
        typer.note(f"the expression gives {_WORDS[found.type]}, not {_WORDS[wanted]}", cure)
    return tuple(typer.misfits)


def comparisons(tree: Node) -> Iterator[tuple[str, str | int]]:
    """Return the paths that an expression compares with literals, and those literals."""
    if isinstance(tree, Call):
        if tree.name in _COMPARING | {"in"}:
            left, right = tree.parts
            for one, other in ((left, right), (right, left)):
                literals = other.parts if isinstance(other, Items) else (other,)
                for literal in literals:
                    value = literal.value if isinstance(literal, Value) else None
                    if path_of(one) and isinstance(value, str | int):
                        yield path_of(one), value
        for part in (tree.on, *tree.parts):
            if part is not None:
                yield from comparisons(part)
    elif isinstance(tree, Items):
        for part in tree.parts:
            yield from comparisons(part)


class _Typer:
    """Infers types from the leaves up and notes what does not fit."""

    def __init__(self, fields: dict[str, Kind]) -> None:
        self._fields = fields
        self.misfits: list[Misfit] = []

    def note(self, problem: str, cure: str) -> None:
        """Keep something that does not fit."""
        self.misfits.append(Misfit(problem, cure))

    def kind(self, node: Node) -> Kind:
        """Return the kind of a node's value, `any` where it is not known."""
        if isinstance(node, Value):
            return _literal(node)
        if isinstance(node, Items):
            kinds = {self.kind(part).type for part in node.parts}
            return Kind(_LISTS.get("".join(kinds), "any"))
        path = path_of(node)
        if path:
            return self._variable(path)
        if isinstance(node, Field):
            return ANY
        return self._call(node) if isinstance(node, Call) else ANY

    def _variable(self, path: str) -> Kind:
        kind = self._fields.get(path)
        if kind is not None:
            return kind
        if any(known.startswith(f"{path}.") for known in self._fields):
            return ANY
        close = difflib.get_close_matches(path, self._fields, n=1)
        room = path.split(".", maxsplit=1)[0]
        there = [name for name in self._fields if name.startswith(f"{room}.")] or [*self._fields]
        cure = f"did you mean `{close[0]}`?" if close else f"use one of {', '.join(there)}"
        self.note(f"there is no `{path}`", cure)
        return ANY

    def _call(self, node: Call) -> Kind:
        if node.name in _MACROS and node.on is not None:
            return self._macro(node)
        if node.on is not None:
            self.kind(node.on)
        kinds = [self.kind(part) for part in node.parts]
        if node.name in _COMPARING:
            self._compare(node, *kinds)
        elif node.name == "in":
            self._within(node, *kinds)
        elif node.name in {"&&", "||", "!"}:
            self._flags(node, kinds)
        elif node.name == "?:":
            return kinds[1]
        elif node.name in {"+", "-", "*", "/", "%"}:
            return self._sum(node, kinds)
        else:
            return Kind(_RESULTS.get(node.name, "any"))
        return Kind("bool")

    def _macro(self, node: Call) -> Kind:
        over = self.kind(node.on) if node.on is not None else ANY
        if not node.parts or not isinstance(node.parts[0], Name):
            return ANY
        each = Kind(_PIECES.get(over.type, "any"))
        inner = _Typer(self._fields | {node.parts[0].name: each})
        for part in node.parts[1:]:
            inner.kind(part)
        self.misfits += inner.misfits
        return over if node.name in {"map", "filter"} else Kind("bool")

    def _compare(self, node: Call, left: Kind, right: Kind) -> None:
        said = f"`{_shown(node.parts[0])} {node.name} {_shown(node.parts[1])}`"
        types = {left.type, right.type} - {"any"}
        if "null" in types:
            other = right if left.type == "null" else left
            if other.type not in {"null", "any"} and not other.nullable:
                self.note(f"{said}: it is never null", "leave the comparison out")
        elif len(types) > 1:
            words = f"{_WORDS[left.type]} with {_WORDS[right.type]}"
            self.note(f"{said} compares {words}", "compare with a value of the same type")
        elif node.name not in {"==", "!="} and types and not types <= _ORDERED:
            self.note(f"{said}: {_WORDS[left.type]} has no order", "use == or !=")
        self._values(node.parts[0], left, [node.parts[1]])
        self._values(node.parts[1], right, [node.parts[0]])

    def _within(self, node: Call, left: Kind, right: Kind) -> None:
        each = {"strings": "string", "ints": "int"}.get(right.type)
        if right.type not in {"strings", "ints", "any"}:
            problem = f"`in {_shown(node.parts[1])}`: it is {_WORDS[right.type]}, not a list"
            self.note(problem, 'write a list such as ["pending", "processed"]')
        elif each and left.type not in {each, "any"}:
            problem = f"`{_shown(node.parts[0])}` is {_WORDS[left.type]}, the list holds others"
            self.note(problem, "compare with values of the same type")
        if isinstance(node.parts[1], Items):
            self._values(node.parts[0], left, list(node.parts[1].parts))

    def _values(self, node: Node, kind: Kind, others: list[Node]) -> None:
        for other in others if kind.values else ():
            value = other.value if isinstance(other, Value) else None
            if isinstance(value, str) and value not in kind.values:
                close = difflib.get_close_matches(value, kind.values, n=1)
                known = ", ".join(f'"{name}"' for name in kind.values)
                cure = f'did you mean "{close[0]}"?' if close else f"use one of {known}"
                self.note(f'`{_shown(node)}` is never "{value}"', cure)

    def _flags(self, node: Call, kinds: list[Kind]) -> None:
        for part, kind in zip(node.parts, kinds, strict=True):
            if kind.type not in {"bool", "any"}:
                problem = f"`{_shown(part)}` is {_WORDS[kind.type]}, not true or false"
                self.note(problem, "compare it with something")

    def _sum(self, node: Call, kinds: list[Kind]) -> Kind:
        types = [kind.type for kind in kinds]
        if "any" in types:
            return ANY
        if set(types) == {"int"}:
            return Kind("int")
        if len(types) == 2:
            made = _SUMS.get((types[0], node.name, types[1]))
            if made is not None:
                return Kind(made)
        words = " and ".join(_WORDS[kind] for kind in types)
        self.note(
            f"`{node.name}` does not work with {words}", "use numbers, or times and durations"
        )
        return ANY


def _literal(node: Value) -> Kind:
    if node.value is None:
        return Kind("null")
    if isinstance(node.value, bool):
        return Kind("bool")
    return Kind("string") if isinstance(node.value, str) else Kind("int")


def _shown(node: Node) -> str:
    if isinstance(node, Value):
        if node.value is None or isinstance(node.value, bool):
            return {None: "null", True: "true", False: "false"}[node.value]
        return f'"{node.value}"' if isinstance(node.value, str) else str(node.value)
    return path_of(node) or ("[…]" if isinstance(node, Items) else "…")
