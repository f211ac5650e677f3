"""What Amazon takes in an interaction model, and texts made to fit."""

import re
import unicodedata

MAX_SAMPLE_CHARS = 200
MAX_VALUE_CHARS = 140
_TAKEN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*(?: [^\W\d_]+(?:['-][^\W\d_]+)*)*")
_DROPPED = re.compile(r"[,;:!?…„“”\"()«»–—*]|\.+(?=\s|$)|(?<!\w)-|-(?!\w)")
_INVOCATION = re.compile(r"[^\W\d_]+(?:'s|\.)?(?: [^\W\d_]+(?:'s|\.)?)*")
_WAKE = frozenset({"alexa", "amazon", "echo", "computer", "ziggy", "skill", "skills", "app"})
_LAUNCH = {
    "de": frozenset({
        "starte", "starten", "spiele", "spielen", "öffne", "öffnen", "frage", "fragen", "sage",
        "sagen", "beginne", "beginnen", "lade", "laden", "benutze", "verwende", "nutze",
    }),
    "en": frozenset({
        "run", "start", "play", "resume", "use", "launch", "ask", "open", "tell", "load", "begin",
        "enable",
    }),
}  # fmt: skip
_CONNECTING = {
    "de": frozenset({"aus", "von", "nach", "über", "ob", "dass", "zu", "um", "bei", "mit"}),
    "en": frozenset({"from", "to", "about", "if", "whether", "using", "by", "in", "that", "and"}),
}
_SMALL = {
    "de": frozenset({"der", "die", "das", "ein", "eine", "für", "auf", "an"}),
    "en": frozenset({"the", "a", "an", "for", "of", "up", "at", "off", "with"}),
}


def sample_of(text: str) -> str:
    """Return a text as a sample utterance without slots; empty if it cannot be one.

    Amazon takes letters, spaces, apostrophes and hyphens within words; no digits, no marks.
    """
    text = unicodedata.normalize("NFC", text).replace("’", "'").lower()
    text = "".join(char for char in text if unicodedata.category(char) not in {"So", "Sk", "Mn"})
    text = " ".join(_DROPPED.sub(" ", text).replace("/", " ").split())
    return text if _TAKEN.fullmatch(text) and len(text) <= MAX_SAMPLE_CHARS else ""


def invocation_problem(name: str, language: str) -> str:
    """Return why Amazon would refuse an invocation name; empty if it would not."""
    words = [word.removesuffix("'s") for word in name.split()]
    refused = _WAKE | _LAUNCH[language] | _CONNECTING[language]
    if not 2 <= len(name) <= 50:
        return "must have 2 to 50 characters"
    if not _INVOCATION.fullmatch(name) or name != name.lower():
        return "may hold lower-case letters, spaces, 's and periods of abbreviations only"
    for word in words:
        if word in refused:
            return f"must not hold '{word}'"
    if len(words) == 2 and any(word in _SMALL[language] for word in words):
        return "of two words neither may be an article or a preposition"
    return ""
