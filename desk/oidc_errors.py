"""Why signing in with a provider can fail: for the log a reason, for the page what to do."""

from typing import Literal

from desk.errors import DeskError

Advice = Literal[
    "provider_again", "provider_unproved", "provider_away", "provider_refused", "provider_no_role",
    "provider_ask_link", "provider_no_email", "provider_no_account", "provider_locked",
]  # fmt: skip
"""Keys of desk/web/texts_oidc.py."""


class SignInRefused(DeskError):
    """The provider's word is not enough to sign somebody in."""

    def __init__(self, reason: str, advice: Advice, operator_id: str = "") -> None:
        """Keep why.

        Args:
            reason: for the log, without anything personal.
            advice: the text that tells what to do.
            operator_id: whose account it is about, where that is known.
        """
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.operator_id = operator_id


class UnknownKey(SignInRefused):
    """A token is signed with a key that the provider was not known to have."""
