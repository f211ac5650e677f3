"""What a customer calls items, versions, ways to pay and addresses."""

from itertools import starmap
from typing import Any

from simulation.shop_view import ShopView, in_language
from simulation.tasks import Goods, Item, Place
from simulation.typos import keep
from simulation.voice import Voice, joined

Raw = dict[str, Any]
_SHORTENS = 0.25
_MIN_TITLE_WORDS = 2
_NOTHING = frozenset({"none", "no", "keine", "nein"})
_WITH = frozenset({"yes", "ja"})
_SAYS_IT = frozenset({"no", "not", "with", "without", "keine", "nicht", "mit", "ohne"})
_POSTCODE_FIRST = frozenset({"DE", "AT", "CH"})
_LETTER_SIZES = frozenset({"XXS", "XS", "S", "M", "L", "XL", "XXL", "XXXL"})


class Words:
    """The words of one customer, in their language."""

    def __init__(self, shop: ShopView, voice: Voice, customer_id: str) -> None:
        """Name the things of `shop` as `customer_id`."""
        self._shop = shop
        self._voice = voice
        self._customer_id = customer_id

    @property
    def language(self) -> str:
        """Return the language that is spoken."""
        return self._voice.language

    def item(self, number: str, item: Item) -> str:
        """Return what the customer calls a line of their order, told apart from others alike."""
        line = self._shop.line(number, item.line)
        name = item.called or self._short(number, line) or self.title(line)
        alike = [
            other
            for other in self._shop.lines(number)
            if other["id"] != line["id"] and self.title(other) == self.title(line)
        ]
        told = [
            self.option(key, value)
            for key, value in line["options"].items()
            if any(other["options"].get(key) != value for other in alike)
        ]
        count = ""
        if item.quantity and item.quantity != line["quantity"]:
            count = f"{item.quantity} × "
        the = "" if item.called or count else self._voice.put("words.the")
        own = f" ({', '.join(told)})" if told and not item.called else ""
        return f"{count}{the}{name}{own}"

    def _short(self, number: str, line: Raw) -> str:
        """Return how a person shortens a title, where their order holds nothing else like it.

        "Mechanical keyboard" becomes "keyboard", "Rain jacket Nieselpriem" becomes "Rain jacket".
        """
        words = self.title(line).split()
        if len(words) < _MIN_TITLE_WORDS or not self._voice.chance(_SHORTENS):
            return ""
        proper = words[-1][:1].isupper() and len(words) > _MIN_TITLE_WORDS - 1
        short = " ".join(words[:-1]) if proper else words[-1]
        others = [self.title(o) for o in self._shop.lines(number) if o["id"] != line["id"]]
        parts = set(short.lower().split())
        return "" if any(parts & set(other.lower().split()) for other in others) else short

    def title(self, line: Raw) -> str:
        """Return a line's or product's title as a person writes it."""
        title = in_language(line["title"], self.language)
        return title.lower() if title == title.title() and self.language == "en" else title

    def items(self, number: str, items: tuple[Item, ...]) -> str:
        """Return several items as a list."""
        return joined([self.item(number, item) for item in items], self._voice.put("words.and"))

    def option(self, option: str, value: str) -> str:
        """Return an option as a person puts it: `blue`, `size M`, `no backlight`."""
        words = self._shop.values(option, value, self.language)
        name = self._shop.option_name(option, self.language)
        word = words[0] if not self._voice.chance(0.25) else self._voice.dice.choice(words)
        if word.lower() in _NOTHING:
            return self._voice.put("words.without", option=name)
        if word.lower() in _WITH:
            return self._voice.put("words.including", option=name)
        if option == "size":
            shown = keep(word) if word in _LETTER_SIZES else word
            return self._voice.put("words.size", value=shown)
        if option == "color" or not self._shop.unclear(option, value) or _names_itself(word, name):
            return word
        return self._voice.put("words.option", option=name, value=word)

    def options(self, wanted: dict[str, str]) -> str:
        """Return several options as a list."""
        told = list(starmap(self.option, wanted.items()))
        return joined(told, self._voice.put("words.and"))

    def version(self, wanted: dict[str, str]) -> str:
        """Return the version that a customer wants instead."""
        if not wanted:
            return self._voice.put("same_version")
        return self._voice.put("version", options=self.options(wanted))

    def swaps(self, number: str, items: tuple[Item, ...]) -> str:
        """Return what shall be swapped for what."""
        told = [
            self._voice.put("swap", item=self.item(number, item), version=self.version(item.to))
            for item in items
        ]
        return joined(told, self._voice.put("words.and"))

    def goods(self, goods: Goods) -> str:
        """Return goods to be bought, with count, name and options."""
        found = self._shop.variant(goods.variant)
        if found is None:
            return goods.called or goods.variant
        product, variant = found
        name = goods.called or in_language(product["title"], self.language)
        if variant["options"] and len(product["variants"]) > 1:
            name = f"{name} ({self.options(variant['options'])})"
        return f"{goods.quantity} × {name}" if goods.quantity > 1 else name

    def method(self, number: str, method: str) -> str:
        """Return a way to pay; with its last digits where several are of the same kind."""
        found = self._shop.resolved_method(self._customer_id, number, method)
        kind = found["kind"]
        known = self._voice.knows(f"methods.{kind}")
        name = self._voice.put(f"methods.{kind}") if known else kind.replace("_", " ")
        customer = self._shop.customer(self._customer_id) or {}
        alike = [m for m in customer.get("payment_methods", []) if m["kind"] == kind]
        if len(alike) > 1 and found.get("last_four"):
            last_four = keep(found["last_four"])
            return self._voice.put("methods.ending", method=name, last_four=last_four)
        return name

    def address(self, place: Place) -> str:
        """Return an address on one line, in the order of the customer's country."""
        city = f"{place.postcode} {place.city}"
        if place.region and place.country.upper() not in _POSTCODE_FIRST:
            city = f"{place.city}, {place.region} {place.postcode}"
        parts = (place.line1, place.line2, city, place.country)
        return keep(", ".join(part for part in parts if part))

    def reason(self, reason: str) -> str:
        """Return a reason in the customer's own words."""
        key = reason.replace(" ", "_")
        if self._voice.knows(f"reasons.{key}"):
            return self._voice.put(f"reasons.{key}")
        return reason.replace("_", " ")


def _names_itself(word: str, option: str) -> bool:
    """Return whether a value says which option it is of: `no backlight`, `dial blue`."""
    low, name = word.lower(), option.lower()
    return low.split()[0] in _SAYS_IT or name in low or name.rsplit(maxsplit=1)[-1] in low
