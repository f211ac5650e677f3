"""WhatsApp against Meta's API on loopback: sending, files, statuses and its many errors."""

import time

import pytest

from bot.messages import Button, Card, Note, OutboundMessage, Receipt
from channels.push import (
    ChannelContext,
    InDoubt,
    SendFailed,
    TryAgain,
    Undeliverable,
    WindowClosed,
)
from channels.whatsapp import connect
from tests.platforms.faults import Fault, Faults
from tests.platforms.meta import CATALOG, WhatsAppFake
from tests.platforms.meta_rules import Template
from tests.platforms.platform import Troubles
from tests.platforms.served import served

CUSTOMER = "4915112345678"
CONTEXT = ChannelContext(public_url="https://bot.example")
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 500


@pytest.fixture
async def fake():
    meta = WhatsAppFake(seed=7)
    async with served(meta.app) as meta.url:
        yield meta


@pytest.fixture
async def whatsapp(fake):
    channel = connect(fake.settings(), CONTEXT)
    yield channel
    await channel.close()


@pytest.fixture
async def fragile(fake):
    """Return a channel, and a list of faults that its next requests meet."""
    faults = Faults(fake.app)
    async with served(faults) as fake.url:
        channel = connect(fake.settings(), CONTEXT)
        yield channel, faults
        await channel.close()


async def say(channel, message, reference="tresen:1:0"):
    return [await channel.send(payload, reference) for payload in channel.render(message, CUSTOMER)]


def text(words="Hallo"):
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": CUSTOMER,
        "type": "text",
        "text": {"body": words},
    }


class TestSending:
    async def test_arrives_with_its_reference(self, fake, whatsapp):
        fake.says(CUSTOMER, "Hallo")
        rich = OutboundMessage(
            "Diese passen:",
            buttons=(Button("Ja", "/affirm"),),
            cards=(Card("Parka", price="89 €", image_url="https://shop.example/p.jpg"),),
        )
        ids = await say(whatsapp, rich, "tresen:4:2")
        assert [item.platform_id for item in fake.delivered] == ids
        assert {item.reference for item in fake.delivered} == {"tresen:4:2"}
        assert fake.delivered[0].text == "Diese passen:"

    async def test_statuses_bring_the_reference_back(self, fake, whatsapp):
        fake.says(CUSTOMER, "Hallo")
        (message_id,) = await say(whatsapp, OutboundMessage("Guten Tag"))
        (delivered,) = fake.delivered
        found = []
        for request in fake.receipts(delivered):
            whatsapp.verify(request)
            found += whatsapp.parse(request)
        receipts = [item for item in found if isinstance(item, Receipt)]
        assert {item.state for item in receipts} == {"sent", "delivered", "read"}
        assert {item.reference for item in receipts} == {"tresen:1:0"}
        assert {item.receipt_id for item in receipts} == {message_id}
        assert (
            Note("whatsapp", "pricing", "billable=False, pricing_model=PMP, category=service")
            in found
        )

    async def test_what_meta_took_and_could_not_deliver(self, fake, whatsapp):
        fake.unreachable.add("4915100000000")
        await whatsapp.send(text(), "tresen:1:0")  # never wrote
        await whatsapp.send({**text(), "to": "4915100000000"}, "tresen:2:0")
        found = [item for request in fake.failures() for item in whatsapp.parse(request)]
        assert [(item.state, item.code) for item in found] == [
            ("failed", "131047"),
            ("failed", "131026"),
        ]
        assert [item.reference for item in found] == ["tresen:1:0", "tresen:2:0"]
        assert fake.delivered == []

    async def test_template_reaches_who_never_wrote(self, fake):
        fake.templates["parcel_late"] = Template(["de"], ["text"], buttons=1)
        known = {"name": "parcel_late", "languages": ["de"], "parameters": [{}], "buttons": 1}
        channel = connect({**fake.settings(), "templates": {"utter_late": known}}, CONTEXT)
        template = {"name": "parcel_late", "language": "de"}
        whole = {**template, "parameters": ["TR-1"], "buttons": ["/track_order"]}
        await say(channel, OutboundMessage(custom={"template": whole}))
        assert [item.text for item in fake.delivered] == ["parcel_late\nTR-1"]
        with pytest.raises(Undeliverable, match="body takes"):
            await say(channel, OutboundMessage(custom={"template": template}))
        await channel.close()

    async def test_products(self, fake):
        fake.says(CUSTOMER, "Hallo")
        fake.catalog[CATALOG] = {"A", "B"}
        channel = connect({**fake.settings(), "catalog_id": CATALOG}, CONTEXT)
        await say(channel, OutboundMessage("Diese:", custom={"products": ["A", "B"]}))
        assert fake.delivered[0].text == "Diese:\nA\nB"
        with pytest.raises(Undeliverable) as raised:
            await say(channel, OutboundMessage("Diese:", custom={"products": ["C"]}))
        assert raised.value.code == "131009"
        await channel.close()

    async def test_seen_and_typing(self, fake, whatsapp):
        said = fake.says(CUSTOMER, "Hallo")
        await whatsapp.show_typing(CUSTOMER, said.message_id)
        await whatsapp.show_typing(CUSTOMER, "preference:1:2:stop")
        assert fake.read == fake.typing == [said.message_id]
        with pytest.raises(SendFailed):
            await whatsapp.show_typing(CUSTOMER, "wamid.unknown")

    async def test_more_than_80_a_second_are_refused(self, fake, whatsapp):
        fake.says(CUSTOMER, "Hallo")
        fake._calls.extend([time.monotonic() + 5] * 80)
        with pytest.raises(TryAgain) as raised:
            await say(whatsapp, OutboundMessage("Hallo"))
        assert (raised.value.code, raised.value.retry_after_s) == ("130429", 1)

    async def test_troubles_are_told_apart(self, fake, whatsapp):
        fake.says(CUSTOMER, "Hallo")
        fake.trouble(Troubles(refused=0.3, lost_answers=0.3, late_s=0.01))
        outcomes = []
        for number in range(60):
            try:
                await whatsapp.send(text(), f"tresen:{number}:0")
                outcomes.append("sent")
            except TryAgain:
                outcomes.append("again")
            except InDoubt:
                outcomes.append("doubt")
        arrived = {item.reference for item in fake.delivered}
        for number, outcome in enumerate(outcomes):
            assert (f"tresen:{number}:0" in arrived) == (outcome != "again")
        assert {"sent", "again", "doubt"} == set(outcomes)


class TestErrors:
    @pytest.mark.parametrize(
        ("code", "status", "error", "wait_s"),
        [
            (131047, 400, WindowClosed, None),
            (131026, 400, Undeliverable, None),
            (131051, 400, Undeliverable, None),
            (131049, 400, Undeliverable, None),
            (131050, 400, Undeliverable, None),
            (130472, 400, Undeliverable, None),
            (131030, 400, Undeliverable, None),
            (131009, 400, Undeliverable, None),
            (132001, 404, Undeliverable, None),
            (100, 400, Undeliverable, None),
            (130429, 400, TryAgain, 7),
            (131048, 400, TryAgain, 600),
            (131056, 400, TryAgain, 7),
            (80007, 400, TryAgain, 300),
            (4, 400, TryAgain, 300),
            (2, 503, TryAgain, 7),
            (131000, 500, TryAgain, 7),
            (131016, 400, TryAgain, 7),
            (190, 401, TryAgain, 300),
            (0, 401, TryAgain, 300),
            (10, 403, TryAgain, 300),
            (200, 403, TryAgain, 300),
            (368, 403, TryAgain, 300),
            (131031, 403, TryAgain, 300),
            (133010, 400, TryAgain, 300),
        ],
    )
    async def test_codes(self, fragile, code, status, error, wait_s):
        channel, faults = fragile
        answer = f'{{"error": {{"message": "(#{code}) about {CUSTOMER}", "code": {code}}}}}'
        faults.plan(Fault("status", status=status, answer=answer, retry_after_s=7))
        with pytest.raises(SendFailed) as raised:
            await channel.send(text(), "r")
        assert type(raised.value) is error
        assert raised.value.code == str(code)
        assert CUSTOMER not in str(raised.value)
        assert getattr(raised.value, "retry_after_s", None) == wait_s

    async def test_expired_token_is_told_plainly(self, fake):
        channel = connect({**fake.settings(), "access_token": "old"}, CONTEXT)
        with pytest.raises(TryAgain, match="access token has expired: make a new one"):
            await channel.send(text(), "r")
        await channel.close()

    @pytest.mark.parametrize(
        ("status", "answer", "error"),
        [
            (429, "", TryAgain),
            (500, "<html>", TryAgain),
            (503, '{"error": 7}', TryAgain),
            (504, "", InDoubt),
            (400, "[]", Undeliverable),
            (404, '{"error": {"code": "x"}}', Undeliverable),
            (302, "", Undeliverable),
            (400, '{"error": {"code": 131099, "is_transient": true}}', TryAgain),
            (200, "<html>", InDoubt),
            (200, "{}", InDoubt),
            (200, '{"messages": [{"id": 7}]}', InDoubt),
            (200, "[" * 100_000, InDoubt),
        ],
    )
    async def test_answers_without_a_code(self, fragile, status, answer, error):
        channel, faults = fragile
        faults.plan(Fault("status", status=status, answer=answer))
        with pytest.raises(SendFailed) as raised:
            await channel.send(text(), "r")
        assert type(raised.value) is error

    async def test_connection_refused_delivered_nothing(self, fake):
        channel = connect({**fake.settings(), "api_url": "http://127.0.0.1:9"}, CONTEXT)
        with pytest.raises(TryAgain):
            await channel.send(text(), "r")
        await channel.close()

    async def test_connection_that_breaks_is_in_doubt(self, fragile):
        channel, faults = fragile
        faults.plan(Fault("partial"))
        with pytest.raises(InDoubt):
            await channel.send(text(), "r")
