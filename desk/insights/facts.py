"""What the figures count: conversations, folded from events, without anything that was said."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

PAUSE = timedelta(hours=4)
"""After so long a silence, and with nobody at the desk having it, a new conversation is counted."""
RETURNS_WITHIN = timedelta(hours=72)
"""Who comes back so soon with the same topic was not helped."""
SMALL_TALK = frozenset({
    "bot_identity",
    "chitchat",
    "choose_lines",
    "choose_option",
    "choose_order",
    "choose_product",
    "give_feedback",
    "goodbye",
    "greet",
    "identify_customer",
    "log_out",
    "resend_code",
    "set_address",
    "talk_to_human",
    "thanks",
})
"""Skills that are no topic: what somebody says or proves on the way to one."""
QUESTIONS = frozenset({"product_question", "store_faq"})
"""Skills that answer from passages: only an answer that quotes one counts."""
NO_GOAL = (
    SMALL_TALK
    | QUESTIONS
    | {
        "advise",
        "cart_show",
        "compare_products",
        "complaint_damaged",
        "complaint_late",
        "complaint_missing_item",
        "complaint_wrong_item",
        "find_bundle",
        "find_by_photo",
        "find_product",
        "handle_complaint",
        "recommend",
    }
)
"""Skills whose end alone does not tell that the customer has what they came for."""

RunEnd = Literal["completed", "cancelled", "left"]


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run of a skill; `steps` are those it reached, each once, in the order of first reaching.

    `last` is where it stood last, empty once it came to its end. `left` means that it never ended.
    """

    skill: str
    steps: tuple[str, ...] = ()
    last: str = ""
    end: RunEnd = "left"


class CaseFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch in which a person was needed; a time is None while it is not known.

    `held_s` is how long operators had it, up to where they let go of it.
    """

    reason: str
    opened_at: datetime
    first_reply_s: int | None = None
    resolution_s: int | None = None
    end_reason: str = ""
    held_s: int = 0


class Survey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A question at the end of a case; `score` is None where it was not answered."""

    kind: str
    score: int | None = None


class Order(msgspec.Struct, frozen=True):
    """An order that was paid over a link from the conversation."""

    number: str
    amount_minor: int
    currency: str


class ConversationFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """One counted conversation: messages of one customer without a long pause.

    `id` is `<conversation id>/<number>`; `number` counts from 1. `ended_at` is when the customer or
    an operator last wrote, or a case ended. `topics` are skills, and the passages that questions
    led to; `goals` those of them of which the bot reached the goal. `failed`: the bot could not
    do, or did not know, the last thing it was asked for.
    """

    id: str
    conversation_id: str
    number: int
    started_at: datetime
    ended_at: datetime
    channel: str
    language: str = ""
    customer_id: str = ""
    runs: tuple[Run, ...] = ()
    topics: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    failed: bool = False
    cases: tuple[CaseFacts, ...] = ()
    surveys: tuple[Survey, ...] = ()
    orders: tuple[Order, ...] = ()
    heard: int = 0
    bot_said: int = 0
    operators_said: int = 0
    marked_right: int = 0
    marked_wrong: int = 0

    @property
    def skills(self) -> frozenset[str]:
        """The skills that ran."""
        return frozenset(run.skill for run in self.runs)

    @property
    def sent(self) -> int:
        """How many messages went to the customer."""
        return self.bot_said + self.operators_said
