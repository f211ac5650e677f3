"""Several wishes in one message: what belongs to one of them, and what is a wish of its own."""

import re
from collections.abc import Sequence

import msgspec

from bot.understanding.address import read_address
from bot.understanding.clauses import Clause
from bot.understanding.normalise import words
from bot.understanding.readings import Reading, values
from bot.understanding.result import OUT_OF_SCOPE, Intent

NO_WISH = frozenset({
    OUT_OF_SCOPE,
    "greet",
    "goodbye",
    "thanks",
    "chitchat",
    "insult",
    "cancel",
    "hurry",
})
_TALK = NO_WISH | {"affirm", "deny", "correction", "repeat", "skip", "dont_know", "go_back"}
_QUESTIONS = frozenset({"store_faq", "product_question"})
_LEAST_CONFIDENCE = 0.4
_LEAST_UNSURE = 0.15
_SURELY = 0.6
_CERTAINLY = 0.95
_PREFIX_CHARS = 2
_OF_AN_ORDER = frozenset({
    "bei",
    "von",
    "für",
    "aus",
    "for",
    "from",
    "order",
    "bestellung",
    "nummer",
    "number",
})
_JOINS = frozenset({"and", "und", "or", "oder", "plus", "sowie", "also", "auch"})
_FAULTS = frozenset({
    "complaint_damaged",
    "complaint_late",
    "complaint_missing_item",
    "complaint_wrong_item",
})
_AMENDS = frozenset({
    "cancel_order",
    "exchange_items",
    "refund_status",
    "return_items",
    "store_faq",
    "talk_to_human",
    "track_order",
})
_MENTIONED = frozenset({"find_product", "give_feedback", "identify_customer", "store_faq"})
"""What a statement may touch on without asking for it: "I love your shoes"."""
_ANSWERED = frozenset({"refund_status", "store_faq", "track_order"})
"""Of these, a sure question after "and" is one of its own, also beside a fault."""
_HELP = "store_faq"
_OF_A_PRODUCT = frozenset({"product_question", "check_stock"})
_ABOUT_THAT = re.compile(
    r"\W*(?:(?:und|and)\s+)?(?:was|wie ?viel|how much|what|kostet|does)\b(?:\s+\w+){0,2}?"
    r"\s+(?:das|es|it|that)(?:\s+\w+)?\W*",
    re.IGNORECASE,
)
_SAME_MATTER: tuple[frozenset[str], ...] = (
    frozenset({"track_order", "complaint_late", "complaint_missing_item", "list_orders"}),
    frozenset({"return_items", "refund_status", "cancel_order"}),
    frozenset({"return_items", "exchange_items", "change_items"}),
    frozenset({"find_product", "product_question", "check_stock", "compare_products"}),
    frozenset({"find_product", "cart_add", "check_stock"}),
    frozenset({"change_address", "identify_customer"}),
    frozenset({"change_address", "checkout"}),
    frozenset({"change_address", "reorder"}),
    frozenset({"give_feedback", "talk_to_human", *_FAULTS}),
)
"""Wishes of which one is often the reason for the other: "it is too small, I'll return it"."""

Ranking = tuple[Intent, ...]


class Piece(msgspec.Struct, frozen=True):
    """A part of a message that may be a wish of its own.

    Args:
        clause: where it stands.
        ranking: what its words alone mean, best first.
        asks: whether it asks for something by its form, a question or a command.
        apart: whether it is said to be another matter: "also", "secondly", "2)".
        added: whether it follows an "and".
        numbers: the orders it names.
        goods: the products it names.
    """

    clause: Clause
    ranking: Ranking
    asks: bool
    apart: bool
    added: bool
    numbers: frozenset[str]
    goods: frozenset[str]


def piece_of(
    reading: Reading,
    clause: Clause,
    ranking: Ranking,
    *,
    asks: bool,
    apart: bool = False,
    added: bool = False,
) -> Piece:
    """Return a part of a text with the orders and goods that it names."""
    numbers, goods = (values(reading, clause, kind) for kind in ("order_number", "product"))
    return Piece(clause, ranking, asks, apart, added, numbers, goods)


def is_wish(ranking: Ranking) -> bool:
    """Return whether a reading asks the shop for something."""
    return ranking[0].name not in NO_WISH and ranking[0].confidence >= _LEAST_CONFIDENCE


def separated(pieces: Sequence[Piece], text: str) -> tuple[list[Clause], list[Ranking]]:
    """Return the wishes among the pieces of a text; what is no wish goes with the one before.

    Args:
        pieces: in the order of the text.
        text: the whole text.
    """
    groups: list[list[Piece]] = []
    heads: list[Piece] = []
    for piece in pieces:
        if not heads or not _surely(heads[-1]):
            if _surely(piece) or not heads:
                heads[-1:] = [piece]
            groups[:] = [[*(groups[0] if groups else []), piece]]
        elif _surely(piece) and _is_other(heads[-1], piece):
            heads.append(piece)
            groups.append([piece])
        else:
            groups[-1].append(piece)
    clauses = []
    for group in groups:
        start, end = group[0].clause.start, group[-1].clause.end
        clauses.append(Clause(text[start:end], start, end))
    return clauses, [head.ranking for head in heads]


def _surely(piece: Piece) -> bool:
    best = piece.ranking[0]
    listed = bool(piece.numbers) and _only_lists(piece.clause)
    if best.name in _TALK or best.confidence < _SURELY or listed:
        return False
    told = best.confidence >= _CERTAINLY and best.name not in _MENTIONED
    told = told and bool(piece.numbers or piece.added)  # "i möcht TR-… zruckschickn"
    return piece.asks or piece.apart or told or best.name in _FAULTS


def _only_lists(clause: Clause) -> bool:
    """Return whether a part only goes on with a list of orders: "4712 and 4713?"."""
    told = (word.lower() for word, _, _ in words(clause.text))
    return not any(
        word not in _JOINS | _OF_AN_ORDER
        and not any(map(str.isdigit, word))
        and len(word) > _PREFIX_CHARS
        for word in told
    )


def _is_other(first: Piece, second: Piece) -> bool:
    """Return whether the second piece asks for something that the first does not."""
    one, other = first.ranking[0].name, second.ranking[0].name
    if first.numbers and second.numbers and not first.numbers & second.numbers:
        return True
    if one == other:
        return False
    if one == _HELP and other in _OF_A_PRODUCT and not second.goods:
        return second.apart  # "how long can I return it, and what does that cost?"
    matters = any({one, other} <= matter for matter in _SAME_MATTER)
    faulty = one in _FAULTS and other in _AMENDS
    if not matters and not faulty and other not in _FAULTS:
        return True
    if other in _ANSWERED and not matters and second.added and _is_certain(second):
        return True
    elsewhere = bool(second.goods and not first.goods & second.goods)
    both_faulty = {one, other} <= _FAULTS
    return second.apart or (elsewhere and (bool(first.goods) or both_faulty))


def _is_certain(piece: Piece) -> bool:
    return piece.ranking[0].confidence >= _CERTAINLY


def merged(
    groups: Sequence[Clause],
    rankings: Sequence[Ranking],
    text: str,
    numbers: Sequence[frozenset[str]],
) -> tuple[list[Clause], list[Ranking]]:
    """Join neighbours that want the same of one order, and those that want nothing themselves."""
    kept: list[Clause] = []
    ranked: list[Ranking] = []
    about: frozenset[str] = frozenset()
    place: object = None
    for group, ranking, told in zip(groups, rankings, numbers, strict=True):
        if ranked and _is_of_help(ranked[-1], ranking, group.text):
            kept[-1] = Clause(text[kept[-1].start : group.end], kept[-1].start, group.end)
            continue
        elsewhere = read_address(group.text, asked=False)
        other = bool(about and told) and not about & told
        other = other or bool(place and elsewhere and place != elsewhere)
        place = elsewhere or place
        same = ranking[0].name == ranked[-1][0].name if ranked else False
        about = told if other or not kept else about | told
        again = same and not other and ranking[0].name not in _QUESTIONS
        unclear = not is_wish(ranking) and not (other and _may_be_wish(ranking))
        lists = bool(told) and _only_lists(group)
        if kept and lists:
            start = kept[-1].start
            kept[-1] = Clause(text[start : group.end], start, group.end)
        elif kept and (again or unclear or not is_wish(ranked[-1])):
            start = kept[-1].start
            kept[-1] = Clause(text[start : group.end], start, group.end)
            ranked[-1] = _stronger(ranked[-1], ranking)
        else:
            kept.append(group)
            ranked.append(ranking)
    return kept, ranked


def _is_of_help(first: Ranking, second: Ranking, text: str) -> bool:
    """Return whether words ask more about a rule of the shop: "… and what does that cost?"."""
    one, other = first[0].name, second[0].name
    return one == _HELP and other in _OF_A_PRODUCT and bool(_ABOUT_THAT.fullmatch(text))


def _may_be_wish(ranking: Ranking) -> bool:
    """Return whether words about another order may ask for something, though none is sure what."""
    return ranking[0].name not in NO_WISH and ranking[0].confidence >= _LEAST_UNSURE


def _stronger(first: Ranking, second: Ranking) -> Ranking:
    if is_wish(first) != is_wish(second):
        return first if is_wish(first) else second
    return first if first[0].confidence >= second[0].confidence else second
