"""A skill of the fake Alexa, and what tests ask of it."""

import asyncio
import json

import httpx
import msgspec

from bot.messages import OutboundMessage
from channels.alexa import AlexaChannel, AlexaSettings
from channels.alexa_signature import Chains
from channels.push import ChannelContext
from tests.contracts.channel import NOW
from tests.platforms.alexa import SKILL_ID, FakeAlexa, check_answer

LAUNCH = {"type": "LaunchRequest"}
QUESTION = OutboundMessage(text="Bestellung TR-104711 kostet 49,90 €. Stornieren?")
#: One authority for all tests: RSA keys take time.
PLATFORM = FakeAlexa(lambda: NOW)


def fresh():
    """Return a platform with the shared authority and an untouched bucket."""
    platform = FakeAlexa.__new__(FakeAlexa)
    platform.__dict__.update(PLATFORM.__dict__)
    return platform


def channel(platform=PLATFORM, clock=lambda: NOW, **settings):
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=platform.app))
    own = {"skill_id": SKILL_ID, "api_url": "http://alexa.test", **settings}
    context = ChannelContext("https://shop.example", clock=clock)
    chains = Chains(client, "http://bucket.test", [platform.authority.root])
    return AlexaChannel(msgspec.convert(own, AlexaSettings), context, chains, client)


def prepared(request, **settings):
    found = channel(**settings)
    asyncio.run(found.prepare(request))
    return found


def heard(request, **body):
    """Return the message that a request brings, if any."""
    messages = channel().parse(PLATFORM.signed(PLATFORM.body(request, **body)))
    return messages[0] if messages else None


def answered(request, *said, complete=True, is_linked=False, **settings):
    signed = PLATFORM.signed(PLATFORM.body(request, is_linked=is_linked))
    reply = channel(**settings).answer(signed, said, complete=complete)
    assert reply.status == 200
    assert reply.content_type == "application/json"
    check_answer(reply.body)
    return json.loads(reply.body)["response"]
