"""Size and shape: one idea per file, one thought per function, narrow ports."""

import ast
from collections.abc import Iterator

from tests.house.source import Finding, Source

FILE_LINES = 400
FUNCTION_LINES = 40
CONSTRUCTOR_PARAMETERS = 6
PORT_METHODS = 5
CODE_SUFFIXES = (".py", ".js", ".css", ".html")
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def file_length(source: Source) -> Iterator[Finding]:
    """A file of code has at most 400 lines; past that it holds two ideas."""
    lines = source.text.count("\n")
    if source.path.endswith(CODE_SUFFIXES) and lines > FILE_LINES:
        problem = f"{lines} lines, at most {FILE_LINES}: split it by idea"
        yield source.finding("file_length", FILE_LINES, source.name, problem)


def function_length(source: Source) -> Iterator[Finding]:
    """A function has at most 40 lines; its docstring does not count."""
    for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        lines = node.end_lineno - node.lineno + 1 - _docstring_lines(node)
        if lines > FUNCTION_LINES:
            problem = f"{lines} lines without its docstring, at most {FUNCTION_LINES}"
            yield source.finding("function_length", node.lineno, node.name, problem)


def constructor_width(source: Source) -> Iterator[Finding]:
    """A constructor takes at most 6 parameters; past that two of them belong together."""
    for owner in source.nodes(ast.ClassDef):
        for node in owner.body:
            if isinstance(node, Function) and node.name == "__init__":
                count = _parameter_count(node) - 1
                if count > CONSTRUCTOR_PARAMETERS:
                    problem = f"{count} parameters, at most {CONSTRUCTOR_PARAMETERS}"
                    yield source.finding("constructor_width", node.lineno, owner.name, problem)


def port_width(source: Source) -> Iterator[Finding]:
    """A port has at most 5 abstract methods; several small ports beat a wide one."""
    for owner in source.nodes(ast.ClassDef):
        count = sum(isinstance(node, Function) and _is_abstract(node) for node in owner.body)
        if count > PORT_METHODS:
            problem = f"{count} abstract methods, at most {PORT_METHODS}: split the port"
            yield source.finding("port_width", owner.lineno, owner.name, problem)


def module_name(source: Source) -> Iterator[Finding]:
    """No module or folder is named for nothing: utils, helpers, common, misc."""
    parts = source.path.removesuffix(".py").split("/")
    for part in parts if source.is_python else ():
        if part in EMPTY_NAMES:
            yield source.finding("module_name", 1, part, "name the module after what it holds")


def empty_init(source: Source) -> Iterator[Finding]:
    """An `__init__.py` is empty: importing a package runs nothing."""
    if source.name == "__init__.py" and source.text.strip():
        yield source.finding(
            "empty_init", 1, source.path, "must be empty; import the module itself"
        )


def no_mock(source: Source) -> Iterator[Finding]:
    """No mocks: a shipped fake passes the same contract test as the real thing."""
    for node in source.nodes(ast.Import, ast.ImportFrom):
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name}" for name in names]
        for name in names:
            if name.startswith(("unittest.mock", "mock.", "pytest_mock")) or name == "mock":
                yield source.finding("no_mock", node.lineno, name, "write a fake of the port")


def _docstring_lines(node: Function) -> int:
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return 0
    return first.end_lineno - first.lineno + 1


def _parameter_count(node: Function) -> int:
    spec = node.args
    return len(spec.posonlyargs) + len(spec.args) + len(spec.kwonlyargs)


def _is_abstract(node: Function) -> bool:
    return any(
        (isinstance(mark, ast.Name) and mark.id == "abstractmethod")
        or (isinstance(mark, ast.Attribute) and mark.attr == "abstractmethod")
        for mark in node.decorator_list
    )
