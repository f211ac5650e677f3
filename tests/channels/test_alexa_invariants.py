from datetime import UTC, datetime

import httpx
import msgspec

from channels.alexa import AlexaChannel, AlexaSettings
from channels.alexa_signature import Chains
from channels.push import ChannelContext
from tests.contracts.exchange_invariants import ExchangeInvariants
from tests.platforms.alexa import SKILL_ID, FakeAlexa, check_answer

PLATFORM = FakeAlexa(lambda: datetime.now(UTC))


class TestAlexa(ExchangeInvariants):
    async def connected(self, tmp_path):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=PLATFORM.app))
        settings = msgspec.convert(
            {"skill_id": SKILL_ID, "api_url": "http://alexa.test"}, AlexaSettings
        )
        chains = Chains(client, "http://bucket.test", [PLATFORM.authority.root])
        return AlexaChannel(settings, ChannelContext("https://bot.example"), chains, client)

    def request(self, customer, number, text):
        intent = PLATFORM.intent("tell_words", words=text)
        body = PLATFORM.body(intent, self.household(customer), f"request.{customer}.{number}")
        return PLATFORM.signed(body)

    def heard(self, reply):
        return check_answer(reply.body)

    def household(self, customer):
        return f"amzn1.ask.account.HOUSEHOLD{customer}"

    def conversation(self, customer):
        return f"alexa:{self.household(customer)}"
