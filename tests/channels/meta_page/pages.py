"""Messenger and Instagram for tests: each over its fake platform."""

import json
from datetime import timedelta

import msgspec

from bot.messages import Contact, OutboundMessage
from channels import instagram, messenger
from channels.base import ChannelError
from channels.push import ChannelContext
from tests.contracts.channel import NOW, ChannelContract
from tests.platforms.faults import Faults, serve
from tests.platforms.messenger import InstagramFake, MessengerFake

CONTEXT = ChannelContext("https://bot.example", clock=lambda: NOW)
WEBHOOK = "https://bot.example/webhook"
NOBODY_THERE = "http://127.0.0.1:9"


class PageUnderTest:
    """One of the two channels, and short ways to use it."""

    def __init__(self, connect, fake_kind):
        self.connect = connect
        self.fake_kind = fake_kind

    def fake(self, **fields):
        return self.fake_kind(**{"clock": NOW.timestamp, **fields})

    def channel(self, **changed):
        settings = {**self.fake().settings(), "api_url": NOBODY_THERE, **changed}
        return self.connect(settings, CONTEXT)

    def request(self, text):
        fake = self.fake()
        return fake.webhook(fake.says("anna", text))[0]

    def read(self, *events, standby=False):
        """Return what a batch with these events tells."""
        fake = self.fake()
        return self.channel().parse(fake.signed([fake.entry(*events, standby=standby)]))

    def heard(self, **content):
        """Return the one thing that an event of a customer tells."""
        fake = self.fake()
        (one,) = self.read(fake.event("anna", fake.new_mid("anna"), **content))
        return one

    def shown(self, **fields):
        """Return the messages that show what is said."""
        return [p["message"] for p in self.channel().render(OutboundMessage(**fields), "anna")]

    def admitted(self, age, *, human_tag=False, custom=None, opted_in=None):
        """Return the type and the tag under which a message is sent so long after the last."""
        contact = Contact("x", "anna", last_inbound_at=NOW - age, opted_in=opted_in)
        outbound = OutboundMessage(text="Hallo", custom=custom or {})
        admitted = self.channel(human_tag=human_tag).admit(outbound, contact, NOW)
        (payload,) = self.channel().render(admitted, "anna")
        return payload["messaging_type"], payload.get("tag")

    async def sent(self, fault=None, age=timedelta(0), outbound=None, **changed):
        """Send to anna over a real connection; return the fake and the ids."""
        fake = self.fake()
        faults = Faults(fake.app)
        if fault is not None:
            faults.plan(fault)
        with serve(faults) as url:
            fake.url = url
            fake.says("anna", "Hallo")
            fake._clock = (NOW + age).timestamp
            channel = self.connect({**fake.settings(), **changed}, CONTEXT)
            shown = outbound or OutboundMessage(text="Guten Tag")
            try:
                ids = [
                    await channel.send(payload, f"tresen:7:{number}")
                    for number, payload in enumerate(channel.render(shown, "anna"))
                ]
            finally:
                await channel.close()
        return fake, ids

    async def met(self, faults):
        """Send once for each fault; return the errors."""
        fake = self.fake()
        troubled = Faults(fake.app)
        errors = []
        with serve(troubled) as url:
            fake.url = url
            fake.says("anna", "Hallo")
            channel = self.connect(fake.settings(), CONTEXT)
            (payload,) = channel.render(OutboundMessage(text="Guten Tag"), "anna")
            for fault in faults:
                troubled.plan(fault)
                try:
                    await channel.send(payload, "tresen:7:0")
                except ChannelError as error:
                    errors.append(error)
            await channel.close()
        assert len(errors) == len(faults)
        return errors

    async def published(self, profile):
        """Publish a profile; return what was told of it, and what the platform then shows."""
        fake = self.fake()
        with serve(fake.app) as url:
            fake.url = url
            channel = self.connect({**fake.settings(), "profile": profile}, CONTEXT)
            fake.setup.channel = channel
            told = await channel.register(WEBHOOK)
            await channel.close()
        return told[-1], fake.setup.profile


MESSENGER = PageUnderTest(messenger.connect, MessengerFake)
INSTAGRAM = PageUnderTest(instagram.connect, InstagramFake)


class PageContract(ChannelContract):
    """The channels' contract for a page."""

    page = MESSENGER

    def channel(self):
        return self.page.channel()

    def request(self, text):
        return self.page.request(text)

    def forged(self):
        good = self.page.request("x")
        signature = good.headers["x-hub-signature-256"]
        headers = [
            {},
            {"x-hub-signature-256": ""},
            {"x-hub-signature-256": signature[:-1] + ("0" if signature[-1] != "0" else "1")},
            {"x-hub-signature-256": signature.removeprefix("sha256=")},
            {"x-hub-signature-256": "sha256=ü"},
            {"x-hub-signature": "sha1=" + "0" * 40},
        ]
        return [
            *(msgspec.structs.replace(good, headers=wrong) for wrong in headers),
            msgspec.structs.replace(good, body=good.body + b" "),
            self.page.fake(seed=7).with_body(good.body),
        ]

    def test_too_long_text_is_refused(self):
        # Refusing the request would refuse the other events of the batch.
        (message,) = self.channel().parse(self.request("ä" * 10_001))
        assert (len(message.text), message.metadata["cut_chars"]) == (10_000, 1)


def posted(page, body):
    """Return a signed request with this JSON."""
    return page.fake().with_body(json.dumps(body).encode())
