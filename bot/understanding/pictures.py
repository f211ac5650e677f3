"""What words mean that came with a picture: "do you have this?" asks about what is in it."""

from collections.abc import Sequence

import msgspec

from bot import commands as cm
from bot.flows import FlowSet

SKILL = "find_by_photo"
_ABOUT_GOODS = frozenset({
    "cart_add",
    "check_stock",
    "compare_products",
    "find_product",
    "product_question",
    "recommend",
})


def with_picture(commands: Sequence[cm.Command], flows: FlowSet) -> tuple[cm.Command, ...]:
    """Return the commands with a search by photo where the words ask for goods, or say nothing.

    Complaints, returns and answers to open questions stay what they are.

    Args:
        commands: what the words alone mean.
        flows: those there are.
    """
    if SKILL not in flows.flows:
        return tuple(commands)
    return tuple(_with(command) for command in commands)


def _with(command: cm.Command) -> cm.Command:
    if isinstance(command, cm.StartFlow) and command.flow in _ABOUT_GOODS:
        return msgspec.structs.replace(command, flow=SKILL)
    unread = isinstance(command, cm.CannotHandle) and command.mention.text
    goods = isinstance(command, cm.Clarify) and set(command.flows) <= _ABOUT_GOODS
    if isinstance(command, cm.CannotHandle | cm.Clarify) and (unread or goods):
        return cm.StartFlow(SKILL, command.mention)
    return command
