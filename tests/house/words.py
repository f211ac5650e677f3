"""Words: one name per thing, and nothing that ties the repository to a package registry."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from tests.house.source import Finding, Source

# Customers may write it; so training examples, FAQ texts and string literals are not read.
BANNED_WORD = "agent"
_AS_WORD = re.compile(rf"(?<![a-z]){BANNED_WORD}s?(?![a-z])", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# The HTTP header has its own name.
_HEADER = re.compile(rf"\buser[-_ ]?{BANNED_WORD}s?\b", re.IGNORECASE)
# The data that customers' sentences and shop texts live in.
SPOKEN = ("data/", "tests/understanding/hard/")

# Written in halves so that this file does not contain them.
_REGISTRIES = [
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("npmjs", "org"),
    ("npmjs", "com"),
    ("yarnpkg", "com"),
    ("crates", "io"),
    ("rubygems", "org"),
    ("golang", "org"),
    ("deb.debian", "org"),
    ("docker", "io"),
]
_REGISTRY = re.compile("|".join(rf"\b{name}\.{top}\b" for name, top in _REGISTRIES), re.IGNORECASE)


def banned_word(source: Source) -> Iterator[Finding]:
    """The word for both a bot and a person is not used: say bot, or say operator."""
    if source.path.startswith(SPOKEN):
        return
    lines = _python_words(source) if source.is_python else enumerate(source.text.split("\n"), 1)
    for line, text in lines:
        plain = _HEADER.sub("", text)
        if _AS_WORD.search(_CAMEL.sub("_", plain)):
            yield source.finding("banned_word", line, text.strip()[:60], "say bot, or say operator")


def registry_host(source: Source) -> Iterator[Finding]:
    """No package registry's host is named: clients are set up by the machine they run on."""
    for number, line in enumerate(source.text.split("\n"), 1):
        for match in _REGISTRY.finditer(line):
            problem = "use the ordinary client without an address"
            yield source.finding("registry_host", number, match.group(), problem)


def _python_words(source: Source) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every name, comment and docstring; other strings are data."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type in {tokenize.NAME, tokenize.COMMENT}:
            yield token.start[0], token.string
    for node in source.nodes(ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef):
        text = ast.get_docstring(node, clean=False)
        if text is not None:
            yield from enumerate(text.split("\n"), node.body[0].lineno)
