"""Opens the sources of knowledge that `endpoints.yml` names, and the index over them."""

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Annotated, Any

import msgspec

import knowledge.feeds
from bot.config_checks import unknown_keys, wrong_value
from bot.settings import Settings
from bot.yaml_source import Problem, SourceError, YamlSource, nearest
from knowledge.feeds.base import Source, Surroundings
from knowledge.gathering import Gathering
from knowledge.sources import SourceDirs
from knowledge.store import OpenStore, chroma_server, open_store

_SECTION = ("knowledge", "sources")
_PLACE = re.compile(r"^(.*?)(?: - at `\$\.?(\w*).*`)?$", re.DOTALL)


class Plan(msgspec.Struct, frozen=True):
    """What every source says of itself; `interval_minutes` 0 is read by hand or webhook only."""

    kind: Annotated[str, msgspec.Meta(min_length=1)]
    name: Annotated[
        str,
        msgspec.Meta(
            pattern="^[a-z0-9][a-z0-9_-]{0,40}$",
            description="write lower-case letters, digits, - and _",
        ),
    ]
    interval_minutes: Annotated[int, msgspec.Meta(ge=0, le=44_640)] = 0


class Planned(msgspec.Struct, frozen=True):
    """A source and how often it is read; 0 seconds is never by itself."""

    source: Source
    interval_s: float


class ShopFile(msgspec.Struct):
    """The part of shop.json that is needed here."""

    currency: str = "EUR"
    order_number_pattern: str = r"[A-Z]{2}-?\d{6}"


def open_sources(settings: Settings) -> list[Planned]:
    """Return the sources of the settings; nothing is read yet.

    Raises:
        SourceError: A source has an unknown kind or setting, or a wrong value.
    """
    told = settings.endpoints.knowledge.sources
    if not told:
        return []
    reader = _Reader(settings)
    found: list[Planned] = []
    problems: list[Problem] = []
    for number, entry in enumerate(told):
        try:
            found.append(reader.read(number, entry))
        except SourceError as error:
            problems += error.problems
    names = Counter(planned.source.name for planned in found)
    problems += (
        reader.problem((), f"two sources are called '{name}'", "give each its own name: …")
        for name, count in names.items()
        if count > 1
    )
    if problems:
        raise SourceError(problems)
    return found


def open_gathering(settings: Settings) -> Gathering:
    """Return what is kept of the settings' sources.

    Raises:
        SourceError: A source has an unknown kind or setting, or a wrong value.
    """
    sources = [planned.source for planned in open_sources(settings)]
    return Gathering(settings.data_dir / "knowledge" / "sources", sources)


def shop_texts(settings: Settings) -> SourceDirs:
    """Return where the shop's own products and texts are."""
    own = settings.is_own_shop
    data = settings.root / "data"
    return SourceDirs(
        shop=settings.catalogue_dir,
        faq=settings.shop_dir / "faq" if own else data / "faq",
        policies=settings.shop_dir / "policies" if own else data / "policies" / "texts",
    )


def shop_file(settings: Settings) -> ShopFile:
    """Return what shop.json says, or what holds without one."""
    try:
        raw = (settings.catalogue_dir / "shop.json").read_bytes()
        return msgspec.json.decode(raw, type=ShopFile)
    except (OSError, msgspec.DecodeError):
        return ShopFile()


def store_opener(settings: Settings) -> OpenStore:
    """Return what opens the vector store: the server of the settings, or files of our own."""
    url = settings.endpoints.knowledge.chroma.url
    return chroma_server(url) if url else open_store


class _Reader:
    """Reads the entries of `knowledge: sources:`."""

    def __init__(self, settings: Settings) -> None:
        path = settings.root / "endpoints.yml"
        self._file = YamlSource.read(path, settings.root)
        self._around = Surroundings(
            settings.root, shop_file(settings).currency, settings.config.languages
        )

    def problem(self, where: tuple[str | int, ...], text: str, cure: str = "") -> Problem:
        """Return a problem at a part of the section."""
        return self._file.problem((*_SECTION, *where), f"knowledge.sources: {text}", cure)

    def read(self, number: int, entry: dict[str, Any]) -> Planned:
        """Return a source.

        Raises:
            SourceError: Something about it is wrong.
        """
        own = {name: entry[name] for name in Plan.__struct_fields__ if name in entry}
        plan = self._converted(number, {"name": own.get("kind"), **own}, Plan)
        module = self._module(number, plan.kind)
        rest = {key: value for key, value in entry.items() if key not in own}
        where = (*_SECTION, number)
        if problems := list(unknown_keys(self._file, rest, module.Config, where)):
            raise SourceError(problems)
        config = self._converted(number, rest, module.Config)
        source = module.connect(plan.name, config, self._around)
        return Planned(source, 60.0 * plan.interval_minutes)

    def _module(self, number: int, kind: str) -> ModuleType:
        path = kind if "." in kind else f"knowledge.feeds.{kind}"
        try:
            module = importlib.import_module(path)
        except ModuleNotFoundError as error:
            problem = self.problem(
                (number, "kind"), f"there is no kind '{kind}'", nearest(kind, _kinds(), "kinds")
            )
            raise SourceError([problem]) from error
        if not hasattr(module, "connect") or not hasattr(module, "Config"):
            text = f"'{kind}' is no kind: it has no connect() or no Config"
            raise SourceError([
                self.problem((number, "kind"), text, nearest(kind, _kinds(), "kinds"))
            ])
        return module

    def _converted(self, number: int, values: dict[str, Any], kind: type[msgspec.Struct]) -> Any:  # noqa: ANN401 - of the type that is passed
        try:
            return msgspec.convert(values, kind, strict=False)
        except msgspec.ValidationError as error:
            found = _PLACE.match(str(error))
            setting = found[2] if found and found[2] else ""
            where: tuple[str | int, ...] = (number, setting) if setting else (number,)
            cure = wrong_value(self._file, error, kind).cure
            text = f"{setting}: {found[1]}" if found and setting else str(found and found[1])
            raise SourceError([self.problem(where, text, cure)]) from error


def _kinds() -> Iterator[str]:
    """Yield the kinds of sources that come with the program."""
    for info in pkgutil.iter_modules(knowledge.feeds.__path__):
        if hasattr(importlib.import_module(f"knowledge.feeds.{info.name}"), "connect"):
            yield info.name
