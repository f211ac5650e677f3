"""Signing in with a provider that others wrote: oidc-provider-mock."""

import re
import subprocess
import sys
from importlib.util import find_spec

import httpx
import pytest

from bot.messages import utc_now
from desk.oidc_settings import SignInSettings
from tests.desk.house import ADDRESS, DeskHouse

pytestmark = pytest.mark.skipif(
    find_spec("oidc_provider_mock") is None, reason="the extra test is not installed"
)
CLAIMS = (
    '{"sub": "u-lena", "email": "lena@shop.example", "email_verified": true, "name": "Lena", '
    '"groups": ["desk"]}'
)


@pytest.fixture
def issuer():
    """Return the address of a running provider."""
    command = [sys.executable, "-m", "oidc_provider_mock", "-p", "0", "--user-claims", CLAIMS]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        for line in server.stderr:
            if found := re.search(r"http://\S+:\d+", line):
                yield found[0]
                break
        server.terminate()


async def test_the_good_way(issuer, tmp_path):
    settings = SignInSettings(issuer, "tresen", "secret", roles={"desk": "supervisor"})
    house = DeskHouse(tmp_path, public_url=ADDRESS, sign_in=settings)
    house.clock.now = utc_now()
    browser = house.browser()
    begun = await browser.get("/desk/sign-in/with")
    async with httpx.AsyncClient() as elsewhere:
        sent = await elsewhere.post(begun.headers["location"], data={"sub": "u-lena"})
    back = await browser.get(sent.headers["location"])
    assert (back.status_code, back.headers.get("location")) == (303, "/desk"), back.text
    (lena,) = await house.parts.operators.all()
    assert (lena.email, lena.role) == ("lena@shop.example", "supervisor")
    await house.close()
