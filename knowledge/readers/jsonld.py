"""schema.org data in HTML pages: Product, ProductGroup, Offer and FAQPage as JSON-LD."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from knowledge.documents import AttributeValue
from knowledge.readers.rows import Made, ProductMaker, Row, plain
from knowledge.readers.sections import Question
from knowledge.sources import SourceProblem

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MAX_NODES = 5000
_ATTRIBUTES = ("material", "pattern", "gtin13", "gtin", "mpn")


class Structured(msgspec.Struct, frozen=True):
    """What a page states for machines."""

    made: Made
    questions: tuple[Question, ...]


def read_structured(tree: "HtmlElement", path: str, currency: str, language: str) -> Structured:
    """Return the products and questions of a page.

    Args:
        tree: The page, its scripts still there.
        path: The page's address, for the report.
        currency: ISO 4217 code of the shop.
        language: Of the page.
    """
    problems: list[SourceProblem] = []
    nodes = list(_nodes(tree, path, problems))
    inner = {
        id(v) for node in nodes if _is(node, "ProductGroup") for v in _list(node, "hasVariant")
    }
    rows: list[Row] = []
    questions: list[Question] = []
    for node in nodes:
        if _is(node, "ProductGroup"):
            rows += _group_rows(node, path)
        elif _is(node, "Product") and id(node) not in inner:
            rows += _rows(node, _text(node, "inProductGroupWithID"), path)
        elif _is(node, "FAQPage"):
            questions += _questions(node)
    made = ProductMaker(path, currency, language).make(rows)
    made = msgspec.structs.replace(made, problems=(*problems, *made.problems))
    return Structured(made, tuple(questions))


def _nodes(
    tree: "HtmlElement", path: str, problems: list[SourceProblem]
) -> Iterator[dict[str, Any]]:
    """Yield every object of every script, those inside others as well."""
    waiting: list[Any] = []
    for script in tree.xpath("//script[@type='application/ld+json']"):
        text = (script.text or "").strip().removeprefix("<!--").removesuffix("-->")
        try:
            waiting.append(msgspec.json.decode(text.encode("utf-8", "replace")))
        except (msgspec.DecodeError, RecursionError) as error:
            problems.append(SourceProblem(path, "JSON-LD", str(error)))
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        node = waiting.pop(0)
        if isinstance(node, list):
            waiting = node + waiting
        elif isinstance(node, dict):
            yield node
            waiting += [v for v in node.values() if isinstance(v, dict | list)]


def _group_rows(group: dict[str, Any], path: str) -> Iterator[Row]:
    key = _text(group, "productGroupID") or _text(group, "@id") or _text(group, "url")
    shared = {k: v for k, v in group.items() if k not in {"hasVariant", "@type", "sku", "@id"}}
    for variant in _list(group, "hasVariant"):
        if isinstance(variant, dict):
            yield from _rows({**shared, **variant, "name": group.get("name")}, key, path)


def _rows(product: dict[str, Any], group: str, path: str) -> Iterator[Row]:
    """Yield a row for each offer of a product."""
    key = next(
        (text for n in ("sku", "productID", "@id", "mpn", "url") if (text := _text(product, n))), ""
    )
    offers = [item for item in _list(product, "offers") if isinstance(item, dict)]
    if len(offers) == 1 and _is(offers[0], "AggregateOffer") and _list(offers[0], "offers"):
        offers = [item for item in _list(offers[0], "offers") if isinstance(item, dict)]
    attributes: dict[str, AttributeValue] = {
        name: text for name in _ATTRIBUTES if (text := _text(product, name))
    }
    for item in _list(product, "additionalProperty"):
        if isinstance(item, dict) and (name := _text(item, "name")):
            attributes[name] = _text(item, "value")
    for offer in offers or [{}]:
        own = _text(offer, "sku") if len(offers) > 1 else ""
        fields = {
            "id": own or key,
            "group": group or key,
            "title": _text(product, "name"),
            "description": _text(product, "description"),
            "price": _price(offer),
            "availability": _text(offer, "availability"),
            "stock": _text(offer.get("inventoryLevel"), "value"),
            "brand": _text(product, "brand"),
            "category": _text(product, "category"),
            "image": _text(product, "image"),
        }
        options = {name: _text(product, name) for name in ("color", "size")}
        yield Row(path, fields, options, attributes)


def _price(offer: dict[str, Any]) -> str:
    stated = next((s for s in _list(offer, "priceSpecification") if isinstance(s, dict)), {})
    price = _text(offer, "price") or _text(stated, "price") or _text(offer, "lowPrice")
    currency = _text(offer, "priceCurrency") or _text(stated, "priceCurrency")
    return f"{price} {currency}".strip()


def _questions(page: dict[str, Any]) -> Iterator[Question]:
    for item in _list(page, "mainEntity"):
        if isinstance(item, dict) and _is(item, "Question"):
            answers = [a for a in _list(item, "acceptedAnswer") if isinstance(a, dict)]
            question, answer = plain(_text(item, "name")), ""
            if answers:
                answer = plain(_text(answers[0], "text"))
            if question and answer:
                yield Question(question, answer)


def _is(node: dict[str, Any], kind: str) -> bool:
    kinds = node.get("@type")
    named = kinds if isinstance(kinds, list) else [kinds]
    return any(str(name).rpartition("/")[2] == kind for name in named)


def _list(node: dict[str, Any], name: str) -> list[Any]:
    value = node.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(node: object, name: str) -> str:
    """Return a property as text: that of its first value, an object by its name, value or url."""
    value = node.get(name) if isinstance(node, dict) else None
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("name") or value.get("value") or value.get("url") or value.get("@id")
    return str(value).strip() if isinstance(value, str | int | float) else ""
