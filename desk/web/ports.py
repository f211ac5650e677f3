"""What the desk's pages ask of the rest of the shop, as small records and calls."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from bot.messages import Attachment
from desk.records import Case
from desk.settings import Priority
from desk.similar import SimilarCases
from desk.translations import Translations
from desk.writing.writer import Writer

Due = Literal["", "running", "warning", "breached"]


class Standing(msgspec.Struct, frozen=True):
    """How pressing a case is; `due_at` is when its customer should have a reply."""

    priority: Priority = "normal"
    due_at: datetime | None = None
    due: Due = ""


Standings = Callable[[Case], Standing]
"""Returns how pressing a case is now."""


class Parcel(msgspec.Struct, frozen=True):
    """A parcel of an order."""

    carrier: str
    number: str
    status: str
    at: datetime | None = None


class OrderView(msgspec.Struct, frozen=True):
    """An order as the card shows it; amounts are ready to read."""

    number: str
    status: str
    total: str
    items: tuple[str, ...]
    placed_at: datetime | None = None
    parcels: tuple[Parcel, ...] = ()
    payments: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()


class CustomerCard(msgspec.Struct, frozen=True):
    """What the shop knows of a customer."""

    name: str
    email: str = ""
    phone: str = ""
    language: str = ""
    tier: str = ""
    address: str = ""
    since: datetime | None = None
    orders: tuple[OrderView, ...] = ()
    more_orders: int = 0


class Suggestion(msgspec.Struct, frozen=True):
    """A reply that could fit; `source` tells where it comes from, `url` leads there."""

    text: str
    source: str = ""
    url: str = ""


class Reach(msgspec.Struct, frozen=True):
    """A channel on which a customer can be reached; `opted_in` is None where nobody asked."""

    channel: str
    opted_in: bool | None = None
    last_at: datetime | None = None


class Lendable(msgspec.Struct, frozen=True):
    """A skill that the bot can carry out for an operator.

    Args:
        skill: its id.
        takes: the slots that the operator may fill: order_number, amount_minor.
        needs_reason: the operator must say why.
        digits: decimals of the shop's currency.
    """

    skill: str
    takes: tuple[str, ...] = ()
    needs_reason: bool = False
    digits: int = 2


Customers = Callable[[str, str], Awaitable[CustomerCard | None]]
"""Returns the card of a customer id in a language; None if the shop knows none."""
Suggests = Callable[[Case, str], Awaitable[Sequence[Suggestion]]]
"""Returns replies to what a customer said, in the case's language."""
Titles = Callable[[str, str], str]
"""Returns what a skill is called in a language."""
StepTitles = Callable[[str, str, str], str]
"""Returns what a step of a skill is called in a language; empty where it has no name."""
Reaches = Callable[[str], Awaitable[Sequence[Reach]]]
"""Returns the channels of a conversation."""


Types = Callable[[str, str], Awaitable[None]]
"""Shows that an operator, by their name, is writing to a conversation's customer."""


class Files(Protocol):
    """Where attachments are kept."""

    def save(self, session_id: str, name: str, body: bytes) -> Attachment:
        """Store a file of a conversation and return the attachment that shows it.

        Raises:
            Exception: with an attribute `status` below 500, if the file is not taken.
        """


def plain_titles(skill: str, language: str) -> str:
    """Return a skill's id as words."""
    del language
    return skill.replace("_", " ")


def no_titles(skill: str, step: str, language: str) -> str:
    """Know no steps."""
    del skill, step, language
    return ""


async def no_card(customer_id: str, language: str) -> CustomerCard | None:
    """Know no customer."""
    del customer_id, language
    return None


async def no_suggestions(case: Case, said: str) -> Sequence[Suggestion]:
    """Suggest nothing."""
    del case, said
    return ()


async def no_reach(conversation_id: str) -> Sequence[Reach]:
    """Know no channels."""
    del conversation_id
    return ()


async def no_typing(conversation_id: str, name: str) -> None:
    """Show nobody that an operator is writing."""
    del conversation_id, name


def no_standing(case: Case) -> Standing:
    """Take every case for a normal one."""
    del case
    return Standing()


class Outside(msgspec.Struct, frozen=True):
    """The rest of the shop, as the desk's pages see it.

    Args:
        customers: what the shop knows of somebody.
        suggests: replies that could fit.
        titles: of skills.
        steps: what the steps of skills are called.
        standings: how pressing cases are.
        reaches: how somebody can be reached.
        files: keeps attachments; None takes none.
        teams: their names by id and language.
        lends: what the bot can carry out for an operator.
        similar: finds what was answered in solved cases; None where nothing is kept of them.
        translations: of what is said; None where nothing translates.
        writer: writes with a language model; None where there is none.
        types: shows the customer of a conversation that an operator, by their name, is writing.
    """

    customers: Customers = no_card
    suggests: Suggests = no_suggestions
    titles: Titles = plain_titles
    steps: StepTitles = no_titles
    standings: Standings = no_standing
    reaches: Reaches = no_reach
    files: Files | None = None
    teams: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)
    lends: Sequence[Lendable] = ()
    similar: SimilarCases | None = None
    translations: Translations | None = None
    writer: Writer | None = None
    types: Types = no_typing
