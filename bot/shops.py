"""Opens the shop that `endpoints.yml` names: a folder of JSON files, or one elsewhere."""

import asyncio
import importlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import structlog

from actions.commerce.errors import ShopDataInvalid
from actions.commerce.http import RetryLimits
from actions.commerce.mirror import CatalogMirror
from actions.commerce.models import ShopInfo
from actions.commerce.outside import outside_shop
from actions.commerce.remote import RemotePorts
from actions.commerce.seeds import load_shop
from actions.commerce.shop import Shop, sql_shop
from actions.commerce.sql import Clock, ShopDatabase, utc_now
from actions.commerce.sql_people import SqlCatalog
from actions.payments.ports import PaymentProvider
from bot.config_checks import meant
from bot.settings import Connection, Settings
from bot.yaml_source import Problem, SourceError, YamlSource, nearest

ADAPTERS = ("shopify", "vendure", "woocommerce")
log = structlog.get_logger(__name__)


class OpenShop(msgspec.Struct, frozen=True):
    """A shop that is ready: its ports, our database and, if it lives elsewhere, the way to it."""

    shop: Shop
    database: ShopDatabase
    ports: RemotePorts | None = None
    mirror: CatalogMirror | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self.ports is not None:
            await self.ports.closing()
        self.database.close()


async def open_shop(
    settings: Settings, provider: PaymentProvider, clock: Clock = utc_now
) -> OpenShop:
    """Open the shop of the settings.

    Args:
        settings: name the shop's folder and, for an outside shop, the adapter.
        provider: takes the customers' money, where the shop does not do so itself.
        clock: returns the present time as aware UTC.

    Raises:
        SourceError: the adapter or one of its settings is unknown or missing.
        ShopDataInvalid: the shop folder cannot be loaded.
        ShopUnavailable: an outside shop cannot be reached, and was never copied.
    """
    path = settings.data_dir / "shop.sqlite3"
    if not settings.is_outside_shop:
        database = await asyncio.to_thread(load_shop, settings.shop_dir, path, clock)
        return OpenShop(sql_shop(database, provider), database)
    ports = connect(settings)
    database = ShopDatabase(path, clock)
    mirror = CatalogMirror(ports.info, ports.catalog, database, settings.catalogue_dir)
    await mirror.ready()
    return OpenShop(outside_shop(ports, database), database, ports, mirror)


async def copy_catalogue(settings: Settings) -> int:
    """Copy an outside shop's catalogue; return the number of products.

    Raises:
        SourceError: the adapter or one of its settings is unknown or missing.
        ShopDataInvalid: the shop folder has no good `shop.json`.
        ShopUnavailable: the shop cannot be reached.
    """
    ports = connect(settings)
    database = ShopDatabase(settings.data_dir / "shop.sqlite3")
    try:
        mirror = CatalogMirror(ports.info, ports.catalog, database, settings.catalogue_dir)
        await mirror.refresh()
        return len(await SqlCatalog(database).products())
    finally:
        await ports.closing()
        database.close()


def connect(settings: Settings) -> RemotePorts:
    """Return the ports of an outside shop; nothing is sent yet.

    Raises:
        SourceError: the adapter or one of its settings is unknown or missing.
        ShopDataInvalid: the shop folder has no good `shop.json`.
    """
    connection = settings.endpoints.shop
    place = Place(_source(settings), "shop")
    known = {name: f"actions.commerce.{name}.connect" for name in ADAPTERS}
    opener, kind = adapter(connection, known, place)
    config = converted(connection, kind, place)
    path = settings.shop_dir / "shop.json"
    try:
        info = msgspec.json.decode(path.read_bytes(), type=ShopInfo)
    except (OSError, msgspec.MsgspecError) as error:
        msg = f"{path}: {error}"
        raise ShopDataInvalid(msg) from error
    ports = opener(config, info, RetryLimits())
    if not isinstance(ports, RemotePorts):
        raise SourceError([place.problem(f"{connection.kind} does not open a shop")])
    return ports


class Place:
    """A section of `endpoints.yml`, to say where something is wrong."""

    def __init__(self, source: YamlSource, section: str) -> None:
        """Stand at a section of a file."""
        self._source = source
        self._section = section

    def problem(self, text: str, cure: str = "", setting: str = "") -> Problem:
        """Return what is wrong, at the line of the setting or else of the section."""
        where = (self._section, "settings", setting) if setting else (self._section,)
        return self._source.problem(where, f"{self._section}: {text}", cure)


def adapter(
    connection: Connection, known: Mapping[str, str], place: Place
) -> tuple[Callable[..., object], type[msgspec.Struct]]:
    """Return an adapter's `connect` and the type of its settings, its module's `Config`.

    Args:
        connection: names the adapter: one of `known`, or `package.module:function`.
        known: the modules of the adapters that come with the program, by kind.
        place: where the connection is written.

    Raises:
        SourceError: there is no such adapter.
    """
    module_name, _, function = connection.kind.partition(":")
    if connection.kind in known:
        module_name, function = known[connection.kind], "connect"
    try:
        module = importlib.import_module(module_name)
        return getattr(module, function or "connect"), module.Config
    except (ImportError, AttributeError, ValueError) as error:
        cure = nearest(connection.kind, set(known), "kinds")
        problem = f"there is no adapter '{connection.kind}' ({error})"
        raise SourceError([place.problem(problem, cure)]) from error


def converted(connection: Connection, kind: type[msgspec.Struct], place: Place) -> msgspec.Struct:
    """Return an adapter's settings.

    Args:
        connection: holds them as they stand in the file.
        kind: the adapter's own type.
        place: where the connection is written.

    Raises:
        SourceError: one is unknown, missing, empty where it may not be, or of a wrong type.
    """
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    problems = [
        place.problem(
            f"unknown setting '{name}'", nearest(name, set(fields), "settings"), setting=name
        )
        for name in connection.settings
        if name not in fields
    ]
    problems += [
        place.problem(f"the setting '{name}' is missing", f"add {name}: … below settings")
        for name, field in fields.items()
        if field.required and not connection.settings.get(name)
    ]
    if problems:
        raise SourceError(problems)
    try:
        return msgspec.convert(_typed(connection.settings, kind), kind, strict=False)
    except msgspec.ValidationError as error:
        what, steps, cure = meant(error, kind)
        named = f"{'.'.join(map(str, steps))}: " if steps else ""
        setting = str(steps[0]) if steps else ""
        raise SourceError([place.problem(f"{named}{what}", cure, setting)]) from error


def _typed(settings: Mapping[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the settings without the empty ones, which mean the default."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    return {
        name: value
        for name, value in settings.items()
        if fields[name].required or not (value is None or (isinstance(value, str) and not value))
    }


def _source(settings: Settings) -> YamlSource:
    return YamlSource.read(settings.root / "endpoints.yml", settings.root)
