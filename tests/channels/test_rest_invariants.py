import json

from channels.base import WebhookRequest
from tests.contracts.exchange_invariants import ExchangeInvariants
from tests.contracts.mounted import API_TOKEN

HEADERS = {"authorization": f"Bearer {API_TOKEN}", "content-type": "application/json"}


class TestRest(ExchangeInvariants):
    gives_up = False

    async def connected(self, tmp_path):
        return None

    def request(self, customer, number, text):
        metadata = {"message_id": str(number)}
        body = {"sender": f"kunde{customer}", "message": text, "metadata": metadata}
        return WebhookRequest(
            "POST", "/webhooks/rest/webhook", headers=HEADERS, body=json.dumps(body).encode()
        )

    def conversation(self, customer):
        return f"rest:kunde{customer}"
