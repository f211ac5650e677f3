"""One customer who waits in two conversations: what operators who put them together do to each.

Each conversation keeps its own events. The one that is answered in the other's case has the link
in its event, the other one too; neither has anything of the other's, so erasing one leaves nothing
of it behind. Whose case is whose is the desk's business (desk/merging.py).
"""

import hashlib
from typing import Literal

from bot import events as ev
from bot.conversation import MERGED, Conversation, Draft

Act = Literal["led", "merged", "followed", "unmerged", "parted", "heard", "replied"]
"""What is done to a conversation whose case is one of two that were put together.

`led`: another one is answered here from now on. `merged`: this one is answered there. `followed`:
the other one has another operator. `unmerged`: it waits on its own again. `parted`: the other one
is no longer answered here. `heard`, `replied`: that happened in the other one.
"""
Refusal = Literal["", "merged", "leads", "other_customer", "not_open", "not_yours", "lent"]
ACTS: frozenset[Act] = frozenset({
    "led", "merged", "followed", "unmerged", "parted", "heard", "replied",
})  # fmt: skip
MOVES = ("merged", "followed", "unmerged")
WITHIN: frozenset[str] = frozenset({"said", "noted", "marked", "closed", "gave_back"})
"""What else is done to a conversation that is answered elsewhere; by the desk, but for notes."""
TOLD = "pattern_merged"
_OPEN = frozenset({"waiting_for_operator", "with_operator"})


def merge_refusal(
    conversation: Conversation, act: str, *, link: str, operator: str, customer: str, force: bool
) -> Refusal:
    """Return why an act of merging does not fit a conversation as it is now; empty when it does.

    Args:
        conversation: whose turn it is.
        act: one of `ACTS`.
        link: of the two.
        operator: who acts.
        customer: the mark of the other one's verified customer (`customer_mark`), "" for none.
        force: also if somebody else has it.
    """
    c = conversation
    holder = c.operator or c.lent_by
    is_theirs = force or operator == holder
    if act == "parted":
        return ""
    if act in {"followed", "unmerged"}:
        is_this = bool(link) and c.merged == link
        return "not_open" if not is_this else "" if is_theirs else "not_yours"
    if c.handoff not in _OPEN and not c.lent_by:
        return "not_open"
    if act in {"heard", "replied"}:
        return ""
    if c.handoff == "with_operator" or c.lent_by:
        return _unfit(c, act, link, customer) or ("" if is_theirs else "not_yours")
    return _unfit(c, act, link, customer)


def customer_mark(link: str, customer_id: str) -> str:
    """Return what tells whether two customers are the same without naming them; "" for none."""
    told = f"tresen merge {link} {customer_id}".encode()
    return hashlib.sha256(told).hexdigest()[:24] if customer_id else ""


def _unfit(c: Conversation, act: str, link: str, customer: str) -> Refusal:
    """Return why a conversation cannot be one of two that are put together."""
    own = customer_mark(link, str(c.slots.get("customer_id") or ""))
    if c.merged:
        return "merged"
    if own and customer and own != customer:
        return "other_customer"
    if act == "led":
        return ""
    return "leads" if c.leads else "lent" if c.lent_by else ""


def merge(draft: Draft, act: str, to: str, to_name: str, reason: str) -> None:
    """Change the hands of a conversation as an act of merging does.

    Args:
        draft: of the conversation.
        act: one of `ACTS`.
        to: the operator who has the other one, empty for nobody.
        to_name: their name.
        reason: why it waits on its own again.
    """
    if act in {"merged", "followed"}:
        draft.emit(ev.HandoffChanged("with_operator", MERGED, 0, to, to_name))
    elif act == "unmerged":
        draft.emit(ev.HandoffChanged("waiting_for_operator", reason or "unmerged"))
