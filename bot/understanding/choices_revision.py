"""Changes to what was picked from a list: "and the lamp too", "not the lamp", "only the chair"."""

import re
from collections.abc import Sequence

import msgspec

from bot.understanding.choices import Option, resolve_many

_MORE = re.compile(
    r"\b(?:too|also|as well|add|plus|additionally|missing|forgot|forgotten|auch|noch|dazu|"
    r"zusätzlich|außerdem|fehlt|fehlen|vergessen|ebenfalls)\b|^(?:and|und)\b",
    re.IGNORECASE,
)
_LESS = re.compile(
    r"\b(?:not|without|except|remove|drop|skip|keep|leave(?: out| off)?|don'?t|nicht|ohne|außer|"
    r"behalte|behalten|weglassen|raus|streichen|streiche|entferne|entfernen)\b",
    re.IGNORECASE,
)
_ONLY = re.compile(r"\b(?:only|just|nur|bloß|lediglich|i meant?|ich mein(?:t)?e)\b", re.IGNORECASE)
_BUT = re.compile(r"\b(?:not|nicht|kein\w*)\b.+\b(?:but|sondern|instead)\b", re.IGNORECASE)
_NO = re.compile(r"^\W*(?:(?:no|nope|nein|nee|oh|sorry)\b\W*)+", re.IGNORECASE)


class Revision(msgspec.Struct, frozen=True):
    """What shall be picked now; no values when the text changes nothing about that."""

    values: tuple[str, ...] = ()
    speaks_of_picked: bool = False


def revise(text: str, options: Sequence[Option], picked: Sequence[str]) -> Revision:
    """Return what a customer wants picked, given what is picked now.

    Args:
        text: the customer's words, said when the plan was shown.
        options: everything that can be picked.
        picked: the values picked now.
    """
    held = [option for option in options if option.value in picked]
    text = _NO.sub("", text)  # a "no" in front is no option's value
    if _ONLY.search(text):
        return Revision(resolve_many(_ONLY.sub(" ", text), options).values)
    less = _LESS.search(text)
    if less and not _BUT.search(text):
        named = resolve_many(_LESS.sub(" ", text), held).values if len(held) > 1 else ()
        return Revision(tuple(value for value in picked if value not in named))
    if _MORE.search(text):
        others = [option for option in options if option.value not in picked]
        more = _named_by_title(text, others)
        if more:
            values = {*picked, *more}
            return Revision(tuple(o.value for o in options if o.value in values))
    return Revision(speaks_of_picked=bool(_named_by_title(text, held)))


def _named_by_title(text: str, options: Sequence[Option]) -> tuple[str, ...]:
    """Return the options that a text names by what they are, not by colour or size alone."""
    named = resolve_many(text, options)
    bare = [msgspec.structs.replace(o, attributes={}, attribute_words={}) for o in options]
    titles = [msgspec.structs.replace(o, title=_plain(o), words=_bare(o)) for o in bare]
    by_title = resolve_many(text, titles)
    meant = {*by_title.values, *by_title.ambiguous}
    return tuple(value for value in named.values if value in meant)


def _plain(option: Option) -> str:
    return option.title.partition(" (")[0]


def _bare(option: Option) -> tuple[str, ...]:
    """Return the shortest names: those that no other name begins with are the longer ones."""
    names = {word.partition(" (")[0] for word in option.words}
    return tuple(n for n in names if not any(n != m and n.startswith(f"{m} ") for m in names))
