"""Messages that begin no skill for sure: the things they name, else which readings may be meant."""

import re
from collections.abc import Sequence

from bot import commands as cm
from bot.flows import FlowSet
from bot.understanding.candidates import LEVEL, candidates
from bot.understanding.corrections import FACTS, Situation
from bot.understanding.result import OUT_OF_SCOPE, Intent
from bot.understanding.thresholds import Thresholds
from bot.understanding.wishes import names_other, tells_a_story

CONSTRAINTS = frozenset({"color", "size", "material", "price_max", "price_min"})
SEARCHED = frozenset({"product", "price_max", "price_min"})
HELP = "store_faq"
_TRIED = frozenset({HELP, "find_product"})
"""Skills that the search for any answer tries by itself, without asking which is meant."""
_FEWEST, _MOST = 2, 3
_CODE = re.compile(
    r"\b[a-z_][\w.]*\([^()]*\)\s*[:;{]|[{;]\s*$|[=!]==?\s|=>\s|</\w+>|\bSELECT\b.+\bFROM\b|"
    r"\bdef \w+\(|^\s*/[A-Za-z_]\w*\s*$|^\s*(?:import|#include|package) [\w.<>]+\s*;?\s*$"
)


def is_code(text: str) -> bool:
    """Return whether a message is a line of a program, whatever its words would mean."""
    return _CODE.search(text) is not None


class Unclear:
    """Decides what to do with a message when no question is open and no wish is clear."""

    def __init__(self, flows: FlowSet, thresholds: Thresholds) -> None:
        """Name the skills in `flows` that reach the level of `thresholds`, kept as `level`."""
        self._flows = flows.flows
        self.level = LEVEL if thresholds.clarify is None else thresholds.clarify

    def command(self, s: Situation) -> cm.Command:
        """Return a search, a greeting by name, a question between readings, or that all fails."""
        if found := self._about_products(s) or self._bare_facts(s):
            return found
        named = self.named(s.whole.ranking)
        tried = named[:1] == (HELP,) or set(named) <= _TRIED
        return cm.CannotHandle(s.mention) if tried else cm.Clarify(named, s.mention)

    def named(self, ranking: Sequence[Intent]) -> tuple[str, ...]:
        """Return the skills to ask about: all that may be meant, none if they are too many or few.

        A single one below the threshold is more often wrong than right, and a message that is
        likeliest no shop matter is not forced into one.
        """
        found = candidates(ranking, self.level)
        if found[:1] == (OUT_OF_SCOPE,):
            return ()
        skills = tuple(
            name for name in found if name in self._flows and not self._flows[name].yields
        )
        fewest = 1 if skills and self._flows[skills[0]].when_clear else _FEWEST
        return skills if fewest <= len(skills) <= _MOST else ()

    def _about_products(self, s: Situation) -> cm.Command | None:
        """Read a search in bare words ("rote Schuhe"), a question in "the second one"."""
        types = {entity.type for entity in s.whole.entities}
        if "order_number" in types:
            return self._about_order(s)
        shown = s.conversation.slots.get("shown_products")
        if shown and "ordinal" in types and "product_question" in self._flows:
            return cm.StartFlow("product_question", s.mention)
        orders = s.conversation.slots.get("shown_orders") and "ordinal" in types
        if orders and "list_orders" in self._flows:
            return cm.StartFlow("list_orders", s.mention)
        bare = types & SEARCHED and not tells_a_story(s.whole) and not names_other(s.whole)
        if (bare or (shown and types & CONSTRAINTS)) and "find_product" in self._flows:
            return cm.StartFlow("find_product", s.mention)
        return None

    def _about_order(self, s: Situation) -> cm.Command | None:
        """Read unclear words with an order number as the likeliest wish about an order."""
        known = (
            self._flows[name]
            for name in candidates(s.whole.ranking, self.level)
            if name in self._flows
        )
        fitting = (flow.id for flow in known if not flow.without_order and not flow.yields)
        name = next(fitting, None)
        return cm.StartFlow(name, s.mention) if name else None

    def _bare_facts(self, s: Situation) -> cm.Command | None:
        """Read a message that only says who is writing, or which order it is about."""
        types = {entity.type for entity in s.whole.entities}
        known = s.conversation.slots.get("customer_id")
        name = "track_order" if known and "order_number" in types else "identify_customer"
        wanted = types & FACTS and (not known or name == "track_order")
        return cm.StartFlow(name, s.mention) if wanted and name in self._flows else None
