"""The port behind linked accounts: whom a platform's own proof names, such as Alexa's."""

from abc import ABC, abstractmethod

from actions.channel_links import End


class LinkedAccounts(ABC):
    """Customer accounts that are linked with a platform; filled by the bot."""

    @abstractmethod
    async def email_of(self, end: End) -> str:
        """Return the verified e-mail address of the account behind what was said, empty if none.

        Args:
            end: who said it, with which message; only that message proves anything.
        """
