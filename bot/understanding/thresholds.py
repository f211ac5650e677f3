"""How sure a reading must be before the bot acts on it."""

import msgspec

from bot.mood import HandOffWhen


class Thresholds(msgspec.Struct, frozen=True):
    """How sure understanding must be, each in [0, 1]; `config.yml` sets them.

    `start` begins a skill when nothing is open, `digress` leaves an open question for another
    skill, `leave_choice` does so when options were offered, `override` even when the words
    could answer the question, `meta` believes cancel, skip, repeat and the like, `clarify` is
    the least a reading needs to be offered. `hand_off` tells when a person takes over unasked.
    """

    start: float = 0.45
    digress: float = 0.6
    leave_choice: float = 0.7
    override: float = 0.85
    meta: float = 0.5
    clarify: float = 0.15
    hand_off: HandOffWhen = HandOffWhen()
