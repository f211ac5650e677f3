"""How sure a reading must be before the bot acts on it."""

from typing import Annotated, TypeAlias

import msgspec

from bot.mood import HandOffWhen

Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How sure understanding must be, each in [0, 1]; `config.yml` sets them.

    `start` begins a skill when nothing is open, `digress` leaves an open question for another
    skill, `leave_choice` does so when options were offered, `override` even when the words
    could answer the question, `meta` believes cancel, skip, repeat and the like, `clarify` is
    the least a reading needs to be named in a clarifying question, None for what training found.
    `hand_off` tells when a person takes over unasked.
    """

    start: Share = 0.45
    digress: Share = 0.6
    leave_choice: Share = 0.7
    override: Share = 0.85
    meta: Share = 0.5
    clarify: Share | None = None
    hand_off: HandOffWhen = HandOffWhen()
