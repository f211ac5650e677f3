"""What a customer answers to each of the bot's questions, and how they object to a plan."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulation.goals import Goal
from simulation.plan_reading import Objection
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
    Item,
    Person,
    Place,
    Reorder,
    SendBack,
)
from simulation.typos import keep
from simulation.voice import Voice
from simulation.words import Words

if TYPE_CHECKING:
    from simulation.customer import Heard

STORE_CREDIT = "store_credit"
WITH_ITEMS = (SendBack, Exchange, ChangeItems, Complain)
FITTING: dict[str, tuple[type, ...]] = {
    "utter_ask_cancel_reason": (Cancel,),
    "utter_ask_return_reason": (SendBack,),
    "utter_ask_as_complaint": (SendBack,),
    "utter_ask_refund_method": (SendBack,),
    "utter_ask_take_credit": (SendBack,),
    "utter_ask_lines": WITH_ITEMS,
    "utter_ask_rest": WITH_ITEMS,
    "utter_ask_pieces": WITH_ITEMS,
    "utter_ask_variant": (Exchange, ChangeItems),
    "utter_ask_method": (Exchange, ChangeItems),
    "utter_ask_new_method": (ChangePayment,),
    "utter_ask_new_address": (ChangeAddress, DefaultAddress),
    "utter_ask_scope": (ChangeAddress, DefaultAddress),
    "utter_ask_description": (Complain,),
    "utter_ask_remedy": (Complain,),
    "utter_ask_destination": (Buy, Reorder),
    "utter_ask_delivery_address": (Buy, Reorder),
    "utter_ask_delivery_country": (Buy, Reorder),
    "utter_ask_option": (Buy,),
    "utter_ask_product": (Buy,),
    "utter_ask_product_name": (Buy,),
}
"""Which wishes a question can be about."""
ANSWERABLE = frozenset({*FITTING, "utter_ask_identity", "utter_ask_order_number", "utter_clarify"})
_IN_FULL = 2
_KINDS = {
    Cancel: r"cancel|stornier",
    SendBack: r"return|zurück",
    Exchange: r"exchange|umtausch",
    ChangeItems: r"items|artikel",
    ChangeAddress: r"address|adresse",
    DefaultAddress: r"address|adresse",
    ChangePayment: r"pay|zahl",
    Complain: r"broken|damaged|missing|wrong|late|kaputt|beschädigt|fehl|falsch|spät",
    Buy: r"cart|korb|buy|kauf",
    Reorder: r"again|reorder|nachbestell|noch einmal",
    Person: r"person|mensch",
}


class Answers:
    """Answers to questions, out of what a wish says."""

    def __init__(self, shop: ShopView, words: Words, voice: Voice) -> None:
        """Say it with `words` in `voice`."""
        self._shop = shop
        self._words = words
        self._voice = voice
        self._known: dict[str, Callable[[Goal, Heard], str | None]] = {
            "utter_ask_cancel_reason": self._reason,
            "utter_ask_return_reason": self._reason,
            "utter_ask_as_complaint": lambda *_: voice.put("answer.plain_return"),
            "utter_ask_refund_method": self._method,
            "utter_ask_take_credit": self._credit,
            "utter_ask_method": self._method,
            "utter_ask_new_method": self._method,
            "utter_ask_lines": self._items,
            "utter_ask_rest": self._rest,
            "utter_ask_pieces": self._pieces,
            "utter_ask_variant": self._version,
            "utter_ask_new_address": self._address,
            "utter_ask_scope": self._scope,
            "utter_ask_description": self._description,
            "utter_ask_remedy": self._remedy,
            "utter_ask_destination": self._destination,
            "utter_ask_delivery_address": self._address,
            "utter_ask_delivery_country": self._country,
            "utter_ask_option": self._option,
            "utter_ask_product": self._product,
            "utter_ask_product_name": self._product,
            "utter_ask_order_number": self._order,
            "utter_clarify": self._clarified,
        }

    def spoken_of(self, goals: list[Goal], question: "Heard") -> Goal | None:
        """Return the wish that a question is about; None when no wish can be meant."""
        kinds = FITTING.get(question.response, ())
        fitting = [goal for goal in goals if not kinds or isinstance(goal.wish, (*kinds, Ask))]
        if not fitting and goals and goals[0].tries < 2:
            return goals[0]
        named = [goal for goal in fitting if goal.order and goal.order in question.text]
        return next(iter(named or fitting), None)

    def to(self, goal: Goal, question: "Heard") -> str | None:
        """Return the answer to a question; None when there is no good one."""
        goal.turns += 1
        if isinstance(goal.wish, Ask):
            return self._for_asking(goal, question)
        if not isinstance(goal.wish, FITTING.get(question.response, object)):
            return None
        return self._known[question.response](goal, question)

    def objection(self, goal: Goal, wrong: Objection) -> str:
        """Return how the customer says what is wrong with a plan."""
        wish: Any = goal.wish
        put, words, number = self._voice.put, self._words, goal.order
        match wrong.act:
            case "object.remedy":
                return put(wrong.act, remedy=put(f"remedies.{wish.remedy}"))
            case "answer.profile":
                return put("object.profile")
            case "object.order":
                return put(wrong.act, order=keep(number))
            case "object.method":
                return put(wrong.act, method=words.method(number, wish.method))
            case "object.address":
                return put(wrong.act, address=words.address(wish.address))
            case "object.version" | "object.quantity":
                item = wrong.items[0]
                plain = Item(line=item.line, called=item.called)
                options = self._shop.line(number, item.line)["options"] | item.to
                said = words.options(item.to or options)
                return put(
                    wrong.act, item=words.item(number, plain), options=said, count=_count(item)
                )
            case "object.extra" if self._voice.chance(0.5):
                return put(wrong.act, extra=wrong.extra.lower())
        act = "object.only" if wrong.act == "object.extra" else wrong.act
        act = act if wrong.items else "answer.no"
        return put(act, items=words.items(number, wrong.items) if wrong.items else "")

    def named_lines(self, goal: Goal, text: str) -> tuple[str, ...]:
        """Return the lines of the wish's order whose titles stand in a text."""
        low = text.casefold()
        return tuple(
            line["id"]
            for line in self._shop.lines(goal.order)
            if any(title.casefold() in low for title in line["title"].values())
        )

    def _for_asking(self, goal: Goal, question: "Heard") -> str | None:
        if goal.turns > 1:
            return None
        number = re.search(r"#?\b[A-Z]{1,2}-?\d{6,7}\b", self._text_of(goal))
        if question.response == "utter_ask_order_number" and number:
            return self._voice.put("answer.order", order=keep(number.group()))
        return self._voice.put("identity.unknown")

    def _text_of(self, goal: Goal) -> str:
        return str(getattr(goal.wish, "text", ""))

    def _reason(self, goal: Goal, _: "Heard") -> str:
        reason = str(getattr(goal.told, "reason", ""))
        if not reason and isinstance(goal.told, Cancel):
            reason = "no_longer_needed"
        if not reason:
            return self._voice.put("answer.skip")
        return self._voice.put("answer.reason", reason=self._words.reason(reason))

    def _method(self, goal: Goal, _: "Heard") -> str | None:
        method = str(getattr(goal.told, "method", ""))
        way = self._words.method(goal.order, method or "original")
        return self._voice.put("answer.method", method=way)

    def _credit(self, goal: Goal, _: "Heard") -> str:
        wanted = getattr(goal.wish, "method", "") == STORE_CREDIT
        return self._voice.put("answer.yes" if wanted else "answer.no")

    def _items(self, goal: Goal, _: "Heard") -> str | None:
        told: Any = goal.told
        number = str(getattr(told, "order", ""))
        if not getattr(told, "items", ()):
            return None
        if not isinstance(told, SendBack | Complain) and self._voice.style == "plain":
            return self._voice.put("answer.items", items=self._words.swaps(number, told.items))
        return self._voice.put("answer.items", items=self._words.items(number, told.items))

    def _rest(self, goal: Goal, question: "Heard") -> str | None:
        wish: Any = goal.wish
        left = tuple(item for item in wish.items if item.line not in goal.impossible)
        if not left:
            return None
        return self._voice.put("answer.items", items=self._words.items(goal.order, left))

    def _pieces(self, goal: Goal, question: "Heard") -> str:
        wish: Any = goal.wish
        asked = self.named_lines(goal, question.text)
        for item in wish.items:
            if item.line in asked:
                count = item.quantity or self._shop.line(goal.order, item.line)["quantity"]
                return self._voice.put("answer.pieces", count=str(count))
        return self._voice.put("answer.pieces", count="1")

    def _version(self, goal: Goal, question: "Heard") -> str | None:
        wish: Any = goal.wish
        items = [item for item in wish.items if item.line in self.named_lines(goal, question.text)]
        current = [item for item in items if self._stands_in(goal, item, question.text)]
        for item in current or items:
            if not item.to:
                return self._voice.put("same_version")
            wanted = item.to
            if goal.asked_again >= _IN_FULL:  # then one reads the offered versions out
                wanted = self._shop.line(goal.order, item.line)["options"] | item.to
            return self._voice.put("answer.version", options=self._words.options(wanted))
        return None

    def _stands_in(self, goal: Goal, item: Item, text: str) -> bool:
        """Return whether a text speaks of the line by the options that it has now."""
        options = self._shop.line(goal.order, item.line)["options"]
        shown = [
            ", ".join(self._shop.values(k, v, language)[0] for k, v in options.items())
            for language in ("en", "de")
        ]
        return any(part and part in text for part in shown)

    def _address(self, goal: Goal, _: "Heard") -> str | None:
        place: Place | None = getattr(goal.told, "address", None)
        if place is None:
            return None
        return self._voice.put("answer.address", address=self._words.address(place))

    def _country(self, goal: Goal, _: "Heard") -> str | None:
        place: Place | None = getattr(goal.told, "address", None)
        country = place.country if place else ""
        return self._voice.put("answer.country", country=country) if country else None

    def _scope(self, goal: Goal, _: "Heard") -> str:
        only = isinstance(goal.wish, ChangeAddress)
        return self._voice.put("answer.only_order" if only else "answer.profile")

    def _description(self, goal: Goal, _: "Heard") -> str:
        text = str(getattr(goal.wish, "description", ""))
        if not text:
            return self._voice.put("answer.skip")
        return self._voice.put("answer.description", text=keep(text))

    def _remedy(self, goal: Goal, _: "Heard") -> str | None:
        remedy = str(getattr(goal.wish, "remedy", ""))
        if not self._voice.knows(f"remedies.{remedy}"):
            return None
        return self._voice.put("answer.remedy", remedy=self._voice.put(f"remedies.{remedy}"))

    def _destination(self, goal: Goal, _: "Heard") -> str:
        elsewhere = getattr(goal.wish, "address", None) is not None
        return self._voice.put("answer.elsewhere" if elsewhere else "answer.home")

    def _option(self, goal: Goal, question: "Heard") -> str | None:
        wish = goal.wish
        if not isinstance(wish, Buy):
            return None
        found = self._shop.variant(wish.goods[min(goal.bought, len(wish.goods) - 1)].variant)
        low = question.text.casefold()
        for option, value in (found[1]["options"] if found else {}).items():
            names = [self._shop.option_name(option, language) for language in ("en", "de")]
            if any(name.casefold() in low for name in names):
                return self._voice.put("answer.option", options=self._words.option(option, value))
        return None

    def _product(self, goal: Goal, _: "Heard") -> str | None:
        wish = goal.wish
        if not isinstance(wish, Buy):
            return None
        found = self._shop.variant(wish.goods[min(goal.bought, len(wish.goods) - 1)].variant)
        if found is None:
            return None
        return self._voice.put("answer.product", item=self._words.title(found[0]))

    def _order(self, goal: Goal, _: "Heard") -> str | None:
        number = str(getattr(goal.told, "order", ""))
        return self._voice.put("answer.order", order=keep(number)) if number else None

    def _clarified(self, goal: Goal, question: "Heard") -> str | None:
        pattern = _KINDS.get(type(goal.wish), "$^")
        for title in question.buttons:
            if re.search(pattern, title, re.IGNORECASE):
                return title
        return None


def _count(item: Item) -> str:
    return str(item.quantity or "")
