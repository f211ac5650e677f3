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


class JoinLink(ShopAction):
    """Set `joined`: whether who presented a code is now in the conversation that it belongs to."""

    async def act(self, said: Said) -> Slots:
        """Join, if the yes came from the end that presented the code."""
        links, end = self.services.links, said.end
        is_theirs = said.slot("presenter") == f"{end.channel}:{end.sender_id}"
        joined = (
            links is not None and is_theirs and await links.join(str(said.slot("code") or ""), end)
        )
        return {"joined": joined}


class PartChannel(ShopAction):
    """Set `parted`: `here` if the end in use has left, `others` if all others have, or empty."""

    async def act(self, said: Said) -> Slots:
        """Return who left."""
        links = self.services.links
        return {"parted": "" if links is None else await links.part(said.end)}
