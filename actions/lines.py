"""Choosing lines of an order, pieces of them, and other variants for them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from actions.base import Said, ShopAction, Slots, money
from actions.commerce.models import Product, Variant
from actions.commerce.money import Money
from actions.wording import LANGUAGES, Wording

MOST_BUTTONS = 6
MOST_SOLD_OUT = 3
_LEAST_CHARS = 4
_NAMED = re.compile(
    r"(?<!for )(?<!für )(?<!fuer )"
    r"\b(?:the|my|this|that|die|der|das|den|dem|meine?[nm]?|diese[nmrs]?)\s+(?:[\w-]+\s+)?$",
    re.IGNORECASE,
)
"""Before goods that are meant: "the jacket", but not "a present for my kids"."""


class SortLines(ShopAction):
    """Part an order's lines by what the policy says.

    Reads `lines` (options) and `excluded` (line id → reason); sets `open_lines`,
    `excluded_lines` with the reason under `reason`, and `absent`: the customer's word for goods
    of which the order holds none.
    """

    async def act(self, said: Said) -> Slots:
        """Return both parts."""
        excluded = said.slot("excluded") or {}
        lines = said.slot("lines") or []
        return {
            "open_lines": [line for line in lines if line["value"] not in excluded],
            "excluded_lines": _excluded(lines, excluded),
            "absent": await self._absent(said, lines),
        }

    async def _absent(self, said: Said, lines: Sequence[Mapping[str, Any]]) -> str:
        mention = next(said.mentions(), {})
        goods = [e for e in mention.get("entities", ()) if e["type"] == "product"]
        told = str(mention.get("text") or "")
        goods = [e for e in goods if _NAMED.search(told[: e["start"]])]
        if not goods or not lines:
            return ""
        held = await self._kinds(lines)
        names = " ".join(name for line in lines for name in line["names"]).casefold()
        if any(e["value"] in held or _is_named(str(e["text"]), names) for e in goods):
            return ""
        return str(goods[0]["text"])

    async def _kinds(self, lines: Sequence[Mapping[str, Any]]) -> set[str]:
        """Return the products and the categories, with those above them, that lines are of."""
        catalog = self.services.shop.catalog
        above = {category.id: category.parent for category in await catalog.categories()}
        ids = {str(line["product_id"]) for line in lines}
        found = set(ids)
        for product in await catalog.products():
            category: str | None = product.category if product.id in ids else None
            while category and f"category:{category}" not in found:
                found.add(f"category:{category}")
                category = above.get(category)
        return found


class SortChosen(ShopAction):
    """Part the lines that the customer chose by what the policy says.

    Sets `chosen` (the possible ones), `refused_lines`, the `rest` that was not chosen and is
    possible, and `picked`: the chosen lines with all their pieces.
    """

    async def act(self, said: Said) -> Slots:
        """Return the parts."""
        ids = set(said.slot("line_ids") or [])
        opened = said.slot("open_lines") or []
        chosen = [line for line in opened if line["value"] in ids]
        refused = [line for line in said.slot("excluded_lines") or [] if line["value"] in ids]
        return {
            "chosen": chosen,
            "refused_lines": refused,
            "rest": [line for line in opened if line["value"] not in ids],
            "picked": [_picked(line, int(line["quantity"])) for line in chosen],
        }


class NotePieces(ShopAction):
    """Keep how many `pieces` of the line `chosen_line` are meant, in `picked`."""

    async def act(self, said: Said) -> Slots:
        """Return `picked` with the number of pieces."""
        line = said.slot("chosen_line")
        pieces = int(said.slot("pieces"))
        picked = said.slot("picked") or []
        return {
            "picked": [
                _picked(line, pieces) if item["line_id"] == line["value"] else item
                for item in picked
            ]
        }


class ListVariants(ShopAction):
    """List the variants that may replace the line `line`.

    Sets `variants` (options; sold out ones are there so that wishes for them are understood),
    `available_ids` (what may be taken), `current`, `item` (what to call it in the customer's
    words, and what else is spoken of), `item_title`, `dimensions` (what each option can still
    be) and `sold_out` (only what the customer named and cannot have).
    """

    async def act(self, said: Said) -> Slots:
        """Return the options for one line."""
        line = said.slot("line")
        wording = Wording(await self.services.shop.catalog.vocabulary())
        product = await self.services.shop.catalog.product(line["product_id"])
        held = line["variant_id"]
        attributes = line["attributes"]
        ordered = sorted(product.variants, key=lambda v: -_shared(v, attributes))
        currency = line["price"]["currency"]
        able = [v for v in ordered if v.buyable and v.id != held]
        buttons = {v.id for v in able[:MOST_BUTTONS]}
        options = [_variant(v, wording, currency, shown=v.id in buttons) for v in ordered]
        gone = self._asked_for(said, [v for v in ordered if not v.buyable], attributes, wording)
        return {
            "variants": options,
            "available_ids": [v.id for v in able],
            "current": _current(line, held),
            "item": {"name": _names(product), "others": self._others(said, line)},
            "item_title": wording.item(product.title, {}),
            "current_title": wording.options(attributes),
            "sold_out": [wording.options(v.options) for v in gone[:MOST_SOLD_OUT]],
            "dimensions": _dimensions(able, wording) if len(able) > 1 else [],
        }

    def _asked_for(
        self, said: Said, gone: list[Variant], now: Mapping[str, str], wording: Wording
    ) -> list[Variant]:
        """Return the sold out variants all of whose differences the customer named."""
        text = " ".join(str(mention["text"]) for mention in said.mentions()).casefold()

        def named(name: str, value: str) -> bool:
            words = wording.all_words(name, value)
            return any(re.search(rf"(?<!\w){re.escape(w.casefold())}(?!\w)", text) for w in words)

        return [
            v
            for v in gone
            if v.options != now
            and all(named(key, value) for key, value in v.options.items() if now.get(key) != value)
        ]

    def _others(self, said: Said, line: Mapping[str, Any]) -> list[str]:
        order = said.slot("order") or {}
        others = [x for x in order.get("lines", ()) if x["product_id"] != line["product_id"]]
        return list(dict.fromkeys(name for x in others for name in x["names"]))


class NoteSwap(ShopAction):
    """Keep which `variant` replaces the line `line`, in `swaps`; the latest word counts."""

    async def act(self, said: Said) -> Slots:
        """Return `swaps` with the line's new variant."""
        line, variant_id = said.slot("line"), str(said.slot("variant"))
        _, variant = await self.services.shop.catalog.variant(variant_id)
        kept = [s for s in said.slot("swaps") or [] if s["line_id"] != line["value"]]
        pieces = {p["line_id"]: p["quantity"] for p in said.slot("picked") or []}
        quantity = pieces.get(line["value"], line["quantity"])
        swap = {
            "line_id": line["value"],
            "quantity": quantity,
            "new_variant_id": variant_id,
            "difference_minor": (variant.price_minor - line["price"]["amount_minor"]) * quantity,
        }
        return {"swaps": [*kept, swap]}


class PriceSwaps(ShopAction):
    """Work out the price difference of `swaps` and how it may be paid.

    Sets `swap_lines` (for the plan), `difference` (positive: the customer pays), `pays`,
    `methods` without gift cards that do not cover it, `short_methods` (those), and `method_id`
    when nothing is to be paid or refunded.
    """

    async def act(self, said: Said) -> Slots:
        """Return the difference."""
        lines = {line["value"] for line in said.slot("chosen") or []}
        swaps = [swap for swap in said.slot("swaps") or [] if swap["line_id"] in lines]
        order = said.slot("order")
        currency = order["total"]["currency"]
        difference = sum(swap["difference_minor"] for swap in swaps)
        methods = said.slot("methods") or []
        short = [m for m in methods if _balance(m) is not None and _balance(m) < difference]
        able = [m for m in methods if m not in short]
        slots: Slots = {
            "swap_lines": [
                {key: swap[key] for key in ("line_id", "quantity", "new_variant_id")}
                for swap in swaps
            ],
            "difference": money(abs(difference), currency),
            "pays": difference > 0,
            "methods": able,
            "short_methods": short,
        }
        used = order.get("method_id") or ""
        chosen = _names_method(said, able)
        if difference == 0 and not chosen and any(m["value"] == used for m in able):
            slots["method_id"] = used
        return slots


def _names_method(said: Said, methods: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the customer spoke of a way to pay."""
    text = " ".join(str(mention["text"]) for mention in said.mentions()).casefold()
    return any(str(word).casefold() in text for m in methods for word in m["words"])


def _balance(method: Mapping[str, Any]) -> int | None:
    balance = method.get("balance")
    return int(balance["amount_minor"]) if balance else None


def _excluded(
    lines: Sequence[Mapping[str, Any]], excluded: Mapping[str, Any]
) -> list[dict[str, Any]]:
    return [{**x, "reason": excluded[x["value"]]} for x in lines if x["value"] in excluded]


def _picked(line: Mapping[str, Any], quantity: int) -> dict[str, Any]:
    return {"line_id": line["value"], "quantity": quantity}


def _shared(variant: Variant, attributes: Mapping[str, str]) -> int:
    return sum(attributes.get(name) == value for name, value in variant.options.items())


def _variant(variant: Variant, wording: Wording, currency: str, *, shown: bool) -> dict[str, Any]:
    title = wording.options(variant.options)
    price = Money(variant.price_minor, currency)
    return {
        "value": variant.id,
        "title": title,
        "label": {la: f"{title[la]} – {price.text(la)}" for la in LANGUAGES},
        "words": [],
        "attributes": dict(variant.options),
        "attribute_words": {
            name: wording.all_words(name, value) for name, value in variant.options.items()
        },
        "price": money(variant.price_minor, currency),
        "available": variant.buyable,
        "button": shown,
    }


def _current(line: Mapping[str, Any], variant_id: str) -> dict[str, Any]:
    shown = {key: line[key] for key in ("title", "attributes", "attribute_words", "price")}
    return {"value": variant_id, "words": [], **shown}


def _names(product: Product) -> str:
    return " / ".join(dict.fromkeys(text for text in product.title.values() if text))


def _dimensions(variants: Sequence[Variant], wording: Wording) -> list[dict[str, Any]]:
    """Return the values each option can still take, in words."""
    values: dict[str, list[str]] = {}
    for variant in variants:
        for name, value in variant.options.items():
            known = values.setdefault(name, [])
            if value not in known:
                known.append(value)
    return [
        {"name": wording.option_name(name), "values": [wording.value(name, v) for v in found]}
        for name, found in values.items()
    ]


def _is_named(word: str, names: str) -> bool:
    """Return whether a word for goods, or a part of it, stands in the names of an order's lines."""
    said = word.casefold()
    parts = (name for name in re.findall(r"[^\W\d_]+", names) if len(name) >= _LEAST_CHARS)
    return said in names or any(part in said or said.startswith(part[:-1]) for part in parts)
