"""The condition language of flows: CEL, closed and without side effects.

Source: the Common Expression Language (https://cel.dev), through the package
`common-expression-language`.
"""

import re
from collections.abc import Mapping
from typing import Any

import cel

from bot.messages import Json

_NAME = re.compile(r"(?<![\w.'\"])([A-Za-z_]\w*)\b(?!\s*\()")
_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_WORDS = frozenset({"true", "false", "null", "in", "has", "size", "all", "exists", "map", "filter"})


class ConditionError(ValueError):
    """An expression cannot be compiled or evaluated."""


class Expression:
    """One compiled CEL expression."""

    def __init__(self, source: str) -> None:
        """Compile `source`.

        Raises:
            ConditionError: The source is not valid CEL.
        """
        self.source = source
        try:
            self._program = cel.compile(source)
        except Exception as error:  # the library raises ValueError and its own kinds
            raise ConditionError(f"'{source}' is not a valid condition: {error}") from error

    @property
    def names(self) -> frozenset[str]:
        """Return the variables that the expression reads."""
        bare = _STRING.sub("''", self.source)
        bound = set(re.findall(r"\.(?:all|exists|map|filter)\(\s*(\w+)\s*,", bare))
        keys = set(re.findall(r"[{,]\s*(\w+)\s*:", bare))
        return frozenset(set(_NAME.findall(bare)) - _WORDS - bound - keys)

    def evaluate(self, values: Mapping[str, Json]) -> Json:
        """Return the value of the expression over `values` (JSON types).

        Raises:
            ConditionError: A name is missing or types do not fit.
        """
        try:
            return self._program.execute(dict(values))
        except Exception as error:  # the library raises RuntimeError, TypeError, ValueError
            raise ConditionError(f"'{self.source}' failed: {error}") from error

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether the expression is true over `values`.

        Raises:
            ConditionError: A name is missing or types do not fit.
        """
        return self.evaluate(values) is True
