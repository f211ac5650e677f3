"""Flat rows, one for each variant, made into products; what is wrong is told row by row."""

import re
from collections.abc import Iterable, Iterator
from itertools import starmap

import msgspec

from knowledge.documents import AttributeValue, Category, Product, ProductVariant, Texts
from knowledge.readers.amounts import read_amount
from knowledge.readers.text import gives_orders
from knowledge.sources import SourceProblem
from knowledge.words import fold

FIELDS = (
    "id", "group", "title", "description", "price", "sale_price", "availability", "stock", "brand",
    "category", "image", "tags", "language",
)  # fmt: skip
OPTIONS = ("color", "size")
_MAX_TEXT_CHARS = 20_000
_TAG = re.compile(r"<[^>]{0,2000}>")
_SPACE = re.compile(r"\s+")
_ID = re.compile(r"[^\x00-\x1f]{1,200}")
_SOLD_OUT = {
    "outofstock", "soldout", "discontinued", "ausverkauft", "nichtlieferbar", "nichtverfugbar",
    "nichtvorratig", "no", "nein", "false", "0", "backorder", "preorder",
}  # fmt: skip


class Row(msgspec.Struct, frozen=True):
    """A variant as a feed gives it: the fields by name, and whatever else it tells."""

    place: str
    fields: dict[str, str]
    options: dict[str, str] = {}
    attributes: dict[str, AttributeValue] = {}


class Made(msgspec.Struct, frozen=True):
    """What came of the rows of one document."""

    products: tuple[Product, ...]
    categories: tuple[Category, ...]
    problems: tuple[SourceProblem, ...]


class _Draft:
    """A product while its rows come in."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.title: Texts = {}
        self.description: Texts = {}
        self.variants: dict[str, ProductVariant] = {}


class ProductMaker:
    """Makes products of rows: those of a group are its variants, in one or more languages."""

    def __init__(self, path: str, currency: str, language: str) -> None:
        """Make products of a document's rows.

        Args:
            path: The document, for the report.
            currency: ISO 4217 code of the shop.
            language: Of rows that do not tell theirs.
        """
        self._path = path
        self._currency = currency
        self._language = language
        self._drafts: dict[str, _Draft] = {}
        self._owners: dict[str, str] = {}
        self._problems: list[SourceProblem] = []

    def make(self, rows: Iterable[Row]) -> Made:
        """Return the products of all rows."""
        for row in rows:
            try:
                self._add(row)
            except ValueError as error:
                self._problem(row.fields.get("id") or row.place, str(error))
        drafts = self._drafts.items()
        products = tuple(starmap(_product, drafts))
        for product in products:
            if any(map(gives_orders, (*product.title.values(), *product.description.values()))):
                self._problem(product.id, "reads like orders to a language model", kept=True)
        return Made(products, tuple(self._categories()), tuple(self._problems))

    def _problem(self, item: str, reason: str, *, kept: bool = False) -> None:
        self._problems.append(SourceProblem(self._path, item, reason, kept))

    def _add(self, row: Row) -> None:
        """Take a row in.

        Raises:
            ValueError: When it has to be left out.
        """
        fields = row.fields
        key = fields.get("id", "").strip()
        title = plain(fields.get("title", ""))
        language = fields.get("language", "").lower()[:2] or self._language
        if not _ID.fullmatch(key):
            raise ValueError("has no id")
        if not title:
            raise ValueError("has no title")
        group = fields.get("group", "").strip() or key
        variant = self._variant(row, key)
        if self._owners.setdefault(key, group) != group:
            raise ValueError("this id came before in another product; kept the first")
        draft = self._drafts.setdefault(group, _Draft(row))
        if key in draft.variants and language in draft.title:
            raise ValueError("this id came before; kept the first")
        draft.title.setdefault(language, title)
        if text := plain(fields.get("description", "")):
            draft.description.setdefault(language, text)
        draft.variants.setdefault(key, variant)

    def _variant(self, row: Row, key: str) -> ProductVariant:
        fields = row.fields
        price = read_amount(fields.get("price", ""), self._currency)
        if fields.get("sale_price"):
            sale = read_amount(fields["sale_price"], self._currency)
            price = sale if 0 < sale < price else price
        if price == 0:
            raise ValueError("has the price 0")
        stock = _stock(fields.get("stock", ""))
        available = is_available(fields.get("availability", "")) and stock != 0
        options = {name: plain(value) for name, value in row.options.items() if plain(value)}
        return ProductVariant(key, options, price, available, stock)

    def _categories(self) -> Iterator[Category]:
        seen: set[str] = set()
        for draft in self._drafts.values():
            language = draft.row.fields.get("language", "").lower()[:2] or self._language
            title = shelf(draft.row.fields.get("category", ""))
            key = slug(title)
            if key and key not in seen:
                seen.add(key)
                yield Category(key, {language: title})


def _product(key: str, draft: _Draft) -> Product:
    fields = draft.row.fields
    variants = tuple(draft.variants.values())
    return Product(
        id=key,
        title=draft.title,
        variants=variants,
        description=draft.description,
        category=slug(shelf(fields.get("category", ""))),
        brand=plain(fields.get("brand", "")),
        attributes=draft.row.attributes,
        tags=tuple(filter(None, (plain(t) for t in fields.get("tags", "").split(",")))),
        option_names=tuple(dict.fromkeys(name for v in variants for name in v.options)),
        image=fields.get("image", "").strip(),
    )


def plain(text: str) -> str:
    """Return a text without markup and needless space, at most 20,000 characters long."""
    return _SPACE.sub(" ", _TAG.sub(" ", text[: 2 * _MAX_TEXT_CHARS])).strip()[:_MAX_TEXT_CHARS]


def shelf(category: str) -> str:
    """Return the last part of a path such as "Clothing > Jackets"."""
    return plain(re.split(r"\s*>\s*|\s*›\s*|/", category)[-1])


def slug(text: str) -> str:
    """Return a text as an id: lower case, without accents, words joined by a dash."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")


def is_available(text: str) -> bool:
    """Return whether a feed's word for the availability means that it can be had now."""
    word = re.sub(r"[^a-z0-9]", "", fold(text.rsplit("/", 1)[-1]))
    return word not in _SOLD_OUT


def _stock(text: str) -> int | None:
    try:
        return max(0, int(float(text))) if text.strip() else None
    except (ValueError, OverflowError):
        return None
