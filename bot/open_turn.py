"""One message on its way through a turn: what is decided, and what is written already."""

from bot.conversation import Conversation, Draft
from bot.messages import InboundMessage, OutboundMessage
from bot.storage.effects import EffectOutcome
from bot.storage.ports import InboxEntry, OutboxEntry


class OpenTurn:
    """One message on its way through a turn."""

    def __init__(self, entry: InboxEntry, conversation: Conversation) -> None:
        """Begin with an accepted message and its conversation as loaded."""
        self.entry = entry
        self.draft = Draft(conversation)
        self.version = conversation.version
        self.said: list[OutboundMessage] = []
        self.outcomes: list[EffectOutcome] = []
        self.written = 0
        self.queued: list[OutboxEntry] = []

    @property
    def message(self) -> InboundMessage:
        """The customer's message."""
        return self.entry.message

    @property
    def is_resumed(self) -> bool:
        """Whether an earlier try of this turn got as far as an action with effects."""
        conversation = self.draft.conversation
        return bool(conversation.intended) and conversation.begun == self.message.message_id
