"""Tasks of tau-retail as wishes of a simulated customer.

The wishes are the recorded operations, in order; where a task records none that changes
something, the customer says the reason for the call in the first person and agrees to nothing.
"""

import re
from typing import Any

import msgspec

from simulation.errors import TasksInvalid
from simulation.tasks import (
    AnyWish,
    Ask,
    Cancel,
    ChangeAddress,
    ChangeItems,
    ChangePayment,
    DefaultAddress,
    Exchange,
    Facts,
    Item,
    Person,
    Place,
    SendBack,
    Task,
)

Raw = dict[str, Any]
WRITES = frozenset({
    "cancel_pending_order",
    "exchange_delivered_order_items",
    "return_delivered_order_items",
    "modify_pending_order_items",
    "modify_pending_order_address",
    "modify_pending_order_payment",
    "modify_user_address",
})
_PERSON = "transfer_to_human_agents"
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+\w")
_ZIP = re.compile(r"\b\d{5}\b")
_CONDITION = re.compile(r"^(?:if|when|unless|but if|do not|don't|be |make sure)\b", re.IGNORECASE)
_FIRST_PERSON = (
    (r"\byou are\b", "I am"), (r"\byou're\b", "I'm"), (r"\byou were\b", "I was"),
    (r"\byou've\b", "I've"), (r"\byou'd\b", "I'd"), (r"\byou'll\b", "I'll"),
    (r"\byour\b", "my"), (r"\byourself\b", "myself"), (r"\byou\b", "I"),
)  # fmt: skip


class RawTask(msgspec.Struct, frozen=True):
    """The fields of a recorded task that are used."""

    task_id: str
    actions: list[Raw]
    db_diff: list[Raw]
    user: Raw | None = None
    user_id: str = ""
    instruction: str = ""


def task_of(raw: Raw, db: Raw, where: str) -> tuple[Task, list[Raw]]:
    """Return a recorded task as ours, and its `db_diff`.

    Args:
        raw: the line.
        db: tau-retail's database.
        where: file and line, for errors.

    Raises:
        TasksInvalid: a field is missing or wrong, or names what the database does not have.
    """
    try:
        record = msgspec.convert(raw, RawTask)
        user_id = _user_of(record, db)
        task = Task(
            id=record.task_id,
            language="en",
            customer=user_id,
            wishes=tuple(_wishes(record, db)),
            expected=None,
            facts=_facts(record, db["users"][user_id]),
        )
    except msgspec.ValidationError as error:
        msg = f"{where}: {error}"
        raise TasksInvalid(msg) from error
    except (KeyError, StopIteration, TypeError, ValueError) as error:
        msg = f"{where} (task {raw.get('task_id')!r}): {type(error).__name__}: {error}"
        raise TasksInvalid(msg) from error
    return task, record.db_diff


def _arguments(action: Raw) -> Raw:
    found: Raw = action.get("arguments") or action.get("kwargs") or {}
    return found


def _user_of(record: RawTask, db: Raw) -> str:
    """Return whose task it is: named, owner of an order, or found by name and postcode.

    Raises:
        ValueError: nothing tells.
    """
    if record.user_id:
        return record.user_id if record.user_id in db["users"] else _missing(record.user_id)
    known = str((record.user or {}).get("known_info") or "")
    for user_id, user in db["users"].items():
        if user_id in known or user["email"] in known:
            return str(user_id)
    for action in record.actions:
        given = _arguments(action)
        if action["name"] in WRITES:
            return str(given.get("user_id") or db["orders"][given["order_id"]]["user_id"])
    for user_id, user in db["users"].items():
        full = f"{user['name']['first_name']} {user['name']['last_name']}"
        if full.casefold() in known.casefold() and user["address"]["zip"] in known:
            return str(user_id)
    return _missing(known)


def _missing(known: str) -> str:
    msg = f"`user`: no customer of the database fits {known!r}"
    raise ValueError(msg)


def _facts(record: RawTask, user: Raw) -> Facts:
    """Return what the user knows: the e-mail if the task tells it, else name and postcode."""
    known = str((record.user or {}).get("known_info") or "") + record.instruction
    email = _EMAIL.search(known)
    if email and email.group() == user["email"]:
        return Facts(email=user["email"])
    name = user["name"]
    return Facts(
        first_name=name["first_name"],
        last_name=name["last_name"],
        postcode=user["address"]["zip"],
    )


def _wishes(record: RawTask, db: Raw) -> list[AnyWish]:
    wishes = [_wish(action, db) for action in record.actions if action["name"] in WRITES]
    if not wishes:
        told = record.instruction or str((record.user or {}).get("reason_for_call") or "")
        wishes = [Ask(text=text) for text in first_person(told)] or [Ask(text="hello")]
    if any(action["name"] == _PERSON for action in record.actions):
        wishes.append(Person())
    return wishes


def first_person(text: str) -> list[str]:
    """Return what a task tells its user as what the user would say; conditions are left out."""
    sentences = (part.strip() for part in re.split(r"(?<=[.!?])\s+", text))
    return [_turned(part) for part in sentences if part and not _CONDITION.match(part)]


def _turned(sentence: str) -> str:
    for pattern, word in _FIRST_PERSON:
        sentence = re.sub(pattern, word, sentence, flags=re.IGNORECASE)
    return sentence


def _wish(action: Raw, db: Raw) -> AnyWish:
    name, given = action["name"], _arguments(action)
    number, method = given.get("order_id", ""), given.get("payment_method_id", "")
    if name == "cancel_pending_order":
        return Cancel(order=number, reason=given["reason"])
    if name == "return_delivered_order_items":
        return SendBack(order=number, items=_items(given, db), method=method)
    if name == "exchange_delivered_order_items":
        return Exchange(order=number, items=_items(given, db), method=method)
    if name == "modify_pending_order_items":
        return ChangeItems(order=number, items=_items(given, db), method=method)
    if name == "modify_pending_order_payment":
        return ChangePayment(order=number, method=method)
    place = Place(
        line1=given["address1"],
        line2=given["address2"],
        city=given["city"],
        region=given["state"],
        postcode=given["zip"],
        country=given["country"],
    )
    if name == "modify_user_address":
        return DefaultAddress(address=place)
    return ChangeAddress(order=number, address=place)


def _items(given: Raw, db: Raw) -> tuple[Item, ...]:
    left = list(enumerate(db["orders"][given["order_id"]]["items"], start=1))
    new = given.get("new_item_ids") or [None] * len(given["item_ids"])
    items = []
    for old_id, new_id in zip(given["item_ids"], new, strict=True):
        place, line = next(entry for entry in left if entry[1]["item_id"] == old_id)
        left.remove((place, line))
        wanted = {}
        if new_id is not None:
            options = db["products"][line["product_id"]]["variants"][new_id]["options"]
            wanted = {k: v for k, v in options.items() if line["options"].get(k) != v}
        items.append(Item(line=str(place), to=wanted))
    return tuple(items)
