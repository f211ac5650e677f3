"""Short messages that mean the last search rather than the skill they sound like."""

import re

import msgspec

from actions.base import Said, Slots
from actions.product_names import stem
from actions.product_words import product_words, tokens
from actions.targets import MEANS_OTHER, ProductAction
from knowledge.query import ProductQuery

_MOST_WORDS = 7
_FEWEST_TITLE_WORDS = 2
_WHICH = re.compile(r"\b(?:welche[rsnm]?|which)\b", re.IGNORECASE)
CLEAR_NAME = 5.0
_CART = re.compile(r"\b(?:warenkorb|einkaufswagen|cart|basket|shopping bag)\b", re.IGNORECASE)
_LIMITS = ("color", "size", "material", "price_max", "price_min")
_ABOUT_ONE = re.compile(
    r"\b(?:it|this|that one|(?:the )?same|das|es|ihn|sie|diese[rsnm]?|(?:das)?selbe|gleiche[nrs]?"
    r"|warenkorb|korb|cart|basket|bag)\b",
    re.IGNORECASE,
)


class CheckFollowUp(ProductAction):
    """Tell whether a message refines the last search; sets `redirect` to the skill or None.

    "cheaper?", "in blue", "only what's in stock" go to find_product, "the second one" to
    product_question.
    """

    async def act(self, said: Said) -> Slots:
        """Return where the message belongs."""
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        words = product_words()
        count = len(tokens(text))
        if said.slot("product_id") or not count or count > _MOST_WORDS:
            return {"redirect": None}
        if said.latest_entities("ordinal") and not self._rest(text, place=True):
            return {"redirect": "product_question" if said.slot("shown_products") else None}
        if await self._is_bare_search(said, text):
            return {"redirect": "find_product"}
        if not said.slot("last_search") or self._about_one(said, text) or _WHICH.search(text):
            return {"redirect": None}
        rest = words.beyond_follow_up(text)
        query = self.services.library.read_query(" ".join(rest), said.language) if rest else None
        limited = query is not None and (query.has_limits or _priced(query))
        limited = limited and not query.unexplained and not query.categories if query else False
        moves = not rest and (
            words.moves_on(text) or any(said.latest_entities(kind) for kind in _LIMITS)
        )
        return {"redirect": "find_product" if moves or limited else None}

    async def _is_bare_search(self, said: Said, text: str) -> bool:
        """Return whether a text only names a kind of thing: "waterproof backpack"."""
        words = product_words()
        if words.points_back(text) or _CART.search(text) or text.rstrip().endswith("?"):
            return False
        query = self.services.library.read_query(text, said.language)
        if not query.categories or query.unexplained:
            return False
        return not await self.pointed(said, text) and len((await self.named(said, text))[0]) != 1

    def _rest(self, text: str, *, place: bool) -> list[str]:
        words = product_words()
        ordinal = re.compile(
            r"^(?:\d+(?:st|nd|rd|th)?|first|second|third|fourth|fifth|last|erste[rsn]?|zweite[rsn]?|dritte[rsn]?|vierte[rsn]?|fünfte[rsn]?|letzte[rsn]?)$"
        )
        return [w for w in words.left_over(words.place, text) if not (place and ordinal.match(w))]

    def _about_one(self, said: Said, text: str) -> bool:
        """Return whether the words speak of the product last looked at, not of the list."""
        if not said.slot("focus_product"):
            return False
        if _ABOUT_ONE.search(text) or MEANS_OTHER.search(text):
            return True
        options = any(said.latest_entities(kind) for kind in ("color", "size"))
        words = product_words()
        moves = words.moves_on(words.without_aspects(text))
        return (options or text.rstrip().endswith("?")) and not moves


class CheckNamed(ProductAction):
    """Tell whether a search names one product to be shown or bought; sets `redirect` or None."""

    async def act(self, said: Said) -> Slots:
        """Return cart_add, check_stock, product_question, or None for a search."""
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        bought = _CART.search(text) is not None
        versions = any(said.latest_entities(kind) for kind in ("color", "size"))
        words = await self.own_words(" ".join(product_words().beyond_follow_up(text)))
        asks = bought or product_words().asks_details(text)
        if not (asks or _FEWEST_TITLE_WORDS <= len(words) <= _MOST_WORDS):
            return {"redirect": None}
        ids, score = await self.named(said, text)
        if versions and len(ids) > 1:
            ids = tuple(x for x in ids if self._is_title(words, x))
        if len(ids) != 1 or score < CLEAR_NAME:
            return {"redirect": None}
        if not asks and not self._is_title(words, ids[0]):
            return {"redirect": None}
        if bought:
            return {"redirect": "cart_add"}
        return {"redirect": "check_stock" if versions else "product_question"}

    def _is_title(self, words: list[str], product_id: str) -> bool:
        """Return whether words are those of a product's title and no others."""
        product = self.services.library.product(product_id)
        titles = product.title.values() if product else ()
        return any({stem(w) for w in words} <= {stem(w) for w in tokens(t)} for t in titles)


def _priced(query: ProductQuery) -> bool:
    return query.price_max_minor is not None or query.price_min_minor is not None


def last_query(said: Said) -> ProductQuery | None:
    """Return the query that was answered last in this conversation."""
    stored = said.slot("last_search")
    if not isinstance(stored, dict) or "query" not in stored:
        return None
    return msgspec.convert(stored["query"], ProductQuery)
