"""Opens the language model that `endpoints.yml` names: the composition root's part of it."""

import re
from collections.abc import Iterable, Sequence
from itertools import starmap
from typing import Any

from bot.answered import named_in_slots, personal_spans
from bot.knowledge_sources import shop_file
from bot.settings import Settings
from bot.shops import Place, adapter, converted
from bot.yaml_source import SourceError, YamlSource
from desk.writing.ports import Finds, Hides, LanguageModel, Span
from desk.writing.writer import Limits, Writer

NONE = "none"
KINDS = {"langchain": "desk.writing.langchain_chat"}
_EXTRA = 'pip install "tresen[llm]"'
_LEAST_CHARS = 3
_PLACED = ("address", "street", "city")


def open_writer(settings: Settings) -> Writer | None:
    """Return what writes for the desk; None where no model is named. Nothing is sent yet.

    Raises:
        SourceError: the model or one of its settings is unknown, missing or wrong.
    """
    model = make_model(settings)
    if model is None:
        return None
    chosen = settings.endpoints.language_model
    pattern = shop_file(settings).order_number_pattern
    hides = None if chosen.send_personal_data else hiding(pattern)
    return Writer(model, hides, Limits(chosen.timeout_s, chosen.at_once))


def make_model(settings: Settings) -> LanguageModel | None:
    """Return the language model that the settings name; None where they name none.

    Raises:
        SourceError: it or one of its settings is unknown, missing or wrong.
    """
    chosen = settings.endpoints.language_model
    if chosen.kind == NONE:
        return None
    source = YamlSource.read(settings.root / "endpoints.yml", settings.root)
    place = Place(source, "language_model")
    try:
        opener, kind = adapter(chosen, KINDS, place)
    except SourceError as error:
        missing = error.__cause__
        if chosen.kind in KINDS and isinstance(missing, ImportError):
            raise SourceError([place.problem("langchain is not installed", _EXTRA)]) from error
        raise
    config = converted(chosen, kind, place)
    try:
        model = opener(config, chosen.timeout_s)
    except ImportError as error:
        found = re.search(r"pip install [\w-]+", str(error))
        cure = found[0] if found else _EXTRA
        raise SourceError([place.problem(str(error).partition("\n")[0], cure)]) from error
    except ValueError as error:
        raise SourceError([place.problem(str(error))]) from error
    if not isinstance(model, LanguageModel):
        raise SourceError([place.problem(f"{chosen.kind} is no language model")])
    return model


def hiding(order_number_pattern: str) -> Hides:
    """Return what finds the personal data that `tresen gaps` takes out, and a case's own names.

    Args:
        order_number_pattern: the shop's, a regular expression.
    """
    spans = personal_spans(order_number_pattern)

    def hides(slots: Iterable[tuple[str, Any]], names: Iterable[tuple[str, str]]) -> Finds:
        known = [(value, _kind(name)) for name, value in named_in_slots(slots)]
        known += [(value, kind) for value, kind in names if value.strip()]
        finders = [(_pattern(value), kind, value) for value, kind in _with_parts(known)]

        def finds(text: str) -> Sequence[Span]:
            named = [
                Span(found.start(), found.end(), kind, value)
                for pattern, kind, value in finders
                for found in pattern.finditer(text)
            ]
            return _apart([*named, *starmap(Span, spans(text))])

        return finds

    return hides


def _with_parts(known: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the names, longest first, with the parts of people's: some go by one of them."""
    every = {(value.strip(), kind) for value, kind in known}
    for value, kind in list(every):
        if kind == "PERSON":
            every |= {(part, kind) for part in value.split() if part[0].isupper()}
    long_enough = [each for each in every if len(each[0]) >= _LEAST_CHARS]
    return sorted(long_enough, key=lambda each: (-len(each[0]), each))


def _pattern(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Return the spans that do not overlap, those that reach furthest first."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.start - each.end, each.start)):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return kept


def _kind(slot: str) -> str:
    for kind in ("email", "phone", "postcode"):
        if kind in slot:
            return kind.upper()
    return "ADDRESS" if any(word in slot for word in _PLACED) else "PERSON"
