"""Reading a plan before saying yes: is it what was wanted, and if not, what is wrong?"""

import re
from typing import Any

import msgspec

from simulation.goals import Goal
from simulation.shop_view import ShopView
from simulation.tasks import (
    Buy,
    ChangeItems,
    ChangePayment,
    Complain,
    DefaultAddress,
    Exchange,
    Goods,
    Item,
    Place,
    SendBack,
)

Raw = dict[str, Any]
LANGUAGES = ("de", "en")
_BULLET = re.compile(r"^\s*•\s*(.+)$", re.MULTILINE)
_CHARGE = re.compile(
    r"^(?:shipping|return label|versandkosten|versand|rücksendeetikett)\b", re.IGNORECASE
)
_COUNT = re.compile(r"^\s*(\d+)\s*×|×\s*(\d+)\s*(?:–|$)")
_AMOUNT = re.compile(r"\d[\d.,]*\d")
_COUNTRIES = {
    "deutschland": "DE", "germany": "DE", "österreich": "AT", "austria": "AT", "schweiz": "CH",
    "switzerland": "CH", "irland": "IE", "ireland": "IE",
}  # fmt: skip
_METHOD_WORDS = {
    "credit_card": ("credit card", "kreditkarte"),
    "paypal": ("paypal",),
    "gift_card": ("gift card", "geschenkkarte"),
    "sepa": ("direct debit", "lastschrift"),
    "invoice": ("invoice", "rechnung"),
    "store_credit": ("store credit", "guthaben"),
}


class Objection(msgspec.Struct, frozen=True):
    """What is wrong with a plan: the act to say, and what it is about."""

    act: str
    items: tuple[Item, ...] = ()
    extra: str = ""


class PlanReader:
    """Compares the text of a plan with what the customer really wants."""

    def __init__(self, shop: ShopView, customer_id: str) -> None:
        """Know what things are called in `shop`."""
        self._shop = shop
        self._customer_id = customer_id

    def objection(self, goal: Goal, text: str) -> Objection | None:
        """Return the first thing that is wrong; None when the plan is right."""
        if goal.order and goal.order not in text and not isinstance(goal.wish, Complain):
            return Objection("object.order")
        if isinstance(goal.wish, DefaultAddress) and self.names_order(text):
            return Objection("answer.profile")
        match goal.wish:
            case SendBack(order=number, items=items, method=method):
                return self._items(goal, number, items, text) or self._method(number, method, text)
            case Exchange() | ChangeItems() as wish:
                found = self._items(goal, wish.order, wish.items, text)
                return found or self._method(wish.order, wish.method, text)
            case Complain(order=number, items=items, remedy=remedy) if items:
                return self._items(goal, number, items, text) or _remedy(remedy, text)
            case ChangePayment(order=number, method=method):
                return self._method(number, method, text, first_line=True)
            case Buy(goods=goods, address=place):
                return self._goods(goods, text) or _address(place, text)
        return _address(getattr(goal.wish, "address", None), text)

    def names_order(self, text: str) -> bool:
        """Return whether a text names one of the customer's orders."""
        return any(o["number"] in text for o in self._shop.orders_of(self._customer_id))

    def _items(
        self, goal: Goal, number: str, items: tuple[Item, ...], text: str
    ) -> Objection | None:
        wanted = [item for item in items if item.line not in goal.impossible]
        missing = []
        left = [bullet for bullet in _BULLET.findall(text) if not _CHARGE.match(bullet)]
        for item in wanted:
            line = self._shop.line(number, item.line)
            fitting = [bullet for bullet in left if self._speaks_of(line, bullet)]
            if not fitting:
                missing.append(item)
                continue
            right = [bullet for bullet in fitting if self._as_wanted(line, item, bullet)]
            if not right:
                return Objection("object.version" if item.to else "object.quantity", (item,))
            left.remove(right[0])
        if missing:
            return Objection("object.missing", tuple(missing))
        if left:
            extra = re.split(r"\s*(?:→|–|\(|×)", left[0])[0]
            return Objection("object.extra", tuple(wanted), extra)
        return None

    def _speaks_of(self, line: Raw, bullet: str) -> bool:
        """Return whether a bullet shows a line: its title and the options it has now."""
        shown = bullet.split("→", maxsplit=1)[0].casefold()
        titled = any(title.casefold() in shown for title in line["title"].values())
        return titled and any(self._shows(line["options"], shown, code) for code in LANGUAGES)

    def _as_wanted(self, line: Raw, item: Item, bullet: str) -> bool:
        before, arrow, after = bullet.partition("→")
        count = _COUNT.search(before)
        shown = int(next(filter(None, count.groups()))) if count else 1
        if shown != (item.quantity or line["quantity"]):
            return False
        if not arrow:
            return not item.to
        options = line["options"] | item.to
        return any(self._shows(options, after.casefold(), code) for code in LANGUAGES)

    def _shows(self, options: dict[str, str], text: str, language: str) -> bool:
        words = [self._shop.values(key, value, language)[0] for key, value in options.items()]
        return all(re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text) for word in words)

    def _goods(self, goods: tuple[Goods, ...], text: str) -> Objection | None:
        bullets = _BULLET.findall(text)
        for wanted in goods:
            found = self._shop.variant(wanted.variant)
            if found is None:
                continue
            product, variant = found
            line = {"title": product["title"], "options": variant["options"]}
            if not any(self._speaks_of(line, bullet) for bullet in bullets):
                return Objection("object.missing")
        return None

    def _method(
        self, number: str, method: str, text: str, *, first_line: bool = False
    ) -> Objection | None:
        if not method:
            return None
        found = self._shop.resolved_method(self._customer_id, number, method)
        words = _METHOD_WORDS.get(found["kind"], (found["kind"],))
        read = text.strip().split("\n")[0] if first_line else text
        read = " ".join(line for line in read.split("\n") if "•" not in line).casefold()
        if not first_line and not any(w in read for ws in _METHOD_WORDS.values() for w in ws):
            return None
        own = self._shop.customer(self._customer_id) or {}
        alike = [m for m in own.get("payment_methods", []) if m["kind"] == found["kind"]]
        last_four = found.get("last_four") if len(alike) > 1 else ""
        if any(word in read for word in words) and (not last_four or last_four in read):
            return None
        return Objection("object.method")


def _remedy(remedy: str, text: str) -> Objection | None:
    """Compare what is paid back with the price of the only item that is complained about."""
    first = _AMOUNT.search(text.strip().split("\n")[0])
    bullets = _BULLET.findall(text)
    price = _AMOUNT.findall(bullets[0].rsplit("–", 1)[-1]) if len(bullets) == 1 else []
    if remedy not in {"refund", "partial_refund"} or first is None or not price:
        return None
    whole = first.group() == price[-1]
    return None if whole == (remedy == "refund") else Objection("object.remedy")


def _address(place: Place | None, text: str) -> Objection | None:
    if place is None:
        return None
    city = " ".join(part for part in (place.postcode, place.city) if part)
    line = ", ".join(part for part in (place.line1, place.line2, city) if part)
    # The address stands alone: nothing between its parts, and nothing before its street.
    before = r"(?:^|: |\n|, (?:to|an) )"
    right = re.search(rf"{before}\s*{re.escape(line.casefold())}([^\n]*)", text.casefold())
    if right is None:
        return Objection("object.address")
    country = _COUNTRIES.get(place.country.casefold(), place.country).casefold()
    return None if country in right.group(1) else Objection("object.address")
