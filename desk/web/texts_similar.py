"""The words of the desk in German and English: answers of solved cases."""

SIMILAR_TERMS = {
    "similar": ("Aus gelösten Fällen", "From solved cases"),
    "similar_from": ("aus einem gelösten Fall, {day}", "from a solved case, {day}"),
    "similar_open": ("Fall ansehen", "Look at the case"),
    "similar_wrong": ("Passt nicht mehr", "No longer right"),
    "similar_wrong_hint": (
        "Diese Antwort niemandem mehr vorschlagen",
        "Suggest this answer to nobody any more",
    ),
    "similar_gone": (
        "Die Antwort wird nicht mehr vorgeschlagen.",
        "The answer is no longer suggested.",
    ),
    "similar_asked": ("Gefragt war", "The question was"),
    "similar_warned": ("Vor dem Senden prüfen", "Check before sending"),
    "similar_gaps": ("Lücken füllen", "fill the gaps"),
    "similar_changes": ("Preis, Datum oder Bestand", "price, date or stock"),
    "similar_old": ("über 6 Monate alt", "over 6 months old"),
    "refused_gap": (
        "Im Text ist noch eine Lücke «… …»: bitte füllen oder löschen, dann senden.",
        "The text still has a gap «… …»: please fill or delete it, then send.",
    ),
    "gap_name": ("Name", "name"),
    "gap_email": ("E-Mail", "e-mail"),
    "gap_phone": ("Telefon", "phone"),
    "gap_address": ("Anschrift", "address"),
    "gap_postcode": ("Postleitzahl", "postcode"),
    "gap_order_number": ("Bestellnummer", "order number"),
    "gap_tracking_number": ("Sendungsnummer", "tracking number"),
    "gap_number": ("Nummer", "number"),
    "gap_link": ("Link", "link"),
    "gap_amount": ("Betrag", "amount"),
    "gap_date": ("Datum", "date"),
}
