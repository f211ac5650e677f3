"""Messages that belong to what is going on rather than begin a skill."""

import msgspec

from bot import commands as cm
from bot.understanding.asides import Asides
from bot.understanding.bare_words import BareWords
from bot.understanding.corrections import Situation
from bot.understanding.follow_ups import FollowUps
from bot.understanding.going_on import GoingOn


class Remarks(msgspec.Struct, frozen=True):
    """The words of such messages."""

    follow_ups: FollowUps = FollowUps()
    asides: Asides | None = None
    bare: BareWords = BareWords()
    going_on: GoingOn = GoingOn()

    def on_last(self, s: Situation) -> cm.StartFlow | None:
        """Return what goes on with the question answered last, or with what was shown last."""
        if gone_on := self.going_on.start(s):
            return gone_on
        followed = self.follow_ups.skill(s.whole, s.conversation.slots)
        return cm.StartFlow(followed, s.mention) if followed else None
