"""What people say by mistake first, or take back: the style `changes_mind`."""

import random
from typing import Any

import msgspec

from simulation.goals import Goal
from simulation.shop_view import ShopView
from simulation.tasks import (
    AnyWish,
    Cancel,
    ChangeAddress,
    ChangeItems,
    ChangePayment,
    DefaultAddress,
    Exchange,
    Item,
    SendBack,
)
from simulation.words import Words

Raw = dict[str, Any]
_NONE = 0.15


class Slips:
    """Makes a customer say another item, version, method, order or address first, or stop."""

    def __init__(self, shop: ShopView, words: Words, customer_id: str, dice: random.Random) -> None:
        """Draw from `dice` what `customer_id` gets wrong."""
        self._shop = shop
        self._words = words
        self._customer_id = customer_id
        self._dice = dice

    def apply(self, goal: Goal) -> None:
        """Let the customer say something else than they want, one thing a wish at most."""
        if self._dice.random() < _NONE:
            return
        ways = [self._item, self._version, self._method, self._order, self._address, self._stop]
        self._dice.shuffle(ways)
        for way in ways:
            if way(goal):
                return

    def _stop(self, goal: Goal) -> bool:
        goal.stop_first = True
        return True

    def _item(self, goal: Goal) -> bool:
        wish = goal.wish
        if not isinstance(wish, SendBack):
            return False
        taken = {item.line for item in wish.items}
        others = [line for line in self._shop.lines(wish.order) if line["id"] not in taken]
        titles = [self._words.title(line) for line in self._shop.lines(wish.order)]
        others = [line for line in others if titles.count(self._words.title(line)) == 1]
        if not others:
            return False
        wrong = Item(line=self._dice.choice(others)["id"])
        place = self._dice.randrange(len(wish.items))
        items = (*wish.items[:place], wrong, *wish.items[place + 1 :])
        right = wish.items[place]
        said = self._words.item(wish.order, wrong), self._words.item(wish.order, right)
        self._say(goal, msgspec.structs.replace(wish, items=items), said)
        return True

    def _version(self, goal: Goal) -> bool:
        wish = goal.wish
        if not isinstance(wish, Exchange | ChangeItems):
            return False
        for place, item in enumerate(wish.items):
            line = self._shop.line(wish.order, item.line)
            product = self._shop.product(line["product_id"])
            for option in sorted(item.to) if product else ():
                values = {v["options"].get(option) for v in product["variants"]}  # type: ignore[index]
                others = sorted(values - {item.to[option], line["options"].get(option), None})
                if others:
                    wrong = item.to | {option: self._dice.choice(others)}
                    other = msgspec.structs.replace(item, to=wrong)
                    items = (*wish.items[:place], other, *wish.items[place + 1 :])
                    self._say(goal, msgspec.structs.replace(wish, items=items), ("", ""))
                    return True
        return False

    def _method(self, goal: Goal) -> bool:
        wish = goal.wish
        if not isinstance(wish, SendBack | ChangePayment):
            return False  # a swap without a difference in price shows no method to read
        customer = self._shop.customer(self._customer_id) or {}
        right = self._shop.resolved_method(self._customer_id, wish.order, wish.method)["id"]
        others = [m["id"] for m in customer.get("payment_methods", []) if m["id"] != right]
        if not others or not wish.method:
            return False
        wrong = msgspec.structs.replace(wish, method=self._dice.choice(others))
        self._say(goal, wrong, ("", ""))
        return True

    def _order(self, goal: Goal) -> bool:
        wish = goal.wish
        if not isinstance(wish, Cancel | SendBack | ChangePayment):
            return False
        others = [o["number"] for o in self._shop.orders_of(self._customer_id)]
        others = [number for number in others if number != wish.order]
        if not others:
            return False
        wrong = self._dice.choice(others)
        if isinstance(wish, SendBack):
            return False
        self._say(goal, msgspec.structs.replace(wish, order=wrong), (wrong, wish.order))
        return True

    def _address(self, goal: Goal) -> bool:
        wish = goal.wish
        if not isinstance(wish, ChangeAddress | DefaultAddress):
            return False
        digits = [c for c in wish.address.line1 if c.isdigit()]
        if not digits:
            return False
        changed = wish.address.line1.replace(digits[0], str((int(digits[0]) + 3) % 9 + 1), 1)
        place = msgspec.structs.replace(wish.address, line1=changed)
        self._say(goal, msgspec.structs.replace(wish, address=place), ("", ""))
        return True

    def _say(self, goal: Goal, told: AnyWish, slip: tuple[str, str]) -> None:
        goal.told = told
        goal.slip = slip
