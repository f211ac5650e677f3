"""WhatsApp's fake keeps what the invariant suite relies on."""

import asyncio

import httpx
import pytest

from bot.messages import InboundMessage
from tests.channels.whatsapp_webhooks import CUSTOMER, channel
from tests.platforms.meta import NUMBER_ID, TOKEN, WhatsAppFake
from tests.platforms.served import served


@pytest.fixture
async def fake():
    meta = WhatsAppFake(seed=7)
    async with served(meta.app) as meta.url:
        yield meta


def text(words="Hallo"):
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": CUSTOMER,
        "type": "text",
        "text": {"body": words},
    }


class TestTheFake:
    """The fake keeps what the invariant suite relies on."""

    async def test_every_message_arrives_in_order_whatever_the_batches(self, fake):
        whatsapp = channel()
        said = [fake.says(f"49151{i % 3}", f"Nachricht {i}") for i in range(40)]
        requests = fake.webhook(*said)
        assert requests == fake.webhook(*said)
        assert len(requests) < 40
        found = []
        for request in requests:
            whatsapp.verify(request)
            found += whatsapp.parse(request)
        assert all(isinstance(item, InboundMessage) for item in found)
        assert [(m.sender_id, m.message_id, m.text) for m in found] == [
            (s.sender_id, s.message_id, s.text) for s in said
        ]

    async def test_webhooks_come_until_they_are_taken(self, fake):
        requests = fake.webhook(*[fake.says(CUSTOMER, str(i)) for i in range(20)])
        taken = []

        async def receive(request):
            await asyncio.sleep(0)
            if fake._random.random() < 0.5:
                return 500
            taken.append(request)
            return 200

        assert await fake.deliver(requests, receive) == []
        assert set(map(id, taken)) == set(map(id, requests))
        assert len(taken) > len(requests)  # some come again although they were taken

    async def test_wrong_shapes_get_metas_errors(self, fake):
        address = f"{fake.url}/v26.0/{NUMBER_ID}/messages"
        wrong = [
            ({}, 100),
            ({**text(), "surprise": 1}, 100),
            ({**text(), "to": "Ada"}, 131009),
            (text("x" * 4097), 131009),
            (text(" "), 131008),
            ({**text(), "type": "hologram"}, 100),
            ({"messaging_product": "whatsapp", "to": CUSTOMER, "type": "text"}, 131008),
            ({**text(), "type": "interactive", "interactive": {"type": "button"}}, 100),
            ({**text(), "biz_opaque_callback_data": "x" * 513}, 131009),
        ]
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}) as client:
            for payload, code in wrong:
                answer = await client.post(address, json=payload)
                assert (answer.status_code, answer.json()["error"]["code"]) == (400, code), payload
        assert fake.delivered == []
