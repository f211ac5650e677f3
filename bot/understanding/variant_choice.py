"""Which variant of an item a customer means: what is held now, changed by what was said."""

import re
from collections.abc import Sequence

from bot.understanding.choices import Choice, Option
from bot.understanding.choices_words import Lexicon, Token, load_lexicon, tokenize
from bot.understanding.variant_attributes import Attribute, attribute
from bot.understanding.variant_segments import segments
from bot.understanding.variant_wishes import Reader, Wish, Wishes

_AGAINST = 10.0
_CHANGED = 1.0
_RANK = 0.2
_FALLBACK = 0.5
_ID_CHARS = 6
_TIE = 1e-6
_WORDS = re.compile(r"\w+")


def resolve_variant(
    text: str,
    current: Option | None,
    candidates: Sequence[Option],
    item_name: str,
    language: str = "en",
    others: Sequence[str] = (),
) -> Choice:
    """Return the variant that a text wishes; what it does not speak of stays as it is now.

    The choice is uncertain when no available variant meets every wish (`values` is then the
    nearest one), or when nothing was said of this item.

    Args:
        text: the customer's words, possibly about several items.
        current: the variant held now.
        candidates: variants of the same product; only available ones are chosen.
        item_name: the product's name; " / " separates names in several languages.
        language: of the customer; words of both languages are understood in any case.
        others: names of other products that the text may speak of.
    """
    able = [option for option in candidates if option.available]
    if not able:
        return Choice()
    named = [
        option.value
        for option in able
        if _says_id(text, option) and (current is None or option.value != current.value)
    ]
    if len(named) == 1:
        return Choice((named[0],), certain=True)
    titled = [option for option in able if _says_title(text, option)]
    if len(titled) == 1:
        return Choice((titled[0].value,), certain=True)
    lexicon = load_lexicon()
    held = current.attributes if current is not None else {}
    attributes = _attributes([*candidates, *([current] if current else [])], lexicon)
    runs = segments(tokenize(text, lexicon), item_name, others, lexicon)
    runs = _of_current(runs, attributes, held)
    wishes = Reader(attributes, lexicon, text).read(runs, held)
    return _pick(wishes, attributes, current, able)


def _says_id(text: str, option: Option) -> bool:
    long = len(option.value) >= _ID_CHARS
    return (
        long
        and re.search(rf"(?<!\w){re.escape(option.value)}(?!\w)", text, re.IGNORECASE) is not None
    )


def _says_title(text: str, option: Option) -> bool:
    """Return whether a text reads out a version as it is shown: "8, leather, no"."""
    said = f" {' '.join(_WORDS.findall(text.casefold()))} "
    titles = [" ".join(_WORDS.findall(title.casefold())) for title in (option.title, *option.words)]
    whole = [title for title in titles if len(option.attributes) > 1 and " " in title]
    return any(f" {title} " in said for title in whole)


def _attributes(options: Sequence[Option], lexicon: Lexicon) -> list[Attribute]:
    values: dict[str, dict[str, list[str]]] = {}
    for option in options:
        for key, value in option.attributes.items():
            words = values.setdefault(key, {}).setdefault(value, [])
            words += option.attribute_words.get(key, ())
    return [attribute(key, known, lexicon) for key, known in values.items()]


def _of_current(
    runs: list[list[Token]], attributes: Sequence[Attribute], held: dict[str, str]
) -> list[list[Token]]:
    """Keep the runs that describe the variant held, where the text describes several of them."""
    fits = [sum(_says(run, one, held.get(one.key, "")) for one in attributes) for run in runs]
    told = [
        sum(any(_says(run, one, value) for value in one.forms) for one in attributes)
        for run in runs
    ]
    whole = len(attributes)
    if whole < 2 or whole not in fits:
        return runs
    return [
        run
        for run, fit, count in zip(runs, fits, told, strict=True)
        if fit == whole or count < whole
    ]


def _says(run: Sequence[Token], one: Attribute, value: str) -> bool:
    stems = [token.stem for token in run]
    for form in one.forms.get(value, []):
        wanted = [token.stem for token in form]
        size = len(wanted)
        if wanted and any(
            stems[at : at + size] == wanted for at, stem in enumerate(stems) if stem == wanted[0]
        ):
            return True
    return False


def _pick(
    wishes: Wishes, attributes: Sequence[Attribute], current: Option | None, able: Sequence[Option]
) -> Choice:
    held = current.attributes if current is not None else {}
    said = bool(wishes.by_key or wishes.price)
    loose = wishes.free_rest or wishes.price in {"cheapest", "dearest"}

    def cost(option: Option) -> float:
        values = option.attributes
        return sum(
            _cost(
                one,
                wishes.by_key.get(one.key),
                values.get(one.key, ""),
                held.get(one.key),
                free=loose,
            )
            for one in attributes
        )

    pool = (
        _cheaper(able, current) if wishes.price == "cheaper" and not wishes.by_key else list(able)
    )
    costs = [cost(option) for option in pool]
    low = min(costs)
    best = [option for option, total in zip(pool, costs, strict=True) if total <= low + _TIE]
    best = _by_price(
        best, wishes, open_rest=wishes.free_rest or any(w.free for w in wishes.by_key.values())
    )
    best = _nearest(best, held) if said or wishes.free_rest else best
    if len(best) == 1:
        return Choice((best[0].value,), certain=said and low < _AGAINST)
    return Choice((), certain=False, ambiguous=tuple(option.value for option in best))


def _cheaper(able: Sequence[Option], current: Option | None) -> list[Option]:
    """Return the options below the price of the one held, or all when there are none."""
    limit = current.price_minor if current is not None else None
    below = [
        one
        for one in able
        if limit is not None and one.price_minor is not None and one.price_minor < limit
    ]
    return below or list(able)


def _nearest(best: list[Option], held: dict[str, str]) -> list[Option]:
    """Return the options that share most with what is held now."""
    shared = [
        sum(held.get(key) == value for key, value in option.attributes.items()) for option in best
    ]
    return [option for option, count in zip(best, shared, strict=True) if count == max(shared)]


def _by_price(best: list[Option], wishes: Wishes, *, open_rest: bool) -> list[Option]:
    priced = [option for option in best if option.price_minor is not None]
    if len(best) < 2 or not priced or not (wishes.price or open_rest):
        return best
    prices = [option.price_minor or 0 for option in priced]
    wanted = max(prices) if wishes.price == "dearest" else min(prices)
    return [option for option in priced if option.price_minor == wanted]


def _cost(one: Attribute, wish: Wish | None, value: str, held: str | None, *, free: bool) -> float:
    """Return how much a value of an attribute is against what was said of it."""
    kept = 0.0 if free or held is None or value == held else _CHANGED
    if wish is None:
        return kept
    wanted = [other for other in wish.values if other != held]
    if wish.delta or (wish.direction and not wanted):
        return _directed(one, wish, value, held)
    if value in wish.refused or (wish.another and value == held):
        return _AGAINST
    wanted += [other for other in wish.values if other == held]
    wanted = wish.values if wish.ranked else wanted
    if wish.at_least and wanted:
        return 0.0 if one.order.get(value, -1.0) >= one.order.get(wanted[0], 0.0) else _AGAINST
    if value in wanted:
        return _RANK * wanted.index(value)
    if value in wish.fallback:
        return _FALLBACK + _RANK * wish.fallback.index(value) if value != held or wanted else 0.0
    if wish.free or wish.another:
        return _CHANGED if wanted else 0.0
    return _AGAINST if wanted else kept


def _directed(one: Attribute, wish: Wish, value: str, held: str | None) -> float:
    """Return the cost of a value where a direction or a difference from the one held was said."""
    place, now = one.order.get(value), one.order.get(held or "")
    if place is None or (now is None and not wish.extreme):
        return _AGAINST
    if wish.delta and now is not None:
        return 0.0 if place == now + wish.delta else _AGAINST
    ranks = sorted(set(one.order.values()), reverse=wish.direction < 0)
    if wish.extreme:
        return _RANK * (len(ranks) - 1 - ranks.index(place))
    if now is None or (place - now) * wish.direction <= 0:
        return _AGAINST
    return _RANK * (ranks.index(place) - ranks.index(now) - 1)
