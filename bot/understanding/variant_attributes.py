"""The options of a product as tokens, with an order for values that can be compared."""

import re
from collections.abc import Sequence

import msgspec

from bot.understanding.choices_words import Lexicon, Token, name_tokens


class Attribute(msgspec.Struct):
    """One option's name and its values, as tokens; `order` ranks values that can be compared."""

    key: str
    name: list[Token]
    forms: dict[str, list[list[Token]]]
    order: dict[str, float]


def ranks(forms: dict[str, list[list[Token]]], lexicon: Lexicon) -> dict[str, float]:
    """Return where values stand in a rising order; values that cannot be compared are left out."""
    scale = max(
        lexicon.scales,
        key=lambda one: sum(any(_on(form, one) for form in fs) for fs in forms.values()),
    )
    found: dict[str, float] = {}
    for value, known in forms.items():
        numbers = [t.amount for form in known for t in form if t.kind in {"measure", "number"}]
        steps = [float(scale.index(form[0].stem)) for form in known if _on(form, scale)]
        digits = [float(d) for form in known for t in form for d in re.findall(r"\d+", t.word)]
        if numbers or steps or digits:
            found[value] = (numbers or steps or digits)[0]
    return found


def _on(form: Sequence[Token], scale: Sequence[str]) -> bool:
    return len(form) == 1 and form[0].stem in scale


def attribute(key: str, values: dict[str, list[str]], lexicon: Lexicon) -> Attribute:
    """Return an attribute with its values as tokens.

    Args:
        key: name of the option.
        values: every value with its words in any language.
        lexicon: the words of choices.
    """
    forms = {
        value: [list(name_tokens(word)) for word in dict.fromkeys([value, *words])]
        for value, words in values.items()
    }
    name = [token for token in name_tokens(key.replace("_", " ")) if token.kind == "word"]
    return Attribute(key, name, forms, ranks(forms, lexicon))
