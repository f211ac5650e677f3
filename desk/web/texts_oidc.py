"""The words of signing in with a provider in German and English."""

OIDC_TERMS = {
    "provider_with": ("Mit {provider} anmelden", "Sign in with {provider}"),
    "provider_or": ("oder mit Passwort", "or with a password"),
    "provider_again": (
        (
            "Die Anmeldung hat zu lange gedauert oder in einem anderen Fenster begonnen. "
            "Bitte noch einmal anmelden."
        ),
        "Signing in took too long, or began in another window. Please sign in again.",
    ),
    "provider_unproved": (
        (
            "Die Antwort des Anmeldedienstes ließ sich nicht bestätigen. Bitte noch einmal "
            "anmelden. Hilft das nicht, findet die Verwaltung den Grund im Protokoll."
        ),
        (
            "The answer of the sign-in service could not be verified. Please sign in again. If "
            "that does not help, an administrator finds the reason in the audit log."
        ),
    ),
    "provider_away": (
        (
            "Der Anmeldedienst antwortet gerade nicht wie erwartet. Bitte in ein paar Minuten noch "
            "einmal versuchen, oder der Verwaltung Bescheid geben."
        ),
        (
            "The sign-in service does not answer as expected. Please try again in a few minutes, "
            "or tell an administrator."
        ),
    ),
    "provider_refused": (
        (
            "Beim Anmeldedienst wurde abgebrochen oder abgelehnt. Bitte noch einmal anmelden, "
            "oder dort nachfragen, ob Sie freigeschaltet sind."
        ),
        (
            "The sign-in service declined, or you stopped there. Please sign in again, or ask "
            "whether you have access there."
        ),
    ),
    "provider_no_role": (
        (
            "Ihr Firmenkonto hat keine Rolle für diesen Arbeitsplatz. Bitte die Verwaltung um eine "
            "Rolle bitten, dann noch einmal anmelden."
        ),
        (
            "Your company account has no role for this desk. Please ask an administrator for one, "
            "then sign in again."
        ),
    ),
    "provider_ask_link": (
        (
            "Zu Ihrer Adresse gibt es hier schon ein Konto. Bitte die Verwaltung, unter „Konten“ "
            "die Verknüpfung zu erlauben, dann noch einmal anmelden."
        ),
        (
            "Your address has an account here already. Please ask an administrator to allow the "
            "link under “Accounts”, then sign in again."
        ),
    ),
    "provider_no_email": (
        (
            "Der Anmeldedienst nennt keine bestätigte E-Mail-Adresse. Bitte dort die Adresse "
            "bestätigen, dann noch einmal anmelden."
        ),
        (
            "The sign-in service tells no verified e-mail address. Please verify your address "
            "there, then sign in again."
        ),
    ),
    "provider_no_account": (
        "Sie haben hier noch kein Konto. Bitte die Verwaltung, eines anzulegen.",
        "You have no account here yet. Please ask an administrator to make one.",
    ),
    "provider_locked": (
        "Ihr Konto hier ist gesperrt. Die Verwaltung kann es wieder öffnen.",
        "Your account here is locked. An administrator can open it again.",
    ),
    "passwords_off": (
        "Passwörter sind hier abgeschaltet. Bitte über den Anmeldedienst anmelden.",
        "Passwords are switched off here. Please use the sign-in service.",
    ),
    "provider_out": ("Abgemeldet", "Signed out"),
    "provider_out_lead": (
        "Sie sind hier abgemeldet, bei {provider} aber noch angemeldet.",
        "You are signed out here, but still signed in with {provider}.",
    ),
    "provider_sign_out": ("Auch bei {provider} abmelden", "Sign out of {provider} as well"),
    "provider_people": ("Anmeldung mit {provider}", "Signing in with {provider}"),
    "provider_people_lead": (
        (
            "Wer verknüpft ist, meldet sich mit {provider} an. Eine erlaubte Verknüpfung gilt eine "
            "Woche und einmal, für das Firmenkonto mit derselben bestätigten Adresse."
        ),
        (
            "Whoever is linked signs in with {provider}. An allowed link counts for a week and "
            "once, for the company account with the same verified address."
        ),
    ),
    "provider_linked": ("verknüpft", "linked"),
    "provider_allowed": ("Verknüpfung erlaubt", "link allowed"),
    "provider_not_linked": ("nicht verknüpft", "not linked"),
    "provider_allow": ("Verknüpfung erlauben", "Allow the link"),
    "provider_part": ("Verknüpfung lösen", "Remove the link"),
}
