"""A shop as a folder of JSON files: into the database and out of it again, without loss."""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import delete, insert
from sqlmodel import Session, SQLModel, col, select

from actions.commerce import models
from actions.commerce.errors import ShopDataInvalid
from actions.commerce.spelling import plain_key
from actions.commerce.sql import Clock, ShopDatabase, utc_now
from actions.commerce.sql_people import all_products
from actions.commerce.sql_tables import (
    CartRow,
    CaseRow,
    CategoryRow,
    CodeRow,
    ComplaintRow,
    CustomerRow,
    EffectRow,
    FeedbackRow,
    MetaRow,
    NotificationRow,
    OrderRow,
    PaymentLinkRow,
    ProductRow,
    ReturnRow,
    ShopTable,
    VariantRow,
    record_of,
    values_of,
)

Raw = dict[str, Any]

FILES: dict[str, type[ShopTable]] = {
    "categories": CategoryRow,
    "products": ProductRow,
    "customers": CustomerRow,
    "orders": OrderRow,
    "returns": ReturnRow,
    "carts": CartRow,
    "payment_links": PaymentLinkRow,
    "complaints": ComplaintRow,
    "cases": CaseRow,
    "feedback": FeedbackRow,
    "notifications": NotificationRow,
    "effects": EffectRow,
}
REQUIRED = ("categories", "products", "customers", "orders")
TIME_KEY = re.compile(r"(^|_)at$")


class ShopFolder(msgspec.Struct, frozen=True):
    """A folder's content as records."""

    info: models.ShopInfo
    vocabulary: models.Vocabulary
    records: dict[str, list[msgspec.Struct]]


def load_shop(folder: Path, db_path: Path, clock: Clock = utc_now) -> ShopDatabase:
    """Open the database, filled from the folder unless it holds that same folder already.

    Args:
        folder: the JSON files.
        db_path: the SQLite file.
        clock: returns the present time as aware UTC; relative dates shift to it.

    Raises:
        ShopDataInvalid: a file is missing or wrong; names file, record and field.
    """
    content_hash = folder_hash(folder)
    database = ShopDatabase(db_path, clock)
    with database.session() as session:
        row = session.get(MetaRow, "content_hash")
    if row is None or row.value != content_hash:
        content = read_folder(folder, clock())
        with database.session(write=True) as session, session.begin():
            _fill(session, content, content_hash)
    return database


def folder_hash(folder: Path) -> str:
    """Return a hash over the names and contents of the folder's JSON files.

    Raises:
        ShopDataInvalid: there is no `shop.json` in the folder.
    """
    if not (folder / "shop.json").is_file():
        msg = f"{folder} has no shop.json; give a folder in the format of data/demo_shop/README.md"
        raise ShopDataInvalid(msg)
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.json")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_folder(folder: Path, now: datetime) -> ShopFolder:
    """Read and check the folder's files, with dates shifted when the shop asks for it.

    Args:
        folder: the JSON files.
        now: the present time; `as_of` becomes its day.

    Raises:
        ShopDataInvalid: a file is missing or wrong; names file, record and field.
    """
    raw_info = _json(folder / "shop.json")
    info = _convert(raw_info, models.ShopInfo, "shop.json", "")
    shift = timedelta(0)
    if info.shift_to_today and info.as_of is not None:
        shift = timedelta(days=(now.date() - info.as_of.date()).days)
        info = msgspec.structs.replace(info, as_of=info.as_of + shift)
    vocabulary = _vocabulary(folder / "vocabulary.json")
    records = {name: _records(folder, name, shift) for name in FILES}
    content = ShopFolder(info=info, vocabulary=vocabulary, records=records)
    _check_references(content)
    return content


def export_shop(database: ShopDatabase, folder: Path) -> None:
    """Write the present state as JSON files in the same format and a fixed order."""
    folder.mkdir(parents=True, exist_ok=True)
    with database.session() as session:
        info = msgspec.structs.replace(database.info(), as_of=database.clock())
        _write(folder / "shop.json", msgspec.to_builtins(info))
        row = session.get(MetaRow, "vocabulary")
        if row is not None and row.value != "{}":
            _write(folder / "vocabulary.json", msgspec.json.decode(row.value))
        for name, table in FILES.items():
            records = export_records(session, table)
            path = folder / f"{name}.json"
            if records or name in REQUIRED:
                _write(path, records)
            else:
                path.unlink(missing_ok=True)


def export_records(session: Session, table: type[ShopTable]) -> list[Raw]:
    """Return the records of a table as they stand in its file."""
    if table is ProductRow:
        found: Iterable[msgspec.Struct] = all_products(session)
    else:
        rows = session.exec(select(table).order_by(col(table.position)))
        found = [record_of(row, table.record) for row in rows]
    records = [msgspec.to_builtins(record) for record in found]
    for record in records:
        record.pop("revision", None)
        for payment in record.get("payments", ()):
            for name in ("reason", "reference"):
                if not payment[name]:
                    del payment[name]
    return records


def _records(folder: Path, name: str, shift: timedelta) -> list[msgspec.Struct]:
    path = folder / f"{name}.json"
    if not path.exists():
        if name in REQUIRED:
            msg = f"{path} is missing"
            raise ShopDataInvalid(msg)
        return []
    raw = _json(path)
    if not isinstance(raw, list):
        msg = f"{path.name}: expected a list of records"
        raise ShopDataInvalid(msg)
    records, seen = [], set()
    kind = FILES[name].record
    for index, item in enumerate(raw):
        label = _label(item, index)
        if label in seen:
            msg = f"{path.name}, {label}: this id occurs twice"
            raise ShopDataInvalid(msg)
        seen.add(label)
        try:
            shifted = _shifted(item, shift) if shift else item
        except ValueError as error:
            msg = f"{path.name}, {label}: {error}"
            raise ShopDataInvalid(msg) from error
        records.append(_convert(shifted, kind, path.name, label))
    return records


def _vocabulary(path: Path) -> models.Vocabulary:
    if not path.exists():
        return models.Vocabulary()
    raw = _json(path)
    words = raw.get("values", {}) if isinstance(raw, dict) else {}
    for option, values in words.items() if isinstance(words, dict) else ():
        for value, texts in values.items() if isinstance(values, dict) else ():
            _convert(texts, dict[str, list[str]], path.name, f"values.{option}.{value}")
    result: models.Vocabulary = _convert(raw, models.Vocabulary, path.name, "")
    return result


def _label(item: object, index: int) -> str:
    if isinstance(item, dict):
        for key in ("id", "number", "key", "customer_id", "session_id"):
            if item.get(key):
                return f"record {item[key]}"
    return f"record at index {index}"


def _convert(raw: object, kind: type[Any], file: str, label: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        where = f"{file}, {label}" if label else file
        msg = f"{where}: {str(error).replace('`$.', '`')}"
        raise ShopDataInvalid(msg) from error


def _json(path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, OSError, UnicodeDecodeError) as error:
        msg = f"{path.name} is not readable JSON: {error}"
        raise ShopDataInvalid(msg) from error


def _shifted(value: Any, shift: timedelta, key: str = "") -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _shifted(item, shift, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_shifted(item, shift) for item in value]
    if isinstance(value, str) and TIME_KEY.search(key):
        return (datetime.fromisoformat(value) + shift).isoformat()
    return value


def _check_references(content: ShopFolder) -> None:
    categories = {c.id for c in content.records["categories"] if isinstance(c, models.Category)}
    customers = {c.id for c in content.records["customers"] if isinstance(c, models.Customer)}
    variants: dict[str, str] = {}
    for product in content.records["products"]:
        if isinstance(product, models.Product):
            _check_product(product, categories, variants)
    numbers: set[str] = set()
    for order in content.records["orders"]:
        if isinstance(order, models.Order):
            _check_order(order, customers, variants, numbers)


def _check_product(product: models.Product, categories: set[str], seen: dict[str, str]) -> None:
    where = f"products.json, record {product.id}"
    if product.category not in categories:
        msg = f"{where}: `category` {product.category} is unknown"
        raise ShopDataInvalid(msg)
    for variant in product.variants:
        if variant.id in seen:
            msg = f"{where}: variant `id` {variant.id} occurs twice"
            raise ShopDataInvalid(msg)
        seen[variant.id] = product.id


def _check_order(
    order: models.Order, customers: set[str], variants: dict[str, str], numbers: set[str]
) -> None:
    where = f"orders.json, record {order.number}"
    if plain_key(order.number) in numbers:
        msg = f"{where}: `number` is the same as another but for case or signs"
        raise ShopDataInvalid(msg)
    numbers.add(plain_key(order.number))
    if order.customer_id not in customers:
        msg = f"{where}: `customer_id` names no customer"
        raise ShopDataInvalid(msg)
    for line in order.lines:
        if variants.get(line.variant_id) != line.product_id:
            msg = f"{where}: `variant_id` of line {line.id} names no variant of its product"
            raise ShopDataInvalid(msg)


def _fill(session: Session, content: ShopFolder, content_hash: str) -> None:
    tables: tuple[type[SQLModel], ...] = (MetaRow, VariantRow, CodeRow, *FILES.values())
    for table in tables:
        session.execute(delete(table))
    meta = {
        "shop": msgspec.json.encode(content.info).decode(),
        "vocabulary": msgspec.json.encode({
            k: v for k, v in msgspec.structs.asdict(content.vocabulary).items() if v
        }).decode(),
        "content_hash": content_hash,
    }
    session.execute(insert(MetaRow), [{"key": k, "value": v} for k, v in meta.items()])
    for name, table in FILES.items():
        if content.records[name]:
            session.execute(insert(table), [values_of(item) for item in content.records[name]])
    variants = [
        {**values_of(variant), "product_id": product.id}
        for product in content.records["products"]
        if isinstance(product, models.Product)
        for variant in product.variants
    ]
    if variants:
        session.execute(insert(VariantRow), variants)


def _write(path: Path, value: object) -> None:
    text = msgspec.json.format(msgspec.json.encode(value), indent=1)
    path.write_bytes(text + b"\n")
