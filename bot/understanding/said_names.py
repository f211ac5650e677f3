"""Whether words that could be a bare name say something else, such as "never mind"."""

from collections.abc import Sequence

from bot.understanding.result import OUT_OF_SCOPE, Intent

_SURE = 0.65
_SURE_OF_TITLED = 0.9
_FITS_NAMES = frozenset({OUT_OF_SCOPE, "identify_customer", "log_out", "correction"})
"""What a name by itself looks like: "Anna Schmidt", "Herr Weber"."""
_SEVERAL = 2


def says_no_name(text: str, ranking: Sequence[Intent]) -> bool:
    """Return whether a text that holds a bare name is rather a wish, a command or an insult.

    Words that are all written like names need more: "Peter Stopp" is a person.

    Args:
        text: what was said.
        ranking: the intents of its words, the name not masked.
    """
    words = text.split()
    titled = len(words) >= _SEVERAL and all(word[:1].isupper() for word in words)
    best = ranking[0]
    level = _SURE_OF_TITLED if titled else _SURE
    return best.name not in _FITS_NAMES and best.confidence >= level
