"""The router that comes with the repository."""

from bot.understanding.aside_parser import AsideParser
from bot.understanding.asides import load_asides
from bot.understanding.consent import load_consent_words
from bot.understanding.follow_ups import load_follow_ups
from bot.understanding.ports import RouterParts
from bot.understanding.router import Remarks, Router


def make(parts: RouterParts) -> Router:
    """Return the rules that set words against the conversation.

    Raises:
        SourceError: a word list is wrong.
    """
    lexicons = parts.data / "lexicons"
    asides = load_asides(lexicons / "asides.yml")
    return Router(
        AsideParser(parts.parser, asides),
        parts.engine,
        parts.flows,
        load_consent_words(lexicons / "consent.yml"),
        parts.thresholds,
        Remarks(load_follow_ups(lexicons / "product_words.yml"), asides),
    )
