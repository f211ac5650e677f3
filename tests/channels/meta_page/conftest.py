import pytest

from tests.channels.meta_page.pages import INSTAGRAM, MESSENGER


@pytest.fixture(scope="session", params=[MESSENGER, INSTAGRAM], ids=["messenger", "instagram"])
def page(request):
    """Return each of the two channels in turn."""
    return request.param
