"""Placeholders instead of personal data, and back."""

import re

from desk.writing.ports import Finds

KINDS = ("PERSON", "EMAIL", "PHONE", "ADDRESS", "POSTCODE", "ORDER", "TRACKING", "NUMBER")
PLACEHOLDER = re.compile(rf"(?<![A-Za-z])({'|'.join(KINDS)})_(\d{{1,3}})(?!\d)", re.IGNORECASE)


class Hiding:
    """What was hidden in the texts of one case.

    Placeholders are numbered by kind in the order of the texts: the same texts give the same ones.
    """

    def __init__(self, finds: Finds | None) -> None:
        """Hide what `finds` finds; None hides nothing."""
        self._finds = finds
        self._shown: dict[str, str] = {}
        self._known: dict[tuple[str, str], str] = {}

    @property
    def hidden(self) -> dict[str, str]:
        """What stands behind each placeholder."""
        return dict(self._shown)

    def hide(self, text: str) -> str:
        """Return a text with placeholders; what only looks like one is made to look otherwise."""
        if self._finds is None:
            return text
        text = PLACEHOLDER.sub(r"\1 \2", text)
        parts, position = [], 0
        for span in sorted(self._finds(text), key=lambda each: each.start):
            if span.start < position:
                continue
            parts += [text[position : span.start], self._name(span.kind, span.value)]
            position = span.end
        return "".join([*parts, text[position:]])

    def show(self, text: str) -> str:
        """Return a text with what stands behind its placeholders."""
        return PLACEHOLDER.sub(lambda found: self._shown.get(found[0].upper(), found[0]), text)

    def stripped(self, text: str) -> str:
        """Return a text without the placeholders that stand for something."""
        return PLACEHOLDER.sub(lambda f: " " if f[0].upper() in self._shown else f[0], text)

    def _name(self, kind: str, value: str) -> str:
        key = (kind, "".join(filter(str.isalnum, value.casefold())))
        if key not in self._known:
            number = 1 + sum(known == kind for known, _ in self._known)
            self._known[key] = f"{kind}_{number}"
            self._shown[f"{kind}_{number}"] = value
        return self._known[key]
