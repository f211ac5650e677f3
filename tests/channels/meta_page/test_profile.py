import pytest

from channels.meta_page.account import PageSettings
from channels.push import SettingsInvalid, read_settings
from tests.channels.meta_page.pages import CONTEXT, NOBODY_THERE


@pytest.mark.parametrize(
    "name", ["account_id", "app_id", "app_secret", "access_token", "verify_token"]
)
def test_settings_that_are_missing_or_empty_are_named(page, name):
    whole = {**page.fake().settings(), "api_url": NOBODY_THERE}
    for broken in ({**whole, name: ""}, {k: v for k, v in whole.items() if k != name}):
        with pytest.raises(SettingsInvalid, match=name):
            page.connect(broken, CONTEXT)
    with pytest.raises(SettingsInvalid, match="surprise"):
        read_settings("x", {**whole, "surprise": 1}, PageSettings)


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        ({"get_started": "/a", "menu": {"de": [{"title": "x" * 31, "payload": "/a"}]}}, "menu.de"),
        ({"get_started": "/a", "menu": {"de": [{"title": "x"}]}}, "payload or a url"),
        ({"ice_breakers": {"de": [{"question": "x", "payload": "/a"}] * 5}}, "over 4"),
        ({"greeting": {"de": "x" * 161}}, "greeting"),
    ],
)
def test_profiles_that_the_platform_refuses_are_named(page, profile, problem):
    with pytest.raises(SettingsInvalid, match=problem):
        page.channel(profile=profile)


async def test_no_profile_is_not_published(page):
    told, shown = await page.published({})
    assert told.startswith("nothing to do")
    assert shown == {}
