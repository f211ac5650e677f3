"""Colours that are kinds of another: navy is a blue, burgundy a red."""

from collections.abc import Collection, Mapping

_LEAST_HEAD_CHARS = 3
_BEFORE_HEAD = {"en": " "}
"""What parts a colour's own word from what is before it; other languages may join them."""

Values = Mapping[str, Mapping[str, Collection[str]]]


def shades_of(value: str, values: Values) -> tuple[str, ...]:
    """Return the values called by another's name with more before it: "navy blue", "dunkelblau".

    Args:
        value: the wider colour, as the shop calls it.
        values: every colour → language → its words.
    """
    own = values.get(value, {})
    return tuple(
        other
        for other, words in values.items()
        if other != value
        and any(_ends(language, words.get(language, ()), own[language]) for language in own)
    )


def _ends(language: str, words: Collection[str], heads: Collection[str]) -> bool:
    known = [word.casefold() for word in heads]
    ends = tuple(
        f"{_BEFORE_HEAD.get(language, '')}{head}"
        for head in known
        if len(head) >= _LEAST_HEAD_CHARS
    )
    return any(
        word.casefold().replace("-", " ").endswith(ends) and word.casefold() not in known
        for word in words
    )
