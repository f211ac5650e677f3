"""A seeded customer of tau-retail's shop who says in free text what a recorded task changes.

The words are made of the task's arguments and the shop's data at run time. The customer names
things as a person would, answers what is asked, and reads a plan before saying yes to it.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

Raw = dict[str, Any]
KINDS = {
    "cancel_pending_order": "cancel",
    "exchange_delivered_order_items": "exchange",
    "return_delivered_order_items": "return",
    "modify_pending_order_items": "items",
    "modify_pending_order_address": "address",
    "modify_user_address": "profile",
    "modify_pending_order_payment": "payment",
}
STYLES = ("one", "steps", "polite", "terse", "all")
_MOST_CORRECTIONS = 3
_MOST_TRIES = 2
_MOST_REPEATS = 4
_BARE = frozenset({"yes", "no", "none"})
_WISHES = {
    "one": "I want to {}",
    "polite": "could you please help me {}",
    "terse": "{}",
}
_VERBS = {
    "cancel": "cancel",
    "return": "return",
    "exchange": "exchange",
    "items": "change",
    "address": "change the shipping address of",
    "profile": "change my default address",
    "payment": "change the payment method of",
}
_STEPS = {
    "cancel": "I'd like to cancel an order",
    "return": "I'd like to return something",
    "exchange": "I'd like to exchange something I received",
    "items": "I'd like to modify a pending order, some of the items",
    "address": "I need to change the address of an order",
    "profile": "I'd like to update the address in my profile",
    "payment": "I want to pay an order differently",
}


class Heard(msgspec.Struct, frozen=True):
    """One message of the bot: the name of its response and its text."""

    response: str
    text: str


def writes(task: Raw) -> list[Raw]:
    """Return the task's operations that change something."""
    return [action for action in task["actions"] if action["name"] in KINDS]


class Shopper:
    """Wants a task's operations, one after the other, in one of the `STYLES`."""

    def __init__(self, db: Raw, task: Raw, style: str, seed: int = 0) -> None:
        """Be the user of `task`; `style` says how much is told at once."""
        self._db = db
        self._style = style
        self._wishes = writes(task)
        self._at = -1
        self._corrections = 0
        self._tries = 1
        self._said = ""
        self._repeats = 0
        self._random = random.Random(f"{seed}/{style}/{task['task_id']}")
        self._user = db["users"][_user_of(db, task)]
        self._by_email = self._random.random() < 0.5

    @property
    def done(self) -> bool:
        """Return whether all wishes have been brought to their end."""
        return self._at >= len(self._wishes)

    def opening(self) -> str:
        """Return the first message."""
        self._at = 0
        if self._style == "steps":
            self._tries = 0
            return "Hi there"
        if self._style == "all" and len(self._wishes) > 1:
            wishes = [self._told(wish, full=False) for wish in self._wishes]
            return f"{self._identity()}. " + ". Then ".join(wishes) + "."
        return self._first()

    def answer(self, heard: Sequence[Heard]) -> str | None:
        """Return the answer to the bot's messages; None when there is nothing left to say."""
        last = [message.response for message in heard]
        if any(name in _FINISHED for name in last):
            self._next()
        for message in reversed(heard):
            if message.response == "utter_ask_identity":
                return self._identify(message.text)
            asked = self._open_question(message)
            if asked is not None and not self.done:
                self._repeats = self._repeats + 1 if asked == self._said else 0
                self._said = asked
                return asked if self._repeats < _MOST_REPEATS else None
            if message.response in _FINISHED | {"utter_refused"}:
                break
        if "utter_refused" in last:
            self._next()
        if self._tries > _MOST_TRIES:
            self._next()
        self._tries += 1
        if self.done:
            return None
        return f"{self._joint()} {self._wish()}" if self._at or self._tries > 2 else self._first()

    def _next(self) -> None:
        self._at += 1
        self._corrections = 0
        self._tries = 0

    @property
    def _given(self) -> Raw:
        arguments: Raw = self._wishes[min(self._at, len(self._wishes) - 1)]["arguments"]
        return arguments

    def _open_question(self, message: Heard) -> str | None:
        answers: dict[str, Callable[[str], str]] = {
            "utter_ask_cancel_reason": lambda _: self._reason(),
            "utter_ask_return_reason": lambda _: "skip",
            "utter_ask_lines": lambda _: self._all_names(),
            "utter_ask_rest": lambda _: self._all_names(),
            "utter_ask_variant": self._variant_asked,
            "utter_ask_new_address": lambda _: self._address(),
            "utter_ask_scope": lambda _: self._scope(),
            "utter_ask_order_number": lambda _: self._given.get("order_id", ""),
            "utter_ask_as_complaint": lambda _: "no",
            "utter_ask_method": lambda _: self._method(),
            "utter_ask_refund_method": lambda _: self._method(),
            "utter_ask_new_method": lambda _: self._method(),
        }
        if message.response in answers:
            return answers[message.response](message.text)
        if message.response.startswith("utter_confirm_"):
            return self._consent(message.text)
        return None

    def _first(self) -> str:
        wish = self._wish()
        if self._style == "steps":
            return wish
        if self._style == "terse":
            return f"{wish}. {self._identity(short=True)}"
        if self._style == "polite":
            greeting = f"Hello, I hope you are doing well. {self._identity()}."
            return f"{greeting} {wish[:1].upper()}{wish[1:]}? Thank you very much!"
        return f"{self._identity()}. {wish}."

    def _joint(self) -> str:
        return self._random.choice([
            "And also:",
            "Yes,",
            "One more thing:",
            "Yes please. Next,",
            "Also,",
        ])

    def _identity(self, *, short: bool = False) -> str:
        if self._by_email:
            email = self._user["email"]
            return email if short else f"My email is {email}"
        name, zip_code = self._user["name"], self._user["address"]["zip"]
        full = f"{name['first_name']} {name['last_name']}"
        return f"{full}, {zip_code}" if short else f"I'm {full}, zip code {zip_code}"

    def _identify(self, text: str) -> str:
        name = self._user["name"]
        if "as well" in text and "postcode" in text:
            return str(self._user["address"]["zip"])
        if "name as well" in text:
            return f"{name['first_name']} {name['last_name']}"
        return self._identity(short=self._style == "terse")

    def _wish(self) -> str:
        return self._told(self._wishes[self._at], full=self._style in {"one", "all"})

    def _told(self, wish: Raw, *, full: bool) -> str:
        """Say a wish; with the method and reason at once if `full`."""
        kind, given = KINDS[wish["name"]], wish["arguments"]
        if self._style == "steps":
            return _STEPS[kind]
        verb = _WISHES.get(self._style, _WISHES["one"]).format(_VERBS[kind])
        number = given.get("order_id", "")
        if kind in {"profile", "address"}:
            where = f" order {number}" if number else ""
            new = f" to {_address(given)}" if full or self._style == "terse" else ""
            return f"{verb}{where}{new}"
        if kind == "cancel":
            why = f" because {_because(given['reason'])}" if full else ""
            return f"{verb} order {number}{why}"
        if kind == "payment":
            return f"{verb} order {number} to {self._method(given)}"
        if kind == "return":
            pays = f", refund to {self._method(given)}" if full else ""
            return f"{verb} {self._names(given)} from order {number}{pays}"
        pays = f". Use {self._method(given)} for the difference" if full else ""
        return f"{verb} {self._swaps(given)} {self._of_order(number)}{pays}"

    def _of_order(self, number: str) -> str:
        return self._random.choice([f"from order {number}", f"(order {number})", f"in {number}"])

    def _reason(self) -> str:
        reason = self._given.get("reason", "no longer needed")
        return self._random.choice([reason, _because(reason)])

    def _scope(self) -> str:
        return "my profile" if "user_id" in self._given else "only the order"

    def _item(self, given: Raw, item_id: str) -> Raw:
        items = self._db["orders"][given["order_id"]]["items"]
        return next(item for item in items if item["item_id"] == item_id)  # type: ignore[no-any-return]

    def _name(self, given: Raw, item_id: str) -> str:
        """Name an item; by what tells it apart where the order holds several alike."""
        item = self._item(given, item_id)
        items = self._db["orders"][given["order_id"]]["items"]
        name = item["name"].lower() if item["name"] != "T-Shirt" else "t-shirt"
        alike = [other for other in items if other["name"] == item["name"] and other is not item]
        if not alike:
            return str(name)
        told = [
            _option(key, value) if value in _BARE else value
            for key, value in item["options"].items()
            if any(other["options"].get(key) != value for other in alike)
        ]
        return f"{name} ({', '.join(told or item['options'].values())})"

    def _names(self, given: Raw) -> str:
        names = [f"the {self._name(given, item_id)}" for item_id in given.get("item_ids", ())]
        if not names:
            return "none of them"
        return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]

    def _all_names(self) -> str:
        return self._names(self._given)

    def _swaps(self, given: Raw) -> str:
        pairs = zip(given["item_ids"], given["new_item_ids"], strict=True)
        told = [
            f"the {self._name(given, old)} to {self._wanted(given, old, new)}" for old, new in pairs
        ]
        return ", and ".join(told)

    def _wanted(self, given: Raw, old: str, new: str) -> str:
        item = self._item(given, old)
        options = self._db["products"][item["product_id"]]["variants"][new]["options"]
        changed = [
            _option(key, value)
            for key, value in options.items()
            if item["options"].get(key) != value
        ]
        if not changed:
            return "the same one again"
        return "one with " + " and ".join(changed)

    def _variant_asked(self, text: str) -> str:
        """Describe the wanted version of the item that the question is about."""
        given = self._given
        for old, new in zip(given.get("item_ids", ()), given.get("new_item_ids", ()), strict=False):
            if self._item(given, old)["name"] in text:
                return self._wanted(given, old, new).removeprefix("one with ")
        return "none of them"

    def _method(self, given: Raw | None = None) -> str:
        method_id = (given or self._given).get("payment_method_id", "credit_card")
        method = self._user["payment_methods"].get(method_id, {"source": method_id})
        alike = [
            m for m in self._user["payment_methods"].values() if m["source"] == method["source"]
        ]
        kind = method["source"].replace("_", " ")
        if len(alike) > 1 and method.get("last_four"):
            return f"the {kind} ending in {method['last_four']}"
        return f"my {kind}"

    def _address(self) -> str:
        return _address(self._given) if "address1" in self._given else "never mind"

    def _consent(self, text: str) -> str:
        """Read the plan: say yes, or what is wrong with it."""
        if self._corrections >= _MOST_CORRECTIONS:
            return "no"
        wrong = self._wrong(text)
        if wrong is None:
            return self._random.choice(["yes", "yes please", "Yes, go ahead.", "ok, do it"])
        self._corrections += 1
        return wrong

    def _wrong(self, text: str) -> str | None:
        given = self._given
        number = given.get("order_id", "")
        if number and number not in text:
            return f"No, I mean order {number}"
        for old, new in zip(given.get("item_ids", ()), given.get("new_item_ids", ()), strict=False):
            item = self._item(given, old)
            options = self._db["products"][item["product_id"]]["variants"][new]["options"]
            if item["name"] not in text:
                return f"the {self._name(given, old)} is missing"
            if f"→ {', '.join(options.values())}" not in text:
                return f"no, the {self._name(given, old)} should be {', '.join(options.values())}"
        for item_id in given.get("item_ids", ()):
            if self._item(given, item_id)["name"] not in text:
                return f"and the {self._name(given, item_id)} too"
        lines = text.count("•")
        if given.get("item_ids") and lines > len(given["item_ids"]):
            return f"no, only {self._all_names()}"
        return self._wrong_method(text) or self._wrong_address(text)

    def _wrong_method(self, text: str) -> str | None:
        given = self._given
        if "payment_method_id" not in given or "same" in text:
            return None
        method = self._user["payment_methods"].get(given["payment_method_id"], {})
        sign = method.get("last_four") or method.get("source", "").replace("_", " ")
        return (
            None if sign.casefold() in text.casefold() else f"please use {self._method()} instead"
        )

    def _wrong_address(self, text: str) -> str | None:
        given = self._given
        if "address1" in given and given["address1"] not in text:
            return f"no, the address is {_address(given)}"
        return None


def _user_of(db: Raw, task: Raw) -> str:
    for action in writes(task):
        given = action["arguments"]
        return str(given.get("user_id") or db["orders"][given["order_id"]]["user_id"])
    return str(task["user_id"])


def _option(key: str, value: str) -> str:
    """Return an option as a person would put it."""
    if value in {"none", "no"}:
        return f"no {key}"
    if value == "yes":
        return f"with {key}"
    words = key.split()
    return value if key in value or words[-1] in value else f"{value} {key}"


def _because(reason: str) -> str:
    told = {
        "no longer needed": "I no longer need it",
        "ordered by mistake": "I ordered it by mistake",
    }
    return told.get(reason, reason)


def _address(given: Raw) -> str:
    street = ", ".join(part for part in (given["address1"], given["address2"]) if part)
    return f"{street}, {given['city']}, {given['state']} {given['zip']}, {given['country']}"


_FINISHED = frozenset({
    "utter_order_cancelled",
    "utter_return_registered",
    "utter_swapped",
    "utter_address_changed",
    "utter_address_same",
    "utter_payment_changed",
    "utter_nothing_changed",
})
