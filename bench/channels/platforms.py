"""The fake platforms that the bench drives, by channel."""

from collections.abc import Callable

from tests.platforms.messenger import InstagramFake, MessengerFake
from tests.platforms.meta import WhatsAppFake
from tests.platforms.platform import FakePlatform
from tests.platforms.telegram import TelegramFake
from tests.platforms.twilio import TwilioFake


def _unhurried() -> FakePlatform:
    """Return Meta's fake without its 80 messages a second: what is measured is ours."""
    fake = WhatsAppFake()
    fake.per_second = 100_000
    return fake


PLATFORMS: dict[str, Callable[[], FakePlatform]] = {
    "whatsapp": _unhurried,
    "messenger": MessengerFake,
    "instagram": InstagramFake,
    "twilio": TwilioFake,
    "telegram": TelegramFake,
}
CUSTOMER_NAMES = {"twilio": "+4917000{:05}"}
"""How customers are called where it is not with bare digits."""
UNSETTLED = frozenset({"telegram"})
"""Where nobody tells what became of a payload whose answer was lost: it may be shown twice."""
