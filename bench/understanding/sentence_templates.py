"""Texts of sentence templates: `[may be left out]`, `(one|or the other)`, `<rule>`, `{slot}`.

Home Assistant and Open Voice OS write their intents so.
"""

import random
import re
from collections.abc import Callable

_DEEPEST = 12
_SPACE = re.compile(r"\s+")
_ENDS = {"(": ")", "[": "]", "<": ">", "{": "}"}
_LEFT_OUT = 0.5


class TemplateError(ValueError):
    """A template cannot be read, or names a rule or slot that there is none of."""


class Templates:
    """Draws texts.

    Args:
        rule: template by the name of a rule; a LookupError where there is none.
        slot: likewise, by the name of a slot.
        numbers: to draw with.
    """

    def __init__(
        self, rule: Callable[[str], str], slot: Callable[[str], str], numbers: random.Random
    ) -> None:
        self._rule = rule
        self._slot = slot
        self._numbers = numbers

    def draw(self, template: str) -> str:
        """Return one text of a template.

        Raises:
            TemplateError: it has none.
        """
        try:
            return _SPACE.sub(" ", self._any(template, 0)).strip()
        except LookupError as error:
            message = f"{template}: {error}"
            raise TemplateError(message) from error

    def _any(self, template: str, depth: int) -> str:
        """Return a text of one of the parts between bars."""
        return self._text(self._numbers.choice(_parts(template)), depth + 1)

    def _text(self, template: str, depth: int) -> str:
        if depth > _DEEPEST:
            message = f"{template}: a rule names itself"
            raise TemplateError(message)
        found = []
        place = 0
        while place < len(template):
            letter = template[place]
            if letter not in _ENDS:
                found.append(letter)
                place += 1
                continue
            end = _end(template, place)
            inside = template[place + 1 : end]
            if letter == "<":
                found.append(self._any(self._rule(inside), depth))
            elif letter == "{":
                found.append(self._any(self._slot(inside.partition(":")[0]), depth))
            elif letter == "(" or self._numbers.random() >= _LEFT_OUT:
                found.append(self._any(inside, depth))
            place = end + 1
        return "".join(found)


def _end(template: str, start: int) -> int:
    """Return where the bracket that opens at `start` closes.

    Raises:
        TemplateError: it does not.
    """
    opening, closing = template[start], _ENDS[template[start]]
    depth = 0
    for place in range(start, len(template)):
        depth += (template[place] == opening) - (template[place] == closing)
        if depth == 0:
            return place
    message = f"{template}: {opening} is not closed"
    raise TemplateError(message)


def _parts(template: str) -> list[str]:
    """Return what stands between the bars that are in no bracket."""
    parts, depth = [""], 0
    for letter in template:
        depth += (letter in "([<{") - (letter in ")]>}")
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
