"""The words of the desk in German and English: what a language model writes."""

WRITING_TERMS = {
    "written": ("In Worten", "In words"),
    "written_order": ("Bestellung", "Order"),
    "written_by_model": (
        "Von einem Sprachmodell geschrieben. Es zählt, was darunter und im Gespräch steht.",
        "Written by a language model. What counts stands below and in the conversation.",
    ),
    "written_pending": ("Wird geschrieben …", "Being written …"),
    "written_ungrounded": (
        (
            "Das Sprachmodell hat etwas genannt, das im Gespräch nicht steht. Sein Text wird "
            "nicht gezeigt."
        ),
        (
            "The language model named something that does not stand in the conversation. Its text "
            "is not shown."
        ),
    ),
    "written_withheld": (
        "Das Sprachmodell hat nichts Brauchbares geschrieben.",
        "The language model wrote nothing of use.",
    ),
    "written_failed": (
        "Das Sprachmodell antwortet gerade nicht.",
        "The language model does not answer right now.",
    ),
    "written_old": ("Seitdem kam etwas dazu.", "Something was said since."),
    "written_renew": ("Neu schreiben", "Write it anew"),
    "written_only_customer": (
        "Nur vom Kunden genannt: {claims}",
        "Named by the customer only: {claims}",
    ),
    "draft": ("Antwort entwerfen", "Draft a reply"),
    "draft_by_model": (
        "Vom Sprachmodell entworfen, vor dem Senden prüfen",
        "Drafted by a language model, check before sending",
    ),
    "draft_nothing": (
        "Das Gespräch gibt für einen Entwurf nicht genug her.",
        "There is not enough in the conversation for a draft.",
    ),
}
