"""A customer who wants what a recorded task of tau-retail says, in words made of its arguments."""

from typing import Any

from tests.conversations.talk import Customer

Raw = dict[str, Any]
MOST_TURNS = 14
KINDS = {
    "cancel_pending_order": "cancel",
    "exchange_delivered_order_items": "exchange",
    "return_delivered_order_items": "return",
    "modify_pending_order_items": "items",
    "modify_pending_order_address": "address",
    "modify_user_address": "profile",
    "modify_pending_order_payment": "payment",
}


def writes(task: Raw) -> list[Raw]:
    """Return the task's operations that change something."""
    return [action for action in task["actions"] if action["name"] in KINDS]


class TauCustomer:
    """Knows the shop's database, names things as it does, and answers what is asked."""

    def __init__(self, db: Raw, user_id: str, by_email: bool) -> None:
        """Be the user `user_id`, identified by e-mail or else by name and postcode."""
        self._db = db
        self._user = db["users"][user_id]
        self._by_email = by_email

    def do(self, customer: Customer, action: Raw) -> None:
        """Bring one operation to its end, whatever the bot asks on the way."""
        given = action["arguments"]
        customer.says(f"{self._introduction()} {self._wish(action)}")
        for _ in range(MOST_TURNS):
            reply = self._reply(customer, action["name"], given)
            if reply is None:
                return
            customer.says(reply)

    def _introduction(self) -> str:
        if self._by_email:
            return f"My email is {self._user['email']}."
        name = self._user["name"]
        zip_code = self._user["address"]["zip"]
        return f"Hi, I am {name['first_name']} {name['last_name']}, zip code {zip_code}."

    def _wish(self, action: Raw) -> str:
        given, kind = action["arguments"], KINDS[action["name"]]
        number = given.get("order_id", "")
        wishes = {
            "cancel": lambda: f"Please cancel order {number}.",
            "return": lambda: f"I want to return the {self._names(given)} from order {number}.",
            "exchange": lambda: f"I want to exchange items of order {number}. {self._swaps(given)}",
            "items": lambda: (
                f"I want to change items of my pending order {number}. {self._swaps(given)}"
            ),
            "address": lambda: f"Please change the delivery address of order {number}.",
            "profile": lambda: "Please change the default address in my profile.",
            "payment": lambda: f"Please change the payment method of order {number}.",
        }
        return wishes[kind]()

    def _reply(self, customer: Customer, name: str, given: Raw) -> str | None:
        answers = {
            "utter_ask_cancel_reason": lambda: given["reason"],
            "utter_ask_return_reason": lambda: "skip",
            "utter_ask_lines": lambda: self._names(given),
            "utter_ask_variant": lambda: self._variant_asked(customer, given),
            "utter_ask_new_address": lambda: _address(given),
            "utter_ask_scope": lambda: "both" if name == "both" else "in my profile",
            "utter_ask_as_complaint": lambda: "no",
        }
        for message in reversed(customer.heard):
            if message.response in answers:
                return answers[message.response]()
            if message.response in {
                "utter_ask_method",
                "utter_ask_refund_method",
                "utter_ask_new_method",
            }:
                return self._method(given["payment_method_id"])
            if message.response.startswith("utter_confirm_"):
                return "yes"
        return None

    def _items(self, number: str) -> list[Raw]:
        return self._db["orders"][number]["items"]

    def _name(self, number: str, item_id: str) -> str:
        items = self._items(number)
        item = next(item for item in items if item["item_id"] == item_id)
        alike = sum(other["name"] == item["name"] for other in items) > 1
        return f"{item['name']} ({', '.join(item['options'].values())})" if alike else item["name"]

    def _names(self, given: Raw) -> str:
        names = [self._name(given["order_id"], item_id) for item_id in given["item_ids"]]
        return " and the ".join(names)

    def _swaps(self, given: Raw) -> str:
        number, parts = given["order_id"], []
        for old, new in zip(given["item_ids"], given["new_item_ids"], strict=True):
            item = next(item for item in self._items(number) if item["item_id"] == old)
            options = self._db["products"][item["product_id"]]["variants"][new]["options"]
            wanted = [f"{k} {v}" for k, v in options.items() if item["options"].get(k) != v]
            parts.append(f"the {self._name(number, old)} for one with {' and '.join(wanted)}")
        return " ".join(f"Exchange {part}." for part in parts)

    def _variant_asked(self, customer: Customer, given: Raw) -> str:
        """Describe the wanted version of the item that the question is about, in full."""
        text = customer.heard[-1].text
        for old, new in zip(given["item_ids"], given["new_item_ids"], strict=True):
            item = next(i for i in self._items(given["order_id"]) if i["item_id"] == old)
            if item["name"] in text:
                variant = self._db["products"][item["product_id"]]["variants"][new]
                return ", ".join(variant["options"].values())
        return "none of them"

    def _method(self, method_id: str) -> str:
        method = self._user["payment_methods"].get(method_id, {"source": method_id})
        return f"{method['source'].replace('_', ' ')} {method.get('last_four', '')}".strip()


def _address(given: Raw) -> str:
    street = ", ".join(part for part in (given["address1"], given["address2"]) if part)
    return f"{street}, {given['city']}, {given['state']} {given['zip']}, {given['country']}"
