"""The syntax tree of a CEL expression: what the package `cel` compiles but does not show.

Only read, never executed: to know which facts a rule looks at and whether their types fit.
"""

import ast
import re
from collections.abc import Iterator

import msgspec

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>[rRbB]?(?:\"(?:[^"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'))
  | (?P<number>\d+\.\d+(?:[eE][+-]?\d+)?|0x[0-9a-fA-F]+u?|\d+u?)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<mark>\|\||&&|[=!<>]=|[-+*/%<>!?:.,()\[\]{}])
    )""",
    re.VERBOSE,
)
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"||"}),
    frozenset({"&&"}),
    frozenset({"==", "!=", "<", "<=", ">", ">=", "in"}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
)
MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class NotUnderstood(ValueError):
    """An expression that this reader of CEL cannot take apart."""


class Value(msgspec.Struct, frozen=True):
    """A literal."""

    value: str | int | float | bool | None


class Name(msgspec.Struct, frozen=True):
    """A variable."""

    name: str


class Field(msgspec.Struct, frozen=True):
    """A field of something."""

    of: "Node"
    name: str


class Call(msgspec.Struct, frozen=True):
    """An operator, function, method or macro; `on` is what a method is called on."""

    name: str
    parts: tuple["Node", ...]
    on: "Node | None" = None


class Items(msgspec.Struct, frozen=True):
    """A list."""

    parts: tuple["Node", ...]


Node = Value | Name | Field | Call | Items


def parse(source: str) -> Node:
    """Return the tree of an expression.

    Raises:
        NotUnderstood: it is not CEL, or of a kind that rules have no use for, such as maps.
    """
    reader = _Reader(source)
    tree = reader.expression()
    reader.end()
    return tree


def paths(tree: Node) -> frozenset[str]:
    """Return the variables and fields that an expression reads, as `order.status` or `now`."""
    return frozenset(_paths(tree, frozenset()))


def walk(tree: Node) -> Iterator[Node]:
    """Return the node and all below it."""
    yield tree
    for part in _below(tree):
        yield from walk(part)


def path_of(node: Node) -> str:
    """Return `order.status` for a field of a variable, `now` for a variable, else nothing."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Field) and isinstance(node.of, Name):
        return f"{node.of.name}.{node.name}"
    return ""


def _paths(node: Node, bound: frozenset[str]) -> Iterator[str]:
    path = path_of(node)
    if path:
        if path.split(".", maxsplit=1)[0] not in bound:
            yield path
        return
    if isinstance(node, Call) and node.name in MACROS and node.on and node.parts:
        yield from _paths(node.on, bound)
        variable = path_of(node.parts[0])
        for part in node.parts[1:]:
            yield from _paths(part, bound | {variable})
        return
    for part in _below(node):
        yield from _paths(part, bound)


def _below(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Field):
        return (node.of,)
    if isinstance(node, Items):
        return node.parts
    if isinstance(node, Call):
        return ((node.on,) if node.on is not None else ()) + node.parts
    return ()


class _Reader:
    """A recursive descent over the tokens."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(source.rstrip()):
            match = _TOKEN.match(source, at)
            if match is None or not match.lastgroup:
                raise NotUnderstood(source[at:])
            self._tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        self._at = 0

    def end(self) -> None:
        """Refuse what is left over.

        Raises:
            NotUnderstood: something is.
        """
        if self._at < len(self._tokens):
            raise NotUnderstood(self._source)

    def expression(self) -> Node:
        """Read a whole expression, `a ? b : c` included."""
        tested = self._binary(0)
        if not self._take("?"):
            return tested
        chosen = self._binary(0)
        self._need(":")
        return Call("?:", (tested, chosen, self.expression()))

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in _LEVELS[level]:
            operator = self._next()[1]
            left = Call(operator, (left, self._binary(level + 1)))
        return left

    def _unary(self) -> Node:
        for operator in ("!", "-"):
            if self._take(operator):
                return Call(operator, (self._unary(),))
        return self._member(self._primary())

    def _member(self, node: Node) -> Node:
        while True:
            if self._take("."):
                kind, name = self._next()
                if kind != "name":
                    raise NotUnderstood(self._source)
                node = Call(name, self._list(")"), node) if self._take("(") else Field(node, name)
            elif self._take("["):
                key = self.expression()
                self._need("]")
                node = Call("[]", (node, key))
            else:
                return node

    def _primary(self) -> Node:
        kind, text = self._next()
        if kind == "string":
            return Value(_text(text))
        if kind == "number":
            return Value(float(text) if "." in text else int(text.rstrip("u"), 0))
        if kind == "name":
            if text in _WORDS:
                return Value(_WORDS[text])
            return Call(text, self._list(")")) if self._take("(") else Name(text)
        if text == "(":
            node = self.expression()
            self._need(")")
            return node
        if text == "[":
            return Items(self._list("]"))
        raise NotUnderstood(self._source)

    def _list(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._take(end):
            found.append(self.expression())
            if not self._take(","):
                self._need(end)
                break
        return tuple(found)

    def _peek(self) -> str:
        if self._at >= len(self._tokens):
            return ""
        kind, text = self._tokens[self._at]
        return text if kind == "mark" or text == "in" else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise NotUnderstood(self._source)
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self._at += 1
        return True

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise NotUnderstood(self._source)


def _text(quoted: str) -> str:
    try:
        return str(ast.literal_eval(quoted))
    except (SyntaxError, ValueError) as error:
        raise NotUnderstood(quoted) from error
