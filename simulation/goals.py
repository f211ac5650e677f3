"""A wish on its way to its end, and which of several wishes the bot speaks of."""

import msgspec

from simulation.tasks import (
    AnyWish,
    Buy,
    Cancel,
    ChangeAddress,
    ChangeItems,
    ChangePayment,
    Complain,
    DefaultAddress,
    Exchange,
    Person,
    Reorder,
    SendBack,
)

DONE: dict[str, tuple[type, ...]] = {
    "utter_order_cancelled": (Cancel,),
    "utter_return_registered": (SendBack,),
    "utter_swapped": (Exchange, ChangeItems),
    "utter_address_changed": (ChangeAddress, DefaultAddress),
    "utter_address_same": (ChangeAddress, DefaultAddress),
    "utter_payment_changed": (ChangePayment,),
    "utter_complaint_filed": (Complain,),
    "utter_payment_link": (Buy,),
    "utter_reorder_link": (Reorder,),
}
CONFIRM: dict[str, tuple[type, ...]] = {
    "utter_confirm_cancel": (Cancel,),
    "utter_confirm_return": (SendBack,),
    "utter_confirm_swap": (Exchange, ChangeItems),
    "utter_confirm_address": (ChangeAddress, DefaultAddress),
    "utter_confirm_payment": (ChangePayment,),
    "utter_confirm_complaint": (Complain,),
    "utter_confirm_checkout": (Buy,),
    "utter_confirm_reorder": (Reorder,),
}
REFUSED = frozenset({
    "utter_refused",
    "utter_return_declined",
    "utter_complaint_refused",
    "utter_checkout_refused",
    "utter_none_possible",
    "utter_no_other_version",
    "utter_no_other_method",
    "utter_no_orders",
    "utter_no_remedy",
    "utter_no_date_known",
    "utter_balance_too_low",
    "utter_marked_delivered",
    "utter_nothing_available",
    "utter_not_deliverable",
    "utter_not_enough",
    "utter_too_many",
    "utter_just_sold_out",
    "utter_product_sold_out",
    "utter_order_never_found",
    "utter_product_never_found",
    "utter_product_gone",
})
"""What ends a wish without it being done."""
PERSON = frozenset({"utter_handoff", "utter_give_up"})
"""A person has the word from here on."""


class Goal(msgspec.Struct):
    """A wish: `told` is what the customer says they want, which may not be the truth yet."""

    wish: AnyWish
    told: AnyWish
    tries: int = 0
    corrections: int = 0
    turns: int = 0
    asked_again: int = 0
    """How often the open question was asked again."""
    bought: int = 0
    paying: bool = False
    stop_first: bool = False
    insisted: bool = False
    """Whether the offer of store credit was taken up."""
    slip: tuple[str, str] = ("", "")
    """What was said wrongly and what is right, in words; empty when nothing was."""
    impossible: tuple[str, ...] = ()
    """Lines that the shop refused."""

    @property
    def order(self) -> str:
        """Return the number of the order that the wish is about, if any."""
        return str(getattr(self.wish, "order", ""))

    def put_right(self) -> None:
        """Say from now on what is meant."""
        self.told = self.wish
        self.slip = ("", "")


def meant(goals: list[Goal], kinds: tuple[type, ...], text: str) -> Goal | None:
    """Return the pending goal that a message about some kinds of wishes speaks of."""
    fitting = [goal for goal in goals if isinstance(goal.wish, kinds)]
    by_number = [goal for goal in fitting if goal.order and goal.order in text]
    if by_number:
        return by_number[0]
    without = [goal for goal in fitting if not goal.order]
    return next(iter(without or fitting), None)


def is_person(goal: Goal) -> bool:
    """Return whether the goal is to reach a person."""
    return isinstance(goal.wish, Person)
