"""`kind: merchant`: a Google Merchant Center feed, as XML (RSS 2.0, Atom) or tab-separated."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from knowledge.documents import AttributeValue
from knowledge.errors import SourceUnreadable
from knowledge.feeds.base import Document, Source, Surroundings, fingerprint_of
from knowledge.feeds.location import Located, Location
from knowledge.readers.rows import OPTIONS, ProductMaker, Row
from knowledge.readers.text import decode_first
from knowledge.readers.xml import elements, local, unzipped

_ITEMS = frozenset({"item", "entry"})
_FIELDS = {
    "id": "id", "item_group_id": "group", "title": "title", "description": "description",
    "price": "price", "sale_price": "sale_price", "availability": "availability", "brand": "brand",
    "quantity": "stock", "image_link": "image", "content_language": "language",
}  # fmt: skip
_ATTRIBUTES = (
    "material", "pattern", "gender", "age_group", "size_type", "size_system", "condition", "gtin",
    "mpn", "energy_efficiency_class",
)  # fmt: skip


class Config(Location, frozen=True, kw_only=True):
    """The settings: where the feed is, and the language of its texts."""

    language: str = ""


class MerchantFeed(Source):
    """Products of a Google Merchant feed; rows of one item_group_id are variants."""

    def __init__(
        self,
        name: str,
        config: Config,
        around: Surroundings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Read the feed that the settings name; `clock` decides which sale prices hold."""
        super().__init__(name)
        self._config = config
        self._around = around
        self._place = Located(config, around)
        self._clock = clock

    def documents(self, known: Mapping[str, str]) -> Iterator[Document]:
        """Yield the feed as one document, anew each day, since sales begin and end.

        Raises:
            SourceUnreadable: When it cannot be read, or is no feed.
        """
        read, key, now = self._place.read(), self._place.shown, self._clock()
        fingerprint = fingerprint_of(read.content, now.date().isoformat().encode())
        if known.get(key) == fingerprint:
            yield Document(key, fingerprint, state="unchanged")
            return
        content = unzipped(read.content, self._config.max_megabytes * 1_000_000, key)
        is_xml = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"
        text = "" if is_xml else decode_first(content, (read.charset,), key)
        items = _xml_items(content, key) if is_xml else _table_items(text, key)
        language = self._config.language or self._around.languages[0]
        made = ProductMaker(key, self._around.currency, language).make(
            _row(place, item, now) for place, item in items
        )
        if not made.products:
            first = made.problems[0].reason if made.problems else "it has no items"
            raise SourceUnreadable(key, f"gives no product: {first}")
        yield Document(key, fingerprint, made.products, made.categories, problems=made.problems)


def _xml_items(content: bytes, path: str) -> Iterator[tuple[str, dict[str, str]]]:
    for number, element in enumerate(elements(content, _ITEMS, path), 1):
        found: dict[str, str] = {}
        for child in element:
            text = (child.text or "").strip()
            if local(child.tag) == "link" and not text:
                text = child.get("href", "")
            found.setdefault(local(child.tag), text)
        yield f"#{number}", found


def _table_items(text: str, path: str) -> Iterator[tuple[str, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    head = [name.strip().lower().replace(" ", "_").removeprefix("g:") for name in next(reader, [])]
    if "id" not in head or "title" not in head:
        raise SourceUnreadable(path, "is no Merchant feed: neither XML, nor columns id and title")
    try:
        for values in reader:
            yield f"line {reader.line_num}", dict(zip(head, map(str.strip, values), strict=False))
    except csv.Error as error:
        raise SourceUnreadable(path, f"line {reader.line_num}: {error}") from error


def _row(place: str, item: Mapping[str, str], now: datetime) -> Row:
    fields = {field: item.get(name, "") for name, field in _FIELDS.items()}
    fields["category"] = item.get("product_type") or item.get("google_product_category", "")
    if fields["category"].isdigit():  # a number of Google's taxonomy says nothing to customers
        fields["category"] = ""
    if not _holds(item.get("sale_price_effective_date", ""), now):
        fields["sale_price"] = ""
    options = {name: item.get(name, "") for name in OPTIONS}
    attributes: dict[str, AttributeValue] = {n: item[n] for n in _ATTRIBUTES if item.get(n)}
    return Row(place, fields, options, attributes)


def _holds(span: str, now: datetime) -> bool:
    """Return whether a moment is within `START/END`; an empty span always holds."""
    if not span:
        return True
    try:
        start, end = (datetime.fromisoformat(part.strip()) for part in span.split("/"))
    except ValueError:
        return False
    start, end = (t if t.tzinfo else t.replace(tzinfo=UTC) for t in (start, end))
    return start <= now <= end


def connect(name: str, config: Config, around: Surroundings) -> Source:
    """Return the source."""
    return MerchantFeed(name, config, around)
