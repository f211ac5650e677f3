"""The sentences of simulated customers: `data/simulation/phrases.*.yml`."""

import random
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "data" / "simulation"
PLAIN = "plain"


class Phrases:
    """What can be said in one language, drawn by a customer's own dice."""

    def __init__(self, language: str, dice: random.Random) -> None:
        """Speak `language`."""
        self._acts = _read(language)
        self._dice = dice

    def draw(self, act: str, style: str) -> str:
        """Return one of the sentences for an act such as `answer.items`."""
        found = self._find(act)
        if isinstance(found, dict):
            found = found.get(style) or found[PLAIN]
        return str(self._dice.choice(found)) if isinstance(found, list) else str(found)

    def known(self, act: str) -> bool:
        """Return whether there are sentences for an act."""
        try:
            self._find(act)
        except KeyError:
            return False
        return True

    def _find(self, act: str) -> Any:  # noqa: ANN401
        found: Any = self._acts
        for step in act.split("."):
            found = found[step]
        return found


@cache
def _read(language: str) -> dict[str, Any]:
    path = FOLDER / f"phrases.{language}.yml"
    acts: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return acts
