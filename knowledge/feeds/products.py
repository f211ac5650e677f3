"""`kind: products`: a CSV, TSV or JSON file or address, its columns mapped by settings."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec

from knowledge.documents import AttributeValue
from knowledge.errors import SourceUnreadable
from knowledge.feeds.base import Document, Source, Surroundings, fingerprint_of
from knowledge.feeds.location import Located, Location
from knowledge.readers.rows import FIELDS, OPTIONS, ProductMaker, Row
from knowledge.readers.text import decode_first
from knowledge.sources import SourceProblem

_MAX_FIELD_CHARS = 1_000_000


class Config(Location, frozen=True, kw_only=True):
    """The settings; `columns` names the file's column for each field.

    `items` is where the list stands in a JSON file, such as data.products. Every column that is no
    field becomes an attribute, unless `attributes` names those that do.
    """

    columns: dict[str, str] = msgspec.field(default_factory=dict)
    options: dict[str, str] = msgspec.field(default_factory=dict)
    attributes: tuple[str, ...] | None = None
    items: str = ""
    language: str = ""
    encoding: str = ""
    delimiter: Annotated[str, msgspec.Meta(max_length=1)] = ""


class ProductFile(Source):
    """Products of a table or a list."""

    def __init__(self, name: str, config: Config, around: Surroundings) -> None:
        """Read the file that the settings name."""
        super().__init__(name)
        self._config = config
        self._around = around
        self._place = Located(config, around)

    def documents(self, known: Mapping[str, str]) -> Iterator[Document]:
        """Yield the file as one document.

        Raises:
            SourceUnreadable: When it cannot be read, or is neither a table nor a list.
        """
        read = self._place.read()
        fingerprint = fingerprint_of(read.content)
        key = self._place.shown
        if known.get(key) == fingerprint:
            yield Document(key, fingerprint, state="unchanged")
            return
        text = decode_first(read.content, (self._config.encoding, read.charset), key)
        problems: list[SourceProblem] = []
        is_json = text.lstrip()[:1] in {"[", "{"}
        records = self._objects(text, key, problems) if is_json else self._lines(text, key)
        language = self._config.language or self._around.languages[0]
        made = ProductMaker(key, self._around.currency, language).make(
            row for place, record in records for row in self._rows(place, record)
        )
        if not made.products:
            first = made.problems[0].reason if made.problems else "it is empty"
            raise SourceUnreadable(key, f"gives no product: {first}")
        yield Document(
            key, fingerprint, made.products, made.categories,
            problems=(*problems, *made.problems),
        )  # fmt: skip

    def _lines(self, text: str, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
        delimiter = self._config.delimiter or _delimiter(text)
        csv.field_size_limit(_MAX_FIELD_CHARS)
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
        wanted = self._config.columns.get("id", "id")
        if wanted not in (reader.fieldnames or ()):
            there = ", ".join(map(str, (reader.fieldnames or ())[:20]))
            raise SourceUnreadable(key, f"has no column '{wanted}'; it has {there}")
        try:
            for record in reader:
                yield f"line {reader.line_num}", record
        except csv.Error as error:
            raise SourceUnreadable(key, f"line {reader.line_num}: {error}") from error

    def _objects(
        self, text: str, key: str, problems: list[SourceProblem]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            data = msgspec.json.decode(text.encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError) as error:
            raise SourceUnreadable(key, str(error)) from error
        for part in filter(None, self._config.items.split(".")):
            data = data.get(part) if isinstance(data, dict) else None
        if not isinstance(data, list):
            at = f"at '{self._config.items}'" if self._config.items else "at its top"
            raise SourceUnreadable(key, f"has no list {at}; name where it is with items: …")
        for number, record in enumerate(data):
            if isinstance(record, dict):
                yield f"#{number}", record
            else:
                problems.append(SourceProblem(key, f"#{number}", "is no object"))

    def _rows(self, place: str, record: dict[str, Any]) -> Iterator[Row]:
        """Yield a row for each variant of a record."""
        columns = self._config.columns
        told = {field: columns.get(field, field) for field in FIELDS}
        options = self._config.options or {name: name for name in OPTIONS}
        variants = record.get(columns.get("variants", "variants"))
        if not isinstance(variants, list):
            variants = [{}]
        taken = {*told.values(), *options.values(), columns.get("variants", "variants")}
        names = self._config.attributes
        attributes: dict[str, AttributeValue] = {
            name: read
            for name, value in record.items()
            if (name in names if names is not None else name and name not in taken)
            and (read := _attribute(value)) is not None
        }
        parent = _value(record, told["id"])
        for variant in variants:
            both = {**record, **variant} if isinstance(variant, dict) else record
            fields = {field: _value(both, column) for field, column in told.items()}
            if variant and not fields["group"]:
                fields["group"] = parent
            chosen = {name: _value(both, column) for name, column in options.items()}
            yield Row(place, fields, chosen, attributes)


def _delimiter(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max(";,\t|", key=head.count)


def _value(record: Mapping[str, Any], path: str) -> str:
    """Return what stands in a column, or at a dotted path such as price.amount."""
    value: Any = record.get(path)
    if value is None and "." in path:
        value = record
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, list):
        return ", ".join(str(item) for item in value if isinstance(item, str | int | float))
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _attribute(value: object) -> AttributeValue:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value.strip()[:500] or None
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return [str(item) for item in value]
    return None


def connect(name: str, config: Config, around: Surroundings) -> Source:
    """Return the source."""
    return ProductFile(name, config, around)
