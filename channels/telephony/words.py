"""What a telephone hears and says by itself: keys, transcripts, and a few sentences of its own."""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from bot.messages import Button, OutboundMessage
from channels.spoken import asks, plain_speech, spoken_text
from channels.wire import clean_text

MAX_SAID_CHARS = 3_000
OPERATOR_KEY = "0"
Phrase: TypeAlias = Literal[
    "greeting", "other_language", "keys_yes_no", "still_there", "wait", "bye", "trouble",
    "line_trouble", "promise", "back", "whisper_asked", "whisper_other",
]  # fmt: skip
PHRASES: dict[str, dict[Phrase, str]] = {
    "de": {
        "greeting": "Guten Tag, hier spricht ein Bot. Was kann ich für Sie tun?",
        "other_language": "Für Deutsch drücken Sie die 9.",
        "keys_yes_no": "Für Ja drücken Sie die 1, für Nein die 2.",
        "still_there": "Sind Sie noch da?",
        "wait": "Einen Moment bitte.",
        "bye": "Ich höre Sie nicht mehr. Rufen Sie gern wieder an. Auf Wiederhören.",
        "trouble": "Das ist gerade schiefgegangen. Bitte sagen Sie es noch einmal.",
        "line_trouble": "Entschuldigung, die Verbindung hat gehakt.",
        "promise": "Gerade ist leider niemand zu erreichen. Ihr Anliegen ist notiert, eine "
        "Kollegin oder ein Kollege meldet sich bei Ihnen.",
        "back": "Wenn Sie inzwischen mit mir weitermachen möchten, sagen Sie „zurück zum Bot“.",
        "whisper_asked": "Anruf vom Bot. Der Anrufer möchte mit einem Menschen sprechen.",
        "whisper_other": "Anruf vom Bot. Der Bot kam nicht weiter.",
    },
    "en": {
        "greeting": "Hello, this is a bot speaking. What can I do for you?",
        "other_language": "For English, press 9.",
        "keys_yes_no": "For yes press 1, for no press 2.",
        "still_there": "Are you still there?",
        "wait": "One moment, please.",
        "bye": "I can't hear you any more. Please call again. Goodbye.",
        "trouble": "That went wrong just now. Please say it again.",
        "line_trouble": "Sorry, the line broke up.",
        "promise": "Nobody can be reached right now, I'm sorry. Your request is noted, and a "
        "colleague will get back to you.",
        "back": "If you'd like to go on with me meanwhile, say “back to the bot”.",
        "whisper_asked": "Call from the bot. The caller asked for a person.",
        "whisper_other": "Call from the bot. The bot could not help.",
    },
}
_NOT_XML = dict.fromkeys((0xFFFE, 0xFFFF))
_LAST_FOUR = re.compile(r" ?(?:…|\.\.\.|\*{2,4}) ?(\d{4})(?!\d)")
_AT = r"(?:at|ät|et|@)"
_DOT = r"(?:dot|punkt|\.)"
_JOINT = r"(?:dot|punkt|minus|bindestrich|dash|hyphen|unterstrich|underscore|\.)"
_MAIL = re.compile(
    rf"(?<!\w)([\w.+-]{{1,40}}(?: {_JOINT} [\w+-]{{1,40}}){{0,4}}) ?{_AT} "
    rf"([\w-]{{1,40}}(?: (?:{_JOINT}) [\w-]{{1,40}}){{0,4}} ?{_DOT} ?[a-z]{{2,12}})(?!\w)",
    re.IGNORECASE,
)
_SIGNS = {
    "dot": ".", "punkt": ".", "minus": "-", "bindestrich": "-", "dash": "-", "hyphen": "-",
    "unterstrich": "_", "underscore": "_",
}  # fmt: skip
_SPELLED = re.compile(r"(?<![\w-])(?:[^\W_][ ,-]{1,2}){3,30}[^\W_](?![\w-])")


def heard_text(transcript: str) -> str:
    """Return a transcript with what was spelled put together: order numbers, e-mail addresses."""
    text = " ".join(transcript.split())
    text = _MAIL.sub(lambda match: f"{_joined(match[1])}@{_joined(match[2])}", text)
    return _SPELLED.sub(_together, text)


def _joined(part: str) -> str:
    words = (_SIGNS.get(word.casefold(), word) for word in part.split())
    return "".join(words).casefold()


def _together(match: re.Match[str]) -> str:
    characters = [char for char in match.group() if char.isalnum()]
    if sum(char.isdecimal() for char in characters) < 3:
        return match.group()
    return "".join(characters).upper()


def keyed_text(digits: str, buttons: Sequence[Button]) -> str:
    """Return what pressed keys mean: an answer to what was asked, a person, or a number.

    Where a yes is asked 1 is yes and 2 is no, and other choices follow; elsewhere 1 is the first
    choice. `0` asks for a person.

    Args:
        digits: the keys without the closing `#`.
        buttons: the choices that were offered last, in order.
    """
    if digits == OPERATOR_KEY:
        return "/talk_to_human"
    choices = key_order(buttons)
    if digits.isdecimal() and len(digits) <= 2 and 0 < int(digits) <= len(choices):
        return choices[int(digits) - 1].payload
    return digits


def key_order(buttons: Sequence[Button]) -> list[Button]:
    """Return the choices in the order of their keys: yes, no, then the others as they stand."""
    first = [b for b in buttons if b.payload.startswith("/affirm")]
    second = [b for b in buttons if b.payload.startswith("/deny")]
    if not first:
        return list(buttons)
    return [*first[:1], *second[:1], *(b for b in buttons if b not in first + second)]


def offered(said: Sequence[OutboundMessage]) -> tuple[Button, ...]:
    """Return the choices that stand after these answers: those of the last that asks."""
    for message in reversed(said):
        if message.buttons:
            return message.buttons
        if asks(message):
            return ()
    return ()


def is_yes_asked(buttons: Sequence[Button]) -> bool:
    """Return whether the choices are those of a plan or of a plain question."""
    return any(button.payload.startswith("/affirm") for button in buttons)


def aloud(message: OutboundMessage, language: str, order_number_pattern: str = "") -> str:
    """Return what is read out for a message, with numbers spelled; empty if there is nothing."""
    last_four = " mit den Endziffern " if language.startswith("de") else " ending in "
    spoken = spoken_text(message, language)
    spoken = _LAST_FOUR.sub(lambda match: last_four + " ".join(match[1]), spoken)
    spoken = plain_speech(spoken, language, order_number_pattern)
    text = clean_text(spoken).translate(_NOT_XML).strip()
    if len(text) <= MAX_SAID_CHARS:
        return text
    return text[:MAX_SAID_CHARS].rpartition(" ")[0]


def speaking_s(text: str) -> float:
    """Return about how many seconds it takes to say a text."""
    return len(text) / 14
