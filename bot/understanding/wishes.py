"""From parsed wishes to skills: greetings last, families joined, each order served."""

import re
from collections.abc import Iterable

from bot import commands as cm
from bot.flows import Flow, FlowSet
from bot.understanding.corrections import mention_of
from bot.understanding.result import OUT_OF_SCOPE, ParseResult

_SEVERAL = 2
_HANDS_OVER = "talk_to_human"
_BARE_WORDS = 12
_OUTSIDE = 0.5
_CLEARLY_OUTSIDE = 0.7
_NAMED_FOR_SURE = 0.75
_SURELY_OUTSIDE = 0.85
_PLAIN = 0.85
_GUESSED = 0.45
_VENTED = frozenset({"insult", "chitchat"})
_MOCKED = frozenset({"thanks", "deny", "insult"})
"""What irony says: "thanks for nothing"."""
_FEW_WORDS = 4
_THINGS = frozenset({"order_number", "tracking_number", "product"})
_GOODS = frozenset({"find_product", "product_question", "check_stock"})
_CERTAIN = 0.97
_GOT = re.compile(
    r"\W*(?:i|we|it|they|ich|wir|es|sie)\s+(?:just\s+|only\s+|nur\s+)?"
    r"(?:got|received|had|was|were|came|hab|habe|haben|hatte|bekam|bekamen|kam|kamen|war|waren)\b",
    re.IGNORECASE,
)
_DOUBTED = 0.3
"""With so much for no matter of the shop, the likeliest matter was wrong in two of three texts."""
_ASKS = re.compile(
    r"(?:[\w ,…]{0,40}[:,.…] *)?(?:how|what|when|where|why|who|wie|was|wann|wo|warum|wer)\b[^?]*\?",
    re.IGNORECASE,
)
_MAY_I = re.compile(
    r"(?:[\w ,…]{0,40}[:,.…] *)?"
    r"(?:can|could|may|do|does|is|are|will|would|kann|kannst|können|könnte|könnten|darf|gibt|haben|"
    r"habt|liefern|ist|sind|nehmen) "
    r"(?:i|you|we|they|there|it|ich|du|sie|man|es|ihr|wir)\b[^?]*\?",
    re.IGNORECASE,
)

_LEAD = r"\W*(?:(?:und|and|aber|but|ok|okay|ja|yes|also|so|then|dann)\W+){0,2}"
_BEGINS_TO_ASK = re.compile(
    rf"{_LEAD}(?:how|where|when|what|which|wie|wo|wohin|wann|was|womit|welche[rsnm]?)\b",
    re.IGNORECASE,
)
_ASKS_HOW = re.compile(
    rf"{_LEAD}(?:how|wie|wohin|womit|where (?:to|do|should|shall|must|can)|wo\b.*\bhin)\b",
    re.IGNORECASE,
)


def asks(parse: ParseResult, help_skill: str, level: float, *, anything: bool = False) -> bool:
    """Return whether a message is a question, no answer: "how can I reach you by phone?".

    Args:
        parse: the message.
        help_skill: the skill that answers "do you ship to Switzerland?".
        level: the least confidence for that, in [0, 1].
        anything: whether any words would be an answer, so that "can I pay by invoice?" tells
            by its form alone that it is none.
    """
    helped = parse.intent.name == help_skill and parse.intent.confidence >= level
    asked = _ASKS.match(parse.text) or (anything and _MAY_I.match(parse.text))
    return bool(asked) or (helped and ("?" in parse.text or begins_to_ask(parse.text)))


def begins_to_ask(text: str) -> bool:
    """Return whether a text begins with a question word: "and what does that cost"."""
    return _BEGINS_TO_ASK.match(text) is not None


def asks_how(text: str) -> bool:
    """Return whether a text asks how something is done: "and how do I send it back"."""
    return _ASKS_HOW.match(text) is not None


def tells_a_story(parse: ParseResult) -> bool:
    """Return whether a message names no matter of the shop, whatever goods stand in it."""
    if parse.intent.name != OUT_OF_SCOPE or parse.intent.confidence < _OUTSIDE:
        return False
    if len(parse.text.split()) > _BARE_WORDS:
        return True
    named = sum(len(entity.text.split()) for entity in parse.entities)
    beside = len(parse.text.split()) - named
    return parse.intent.confidence >= _CLEARLY_OUTSIDE and beside > _FEW_WORDS


def tells_of_goods(parse: ParseResult) -> bool:
    """Return whether a message rather tells of goods than asks for some: "I got a lamp"."""
    told = _GOT.match(parse.text) or parse.intent.confidence < _CERTAIN
    return parse.intent.name in _GOODS and bool(told)


def names_other(parse: ParseResult) -> bool:
    """Return whether a message is clearly none of the shop's, and names none of its goods for sure.

    "the order of the phoenix is a good book" looks for nothing.
    """
    if parse.intent.name != OUT_OF_SCOPE or parse.intent.confidence < _CLEARLY_OUTSIDE:
        return False
    return all(e.type != "product" or e.score < _NAMED_FOR_SURE for e in parse.entities)


def may_be_elsewhere(parse: ParseResult) -> bool:
    """Return whether a message may well be no matter of the shop, and names none of its things."""
    outside = next((i.confidence for i in parse.ranking if i.name == OUT_OF_SCOPE), 0.0)
    return outside >= _DOUBTED and all(e.type not in _THINGS for e in parse.entities)


def is_clear_enough(parse: ParseResult, flow: Flow) -> bool:
    """Return whether words may begin a skill that ends something: calm and plain ones."""
    return not flow.when_clear or (parse.intent.confidence >= _PLAIN and not parse.sentiment.anger)


def only_vents(parse: ParseResult) -> bool:
    """Return whether a message lets anger out and asks for nothing: "I'm furious"."""
    name, sure = parse.intent.name, parse.intent.confidence
    if parse.sentiment.sarcasm and name in _MOCKED:
        return True
    if not parse.sentiment.anger:
        return False
    if name == OUT_OF_SCOPE:
        return sure < _SURELY_OUTSIDE
    return name in _VENTED or sure < _GUESSED


def is_rushing(parse: ParseResult) -> bool:
    """Return whether a message only presses for haste: "hurry up!!!"."""
    name = parse.intent.name
    return name == "hurry" or (name == "greet" and parse.sentiment.urgency)


def named_skills(
    wishes: Iterable[ParseResult], flows: FlowSet, level: float, without: str = ""
) -> tuple[cm.StartFlow, ...]:
    """Return the skills that the wishes name with at least this confidence, in order.

    Args:
        wishes: the parts of a message.
        flows: the skills there are.
        level: the least confidence, in [0, 1].
        without: a skill that does not count, because it runs already.
    """
    found = [
        cm.StartFlow(name, mention_of(wish))
        for wish in wishes
        if wish.intent.confidence >= level
        and (name := _skill(wish, flows)) in flows.flows
        and (flows.flows[name].yields or not may_be_elsewhere(wish))
        and is_clear_enough(wish, flows.flows[name])
        and not is_rushing(wish)
        and name != without
    ]
    main = [start for start in found if not flows.flows[start.flow].yields]
    main.sort(key=lambda start: start.flow == _HANDS_OVER)  # who takes over learns of the others
    return tuple(
        one for start in _families(main, flows) or found[:1] for one in _each_order(start, flows)
    )


def _skill(wish: ParseResult, flows: FlowSet) -> str:
    """Return the skill a wish names; with an order in it, one that has to do with orders."""
    best = flows.flows.get(wish.intent.name)
    if best is None or not best.without_order:
        return wish.intent.name
    if all(entity.type != "order_number" for entity in wish.entities):
        return best.id
    others = (flows.flows.get(intent.name) for intent in wish.ranking)
    fitting = (flow.id for flow in others if flow and not flow.without_order and not flow.yields)
    return next(fitting, best.id)


def _families(starts: list[cm.StartFlow], flows: FlowSet) -> list[cm.StartFlow]:
    """Return the wishes with neighbours of one family and one order joined."""
    joined: list[cm.StartFlow] = []
    for start in starts:
        family = flows.flows[start.flow].family
        before = joined[-1] if joined else None
        same = before and family and family == flows.flows[before.flow].family
        if before is None or not same or _other_order(before.mention, start.mention):
            joined.append(start)
            continue
        first, second = before.mention, start.mention
        text = f"{first.text}. {second.text}"
        mention = cm.Mention(text, first.language, (*first.entities, *second.entities))
        joined[-1] = cm.StartFlow(before.flow, mention)
    return joined


def _each_order(start: cm.StartFlow, flows: FlowSet) -> list[cm.StartFlow]:
    """Return one wish for each order that a message names, if the skill takes them so."""
    entities = start.mention.entities
    numbers = dict.fromkeys(e["value"] for e in entities if e["type"] == "order_number")
    if len(numbers) < _SEVERAL or not flows.flows[start.flow].each_order:
        return [start]
    kept = [
        tuple(e for e in entities if e["type"] != "order_number" or e["value"] == number)
        for number in numbers
    ]
    mention = start.mention
    return [
        cm.StartFlow(start.flow, cm.Mention(mention.text, mention.language, own)) for own in kept
    ]


def _other_order(first: cm.Mention, second: cm.Mention) -> bool:
    """Return whether the second words name an order that the first do not."""
    named, more = (
        {e["value"] for e in mention.entities if e["type"] == "order_number"}
        for mention in (first, second)
    )
    return bool(more - named)
