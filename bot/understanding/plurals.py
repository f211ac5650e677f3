"""What a plural may be the plural of: shops list "Tassen" and "mugs", customers look for one."""

from bot.understanding.normalise import fold

_LEAST_CHARS = 3
_PLAIN = (("aeu", "au"), ("ae", "a"), ("oe", "o"), ("ue", "u"))
_HISSED = ("s", "x", "z", "ch", "sh")


def singulars(word: str, language: str) -> set[str]:
    """Return the folded words, of which some may not exist, that a noun may be the plural of.

    Args:
        word: as the shop writes it.
        language: two letters; German and English are known.
    """
    folded = fold(word)
    found = _german(folded) if language == "de" else _english(folded) if language == "en" else set()
    return {one for one in found if len(one) >= _LEAST_CHARS}


def _english(word: str) -> set[str]:
    if word.endswith("ies"):
        return {word[:-3] + "y"}
    if word.endswith("ss") or not word.endswith("s"):
        return set()
    bare = word[:-1]
    hissed = bare.endswith("e") and bare[:-1].endswith(_HISSED)
    return {bare, bare[:-1]} if hissed else {bare}


def _german(word: str) -> set[str]:
    """Return singulars of "Tassen", "Hemden", "Gläser" and "Stühle"."""
    if word.endswith("en"):
        return {word[:-1], word[:-2]}
    if word.endswith(("eln", "ern")):
        return {word[:-1]}
    if word.endswith(("er", "e")):
        return set(_without_umlaut(word.removesuffix("r").removesuffix("e")))
    return {word[:-1]} if word.endswith("s") and not word.endswith("ss") else set()


def _without_umlaut(word: str) -> list[str]:
    """Return a word whose last umlaut is taken back: "glaes" is one "glas"."""
    for umlaut, plain in _PLAIN:
        head, found, tail = word.rpartition(umlaut)
        if found:
            return [f"{head}{plain}{tail}"]
    return []
