"""The router that comes with the repository."""

import msgspec

from bot.understanding.aside_parser import AsideParser
from bot.understanding.asides import load_asides
from bot.understanding.bare_words import load_bare_words
from bot.understanding.candidates import level_of
from bot.understanding.consent import load_consent_words
from bot.understanding.follow_ups import load_follow_ups
from bot.understanding.going_on import load_going_on
from bot.understanding.ports import RouterParts
from bot.understanding.remarks import Remarks
from bot.understanding.router import Router


def make(parts: RouterParts) -> Router:
    """Return the rules that set words against the conversation.

    Raises:
        SourceError: a word list is wrong.
    """
    lexicons = parts.data / "lexicons"
    asides = load_asides(lexicons / "asides.yml")
    thresholds = parts.thresholds
    if thresholds.clarify is None:
        thresholds = msgspec.structs.replace(thresholds, clarify=level_of(parts.parser))
    return Router(
        AsideParser(parts.parser, asides),
        parts.engine,
        parts.flows,
        load_consent_words(lexicons / "consent.yml"),
        thresholds,
        Remarks(
            load_follow_ups(lexicons / "product_words.yml"),
            asides,
            load_bare_words(lexicons / "bare_words.yml"),
            load_going_on(lexicons / "going_on.yml"),
        ),
    )
