"""What people at another desk read from us: the story of a case as plain text."""

from typing import Literal

from desk.records import Case
from desk.summary import Summary
from desk.transcript_records import Message, Transcript

Language = Literal["en", "de"]
MOST_MESSAGES = 100
MOST_CHARS = 20_000
"""How much of a transcript is sent: its end."""
_WORDS: dict[str, tuple[str, str]] = {
    "case": ("Case {id} of {shop}", "Fall {id} von {shop}"),
    "why": ("Handed over because: {reason}", "Übergeben wegen: {reason}"),
    "wish": ("Wish: {text}", "Anliegen: {text}"),
    "plan": ("Plan ({consent}): {text}", "Plan ({consent}): {text}"),
    "question": ("The bot had asked: {text}", "Der Bot hatte gefragt: {text}"),
    "tried": ("Tried so far: {text}", "Bisher versucht: {text}"),
    "order": ("Order: {text}", "Bestellung: {text}"),
    "channel": ("Channel: {text}", "Kanal: {text}"),
    "doubt": (
        "It is not known whether the last action took effect: look before you repeat it.",
        "Ob die letzte Aktion gewirkt hat, ist nicht bekannt: erst nachsehen, dann wiederholen.",
    ),
    "story": ("What was said so far:", "Bisher gesagt:"),
    "omitted": (
        "({n} earlier messages are at {at})",
        "({n} frühere Nachrichten stehen unter {at})",
    ),
    "own_desk": ("the shop's own desk", "dem eigenen Tresen des Shops"),
    "customer": ("Customer", "Kundschaft"),
    "bot": ("Bot", "Bot"),
    "operator": ("Operator", "Mitarbeiter"),
    "files": ("{n} file(s)", "{n} Datei(en)"),
    "taken": (
        "{name} has taken this conversation at the shop's own desk.",
        "{name} hat dieses Gespräch am eigenen Tresen des Shops übernommen.",
    ),
    "not_delivered": (
        "Not delivered: the customer talks to the bot again. They can ask for a person any time.",
        (
            "Nicht zugestellt: Die Kundschaft spricht wieder mit dem Bot und kann jederzeit nach"
            " einem Menschen fragen."
        ),
    ),
    "file_left_out": (
        "A file was not delivered: only links with https reach the customer.",
        "Eine Datei wurde nicht zugestellt: Nur Links mit https erreichen die Kundschaft.",
    ),
    "nothing_found": (
        "Nothing was delivered: no words of your own were found in your reply.",
        "Nichts wurde zugestellt: In der Antwort wurden keine eigenen Worte gefunden.",
    ),
    "said_here": (
        "{name} at the shop's own desk: {text}",
        "{name} am eigenen Tresen des Shops: {text}",
    ),
    "bot_again": (
        "The customer talks to the bot again; nobody is needed here.",
        "Die Kundschaft spricht wieder mit dem Bot; hier wird niemand gebraucht.",
    ),
    "closed_here": (
        "The conversation was closed at the shop's own desk.",
        "Das Gespräch wurde am eigenen Tresen des Shops geschlossen.",
    ),
    "how_by_mail": (
        (
            "Reply to this mail to answer the customer; what you quote and attach is left out."
            " A line of its own does more: #take, #close, #bot (back to the bot)."
        ),
        (
            "Eine Antwort auf diese Mail geht an die Kundschaft, ohne Zitate und Anhänge."
            " Eine eigene Zeile bewirkt mehr: #take (übernehmen), #close (schließen), #bot (zurück"
            " an den Bot)."
        ),
    ),
    "down": (
        (
            "{desk} cannot be reached ({code}). The case stays in this queue; what the customer"
            " writes goes there as soon as it can."
        ),
        (
            "{desk} ist nicht erreichbar ({code}). Der Fall bleibt in dieser Warteschlange; was die"
            " Kundschaft schreibt, geht dorthin, sobald es möglich ist."
        ),
    ),
    "refused": (
        "{desk} did not take something ({code}). Answer the customer here.",
        "{desk} hat etwas nicht angenommen ({code}). Bitte hier antworten.",
    ),
}


def word(sentence: str, language: Language, **told: object) -> str:
    """Return a sentence in a language."""
    return _WORDS[sentence][language == "de"].format(**told)


def summary_text(case: Case, summary: Summary, language: Language) -> str:
    """Return a summary as a few lines."""
    lines = [word("why", language, reason=case.reason)]
    if summary.next == "doubt":
        lines.append(word("doubt", language))
    if summary.wish:
        lines.append(word("wish", language, text=summary.wish))
    if case.order_number:
        lines.append(word("order", language, text=case.order_number))
    if summary.tried:
        tried = ", ".join(f"{each.subject or each.kind} ({each.kind})" for each in summary.tried)
        lines.append(word("tried", language, text=tried))
    if summary.plan is not None:
        plan = summary.plan
        lines.append(word("plan", language, consent=plan.consent, text=plan.text))
    if summary.question:
        lines.append(word("question", language, text=summary.question))
    lines.append(word("channel", language, text=case.channel))
    return "\n".join(lines)


def story(transcript: Transcript, language: Language, desk_url: str = "") -> str:
    """Return what was said as lines, the newest last; the oldest are left out where it is long.

    Args:
        transcript: of the conversation.
        language: of the labels.
        desk_url: where the rest stands.
    """
    lines: list[str] = []
    length = 0
    for message in reversed(transcript.messages[-MOST_MESSAGES:]):
        line = message_line(message, language, desk_url)
        length += len(line) + 1
        if length > MOST_CHARS:
            break
        lines.append(line)
    lines.reverse()
    left_out = len(transcript.messages) - len(lines)
    head = [word("story", language)]
    if left_out:
        at = desk_url or word("own_desk", language)
        head.append(word("omitted", language, n=left_out, at=at))
    return "\n".join(head + lines)


def message_line(message: Message, language: Language, desk_url: str = "") -> str:
    """Return one message as a line with its time and who spoke."""
    who = word(message.speaker, language)
    if message.name:
        who = f"{who} {message.name}"
    return f"[{message.at:%Y-%m-%d %H:%M}] {who}: {message_text(message, language, desk_url)}"


def message_text(message: Message, language: Language, desk_url: str = "") -> str:
    """Return what a message says, with how many files it brought and where they are.

    Args:
        message: of a transcript.
        language: of the labels.
        desk_url: where our own desk is; files that we keep are beside it.
    """
    links = [str(each.get("url") or "") for each in message.attachments]
    here = desk_url.removesuffix("/desk")
    known = [f"{here}{link}" if link.startswith("/") else link for link in links]
    shown = [link for link in known if link.startswith(("https://", "geo:"))]
    parts = [message.text] if message.text else []
    if links:
        parts.append("\n".join([word("files", language, n=len(links)), *shown]))
    return "\n".join(parts)
