"""Whether a component can do what its port asks for, so that the start says so and not a turn."""

import inspect
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Final

from bot.understanding import ports

PORTS: Final[Mapping[str, type]] = {
    "language": ports.LanguageDetector,
    "normaliser": ports.Normaliser,
    "encoder": ports.Encoder,
    "intent_classifier": ports.IntentClassifier,
    "entity_extractors": ports.EntityExtractor,
    "sentiment": ports.SentimentScorer,
    "router": ports.Router,
    "command_proposer": ports.CommandProposer,
}
"""Role → port."""


def lacking(role: str, component: object) -> str:
    """Return what a component lacks to play a role, or "" when it lacks nothing."""
    return next(_lacking(PORTS[role], component), "")


def _lacking(port: type, component: object) -> Iterator[str]:
    kind = type(component).__name__
    for name, asked in vars(port).items():
        if name.startswith("_"):
            continue
        is_method = isinstance(asked, FunctionType)
        try:
            given = getattr(component, name)
        except AttributeError:
            shown = f"{name}()" if is_method else name
            yield f"{kind} has no {shown}, as {port.__name__} in bot/understanding/ports.py asks"
            continue
        if is_method and not _takes(given, asked):
            arguments = ", ".join(list(inspect.signature(asked).parameters)[1:])
            yield f"{kind}.{name} cannot be called with ({arguments})"


def _takes(given: object, asked: FunctionType) -> bool:
    """Return whether a method can be called with everything that its port hands over."""
    if not callable(given):
        return False
    handed = list(inspect.signature(asked).parameters.values())[1:]
    named = {one.name: None for one in handed if one.kind is inspect.Parameter.KEYWORD_ONLY}
    try:
        inspect.signature(given).bind(*[None] * (len(handed) - len(named)), **named)
    except TypeError:
        return False
    except ValueError:  # written in C: it does not tell
        return True
    return True
