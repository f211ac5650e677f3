"""Every channel's webhook as its platform calls it: signed in some way, with any body."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import httpx
import msgspec
import pytest

from channels import instagram, messenger, telegram, telephone, twilio, whatsapp
from channels.alexa import AlexaChannel, AlexaSettings
from channels.alexa_signature import Chains
from channels.base import WebhookRequest
from channels.push import ChannelContext
from tests.contracts.mounted import API_TOKEN
from tests.platforms import meta, twilio_voice
from tests.platforms import telegram as telegram_fake
from tests.platforms import twilio as twilio_fake
from tests.platforms.alexa import SKILL_ID, FakeAlexa
from tests.platforms.messenger import InstagramFake, MessengerFake

NOWHERE = "http://127.0.0.1:9"
CONTEXT = ChannelContext("https://bot.example")
REFUSED = frozenset({401, 403})


class Hook:
    """One channel's webhook as its platform calls it: JSON bodies, signed in some way."""

    name = ""
    is_form = False
    #: What a signed body for somebody else's account may be answered.
    foreign = frozenset({200})

    def channel(self):
        raise NotImplementedError

    def good(self) -> WebhookRequest:
        """Return a signed request with a customer's text."""
        raise NotImplementedError

    def signed(self, body: bytes) -> WebhookRequest:
        """Return a well-signed request with any body."""
        raise NotImplementedError

    def foreign_body(self, body: dict) -> dict:
        """Return the good body, but for another account."""
        raise NotImplementedError


class WhatsApp(Hook):
    name = "whatsapp"
    fake = meta.WhatsAppFake()

    def channel(self):
        self.fake.url = NOWHERE
        return whatsapp.connect(self.fake.settings(), CONTEXT)

    def good(self):
        (request,) = self.fake.webhook(self.fake.says("491700000001", "hallo"))
        return request

    def signed(self, body):
        mark = hmac.new(meta.SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={mark}", "content-type": "application/json"}
        return WebhookRequest("POST", "/webhooks/whatsapp/webhook", headers=headers, body=body)

    def foreign_body(self, body):
        for entry in body["entry"]:
            for change in entry["changes"]:
                change["value"]["metadata"]["phone_number_id"] = "999"
        return body


class Messenger(Hook):
    name = "messenger"
    connect = staticmethod(messenger.connect)
    fake = MessengerFake()

    def channel(self):
        self.fake.url = NOWHERE
        return self.connect(self.fake.settings(), CONTEXT)

    def good(self):
        (request,) = self.fake.webhook(self.fake.says("491700000001", "hallo"))
        return request

    def signed(self, body):
        return self.fake.with_body(body)

    def foreign_body(self, body):
        for entry in body["entry"]:
            entry["id"] = "999"
            for event in entry["messaging"]:
                event["recipient"]["id"] = "999"
        return body


class Instagram(Messenger):
    name = "instagram"
    connect = staticmethod(instagram.connect)
    fake = InstagramFake()


class Telegram(Hook):
    name = "telegram"
    fake = telegram_fake.TelegramFake()

    def channel(self):
        self.fake.url = NOWHERE
        return telegram.connect(self.fake.settings(), CONTEXT)

    def good(self):
        (request,) = self.fake.webhook(self.fake.says("491700000001", "hallo"))
        return request

    def signed(self, body):
        return telegram_fake.posted(body)

    def foreign_body(self, body):  # the secret is the account; a group's words are nobody's
        chat = {"id": -100, "type": "group", "title": "Friends"}
        return {**body, "message": {**body["message"], "chat": chat}}


class Alexa(Hook):
    name = "alexa"
    foreign = frozenset({400, *REFUSED})
    fake = FakeAlexa(lambda: datetime.now(UTC))

    def channel(self):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.fake.app))
        settings = msgspec.convert({"skill_id": SKILL_ID, "api_url": NOWHERE}, AlexaSettings)
        chains = Chains(client, "http://bucket.test", [self.fake.authority.root])
        return AlexaChannel(settings, CONTEXT, chains, client)

    def good(self):
        return self.signed(
            json.dumps(self.fake.body(self.fake.intent("tell_words", words="hallo"))).encode()
        )

    def signed(self, body):
        return self.fake.signed(body)

    def foreign_body(self, body):
        other = {"applicationId": "amzn1.ask.skill.of-somebody-else"}
        body["session"]["application"] = body["context"]["System"]["application"] = other
        return body


class Twilio(Hook):
    name = "twilio"
    is_form = True
    foreign = frozenset({200, *REFUSED})
    fake = twilio_fake.TwilioFake()

    def channel(self):
        self.fake.url = NOWHERE
        return twilio.connect(self.fake.settings(), CONTEXT)

    def good(self):
        (request,) = self.fake.webhook(self.fake.says("+491700000001", "hallo"))
        return request

    def signed(self, body):
        return twilio_fake.signed_json(body)

    def form(self, fields):
        return twilio_fake.signed(fields)

    def foreign_body(self, body):
        return {**body, "AccountSid": "AC" + "9" * 32, "To": "+499999999999"}


class Telephone(Hook):
    name = "telephone"
    is_form = True

    def channel(self):
        settings = {
            "auth_token": twilio_voice.TOKEN,
            "numbers": [twilio_voice.SHOP],
            "mode": "gather",
        }
        return telephone.connect(settings, CONTEXT)

    def good(self):
        return self.form(twilio_voice.call_fields("CA1", SpeechResult="hallo"))

    def signed(self, body):
        digest = hashlib.sha256(body).hexdigest()
        url = f"{twilio_voice.PUBLIC}{twilio_voice.PATH}?bodySHA256={digest}"
        signature = twilio_voice.signature_of(twilio_voice.TOKEN, url)
        headers = {"x-twilio-signature": signature, "content-type": "application/json"}
        return WebhookRequest("POST", twilio_voice.PATH, {"bodySHA256": digest}, headers, body)

    def form(self, fields):
        query = {"step": "gather", "turn": "1", "lang": "de"}
        return twilio_voice.request(fields, query)

    def foreign_body(self, body):
        return {**body, "To": "+499999999999", "Called": "+499999999999"}


class Rest(Hook):
    name = "rest"
    foreign = frozenset({200})

    def channel(self):
        return None

    def good(self):
        return self.signed(
            b'{"sender": "anna", "message": "hallo", "metadata": {"message_id": "1"}}'
        )

    def signed(self, body):
        headers = {"authorization": f"Bearer {API_TOKEN}", "content-type": "application/json"}
        return WebhookRequest("POST", "/webhooks/rest/webhook", headers=headers, body=body)

    def foreign_body(self, body):
        pytest.skip("a sender of REST is whoever the caller says")


HOOKS = (WhatsApp, Messenger, Instagram, Telegram, Twilio, Alexa, Telephone, Rest)
