"""From parsed wishes to skills: greetings last, families joined, each order served."""

import re
from collections.abc import Iterable

from bot import commands as cm
from bot.flows import FlowSet
from bot.understanding.corrections import mention_of
from bot.understanding.result import OUT_OF_SCOPE, ParseResult

_SEVERAL = 2
_BARE_WORDS = 12
_OUTSIDE = 0.5
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
    return bool(asked) or (helped and "?" in parse.text)


def tells_a_story(parse: ParseResult) -> bool:
    """Return whether a long message names no matter of the shop, whatever goods stand in it."""
    outside = parse.intent.name == OUT_OF_SCOPE and parse.intent.confidence >= _OUTSIDE
    return outside and len(parse.text.split()) > _BARE_WORDS


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
        and name != without
    ]
    main = [start for start in found if not flows.flows[start.flow].yields]
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
