"""What can go wrong in commerce: one class an error; the docstring is the message."""


class CommerceError(Exception):
    """The shop could not do that."""

    def __init__(self, detail: str = "") -> None:
        """Join the class's message with what exactly it is about.

        Args:
            detail: ids and states, never personal data.
        """
        message = (type(self).__doc__ or "").strip().splitlines()[0].rstrip(".")
        super().__init__(f"{message}: {detail}" if detail else message)
        self.detail = detail

    @property
    def code(self) -> str:
        """Return the class name in snake case, for responses and logs."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class NotFound(CommerceError):
    """There is no such record."""


class StrangersOrder(CommerceError):
    """The order belongs to another customer."""


class StateChanged(CommerceError):
    """The record changed since it was read."""


class NotAllowed(CommerceError):
    """The record's state does not permit this operation."""


class PaymentMethodUnknown(CommerceError):
    """The customer has no such payment method."""


class InsufficientBalance(CommerceError):
    """The gift card does not hold enough money."""


class OutOfStock(CommerceError):
    """The variant is not available."""


class NotDeliverable(CommerceError):
    """The shop does not deliver to this country."""


class WrongProduct(CommerceError):
    """The new variant belongs to another product."""


class InvalidRequest(CommerceError):
    """The request does not make sense."""


class RefundTooHigh(CommerceError):
    """The refund is higher than what was paid and not yet refunded."""


class KeyReused(CommerceError):
    """The idempotency key was used before for something else."""


class LinkClosed(CommerceError):
    """The payment link is paid or expired."""


class NotSupported(CommerceError):
    """This shop cannot do that through its interface; a person has to."""


class ShopUnavailable(CommerceError):
    """The shop cannot be reached at the moment; nothing was done."""


class AccessDenied(ShopUnavailable):
    """The shop refused our credentials."""


class OutcomeUnknown(CommerceError):
    """The shop was asked, and it is not known whether it has done it."""


class ShopRefused(CommerceError):
    """The shop said no."""


class WebhookRejected(CommerceError):
    """The webhook is not from who it says it is, or is not what is documented."""


class ConsentMismatch(CommerceError):
    """The customer's yes was given to another plan."""


class ShopDataInvalid(CommerceError):
    """The shop folder cannot be loaded."""
