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
    "shop_unavailable": (
        (
            "I can't reach the shop's system at the moment, so nothing was done. "
            "Please try again in a little while."
        ),
        (
            "Ich erreiche das System des Shops gerade nicht, deshalb ist nichts passiert. "
            "Bitte versuchen Sie es etwas später noch einmal."
        ),
    ),
    "access_denied": (
        (
            "I can't reach the shop's system at the moment, so nothing was done. "
            "Please try again in a little while."
        ),
        (
            "Ich erreiche das System des Shops gerade nicht, deshalb ist nichts passiert. "
            "Bitte versuchen Sie es etwas später noch einmal."
        ),
    ),
    "outcome_unknown": (
        (
            "I have sent this to the shop, but it has not confirmed it yet. I keep checking and "
            "tell you here as soon as I know; it will not happen twice."
        ),
        (
            "Ich habe das an den Shop gesendet, aber noch keine Bestätigung erhalten. Ich prüfe "
            "das weiter und melde mich hier, sobald ich es weiß; doppelt passiert nichts."
        ),
    ),
    "held_up": (
        (
            "Another change to this order is under way at this moment, so nothing was done here. "
            "Please try again in a little while."
        ),
        (
            "An dieser Bestellung läuft gerade schon eine andere Änderung, deshalb ist hier nichts "
            "passiert. Bitte versuchen Sie es etwas später noch einmal."
        ),
    ),
    "unsettled": (
        (
            "I am still waiting for the shop to confirm the last change to this order. I'll tell "
            "you here as soon as I know; until then I leave the order as it is."
        ),
        (
            "Ich warte noch auf die Bestätigung der letzten Änderung an dieser Bestellung. Ich "
            "melde mich hier, sobald ich es weiß; bis dahin lasse ich die Bestellung, wie sie ist."
        ),
    ),
    "unsettled_request": (
        (
            "I am still waiting for the shop to confirm your last request of this kind. I'll tell "
            "you here as soon as I know; until then I don't start another."
        ),
        (
            "Ich warte noch auf die Bestätigung Ihres letzten Auftrags dieser Art. Ich melde mich "
            "hier, sobald ich es weiß; bis dahin beginne ich keinen neuen."
        ),
    ),
    "identity_lapsed": (
        (
            "I am no longer sure who I'm talking to, so nothing was done. Please tell me again "
            "what you'd like, and I'll check that first."
        ),
        (
            "Ich bin nicht mehr sicher, mit wem ich spreche, deshalb ist nichts passiert. Bitte "
            "sagen Sie mir noch einmal, was Sie möchten; das prüfe ich dann zuerst."
        ),
    ),
    "not_supported": (
        "I can't do that myself in this shop. A colleague can.",
        "Das kann ich in diesem Shop nicht selbst erledigen. Ein Kollege kann es.",
    ),
    "shop_refused": (
        "The shop's system did not accept that; nothing was changed.",
        "Das System des Shops hat das nicht angenommen; es wurde nichts geändert.",
    ),
    "not_sent": (
        "That did not go through; nothing was done. Please tell me again what you need.",
        "Das ging nicht durch; es ist nichts passiert. Bitte sagen Sie es mir noch einmal.",
    ),
    "consent_mismatch": (
        "That yes was for something else, so nothing was done. Please start again.",
        "Dieses Ja galt etwas anderem; es ist nichts passiert. Bitte beginnen Sie noch einmal.",
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
    return refusal_for(error.code, error.detail)


def refusal_for(code: str, subject: str = "") -> Refusal:
    """Return what to tell the customer about a code of `TEXTS`.

    Args:
        code: why not.
        subject: the ids that the reason is about, if it names any.
    """
    english, german = TEXTS.get(code, OTHER)
    return Refusal(code=code, texts={"en": english, "de": german}, subject=subject)
