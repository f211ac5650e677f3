"""A desk that signs in with a provider on loopback, and the way there and back."""

from contextlib import asynccontextmanager

import httpx

from desk.oidc_settings import SignInSettings
from desk.web.texts import TEXTS
from tests.desk.house import ADDRESS, DeskHouse
from tests.desk.oidc_provider import CLIENT, SECRET, LoopbackProvider

ROLES = {"desk": "operator", "leads": "supervisor", "roots": "admin"}


@asynccontextmanager
async def opened(folder, public_url=ADDRESS, **settings):
    """Open a desk that signs in with a provider; give both."""
    provider = LoopbackProvider()
    async with provider.serving():
        rules = {"client_id": CLIENT, "client_secret": SECRET, "roles": ROLES} | settings
        sign_in = SignInSettings(issuer=provider.issuer, **rules)
        house = DeskHouse(folder, public_url=public_url, sign_in=sign_in)
        provider.clock = house.clock
        try:
            yield house, provider
        finally:
            await house.close()


async def goes(browser, path="/desk/sign-in/with"):
    """Go to the provider; return the address that it leads back to."""
    answer = await browser.get(path, **{"sec-fetch-site": "same-origin"})
    assert answer.status_code == 303, answer.text
    async with httpx.AsyncClient(verify=False) as elsewhere:  # noqa: S501 - on loopback, by HTTP
        sent = await elsewhere.get(answer.headers["location"])
    return sent.headers["location"]


async def signs_in(browser, path="/desk/sign-in/with"):
    """Go to the provider and come back."""
    return await browser.get(await goes(browser, path))


async def reasons(house):
    entries = await house.parts.audit.find()
    return [e.details["reason"] for e in entries if e.action == "sign_in_failed"]


def says(answer, advice):
    """Return whether a page tells what to do."""
    return TEXTS["en"][advice] in answer.text and 'role="alert"' in answer.text
