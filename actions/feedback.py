"""Ratings, and what belongs to talk rather than to the shop."""

from actions.base import Said, ShopAction, Slots
from actions.cases import shop_slot
from actions.commerce import requests


class RecordFeedback(ShopAction):
    """Keep the slots `rating` (1 to 5) and `comment`; sets `feedback_id`."""

    async def act(self, said: Said) -> Slots:
        """Return the number of the record."""
        request = requests.RecordFeedback(
            conversation_id=said.conversation_id,
            score=int(said.slot("rating")),
            comment=str(said.slot("comment") or ""),
            customer_id=str(said.slot("customer_id") or ""),
        )
        found = await self.services.shop.feedback.record(request, said.effect_key("feedback"))
        return {"feedback_id": found.id}


class Hear(ShopAction):
    """Note how the customer put it: `heard` (in lower case) and `mood` (calm or angry)."""

    async def act(self, said: Said) -> Slots:
        """Return the words said to the running skill and their mood."""
        mention = next(said.mentions(), None)
        text = str(mention["text"]) if mention else said.text
        return {"heard": text.casefold(), "mood": "angry" if said.anger else "calm"}


class IntroduceShop(ShopAction):
    """Set `shop`: what the shop is called and how it can be reached."""

    async def act(self, said: Said) -> Slots:
        """Return the shop."""
        del said  # the shop is the same for everybody
        return {"shop": shop_slot(self)}
