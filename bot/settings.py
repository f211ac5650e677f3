"""`config.yml` and `endpoints.yml`; secrets come in as `${NAME}` or `${NAME:-default}`."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec

from bot.config_checks import unknown_keys, unknown_kinds, wrong_value
from bot.messages import Json
from bot.own_modules import look_in
from bot.understanding.pipeline import Pipeline, read_pipeline
from bot.understanding.thresholds import Thresholds
from bot.yaml_source import Problem, SourceError, YamlSource

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")

T = TypeVar("T", bound=msgspec.Struct)
Language: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[a-z]{2,3}$")]
"""ISO 639-1 code."""
Languages: TypeAlias = Annotated[
    tuple[Language, ...],
    msgspec.Meta(min_length=1, description="write the codes of at least one, such as [de, en]"),
]


class Config(msgspec.Struct, frozen=True):
    """How the bot understands and decides."""

    languages: Languages = ("de", "en")
    thresholds: Thresholds = Thresholds()
    pipeline: dict[str, Any] = msgspec.field(default_factory=dict)
    consent_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 30
    record_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 30
    desk: dict[str, Any] = msgspec.field(default_factory=dict)


class Connection(msgspec.Struct, frozen=True):
    """An outside system: what kind it is, and the settings of its adapter."""

    kind: str
    settings: dict[str, Any] = msgspec.field(default_factory=dict)


class ChromaServer(msgspec.Struct, frozen=True):
    """A vector store that several processes share; without a `url` each has its own files."""

    url: Annotated[
        str, msgspec.Meta(pattern="^(?:https?://.+)?$", description="write http://… or https://…")
    ] = ""


class KnowledgeSettings(msgspec.Struct, frozen=True):
    """Where products and help texts come from besides the shop, and where vectors live."""

    sources: tuple[dict[str, Any], ...] = ()
    chroma: ChromaServer = ChromaServer()


class LanguageModelConnection(Connection, frozen=True):
    """A language model for the desk, how long and how often it is asked, and what it is told."""

    kind: str = "none"
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 60.0
    at_once: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    send_personal_data: bool = False


class Endpoints(msgspec.Struct, frozen=True):
    """What the bot talks to."""

    shop: Connection = Connection("demo")
    payments: Connection = Connection("demo")
    desk: Connection = Connection("own")
    translation: Connection = Connection("none")
    sign_in: dict[str, Any] = msgspec.field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    knowledge: KnowledgeSettings = KnowledgeSettings()
    language_model: LanguageModelConnection = LanguageModelConnection()
    public_url: str = ""
    store: str = ""
    action_endpoint: str = ""
    api_token: str = ""
    webchat_secret: str = ""
    webchat_origins: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True):
    """Everything the composition root needs to know."""

    root: Path
    data_dir: Path
    shop_dir: Path
    models_dir: Path
    config: Config
    endpoints: Endpoints
    pipeline: Pipeline = Pipeline()

    @property
    def store_url(self) -> str:
        """Return where conversations live."""
        return self.endpoints.store or f"sqlite:///{self.data_dir / 'tresen.sqlite3'}"

    @property
    def is_own_shop(self) -> bool:
        """Return whether the shop served is another one than the demo shop in `data/`."""
        return self.shop_dir.resolve() != (self.root / "data" / "demo_shop").resolve()

    @property
    def is_outside_shop(self) -> bool:
        """Return whether the shop lives elsewhere, and not in a folder of JSON files."""
        return self.endpoints.shop.kind != "demo"

    @property
    def catalogue_dir(self) -> Path:
        """Return the folder whose `products.json` is searched: the shop's own, or its copy."""
        return self.data_dir / "catalogue" if self.is_outside_shop else self.shop_dir


def load_settings(
    root: Path,
    data_dir: Path | None = None,
    shop_dir: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Read both files below `root`, where modules of one's own may lie as well.

    Raises:
        SourceError: A file is missing, is not YAML, has unknown or repeated keys, wrong types or
            values out of range, or names an environment variable that is not set.
    """
    look_in(root)
    config = _section(root / "config.yml", Config, environ, root)
    endpoints = _section(root / "endpoints.yml", Endpoints, environ, root)
    source = YamlSource.read(root / "config.yml", root)
    if problems := list(unknown_kinds(source, config.thresholds.hand_off, root)):
        raise SourceError(problems)
    return Settings(
        root=root,
        data_dir=data_dir or root / ".data",
        shop_dir=shop_dir or root / "data" / "demo_shop",
        models_dir=root / "models",
        config=config,
        endpoints=endpoints,
        pipeline=read_pipeline(source, config.pipeline),
    )


def _section(path: Path, kind: type[T], environ: Mapping[str, str], root: Path) -> T:
    source = YamlSource.read(path, root)
    data = {} if source.data is None else source.data
    if not isinstance(data, dict):
        raise SourceError([source.problem((), "must be a mapping of settings")])
    problems = [*source.duplicates, *unknown_keys(source, data, kind)]
    if problems:
        raise SourceError(problems)
    try:
        return msgspec.convert(_filled(data, environ), kind)
    except msgspec.ValidationError as error:
        raise SourceError([wrong_value(source, error, kind)]) from error
    except KeyError as error:
        line = next(
            (
                n
                for n, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
                if f"{{{error.args[0]}" in text
            ),
            1,
        )
        cure = f"set {error.args[0]}, or write ${{{error.args[0]}:-default}}"
        problem = Problem(source.path, line, f"the environment has no {error.args[0]}", cure)
        raise SourceError([problem]) from error


def _filled(value: Json, environ: Mapping[str, str]) -> Json:
    if isinstance(value, dict):
        return {key: _filled(item, environ) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, environ) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _variable(match, environ), value)
    return value


def _variable(match: re.Match[str], environ: Mapping[str, str]) -> str:
    name, default = match.groups()
    if default is None:
        return environ[name]
    return environ.get(name, default)
