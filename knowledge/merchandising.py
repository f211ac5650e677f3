"""The shop's own rules of ranking: boost, bury and pin, by shelf, brand, tag, margin or stock."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import yaml
from numpy.typing import NDArray

from knowledge.documents import Product
from knowledge.errors import KnowledgeError
from knowledge.variants import Mask, VariantTable
from knowledge.words import fold, split_words

_MOST = 0.5
_PIN = 10.0
Scores = NDArray[np.float32]


class MerchandisingRuleWrong(KnowledgeError):
    """merchandising.yml holds a rule that cannot be followed."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """One entry of merchandising.yml; every condition that is named must hold.

    `by` is how far a product moves on the scale of scores, which is 1 long. `at_least` and
    `at_most` compare numeric attributes ("margin") or "stock", the pieces of all variants.
    `when` are words of which the customer must have said one.
    """

    id: str
    move: Literal["boost", "bury", "pin"]
    by: float = 0.1
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    at_least: dict[str, float] = {}
    at_most: dict[str, float] = {}
    when: tuple[str, ...] = ()
    from_: date | None = None
    until: date | None = None

    @property
    def chooses(self) -> bool:
        """Whether any condition says which products are meant."""
        named = (self.categories, self.brands, self.tags, self.products)
        return any((*named, self.at_least, self.at_most))


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[Rule, ...] = ()


class Moved(msgspec.Struct, frozen=True):
    """Scores after the rules, and the ids of the rules that moved each product's row."""

    scores: Scores
    by_row: dict[int, tuple[str, ...]]


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Return the rules of a file; a missing one has none.

    Raises:
        MerchandisingRuleWrong: When the file or a rule is wrong; says which and why.
    """
    if not path.is_file():
        return ()
    try:
        raw = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        rules = msgspec.convert(raw or {}, _File).rules
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise MerchandisingRuleWrong(f"{path.name}: {error}") from error
    seen: set[str] = set()
    for rule in rules:
        if wrong := _wrong(rule, seen):
            raise MerchandisingRuleWrong(f"{path.name}: rule {rule.id!r}: {wrong}")
        seen.add(rule.id)
    return rules


def _wrong(rule: Rule, seen: set[str]) -> str:
    if not rule.id.strip():
        return "has no id"
    if rule.id in seen:
        return "this id came before"
    if not 0 < rule.by <= _MOST:
        return f"`by` is {rule.by:g}; it must be above 0 and at most {_MOST:g}"
    if not rule.chooses:
        return "names no categories, brands, tags, products, at_least or at_most"
    if rule.from_ and rule.until and rule.until < rule.from_:
        return f"`until` ({rule.until}) is before `from` ({rule.from_})"
    return ""


class Merchandising:
    """The rules of a shop over one catalogue."""

    def __init__(self, rules: Iterable[Rule], table: VariantTable) -> None:
        """Find out which products each rule means."""
        self._table = table
        self._rules = tuple(rules)
        self._meant = [self._products(rule) for rule in self._rules]

    @property
    def idle(self) -> tuple[str, ...]:
        """Rules that mean no product of the catalogue."""
        return tuple(
            rule.id for rule, meant in zip(self._rules, self._meant, strict=True) if not meant.any()
        )

    def apply(self, scores: Scores, allowed: Mask, text: str, today: date | None = None) -> Moved:
        """Return the scores as the rules of today move them; only allowed products move.

        Args:
            scores: one for each product.
            allowed: products that meet every hard limit and fit the words.
            text: what the customer said.
            today: the day; the present one in UTC if left out.
        """
        if not self._rules:
            return Moved(scores, {})
        day = today or datetime.now(UTC).date()
        said = {fold(word) for word in split_words(text)}
        moved = scores.copy()
        by_row: dict[int, tuple[str, ...]] = {}
        for rule, meant in zip(self._rules, self._meant, strict=True):
            if not _is_due(rule, day) or not _is_said(rule, said):
                continue
            here = meant & allowed
            moved[here] += {"boost": rule.by, "bury": -rule.by, "pin": _PIN}[rule.move]
            for row in np.flatnonzero(here).tolist():
                by_row[row] = (*by_row.get(row, ()), rule.id)
        return Moved(moved, by_row)

    def _products(self, rule: Rule) -> Mask:
        table = self._table
        meant = np.ones(len(table.products), dtype=bool)
        named: Sequence[tuple[str, tuple[str, ...]]] = (
            ("category", table.with_shelves_below(rule.categories)),
            ("brand", rule.brands),
            ("=tags", rule.tags),
        )
        for key, values in named:
            if values:
                meant &= table.product_mask(table.values_mask([key], values))
        if rule.products:
            meant &= np.array([p.id in rule.products for p in table.products], dtype=bool)
        for name, least in rule.at_least.items():
            meant &= np.array([_number(p, name) >= least for p in table.products], dtype=bool)
        for name, most in rule.at_most.items():
            meant &= np.array([_number(p, name) <= most for p in table.products], dtype=bool)
        return meant


def _is_due(rule: Rule, day: date) -> bool:
    return (rule.from_ or day) <= day <= (rule.until or day)


def _is_said(rule: Rule, said: set[str]) -> bool:
    return not rule.when or any(fold(word) in said for word in rule.when)


def _number(product: Product, name: str) -> float:
    """Return a product's number, nan where it states none: no comparison holds then."""
    if name == "stock":
        stocks = [variant.stock for variant in product.variants if variant.stock is not None]
        return float(sum(stocks)) if stocks else float("nan")
    value = product.attributes.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return float("nan")
