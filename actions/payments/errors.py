"""What can go wrong with money at a payment provider, besides the errors of commerce."""

from actions.commerce.errors import CommerceError


class NotPaid(CommerceError):
    """The provider has no payment for this link."""


class PaymentMismatch(CommerceError):
    """What was paid is not what was asked for; a person has to look."""
