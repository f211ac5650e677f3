"""Setting a page up at Meta: the app's webhook, the page's subscription, the profile."""

from collections.abc import Mapping, Sequence

from channels.base import Payload
from channels.meta_page.account import Page
from channels.meta_page.event import objects_in, text_in
from channels.meta_page.graph import Graph
from channels.push import SendFailed, would

_INSTAGRAM_LOGIN = "https://graph.instagram.com"
_PERMISSION = "the token lacks a permission, such as pages_manage_metadata"
_PROBLEMS = {
    "10": _PERMISSION,
    "100": "Meta does not know the app or one of the fields: check app_id, api_version",
    "101": "Meta does not know the app: check app_id and app_secret",
    "190": "Meta does not accept the token: check app_secret, or renew access_token",
    "200": _PERMISSION,
    "210": "this needs the token of the page, not that of a person",
    "2200": "Meta got no right answer from the webhook: is the bot running there, with this token?",
}


class Registration:
    """Sets one page up, as far as Meta's API lets us."""

    def __init__(self, page: Page, graph: Graph, profile: Payload) -> None:
        """Set up `page`.

        Args:
            page: with the app's id and secret.
            graph: called as the page.
            profile: what is to be shown; empty for none.
        """
        self._page = page
        self._graph = graph
        self._profile = profile

    async def run(self, url: str, *, dry_run: bool) -> list[str]:
        """Set everything up that is not as it should be; return a line for each thing.

        Raises:
            SendFailed: Meta did not take it.
        """
        try:
            return [
                await self._webhook(url, dry_run=dry_run),
                await self._subscription(dry_run=dry_run),
                *await self._published(dry_run=dry_run),
            ]
        except SendFailed as error:
            name = error.code.partition("/")[0]
            told = _PROBLEMS.get(name, "Meta refuses it" if name.isdecimal() else str(error))
            raise SendFailed(error.code, told) from error

    async def _webhook(self, url: str, *, dry_run: bool) -> str:
        """Tell Meta where the app takes webhooks; Meta checks the address at once.

        Raises:
            SendFailed: Meta did not take it, or does not reach the address.
        """
        settings, traits = self._page.settings, self._page.traits
        if settings.api_url.startswith(_INSTAGRAM_LOGIN):
            return f"by hand: enter {url} and the verify token in the app's dashboard"
        token = f"{settings.app_id}|{settings.app_secret}"
        base_url = f"{settings.api_url.rstrip('/')}/{settings.api_version}"
        app = Graph(base_url, token, settings.app_secret)
        try:
            answer = await app.get(f"{settings.app_id}/subscriptions")
            known = [
                item
                for item in objects_in(answer, "data")
                if item.get("object") == traits.object_name
            ]
            if any(_is_right(item, url, traits.app_fields) for item in known):
                return f"as it should be: the app's webhook at {url}"
            if not dry_run:
                body: Payload = {
                    "object": traits.object_name,
                    "callback_url": url,
                    "verify_token": settings.verify_token,
                    "fields": ",".join(traits.app_fields),
                }
                await app.post("subscriptions", body, node=settings.app_id)
        finally:
            await app.close()
        before = ", ".join(text_in(item, "callback_url") for item in known) or "nowhere"
        return f"{would(dry_run)}: the app's webhook at {url}, until now {before}"

    async def _subscription(self, *, dry_run: bool) -> str:
        """Subscribe the page to the app's webhook.

        Raises:
            SendFailed: Meta did not take it.
        """
        wanted = self._page.traits.page_fields
        answer = await self._graph.get("me/subscribed_apps")
        ours = [
            item
            for item in objects_in(answer, "data")
            if item.get("id") == self._page.settings.app_id
        ]
        known = [field for item in ours for field in _names(item.get("subscribed_fields"))]
        if set(wanted) <= set(known):
            return "as it should be: the page's subscription"
        if not dry_run:
            fields = ",".join(dict.fromkeys([*known, *wanted]))
            await self._graph.post("subscribed_apps", {"subscribed_fields": fields})
        missing = ", ".join(field for field in wanted if field not in known)
        return f"{would(dry_run)}: the page subscribed to {missing}"

    async def _published(self, *, dry_run: bool) -> list[str]:
        """Have Meta show the profile of the settings.

        Raises:
            SendFailed: Meta did not take it.
        """
        wanted = {name: value for name, value in self._profile.items() if name != "platform"}
        if not wanted:
            return ["nothing to do: the settings hold no profile"]
        platform = self._page.traits.profile_platform
        query = {"platform": platform} if platform else {}
        answer = await self._graph.get("me/messenger_profile", fields=",".join(wanted), **query)
        shown = next(iter(objects_in(answer, "data")), {})
        differing = [name for name, value in wanted.items() if not _holds(shown.get(name), value)]
        if not differing:
            return ["as it should be: the profile"]
        if not dry_run:
            await self._graph.post("messenger_profile", self._profile)
        return [f"{would(dry_run)}: the profile's {', '.join(differing)}"]


def _is_right(subscription: Mapping[str, object], url: str, fields: Sequence[str]) -> bool:
    known = subscription.get("fields")
    named = [
        *_names(known),
        *(text_in(item, "name") for item in objects_in(subscription, "fields")),
    ]
    is_there = text_in(subscription, "callback_url") == url
    return is_there and subscription.get("active") is not False and set(fields) <= set(named)


def _names(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _holds(shown: object, wanted: object) -> bool:
    """Return whether Meta shows what is wanted; it may tell more of it than was set."""
    if isinstance(wanted, dict):
        return isinstance(shown, dict) and all(
            _holds(shown.get(name), value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        same = isinstance(shown, list) and len(shown) == len(wanted)
        return same and all(map(_holds, shown, wanted)) if isinstance(shown, list) else False
    return shown == wanted
