"""Which of the shown options a customer means: pure functions from words to options."""

import math
from collections.abc import Iterable, Sequence

import msgspec

from bot.understanding.choices_positions import SHORT_TOKENS, joined, positions
from bot.understanding.choices_targets import without_targets
from bot.understanding.choices_words import (
    Lexicon,
    Token,
    content,
    find,
    has,
    load_lexicon,
    name_tokens,
    similarity,
    tokenize,
)

_FLOOR = 0.55
_TIE = 0.08
_ID_CHARS = 4


class Option(msgspec.Struct, frozen=True):
    """Something that can be chosen.

    `words` are other names in any language; `attributes` maps an option's name to its value
    (color to blue), `attribute_words` to further words for that value.
    """

    value: str
    title: str
    words: tuple[str, ...] = ()
    attributes: dict[str, str] = {}
    attribute_words: dict[str, tuple[str, ...]] = {}
    price_minor: int | None = None
    available: bool = True


class Choice(msgspec.Struct, frozen=True):
    """What the words choose.

    `values` are chosen, in the order of the options. `certain` is false when nothing or only
    something vague was said; an explicit "none" is certain and has no values. `ambiguous` are
    options that fit equally well: ask between exactly those.
    """

    values: tuple[str, ...] = ()
    certain: bool = False
    ambiguous: tuple[str, ...] = ()


class _Reading:
    """The options as tokens, and how far single tokens of the text name them."""

    def __init__(self, options: Sequence[Option], lexicon: Lexicon) -> None:
        self.options = options
        self.lexicon = lexicon
        self.titles = [self._tokens((option.title, *option.words)) for option in options]
        self.details = [
            self._tokens((
                *option.attributes.values(),
                *(w for ws in option.attribute_words.values() for w in ws),
            ))
            for option in options
        ]
        self.names = [
            [t for t in title if all(t.stem != other.stem for other in detail)] or title
            for title, detail in zip(self.titles, self.details, strict=True)
        ]
        self._scores: dict[tuple[str, str], tuple[list[float], float]] = {}

    def _tokens(self, names: Iterable[str]) -> list[Token]:
        return [token for name in names for token in name_tokens(name)]

    def scores(self, token: Token) -> tuple[list[float], float]:
        """Return how well a token names each option, and its weight: 0 when all share it."""
        key = (token.word, token.kind)
        if key not in self._scores:
            found = [self._named(token, at) for at in range(len(self.options))]
            sharing = sum(score >= 0.5 for score in found)
            count = len(self.options)
            telling = count == 1 or 0 < sharing < count
            weight = math.log((count + 1) / sharing) if telling and sharing else 0.0
            self._scores[key] = (found, weight)
        return self._scores[key]

    def _named(self, token: Token, at: int) -> float:
        option = self.options[at]
        if token.kind == "price":
            price = option.price_minor
            whole = token.amount % 100 == 0
            return float(
                price is not None
                and (price == token.amount or (whole and price // 100 * 100 == token.amount))
            )
        if token.kind in {"id", "number"}:
            plain = "".join(char for char in option.value.lower() if char.isalnum())
            digits = token.stem
            if len(digits) >= _ID_CHARS and (plain == digits or plain.endswith(digits.lstrip("w"))):
                return 1.0
        title = max((similarity(token, other) for other in self.titles[at]), default=0.0)
        detail = max((similarity(token, other) for other in self.details[at]), default=0.0)
        return max(title, detail * 0.95)

    def titles_any(self, token: Token) -> bool:
        """Return whether a token names some, but not all, of the options by title."""
        telling = token.word not in self.lexicon.words["stop"] and self.scores(token)[1] > 0
        return telling and any(self.titled(token, at) for at in range(len(self.options)))

    def titled(self, token: Token, at: int) -> bool:
        """Return whether a token names an option by its title, not by a detail."""
        return any(similarity(token, other) >= _FLOOR for other in self.names[at])


def resolve_many(
    text: str, options: Sequence[Option], language: str = "en", *, shown: bool = True
) -> Choice:
    """Return the options that a text names, by position, name, detail, price or as a whole.

    Args:
        text: the customer's words, from "2" to a long first message.
        options: in the order in which they were shown.
        language: of the customer; words of both languages are understood in any case.
        shown: whether the text was said after they were shown.
    """
    lexicon = load_lexicon()
    tokens = tokenize(text, lexicon)
    if not tokens or not options:
        return Choice()
    exact = _exact(text, options)
    if len(exact) == 1:
        return Choice(exact, certain=True)
    places = positions(tokens, len(options), lexicon, shown=shown)
    named = _named(_Reading(options, lexicon), tokens)
    if not places:
        return named
    if len(places) == 1 and places[0] < len(named.ambiguous):
        return Choice((named.ambiguous[places[0]],), certain=True)
    chosen = {options[at].value for at in places} | (
        set(named.values) if joined(tokens, lexicon) else set()
    )
    return Choice(tuple(option.value for option in options if option.value in chosen), certain=True)


def resolve_one(
    text: str, options: Sequence[Option], language: str = "en", *, shown: bool = True
) -> Choice:
    """Return the one option that a text names; several that fit come back as ambiguous.

    Args:
        text: the customer's words.
        options: in the order in which they were shown.
        language: of the customer.
        shown: whether the text was said after they were shown.
    """
    choice = resolve_many(text, options, language, shown=shown)
    candidates = choice.values + choice.ambiguous
    if len(choice.values) == 1 and not choice.ambiguous:
        return choice
    ordered = tuple(option.value for option in options if option.value in candidates)
    return Choice((), certain=choice.certain and not candidates, ambiguous=ordered)


def _exact(text: str, options: Sequence[Option]) -> tuple[str, ...]:
    said = text.strip().rstrip(".!").casefold()
    return tuple(
        option.value
        for option in options
        if said
        in {
            option.value.casefold(),
            option.title.casefold(),
            *(word.casefold() for word in option.words),
        }
    )


def _named(reading: _Reading, tokens: Sequence[Token]) -> Choice:
    words = [token.word for token in tokens]
    everything = _everything(words, reading.lexicon)
    chosen, refused, open_groups = _sorted_out(reading, tokens, everything=everything)
    # "the robotic vacuum cleaner, bagged": a group that holds what was named is settled.
    unsure = {at for group in open_groups if not chosen.intersection(group) for at in group}
    chosen -= refused
    if find(reading.lexicon, "all_items", words) is not None:
        return _choice(reading, set(range(len(reading.options))) - refused, set(), certain=True)
    if everything and not chosen and not unsure:
        chosen = set(range(len(reading.options))) - refused
        vague = len(tokens) > SHORT_TOKENS and not refused
        return _choice(reading, chosen, set(), certain=not vague)
    if not chosen and not unsure and refused and has(reading.lexicon, "except", words):
        chosen = set(range(len(reading.options))) - refused
    if not chosen and not unsure:
        return Choice(
            (), certain=not refused and len(words) <= 4 and has(reading.lexicon, "none", words)
        )
    return _choice(reading, chosen, unsure - refused - chosen, certain=True)


def _sorted_out(
    reading: _Reading, tokens: Sequence[Token], *, everything: bool
) -> tuple[set[int], set[int], list[list[int]]]:
    """Return the options that are chosen, those refused, and groups that are not settled."""
    chosen: set[int] = set()
    refused: set[int] = set()
    groups: list[list[int]] = []
    chunks = list(_chunks(reading, tokens))
    titled = len(tokens) > SHORT_TOKENS and any(
        reading.titles_any(token) for part, _ in chunks for token in part
    )
    for chunk, negative in without_targets(chunks, reading.titles_any, reading.lexicon):
        found = _groups(reading, chunk, loose=everything)
        if titled:
            found = [g for g in found if any(reading.titled(t, at) for t in chunk for at in g)]
        if not found and groups and not negative:
            groups[-1] = _narrowed(reading, groups[-1], chunk)
        for group in found:
            if negative:
                refused.update(group)
            elif len(group) == 1 or everything:
                chosen.update(group)
            else:
                groups.append(group)
    chosen.update(group[0] for group in groups if len(group) == 1)
    return chosen, refused, groups


def _choice(reading: _Reading, chosen: set[int], unsure: set[int], *, certain: bool) -> Choice:
    values = tuple(reading.options[at].value for at in sorted(chosen))
    ambiguous = tuple(reading.options[at].value for at in sorted(unsure))
    return Choice(values, certain and bool(values) and not ambiguous, ambiguous)


def _everything(words: Sequence[str], lexicon: Lexicon) -> bool:
    """Return whether all of the options are meant ("that's all" and "alles klar" are not)."""
    idle = find(lexicon, "not_all", words) or (0, 0)
    meant = lexicon.words["all"] | lexicon.words["both"]
    return any(word in meant and not idle[0] <= at < idle[1] for at, word in enumerate(words))


def _chunks(reading: _Reading, tokens: Sequence[Token]) -> Iterable[tuple[list[Token], bool]]:
    """Yield the parts of a text between separators, each with whether it is refused."""
    lexicon = reading.lexicon
    part: list[Token] = []
    scope = ""
    for at, token in enumerate(tokens):
        opens = _negation(tokens, at, lexicon)
        if opens == "keep":
            opens = "" if _names(part, reading) else "not"
        ends = (
            token.kind == "stop"
            or token.word in lexicon.words["and"]
            or token.word in lexicon.words["but"]
        )
        if not (opens or ends):
            part.append(token)
            continue
        yield part, bool(scope) or _refused(part, lexicon, reading)
        part = []
        following = tokens[at + 1].word if at + 1 < len(tokens) else ""
        scope = opens or _scope_after(scope, token, following, lexicon)
    yield part, bool(scope) or _refused(part, lexicon, reading)


def _scope_after(scope: str, token: Token, following: str, lexicon: Lexicon) -> str:
    if token.word in lexicon.words["but"] or token.word[:1] in {".", ";", "!", "?", "\n"}:
        return ""
    if token.kind == "stop":
        return scope if scope == "except" else ""
    restarts = (
        following in {"i", "ich", "we", "wir", "please", "bitte"} | lexicon.words["operations"]
    )
    return "" if restarts else scope


def _negation(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> str:
    """Return "except", "not" or "keep" where a token opens what is refused, else nothing."""
    word = tokens[at].word
    rest = [token.word for token in tokens[at : at + 2]]
    if word in lexicon.words["except"] or find(lexicon, "except", rest) == (0, 2):
        return "except"
    if word in lexicon.words["but"] and at and tokens[at - 1].word in lexicon.words["all"]:
        return "except"
    if word in lexicon.words["keep"]:
        return "keep"
    denies = word in lexicon.words["not"] or word in {"don't", "dont"}
    if not denies or at + 1 == len(tokens):
        return ""
    following = tokens[at + 1].word
    names = following in {
        "the",
        "my",
        "a",
        "that",
        "this",
        "der",
        "die",
        "das",
        "den",
        "meine",
        "meinen",
        "mein",
    }
    return (
        "not"
        if (names and word not in {"don't", "dont"}) or following in lexicon.words["operations"]
        else ""
    )


def _refused(part: Sequence[Token], lexicon: Lexicon, reading: _Reading) -> bool:
    """Return whether a part ends like "die Lampe nicht" or holds "behalte ich"."""
    words = [token.word for token in part]
    if has(lexicon, "keep", words):
        return True
    if len(words) < 2 or words[-1] not in {"nicht", "not", "ned", "noed"}:
        return False
    named = content(part[:-1], lexicon)
    return bool(named) and len(_names(part[:-1], reading)) == len(named)


def _names(part: Sequence[Token], reading: _Reading) -> list[Token]:
    """Return the tokens of a part that name an option."""
    return [
        token for token in content(part, reading.lexicon) if max(reading.scores(token)[0]) >= _FLOOR
    ]


def _groups(reading: _Reading, part: Sequence[Token], *, loose: bool) -> list[list[int]]:
    """Return, for every thing a part names, the options that fit it equally well."""
    words = [token.word for token in part]
    odd = {
        token.start
        for at, token in enumerate(part)
        if len(token.word) == 1 and not _sized(part, at)
    }
    left = [token for token in _names(part, reading) if token.start not in odd]
    groups: list[list[int]] = []
    while left:
        best = _best(reading, left)
        if not best or (
            groups and not any(reading.titled(token, at) for token in left for at in best)
        ):
            break
        groups.append(
            best
            if loose and not _priced(words, reading.lexicon)
            else _by_price(reading, best, words)
        )
        left = [token for token in left if all(reading.scores(token)[0][at] < 0.5 for at in best)]
    if not groups and _priced(words, reading.lexicon):
        group = _by_price(reading, list(range(len(reading.options))), words)
        groups = [group] if len(group) < len(reading.options) else []
    return groups


def _sized(part: Sequence[Token], at: int) -> bool:
    """Return whether a single letter at a place is a size: "size M", "in L"."""
    return len(part) <= 3 or (at > 0 and part[at - 1].word in {"size", "grosse", "in", "a"})


def _best(reading: _Reading, left: Sequence[Token]) -> list[int]:
    """Return the options that the most telling token names, those that all tokens fit best."""
    anchor = max(left, key=lambda token: reading.scores(token)[1] * max(reading.scores(token)[0]))
    found, weight = reading.scores(anchor)
    if not weight and len(reading.options) > 1:
        return []
    able = [at for at, score in enumerate(found) if score >= _FLOOR]
    totals = {
        at: sum(reading.scores(token)[0][at] * reading.scores(token)[1] for token in left)
        for at in able
    }
    top = max(totals.values())
    return [at for at in able if totals[at] >= top * (1 - _TIE)]


def _narrowed(reading: _Reading, group: list[int], part: Sequence[Token]) -> list[int]:
    """Return those of a group that a further description fits best: "the lamp (white, USB)"."""
    told = _names(part, reading)
    counts = {at: sum(reading.scores(t)[0][at] >= _FLOOR for t in told) for at in group}
    return [at for at in group if counts[at] == max(counts.values())]


def _priced(words: Sequence[str], lexicon: Lexicon) -> bool:
    return has(lexicon, "cheap", words) or has(lexicon, "dear", words)


def _by_price(reading: _Reading, group: list[int], words: Sequence[str]) -> list[int]:
    """Return the cheapest or dearest of a group where the words ask for it."""
    prices = {at: reading.options[at].price_minor for at in group}
    known = {at: price for at, price in prices.items() if price is not None}
    if len(known) < 2 or not _priced(words, reading.lexicon):
        return group
    wanted = min(known.values()) if has(reading.lexicon, "cheap", words) else max(known.values())
    return [at for at, price in known.items() if price == wanted]
