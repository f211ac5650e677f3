"""Going on elsewhere: a code that lets a customer join this conversation on another channel."""

from actions.base import Said, ShopAction, Slots


class OfferLink(ShopAction):
    """Set `link`: a code, how long it is good and the addresses; None where there is no linking."""

    async def act(self, said: Said) -> Slots:
        """Return the code."""
        links = self.services.links
        if links is None:
            return {"link": None}
        offered = await links.offer(said.conversation_id)
        addresses = [
            {"title": name.capitalize(), "url": url} for name, url in sorted(offered.urls.items())
        ]
        return {"link": {"code": offered.code, "minutes": offered.minutes, "addresses": addresses}}


class PartChannel(ShopAction):
    """Set `was_linked`: whether the channel in use had joined this conversation; it has left."""

    async def act(self, said: Said) -> Slots:
        """Return whether there was a link."""
        links = self.services.links
        channel = str(said.slot("input_channel") or "")
        parted = links is not None and await links.part(said.conversation_id, channel)
        return {"was_linked": parted}
