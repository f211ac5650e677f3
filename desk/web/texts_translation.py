"""The words of the desk in German and English: translation."""

TRANSLATION_TERMS = {
    "translate": ("Übersetzen", "Translate"),
    "translation": ("Übersetzung", "Translation"),
    "translation_hint": ("Übersetzung an oder aus (U)", "Translation on or off (U)"),
    "translated_by_machine": ("Maschinell aus: {language}", "By machine from: {language}"),
    "translated_by_machine_auto": ("Maschinell übersetzt", "Translated by machine"),
    "translation_differs": (
        "Zahlen, Namen oder Links können falsch sein: bitte im Original nachsehen.",
        "Numbers, names or links may be wrong: please look at the original.",
    ),
    "translation_differs_sending": (
        "Zahlen, Namen oder Links sind nicht mehr wie in Ihrem Text: bitte prüfen.",
        "Numbers, names or links are no longer as in your text: please check.",
    ),
    "written_in": ("Geschrieben auf: {language}", "Written in: {language}"),
    "language_unknown": ("unbekannt", "unknown"),
    "customers_language": ("Sprache des Kunden", "The customer's language"),
    "your_text": ("Ihr Text, so geht er nicht hinaus", "Your text, which is not sent like this"),
    "translation_ready": (
        "Übersetzt. Bitte ansehen; Senden schickt, was im Feld steht.",
        "Translated. Please look at it; what stands in the field is sent.",
    ),
    "translating": ("Wird übersetzt …", "Translating …"),
    "back_to_own": ("Zurück zu meinem Text", "Back to my text"),
    "leave_as_is": ("Ohne Übersetzung", "Without translation"),
    "goes_as_is": (
        "Geht so hinaus, wie es da steht.",
        "It is sent as it stands there.",
    ),
    "translate_after_all": ("Doch übersetzen", "Translate it after all"),
    "translate_keys": (
        "Enter übersetzt, noch einmal Enter sendet",
        "Enter translates, Enter again sends",
    ),
    "refused_untranslated": (
        "Der Kunde liest eine andere Sprache: bitte erst übersetzen. Ihr Text ist noch da.",
        "The customer reads another language: translate it first. Your text is still here.",
    ),
    "try_again": ("Noch einmal versuchen", "Try again"),
    "untranslated": ("Nicht übersetzt", "Not translated"),
    "untranslated_busy": (
        "Die Übersetzung ist gerade überlastet.",
        "The translator is busy right now.",
    ),
    "untranslated_quota": (
        "Das Kontingent der Übersetzung ist aufgebraucht.",
        "The translator's quota is used up.",
    ),
    "untranslated_credentials": (
        "Die Übersetzung nimmt unseren Schlüssel nicht an (endpoints.yml).",
        "The translator does not take our key (endpoints.yml).",
    ),
    "untranslated_language": (
        "Diese Sprache wird nicht übersetzt.",
        "This language is not translated.",
    ),
    "untranslated_too_long": (
        "Der Text ist für die Übersetzung zu lang.",
        "The text is too long to be translated.",
    ),
    "untranslated_unavailable": (
        "Die Übersetzung antwortet nicht.",
        "The translator does not answer.",
    ),
    "untranslated_garbled": (
        "Die Übersetzung hat Unbrauchbares geantwortet.",
        "The translator's answer cannot be used.",
    ),
    "untranslated_empty": ("Es steht noch nichts da.", "There is no text yet."),
    "untranslated_unknown": (
        "Die Sprache des Kunden ist nicht bekannt: bitte wählen.",
        "The customer's language is not known: please choose it.",
    ),
}
