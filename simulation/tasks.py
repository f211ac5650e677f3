"""Tasks of simulated customers: what they know, what they want, and what may change.

The format is described in `docs/howto/simulate.md`, for people who write tasks.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from simulation.errors import TasksInvalid

Raw = dict[str, Any]
Language = Literal["de", "en"]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a task; unknown fields are refused."""


class Facts(Record, frozen=True):
    """What a customer can say to prove who they are; what is empty they do not know.

    `mailbox`: they can read the e-mails that the shop sends them, one-time codes among them.
    """

    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    postcode: str = ""
    order_number: str = ""
    mailbox: bool = False


class Item(Record, frozen=True):
    """A line of an order; `called` is the customer's word for it, else its title.

    `quantity` 0 means all pieces of the line; `to` holds the options that shall differ.
    """

    line: str
    quantity: int = 0
    called: str = ""
    to: dict[str, str] = {}


class Goods(Record, frozen=True):
    """A variant that is to be bought."""

    variant: str
    quantity: int = 1
    called: str = ""


class Place(Record, frozen=True):
    """An address as the customer tells it."""

    line1: str
    postcode: str
    city: str
    line2: str = ""
    region: str = ""
    country: str = ""


class Wish(Record, frozen=True, kw_only=True, tag_field="kind"):
    """Something a customer wants; `otherwise` is what they want when it is refused."""

    otherwise: tuple["AnyWish", ...] = ()


class Cancel(Wish, frozen=True, tag="cancel"):
    """Cancel an order."""

    order: str
    reason: str = ""


class SendBack(Wish, frozen=True, tag="return"):
    """Return items; `method` is a payment method's id, `original` or `store_credit`."""

    order: str
    items: tuple[Item, ...]
    method: str = "original"
    reason: str = ""


class Exchange(Wish, frozen=True, tag="exchange"):
    """Exchange delivered items for other versions."""

    order: str
    items: tuple[Item, ...]
    method: str = ""


class ChangeItems(Wish, frozen=True, tag="change_items"):
    """Have other versions in an order that is not packed yet."""

    order: str
    items: tuple[Item, ...]
    method: str = ""


class ChangeAddress(Wish, frozen=True, tag="change_address"):
    """Have an order sent elsewhere."""

    order: str
    address: Place


class DefaultAddress(Wish, frozen=True, tag="default_address"):
    """Change the address in the profile."""

    address: Place


class ChangePayment(Wish, frozen=True, tag="change_payment"):
    """Pay an order otherwise; `method` is a payment method's id."""

    order: str
    method: str


class Complain(Wish, frozen=True, tag="complaint"):
    """Complain about items, or with `late` about a parcel; `remedy` is an id of the policy."""

    about: Literal["damaged", "wrong_item", "missing_item", "late"]
    order: str
    items: tuple[Item, ...] = ()
    remedy: str = ""
    method: str = ""
    description: str = ""


class Buy(Wish, frozen=True, tag="buy"):
    """Put goods into the cart; with `pay` also ask for the link to pay."""

    goods: tuple[Goods, ...]
    pay: bool = False
    address: Place | None = None


class Reorder(Wish, frozen=True, tag="reorder"):
    """Order the same again, to the same or another address."""

    order: str
    address: Place | None = None


class Ask(Wish, frozen=True, tag="ask"):
    """Say or ask something in one's own words, and agree to nothing."""

    text: str
    text_de: str = ""


class Person(Wish, frozen=True, tag="human"):
    """Talk to a person."""


AnyWish = (
    Cancel
    | SendBack
    | Exchange
    | ChangeItems
    | ChangeAddress
    | DefaultAddress
    | ChangePayment
    | Complain
    | Buy
    | Reorder
    | Ask
    | Person
)


class Changed(Record, frozen=True, tag_field="change", tag="record"):
    """A record that may change: fields by dotted path, and what is added to lists."""

    of: str
    set: Raw = {}
    append: dict[str, list[Raw]] = {}


class Added(Record, frozen=True, tag_field="change", tag="added"):
    """A record that must be new; fields that are not named must be empty or generated."""

    to: str
    record: Raw


class Removed(Record, frozen=True, tag_field="change", tag="removed"):
    """A record that must be gone."""

    of: str


AnyChange = Changed | Added | Removed


class Task(Record, frozen=True):
    """One customer's visit: wishes, what proves who they are, and the shop afterwards.

    `expected` None means: compared in another way (tau-retail's `db_diff`).
    """

    id: str
    language: Language
    customer: str
    wishes: tuple[AnyWish, ...]
    expected: tuple[AnyChange, ...] | None
    facts: Facts = Facts()
    note: str = ""


def read_lines(path: Path) -> Iterator[tuple[str, Raw]]:
    """Yield each line of a file of JSON objects with where it stands, such as `x.jsonl, line 3`.

    Raises:
        TasksInvalid: the file is missing, empty or not UTF-8, or a line is no JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise TasksInvalid(msg) from error
    count = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            value = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            msg = f"{where}: not JSON: {error}"
            raise TasksInvalid(msg) from error
        if not isinstance(value, dict):
            msg = f"{where}: expected an object with the fields of a task"
            raise TasksInvalid(msg)
        count += 1
        yield where, value
    if not count:
        msg = f"{path}: the file holds no tasks"
        raise TasksInvalid(msg)


def read_tasks(path: Path) -> list[Task]:
    """Return the tasks of a file in our own format.

    Raises:
        TasksInvalid: the file, a line or a field is missing or wrong; names all three.
    """
    tasks: list[Task] = []
    seen: dict[str, str] = {}
    for where, raw in read_lines(path):
        try:
            task = msgspec.convert(raw, Task)
        except msgspec.ValidationError as error:
            msg = f"{where}{_named(raw)}: {error}"
            raise TasksInvalid(msg) from error
        if task.expected is None:
            msg = f"{where}{_named(raw)}: `expected` must be a list; [] for no change"
            raise TasksInvalid(msg)
        if not task.wishes:
            msg = f"{where}{_named(raw)}: `wishes` is empty"
            raise TasksInvalid(msg)
        if task.id in seen:
            msg = f"{where}: the id {task.id!r} was used before, at {seen[task.id]}"
            raise TasksInvalid(msg)
        seen[task.id] = where
        tasks.append(task)
    return tasks


def _named(raw: Raw) -> str:
    return f" (task {raw['id']!r})" if isinstance(raw.get("id"), str) else ""
