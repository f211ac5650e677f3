"""What customers are told when the shop's state forbids something."""

from actions.commerce.errors import CommerceError, NotDeliverable
from actions.commerce.plans import Refusal
from actions.commerce.shipping import country_name

TEXTS = {
    "not_found": (
        "I cannot find that.",
        "Das kann ich nicht finden.",
    ),
    # The same words as for an unknown order, so that nobody learns which numbers exist.
    "strangers_order": (
        "I cannot find that.",
        "Das kann ich nicht finden.",
    ),
    "state_changed": (
        "Something about the order has just changed.",
        "An der Bestellung hat sich gerade etwas geändert.",
    ),
    "not_allowed": (
        "That is not possible in the order's present state.",
        "Das ist beim jetzigen Stand der Bestellung nicht möglich.",
    ),
    "payment_method_unknown": (
        "This payment method is not on file.",
        "Diese Zahlungsart ist nicht hinterlegt.",
    ),
    "insufficient_balance": (
        "There is not enough money on the gift card.",
        "Das Guthaben auf der Geschenkkarte reicht nicht aus.",
    ),
    "out_of_stock": (
        "This version is not available at the moment.",
        "Diese Ausführung ist gerade nicht lieferbar.",
    ),
    "wrong_product": (
        "Items can only be swapped for another version of the same product.",
        "Artikel lassen sich nur gegen eine andere Ausführung desselben Produkts tauschen.",
    ),
    "refund_too_high": (
        "That is more than what was paid and has not been refunded yet.",
        "Das ist mehr, als bezahlt und noch nicht erstattet wurde.",
    ),
    "invalid_request": (
        "That does not fit together; please check what you have chosen.",
        "Das passt nicht zusammen; bitte prüfen Sie Ihre Auswahl.",
    ),
}
_NOT_DELIVERABLE = (
    "We don't deliver to this country at present ({}). A colleague can see what is possible.",
    "In dieses Land liefern wir derzeit leider nicht ({}). Ein Kollege kann Ihnen weiterhelfen.",
)
OTHER = ("That is not possible.", "Das ist nicht möglich.")


def refusal_of(error: CommerceError) -> Refusal:
    """Return what to tell the customer about an error."""
    if isinstance(error, NotDeliverable):
        name = country_name(error.detail)
        english, german = _NOT_DELIVERABLE
        texts = {"en": english.format(name["en"]), "de": german.format(name["de"])}
        return Refusal(code=error.code, texts=texts)
    english, german = TEXTS.get(error.code, OTHER)
    return Refusal(code=error.code, texts={"en": english, "de": german})
