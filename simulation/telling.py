"""How a customer says what they want and who they are."""

from simulation.goals import Goal
from simulation.shop_view import ShopView
from simulation.tasks import (
    Ask,
    Buy,
    Cancel,
    ChangeAddress,
    ChangeItems,
    ChangePayment,
    Complain,
    DefaultAddress,
    Exchange,
    Facts,
    Person,
    Reorder,
    SendBack,
)
from simulation.typos import keep
from simulation.voice import Voice, joined
from simulation.words import Words

_TELLS_THE_REST = 0.7
_FULL = {
    "plain": 0.6, "terse": 0.3, "chatty": 0.5, "typos": 0.6, "changes_mind": 0.6, "german": 0.6,
}  # fmt: skip
_BARE = {
    "plain": 0.15, "terse": 0.4, "chatty": 0.2, "typos": 0.15, "changes_mind": 0, "german": 0.15,
}  # fmt: skip


class Teller:
    """Puts wishes and facts into sentences."""

    def __init__(self, shop: ShopView, words: Words, voice: Voice, facts: Facts) -> None:
        """Speak with `voice`, knowing `facts`."""
        self._shop = shop
        self._words = words
        self._voice = voice
        self._facts = facts

    def wish(self, goal: Goal, *, bare_allowed: bool = True, in_full: bool = False) -> str:
        """Return the sentence for a wish as the customer tells it now.

        Args:
            goal: the wish.
            bare_allowed: whether they may wait to be asked for all of it.
            in_full: whether they say how the money shall move, which else is left to chance.
        """
        kind = str(type(goal.told).__struct_config__.tag)
        style = self._voice.style
        if bare_allowed and self._voice.knows(f"bare.{kind}") and self._voice.chance(_BARE[style]):
            return self._voice.put(f"bare.{kind}")
        return self._told(goal, full=in_full or self._voice.chance(_FULL[style]))

    def _told(self, goal: Goal, *, full: bool) -> str:
        put, words = self._voice.put, self._words
        match goal.told:
            case Cancel(order=number, reason=reason):
                why = put("with.reason", reason=words.reason(reason)) if full and reason else ""
                return put("wish.cancel", order=keep(number)) + why
            case SendBack(order=number, items=items, method=method):
                to = put("with.refund", method=words.method(number, method)) if full else ""
                told = words.items(number, items)
                return put("wish.return", items=told, order=keep(number)) + to
            case Exchange() | ChangeItems() as wish:
                act = "wish.exchange" if isinstance(wish, Exchange) else "wish.change_items"
                with_it = ""
                if full and wish.method:
                    way = words.method(wish.order, wish.method)
                    with_it = put("with.difference", method=way)
                swaps = words.swaps(wish.order, wish.items)
                return put(act, swaps=swaps, order=keep(wish.order)) + with_it
            case ChangeAddress(order=number, address=place):
                where = words.address(place)
                return put("wish.change_address", order=keep(number), address=where)
            case DefaultAddress(address=place):
                return put("wish.default_address", address=words.address(place))
            case ChangePayment(order=number, method=method):
                way = words.method(number, method)
                return put("wish.change_payment", order=keep(number), method=way)
        return self._told_more(goal)

    def _told_more(self, goal: Goal) -> str:
        put, words = self._voice.put, self._words
        match goal.told:
            case Complain(about=about, order=number, items=items):
                told = words.items(number, items) if items else ""
                return put(f"wish.{about}", order=keep(number), items=told)
            case Buy(goods=goods, address=place):
                if goal.paying:
                    return put("wish.pay_there" if place else "wish.pay")
                return put("wish.buy", goods=words.goods(goods[goal.bought]))
            case Reorder(order=number, address=place):
                return put("wish.reorder_there" if place else "wish.reorder", order=keep(number))
            case Ask(text=text, text_de=text_de):
                return (text_de or text) if self._voice.language == "de" else text
            case Person():
                return put("wish.human")
        return ""

    def identity(self) -> str:
        """Return what proves who the customer is, as far as they know it."""
        return self._facts_said([name for name in _FACTS if self._fact(name)])

    def identity_asked(self, text: str, code: str) -> str:
        """Return what a question asks for, read like a person reads it.

        Args:
            text: the question.
            code: the one-time code that came by e-mail; empty when none did.
        """
        low = text.casefold()
        if code and "code" in low:
            return self._voice.put("identity.code", code=keep(code))
        asked = [name for name, words in _FACTS.items() if any(word in low for word in words)]
        known = [name for name in asked if self._fact(name)]
        if known:
            return self._facts_said(known)
        unknown, rest = self._voice.put("identity.unknown"), self.identity()
        return f"{unknown}. {rest}" if rest and self._voice.chance(_TELLS_THE_REST) else unknown

    def _facts_said(self, names: list[str]) -> str:
        told = [
            self._voice.put(f"identity.{name}", **{_FIELD.get(name, name): keep(self._fact(name))})
            for name in names
        ]
        return joined(told, self._voice.put("words.facts")) if told else ""

    def _fact(self, name: str) -> str:
        if name == "name":
            return f"{self._facts.first_name} {self._facts.last_name}".strip()
        return str(getattr(self._facts, name))


_FIELD = {"order_number": "order"}
_FACTS = {
    "order_number": ("order number", "bestellnummer"),
    "email": ("e-mail", "email"),
    "phone": ("phone", "telefon"),
    "name": ("name",),
    "postcode": ("postcode", "postleitzahl", "zip"),
}
