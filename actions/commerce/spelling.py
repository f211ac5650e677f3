"""What people type, folded so that different spellings of one thing are equal."""

import re
import unicodedata


def plain_key(text: str) -> str:
    """Fold case, German umlauts, accents, spaces and signs, for look-up by what people type."""
    folded = text.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return re.sub(r"[^0-9a-z]", "", unicodedata.normalize("NFKD", folded))
