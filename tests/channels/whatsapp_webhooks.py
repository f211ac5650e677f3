"""What the tests of WhatsApp share: its settings, and webhooks as Meta signs them."""

from channels.push import ChannelContext
from channels.whatsapp import connect
from tests.contracts.channel import NOW
from tests.platforms.meta import NUMBER_ID, WhatsAppFake

SETTINGS = {
    "access_token": "token",
    "app_secret": "0123456789abcdef0123456789abcdef",
    "verify_token": "tresen-verify",
    "phone_number_id": NUMBER_ID,
}
CUSTOMER = "4915112345678"
CONTEXT = ChannelContext(public_url="https://bot.example", clock=lambda: NOW)
FAKE = WhatsAppFake(seed=1, now=NOW.timestamp)
PLAIN = connect(SETTINGS, CONTEXT)
TEMPLATES = {
    "utter_parcel_late": {
        "name": "parcel_late",
        "languages": ["de", "en_US"],
        "parameters": [{"value": "order_number"}, {}],
        "buttons": 1,
    },
    "utter_hello": {"name": "hello", "languages": ["en_US"]},
}


def channel(**settings):
    return connect({**SETTINGS, **settings}, CONTEXT) if settings else PLAIN


def parsed(*messages, **value):
    """Return what a signed webhook with these messages tells."""
    frame = {"messages": [{"from": CUSTOMER, "id": "wamid.1", **m} for m in messages], **value}
    request = FAKE.signed(FAKE.envelope({key: items for key, items in frame.items() if items}))
    whatsapp = channel()
    whatsapp.verify(request)
    return list(whatsapp.parse(request))


def told(**value):
    return parsed(**value)
