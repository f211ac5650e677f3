"""A copy of an outside shop's catalogue: for carts, for search, and for days the shop is away."""

import asyncio
import hashlib
from pathlib import Path

import msgspec
from sqlalchemy import insert
from sqlmodel import Session, SQLModel, col, delete, select

from actions.commerce.errors import NotFound, ShopUnavailable
from actions.commerce.models import Category, Product, ShopInfo, Vocabulary
from actions.commerce.ports import Catalog
from actions.commerce.sql import ShopDatabase, product_record
from actions.commerce.sql_people import SqlCatalog
from actions.commerce.sql_tables import (
    CategoryRow,
    MetaRow,
    ProductRow,
    VariantRow,
    store,
    values_of,
)


class CatalogMirror:
    """Keeps tables and files in step with the shop's catalogue."""

    def __init__(
        self, info: ShopInfo, catalog: Catalog, database: ShopDatabase, folder: Path
    ) -> None:
        """Copy into tables and a folder.

        Args:
            info: the shop itself.
            catalog: of the outside shop.
            database: ours.
            folder: gets `shop.json`, `categories.json`, `products.json` and `vocabulary.json` in
                the format of data/demo_shop/README.md, which the knowledge index reads.
        """
        self._info = info
        self._catalog = catalog
        self._database = database
        self._folder = folder
        self._busy = asyncio.Lock()

    @property
    def is_there(self) -> bool:
        """Whether the catalogue was copied before."""
        return (self._folder / "products.json").is_file()

    async def refresh(self) -> bool:
        """Copy everything; return whether anything was different.

        Raises:
            ShopUnavailable: the shop cannot be reached; the copy stays as it was.
        """
        async with self._busy:
            products = await self._catalog.products()
            categories = await self._catalog.categories()
            return await self._keep(products, categories, await self._catalog.vocabulary())

    async def refresh_product(self, product_id: str) -> bool:
        """Copy one product, or drop it when the shop no longer has it; return whether it changed.

        Only its own rows are written; the files follow with `write_files`.

        Raises:
            ShopUnavailable: the shop cannot be reached; the copy stays as it was.
        """
        async with self._busy:
            try:
                fresh = await self._catalog.product(product_id)
            except NotFound:
                return await self._database.change(lambda session: _drop(session, product_id))
            own = SqlCatalog(self._database)
            if fresh.category not in {c.id for c in await own.categories()}:
                categories = await self._catalog.categories()
                vocabulary = await self._catalog.vocabulary()
                await self._database.change(lambda s: _put_words(s, categories, vocabulary))
            return await self._database.change(lambda session: _put(session, fresh))

    async def write_files(self) -> bool:
        """Bring the files up to date with the tables; return whether any was different."""
        async with self._busy:
            own = SqlCatalog(self._database)
            products, categories = await own.products(), await own.categories()
            vocabulary = await own.vocabulary()
            files = (self._info, products, categories, vocabulary)
            changed, _ = await asyncio.to_thread(_write_all, self._folder, *files)
            return changed

    async def ready(self) -> None:
        """Copy what can be copied; an old copy serves while the shop is away.

        Raises:
            ShopUnavailable: the shop is away and was never copied.
        """
        try:
            await self.refresh()
        except ShopUnavailable:
            if not self.is_there:
                raise

    async def _keep(
        self,
        products: tuple[Product, ...],
        categories: tuple[Category, ...],
        vocabulary: Vocabulary,
    ) -> bool:
        files = (self._info, products, categories, vocabulary)
        changed, digest = await asyncio.to_thread(_write_all, self._folder, *files)
        meta = {
            "shop": msgspec.json.encode(self._info).decode(),
            "vocabulary": msgspec.json.encode(vocabulary).decode(),
            "content_hash": f"mirror:{digest}",
        }
        await self._database.change(lambda session: _fill(session, products, categories, meta))
        return changed


def _fill(
    session: Session,
    products: tuple[Product, ...],
    categories: tuple[Category, ...],
    meta: dict[str, str],
) -> None:
    tables: tuple[type[SQLModel], ...] = (MetaRow, CategoryRow, ProductRow, VariantRow)
    for table in tables:
        session.execute(delete(table))
    session.execute(insert(MetaRow), [{"key": k, "value": v} for k, v in meta.items()])
    variants = [
        {**values_of(variant), "product_id": product.id}
        for product in products
        for variant in product.variants
    ]
    rows: list[tuple[type[SQLModel], list[dict[str, object]]]] = [
        (CategoryRow, [values_of(item) for item in categories]),
        (ProductRow, [values_of(item) for item in products]),
        (VariantRow, variants),
    ]
    for table, values in rows:
        if values:
            session.execute(insert(table), values)


def _put(session: Session, fresh: Product) -> bool:
    """Write a product's own rows, unless they are the same; return whether they were not."""
    row = session.exec(select(ProductRow).where(ProductRow.id == fresh.id)).first()
    if row is None:
        session.add(ProductRow(**values_of(fresh)))
    elif product_record(session, fresh.id) == fresh:
        return False
    else:
        store(session, row, fresh)
    ids = [variant.id for variant in fresh.variants]
    own = (col(VariantRow.product_id) == fresh.id) | col(VariantRow.id).in_(ids)
    session.execute(delete(VariantRow).where(own))
    for variant in fresh.variants:
        session.add(VariantRow(**values_of(variant), product_id=fresh.id))
    return True


def _drop(session: Session, product_id: str) -> bool:
    session.execute(delete(VariantRow).where(col(VariantRow.product_id) == product_id))
    gone = session.exec(delete(ProductRow).where(col(ProductRow.id) == product_id))
    return bool(gone.rowcount)


def _put_words(session: Session, categories: tuple[Category, ...], vocabulary: Vocabulary) -> None:
    session.execute(delete(CategoryRow))
    for category in categories:
        session.add(CategoryRow(**values_of(category)))
    text = msgspec.json.encode(vocabulary).decode()
    session.merge(MetaRow(key="vocabulary", value=text))


def _write_all(
    folder: Path,
    info: ShopInfo,
    products: tuple[Product, ...],
    categories: tuple[Category, ...],
    vocabulary: Vocabulary,
) -> tuple[bool, str]:
    """Write the files whose content differs; return whether any did, and a hash of all."""
    files = {
        "shop": msgspec.to_builtins(info),
        "categories": msgspec.to_builtins(categories),
        "vocabulary": msgspec.to_builtins(vocabulary),
        "products": msgspec.to_builtins(products),
    }
    folder.mkdir(parents=True, exist_ok=True)
    changed, digest = False, hashlib.sha256()
    for name, content in files.items():
        path = folder / f"{name}.json"
        text = msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"
        digest.update(text)
        if path.is_file() and path.read_bytes() == text:
            continue
        part = path.with_suffix(".part")
        part.write_bytes(text)
        part.replace(path)
        changed = True
    return changed, digest.hexdigest()
