"""Answers from the shop's own help texts, with their source; no support, no answer."""

import asyncio
import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from actions.base import Said, Services, Slots, stamp
from actions.commerce.models import Texts
from actions.follow_ups import CLEAR_NAME
from actions.nearby_answers import nearby_question
from actions.product_names import naming_words, stem
from actions.product_views import card, product_option
from actions.product_words import tokens
from actions.search import list_shelves
from actions.targets import ProductAction
from knowledge.answers import Answer, Asker

_ELSEWHERE, _PERHAPS_ELSEWHERE = 0.75, 0.3
"""How sure it must be that words are no matter of a shop: for no help text, for no product."""

_GOES_ON = re.compile(
    r"\W*(?:und|and|aber|but)\s+(?P<rest>(?:(?:nach|in|ins|zu[mr]?|mit|per|aus|bei|für|die|der|das|den"
    r"|to|for|with|by|from|into|the|a)\s+)*(?P<what>[^\W_]+(?:[\s-][^\W_]+)?))\W*",
    re.IGNORECASE,
)
"""A question that goes on with the one before: "and to Austria?"."""

_WORDS = re.compile(r"[^\W_]+(?:-[^\W_]+)*")

_FILE = Path(__file__).resolve().parents[1] / "data" / "lexicons" / "help_skills.yml"
_MOST_CARDS = 3
_MOST_WORDS = 12
_NAMED = frozenset({"title"})
_LOOKS_FOR = re.compile(
    r"\b(?:suchen?|looking for|search for|do you (?:have|sell)"
    r"|habt ihr|haben sie|verkauf\w+|führt)\b",
    re.IGNORECASE,
)


class HelpSkill(msgspec.Struct, frozen=True):
    """A skill that does what help topics are about."""

    topics: tuple[str, ...]
    skill: str
    title: Texts


class _Answering(ProductAction):
    async def _answer(self, said: Said, text: str) -> Answer | None:
        """Return what answers the text; of two answers the first is said at once."""
        named, score = await self.named(said, text)
        clear = score >= CLEAR_NAME and len(named) <= _MOST_CARDS
        asker = await asker_of(self.services, said, named if clear else ())
        found = await asyncio.to_thread(self.services.library.answers, text, asker)
        for one in found[:-1]:
            say_answer(said, one)
        return found[-1] if found else None


class AnswerQuestion(_Answering):
    """Answer a question about the shop.

    Sets `answer`, None when nothing supports one, and `skills` that do what it is about;
    `last_question` keeps the question for "and to Austria?". `nearby`: the answer only tells what
    there is of the matter. `redirect`: find_product, where only goods were named.
    """

    async def act(self, said: Said) -> Slots:
        """Return the quoted answer with its source."""
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        before = str(said.slot("last_question") or "")
        rest, what = _gone_on(said, text) if before else ("", "")
        if not rest:
            return await self._told(said, text, await self._answer(said, text), text)
        whole, is_whole = f"{before} {rest}", True
        if not said.slot("whole"):
            whole, is_whole = await asyncio.to_thread(self._whole, before, rest, said.language)
        found = await answer(self.services, said, whole)
        if said.slot("whole") and not await self._stays(said, before, found):
            found = None
        if not is_whole and not _tells(found, what):
            alone = await answer(self.services, said, text)
            found = alone if _tells(alone, what) else None
        if found is None and self._is_goods(what, said.language):
            return {**_slots(None), "redirect": "find_product"}
        swapped = is_whole and not said.slot("whole")
        return await self._told(said, text, found, whole if swapped else before)

    async def _stays(self, said: Said, before: str, found: Answer | None) -> bool:
        """Return whether an answer stays on the page of the one to the question before."""
        first = await answer(self.services, said, before)
        if first is None or found is None:
            return True
        return first.source_title == found.source_title

    async def _told(self, said: Said, text: str, found: Answer | None, asked: str) -> Slots:
        near = None if found else await near_answer(self.services, said, text)
        return {**_slots(found or near), "nearby": near is not None, "last_question": asked}

    def _whole(self, before: str, rest: str, language: str) -> tuple[str, bool]:
        """Return the question with what it goes on with, and whether goods took others' place."""
        plain = before.rstrip("?!. ")
        if self._is_goods(rest, language):
            for word in sorted(_WORDS.findall(plain), key=len, reverse=True):
                if self._is_goods(word, language):
                    return plain.replace(word, rest), True
        return f"{plain} {rest}", False

    def _is_goods(self, words: str, language: str) -> bool:
        """Return whether words name goods of this shop and nothing else."""
        read = self.services.library.read_query(words, language)
        return bool(read.categories) and not read.unexplained


class TryAnswer(_Answering):
    """Try to answer what no skill understood; sets `answered`.

    Says a supported help text with its source; else shows products, if the text clearly
    names one; else says nothing.
    """

    async def act(self, said: Said) -> Slots:
        """Say what is known and return whether anything was said."""
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        elsewhere = 0.0 if said.latest_entities("product") else said.elsewhere
        if elsewhere >= _ELSEWHERE or not naming_words(text):
            return {"answered": False}
        if named := await self._only_names(text):
            return await self._show(said, named)
        found = await self._answer(said, text)
        if found is not None:
            say_answer(said, found)
            return {"answered": True}
        if (near := await near_answer(self.services, said, text)) is not None:
            say_answer(said, near, "utter_faq_nearby")
            return {"answered": True}
        if elsewhere >= _PERHAPS_ELSEWHERE and not _LOOKS_FOR.search(text):
            return {"answered": False}
        return await self._products(said, text)

    async def _only_names(self, text: str) -> list[str]:
        """Return the products whose titles hold every word of a text, where they are few."""
        words = {stem(word) for word in naming_words(text)}
        named = (await self.index()).find(naming_words(text))
        if named.score < CLEAR_NAME or len(words) != len(tokens(text)):
            return []
        products = [self.services.library.product(name) for name in named.product_ids]
        fits = [
            product.id
            for product in products
            if product is not None
            and any(words <= set(map(stem, tokens(text))) for text in product.title.values())
        ]
        return fits if len(fits) <= _MOST_CARDS else []

    async def _products(self, said: Said, text: str) -> Slots:
        words = naming_words(text)
        if not 0 < len(words) <= _MOST_WORDS:
            return {"answered": False}
        named = (await self.index()).find(words)
        if named.score < CLEAR_NAME or len(named.product_ids) > _MOST_CARDS:
            return await self._nothing(said, text)
        return await self._show(said, named.product_ids)

    async def _nothing(self, said: Said, text: str) -> Slots:
        """Say honestly that the shop has no such thing, if the words look for one."""
        if not _LOOKS_FOR.search(text):
            return {"answered": False}
        library = self.services.library
        query = await asyncio.to_thread(library.read_query, text, said.language)
        result = await asyncio.to_thread(library.search_products, query)
        if result.is_near:
            near = [match.product.id for match in result.matches[:_MOST_CARDS]]
            searched = " ".join(result.missing)
            return await self._show(said, near, "utter_search_near", searched=searched)
        fitting = [match for match in result.matches if _NAMED & set(match.why)]
        if fitting:
            return await self._show(said, [match.product.id for match in fitting[:_MOST_CARDS]])
        if not (query.unexplained or query.categories):
            return {"answered": False}
        words = " ".join(query.keywords) or query.text
        said.say(
            "utter_search_none", searched=words, shelves=await list_shelves(self), understood=[]
        )
        return {"answered": True}

    async def _show(
        self,
        said: Said,
        product_ids: Sequence[str],
        response: str = "utter_perhaps_product",
        **values: str,
    ) -> Slots:
        wording, currency = await self.wording(), self.services.shop.info.currency
        cards, shown = [], []
        for product_id in product_ids:
            product = await self.services.shop.catalog.product(product_id)
            variant = next((v for v in product.variants if v.buyable), product.variants[0])
            cards.append(card(product, variant, wording, currency))
            shown.append(product_option(product, variant, wording, currency, {}))
        said.say(response, cards=cards, **values)
        focus = shown[0]["value"] if len(shown) == 1 else None
        return {"answered": True, "shown_products": shown, "focus_product": focus}


async def answer(
    services: Services, said: Said, question: str, named: Sequence[str] = ()
) -> Answer | None:
    """Return the passage that answers a question of this customer, None when none does.

    `named` are the products that the question names: their manuals count too.
    """
    asker = await asker_of(services, said, named)
    return await asyncio.to_thread(services.library.answer, question, asker)


async def asker_of(services: Services, said: Said, named: Sequence[str] = ()) -> Asker:
    """Return who asks, and which products' manuals hold for them."""
    return Asker(
        language=said.language,
        country=str(said.slot("customer_country") or ""),
        product_ids=await _products_of(services, said) | frozenset(named),
    )


def say_answer(said: Said, found: Answer, response: str = "utter_faq_answer") -> None:
    """Quote a passage with its source."""
    slots = _slots(found)
    said.say(response, answer=slots["answer"], skills=slots["skills"])


async def near_answer(services: Services, said: Said, text: str) -> Answer | None:
    """Return what the texts say of the matter of a question that they do not answer."""
    asked = nearby_question(text, said.language)
    return await answer(services, said, asked) if asked else None


def _tells(found: Answer | None, what: str) -> bool:
    """Return whether an answer speaks of a thing."""
    told = {stem(word) for word in tokens(found.text)} if found else set()
    return {stem(word) for word in tokens(what)} <= told


def _gone_on(said: Said, text: str) -> tuple[str, str]:
    """Return what a text goes on with, and the thing in it that is asked about."""
    rest = str(said.slot("goes_on") or "")
    found = _GOES_ON.fullmatch(f"und {rest}" if rest else text)
    return (found["rest"], found["what"]) if found else (rest, rest)


async def manual_answer(services: Services, said: Said, question: str, of: str) -> Answer | None:
    """Return the passage of a product's own manual that answers a question, None if none does."""
    found = await answer(services, said, question, (of,))
    own = {p.id for p in services.library.passages if of in p.product_ids}
    return found if found is not None and found.passage_id in own else None


async def _products_of(services: Services, said: Said) -> frozenset[str]:
    """Return what the talk is about and what the verified customer bought.

    Only where there are manuals to find: the orders are not read for nothing.
    """
    if not any(passage.product_ids for passage in services.library.passages):
        return frozenset()
    focus = said.slot("focus_product")
    found = {str(focus)} if focus else set()
    if customer_id := said.slot("customer_id"):
        orders = await services.shop.orders.for_customer(str(customer_id))
        found.update(line.product_id for order in orders for line in order.lines)
    return frozenset(found)


def _slots(found: Answer | None) -> Slots:
    if found is None:
        return {"answer": None, "skills": []}
    topic = found.topic_id.partition(":")[2]
    return {
        "answer": {
            "text": found.text,
            "source_title": found.source_title,
            "source_url": found.source_url,
            "updated_at": stamp(found.updated_at),
            "question": found.question,
            "passage_id": found.passage_id,
            "score": round(found.score, 3),
            "country": found.country,
        },
        "skills": skills_for(topic),
    }


def skills_for(topic: str) -> list[dict[str, Any]]:
    """Return the skills that do what a help topic is about, as buttons."""
    return [
        {"value": item.skill, "title": item.title, "payload": f"/{item.skill}"}
        for item in _help_skills()
        if topic.startswith(item.topics)
    ]


@functools.cache
def _help_skills() -> tuple[HelpSkill, ...]:
    return msgspec.convert(yaml.safe_load(_FILE.read_text(encoding="utf-8")), tuple[HelpSkill, ...])
