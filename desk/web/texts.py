"""The words of the desk in German and English: signing in, accounts, and what all pages share."""

from collections.abc import Mapping

from desk.web.texts_cases import CASE_TERMS
from desk.web.texts_merging import MERGING_TERMS
from desk.web.texts_oidc import OIDC_TERMS
from desk.web.texts_similar import SIMILAR_TERMS
from desk.web.texts_translation import TRANSLATION_TERMS
from desk.web.texts_writing import WRITING_TERMS

LANGUAGES = ("de", "en")
_TERMS = {
    "desk": ("Arbeitsplatz", "Desk"),
    "skip": ("Zum Inhalt", "Skip to content"),
    "sign_in": ("Anmelden", "Sign in"),
    "sign_in_lead": ("Für alle, die Kunden betreuen.", "For everybody who serves customers."),
    "email": ("E-Mail-Adresse", "E-mail address"),
    "password": ("Passwort", "Password"),
    "wrong_sign_in": (
        "E-Mail-Adresse oder Passwort stimmt nicht.",
        "The e-mail address or the password is wrong.",
    ),
    "wrong_password": (
        "Passwort oder Code stimmt nicht.",
        "The password or the code is wrong.",
    ),
    "too_often": (
        "Zu viele Versuche. Bitte später noch einmal.",
        "Too many tries. Please try again later.",
    ),
    "wrong_code": ("Der Code stimmt nicht oder gilt nicht mehr.", "The code is wrong or too old."),
    "too_many": (
        "Zu viele Versuche. Bitte in {wait} noch einmal.",
        "Too many tries. Please try again in {wait}.",
    ),
    "seconds": ("{n} Sekunden", "{n} seconds"),
    "minutes": ("{n} Minuten", "{n} minutes"),
    "code": ("Code", "Code"),
    "code_title": ("Zweiter Schritt", "Second step"),
    "code_lead": (
        "Der sechsstellige Code aus Ihrer Authenticator-App, oder ein Wiederherstellungscode.",
        "The six-digit code from your authenticator app, or a recovery code.",
    ),
    "go_on": ("Weiter", "Continue"),
    "back_to_sign_in": ("Zurück zur Anmeldung", "Back to signing in"),
    "sign_out": ("Abmelden", "Sign out"),
    "sign_out_everywhere": ("Überall abmelden", "Sign out everywhere"),
    "signed_out": (
        "Sie sind abgemeldet. Entwürfe bleiben in diesem Browser.",
        "You are signed out. Drafts stay in this browser.",
    ),
    "first_title": ("Den Arbeitsplatz einrichten", "Set up the desk"),
    "first_lead": (
        (
            "Noch hat hier niemand ein Konto. Legen Sie das erste an, es darf alles verwalten. "
            "Diese Seite gibt es nur auf diesem Rechner, und nur bis zum ersten Konto."
        ),
        (
            "Nobody has an account here yet. Make the first one, it may manage everything. This "
            "page exists on this machine only, and only until there is an account."
        ),
    ),
    "first_elsewhere": (
        (
            "Noch hat hier niemand ein Konto. Das erste wird auf dem Server angelegt: "
            "tresen desk add-operator --email … --name … --role admin"
        ),
        (
            "Nobody has an account here yet. The first one is made on the server: "
            "tresen desk add-operator --email … --name … --role admin"
        ),
    ),
    "name": ("Name", "Name"),
    "name_hint": ("So lesen ihn Kunden.", "As customers read it."),
    "password_hint": (
        "Mindestens 12 Zeichen. Ein paar zufällige Wörter sind gut.",
        "At least 12 characters. A few random words do well.",
    ),
    "create": ("Konto anlegen", "Make the account"),
    "weak_password": (
        "Das Passwort ist zu leicht zu erraten: mindestens 12 Zeichen, nicht Name oder Adresse.",
        "The password is too easy to guess: at least 12 characters, not your name or address.",
    ),
    "bad_operator": (
        "Bitte eine E-Mail-Adresse und einen Namen angeben.",
        "Please give an e-mail address and a name.",
    ),
    "email_taken": ("Diese Adresse hat schon ein Konto.", "This address has an account already."),
    "last_admin": (
        "Es muss mindestens ein aktives Konto für die Verwaltung geben.",
        "There must be at least one active administrator.",
    ),
    "foreign": (
        "Die Anfrage kam nicht von dieser Seite. Bitte die Seite neu laden.",
        "The request did not come from this page. Please reload it.",
    ),
    "forbidden": ("Dafür fehlt Ihnen das Recht.", "You may not do that."),
    "not_found": ("Das gibt es hier nicht.", "There is nothing here."),
    "broken": (
        "Das hat gerade nicht geklappt. Es ist vermerkt; bitte gleich noch einmal.",
        "That did not work just now. It has been noted; please try again.",
    ),
    "account": ("Mein Konto", "My account"),
    "language": ("Sprache", "Language"),
    "save": ("Speichern", "Save"),
    "saved": ("Gespeichert.", "Saved."),
    "change_password": ("Passwort ändern", "Change the password"),
    "old_password": ("Bisheriges Passwort", "Present password"),
    "new_password": ("Neues Passwort", "New password"),
    "codes": ("Zweiter Faktor", "Second factor"),
    "codes_on": ("Beim Anmelden wird ein Code verlangt.", "Signing in asks for a code."),
    "codes_off": (
        (
            "Mit einer Authenticator-App schützen Sie Ihr Konto auch dann, wenn jemand Ihr "
            "Passwort kennt."
        ),
        "An authenticator app protects your account even from somebody who knows your password.",
    ),
    "codes_set_up": ("Einrichten", "Set up"),
    "codes_scan": (
        "Den Code mit der App lesen, oder den Schlüssel eintippen:",
        "Scan the code with the app, or type in the key:",
    ),
    "codes_then": (
        "Dann den Code aus der App und Ihr Passwort eingeben.",
        "Then enter the app's code and your password.",
    ),
    "codes_drop": ("Nicht mehr verlangen", "Stop asking"),
    "recovery": ("Wiederherstellungscodes", "Recovery codes"),
    "recovery_lead": (
        (
            "Jeder meldet Sie einmal an, falls die App fehlt. Sie werden nur jetzt gezeigt: bitte "
            "sicher aufbewahren."
        ),
        "Each signs you in once if the app is lost. They are shown only now: keep them safe.",
    ),
    "sessions": ("Angemeldete Browser", "Signed-in browsers"),
    "this_one": ("dieser", "this one"),
    "since": ("seit", "since"),
    "last_seen": ("zuletzt", "last"),
    "alerts": ("Töne und Hinweise", "Sounds and notifications"),
    "sounds": (
        "Ton, wenn ein Kunde wartet oder schreibt",
        "A sound when a customer waits or writes",
    ),
    "notifications": ("Hinweise des Browsers", "Browser notifications"),
    "alerts_lead": ("Gilt nur für diesen Browser.", "For this browser only."),
    "notifications_denied": (
        "Der Browser erlaubt keine Hinweise.",
        "The browser does not allow notifications.",
    ),
    "people": ("Konten", "Accounts"),
    "add_person": ("Konto hinzufügen", "Add an account"),
    "role": ("Rolle", "Role"),
    "role_operator": ("Betreuung", "Operator"),
    "role_supervisor": ("Leitung", "Supervisor"),
    "role_admin": ("Verwaltung", "Administrator"),
    "active": ("aktiv", "active"),
    "inactive": ("gesperrt", "locked"),
    "languages": ("Sprachen", "Languages"),
    "teams": ("Teams", "Teams"),
    "areas": ("Bereiche (nur diese Teams sehen)", "Areas (sees these teams only)"),
    "capacity": ("Gespräche zugleich", "Conversations at once"),
    "comma_list": ("durch Komma getrennt, leer für alle", "separated by commas, empty for all"),
    "reset_password": ("Neues Passwort geben", "Give a new password"),
    "given_password": (
        "Passwort für {name}, nur jetzt zu sehen:",
        "Password for {name}, shown only now:",
    ),
    "empty_for_made": (
        "leer lassen, um eines zu erzeugen",
        "leave empty to have one made",
    ),
    "audit": ("Protokoll", "Audit log"),
    "audit_when": ("Wann", "When"),
    "audit_who": ("Wer", "Who"),
    "audit_what": ("Was", "What"),
    "audit_where": ("Fall", "Case"),
    "audit_details": ("Genaueres", "Details"),
    "older": ("Ältere", "Older"),
    "insights": ("Auswertung", "Insights"),
    "canned": ("Textbausteine", "Prepared replies"),
    "canned_lead": (
        "Im Gespräch mit / und dem Kürzel. Platzhalter: {names}.",
        "In a conversation with / and the shortcut. Variables: {names}.",
    ),
    "shortcut": ("Kürzel", "Shortcut"),
    "canned_title": ("Titel", "Title"),
    "text_de": ("Text auf Deutsch", "Text in German"),
    "text_en": ("Text auf Englisch", "Text in English"),
    "team": ("Team", "Team"),
    "add": ("Hinzufügen", "Add"),
    "remove": ("Löschen", "Remove"),
    "shortcut_taken": ("Dieses Kürzel gibt es schon.", "This shortcut exists already."),
    "bad_canned": (
        (
            "Kürzel (a–z, 0–9, -) und mindestens ein Text werden gebraucht, und nur bekannte "
            "Platzhalter."
        ),
        "A shortcut (a–z, 0–9, -), at least one text and only known variables are needed.",
    ),
    "presence": ("Anwesenheit", "Presence"),
    "available": ("Bereit", "Available"),
    "away": ("Abwesend", "Away"),
    "offline": ("Offline", "Offline"),
    "menu": ("Menü", "Menu"),
    "close_dialog": ("Schließen", "Close"),
    "cancel": ("Abbrechen", "Cancel"),
    "reconnecting": (
        "Verbindung unterbrochen. Es geht gleich weiter, nichts geht verloren.",
        "The connection is down. It comes back by itself, nothing is lost.",
    ),
    "loading": ("Lädt …", "Loading …"),
}
TEXTS: Mapping[str, Mapping[str, str]] = {
    language: {
        key: words[place]
        for terms in (
            _TERMS,
            CASE_TERMS,
            OIDC_TERMS,
            SIMILAR_TERMS,
            MERGING_TERMS,
            TRANSLATION_TERMS,
            WRITING_TERMS,
        )
        for key, words in terms.items()
    }
    for place, language in enumerate(LANGUAGES)
}


def pick_language(*wanted: str, accepted: str = "") -> str:
    """Return the language of a page.

    Args:
        wanted: languages, the first known one counts.
        accepted: the browser's Accept-Language header.
    """
    for language in wanted:
        if language in LANGUAGES:
            return language
    for part in accepted[:500].split(","):
        language = part.split(";")[0].strip().lower()[:2]
        if language in LANGUAGES:
            return language
    return "en"
