import pytest

from bot.messages import Button, Card, Note, OutboundMessage, Receipt
from tests.channels.meta_page.pages import MESSENGER, PageContract
from tests.platforms.messenger import INBOX_APP_ID
from tests.platforms.platform import Delivered

RECEIPT = {
    "order_number": "TR-104711",
    "recipient_name": "Anna Beispiel",
    "currency": "EUR",
    "payment_method": "PayPal",
    "total_minor": 11_890,
    "shipping_minor": 490,
    "tax_minor": 1_898,
    "discount_minor": 1_590,
    "url": "/shop/orders/TR-104711",
    "lines": [
        {"title": "Parka", "quantity": 1, "amount_minor": 8_900, "image_url": "/shop/p.png"},
        {"title": "Socken", "quantity": 2, "amount_minor": 4_090},
    ],
    "address": {"line1": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE"},
}

RICH_CARDS = OutboundMessage(
    text="Diese:", cards=(Card("Parka", price="89 €"),), buttons=(Button("Mehr", "/more"),)
)


class TestMessengerContract(PageContract):
    page = MESSENGER


def test_an_echo_of_ours_brings_the_reference_back():
    fake = MESSENGER.fake()
    mid = fake.new_mid()
    echo, delivered, read = fake.receipts(Delivered("anna", "Guten Tag", mid, "tresen:7:0"))
    (sent,) = MESSENGER.channel().parse(echo)
    assert isinstance(sent, Receipt)
    assert (sent.receipt_id, sent.state, sent.reference) == (mid, "sent", "tresen:7:0")
    assert sent.sender_id == "anna"
    assert MESSENGER.channel().tells_reference
    (got,) = MESSENGER.channel().parse(delivered)
    assert (got.receipt_id, got.state) == (mid, "delivered")
    assert MESSENGER.channel().parse(read) == [Note("messenger", "read_up_to")]


@pytest.mark.parametrize("app", [{"app_id": int(INBOX_APP_ID)}, {}])
def test_a_person_who_answers_in_the_inbox_takes_over(app):
    fake = MESSENGER.fake()
    echo = {"text": "Hier ist Frau Kurz.", "is_echo": True, **app}
    (signal,) = MESSENGER.read(fake.event("anna", fake.new_mid(), from_page=True, message=echo))
    assert (signal.sender_id, signal.signal, signal.text) == ("anna", "handed_over", "")
    assert signal.metadata["said"] == "Hier ist Frau Kurz."


@pytest.mark.parametrize(
    ("app", "kind"), [({"app_id": int(INBOX_APP_ID)}, "other_app_wrote"), ({}, "page_wrote")]
)
def test_the_inbox_may_be_left_to_the_handover_protocol(app, kind):
    fake = MESSENGER.fake()
    echo = {"text": "Abwesend", "is_echo": True, **app}
    event = fake.event("anna", fake.new_mid(), from_page=True, message=echo)
    channel = MESSENGER.channel(inbox_app_ids=[])
    (note,) = channel.parse(fake.signed([fake.entry(event)]))
    assert note.kind == kind


@pytest.mark.parametrize("sticker", [369239263222822, 369239343222814, 369239383222810])
def test_a_thumb_is_said(sticker):
    payload = {"url": "https://x.fbcdn.net/thumb.png", "sticker_id": sticker}
    message = MESSENGER.heard(message={"attachments": [{"type": "image", "payload": payload}]})
    assert (message.text, message.attachments) == ("👍", ())


def test_another_sticker_is_a_picture():
    payload = {"url": "https://x.fbcdn.net/cat.png", "sticker_id": 42}
    message = MESSENGER.heard(message={"attachments": [{"type": "image", "payload": payload}]})
    assert message.attachments[0].kind == "image"


def test_a_place_is_a_place():
    payload = {"coordinates": {"lat": 52.52, "long": 13.405}}
    place = {"type": "location", "title": "Zuhause", "payload": payload}
    message = MESSENGER.heard(message={"attachments": [place]})
    assert message.attachments[0].kind == "location"
    assert message.attachments[0].url == "geo:52.520000,13.405000"
    assert message.attachments[0].name == "Zuhause"


@pytest.mark.parametrize("lat", [91, "52", None, 10**400, -1e300])
def test_a_place_that_is_none_is_answered_politely(lat):
    payload = {"coordinates": {"lat": lat, "long": 13.405}}
    message = MESSENGER.heard(message={"attachments": [{"type": "location", "payload": payload}]})
    assert message.signal == "unsupported"


def test_a_shared_link_is_said():
    link = {"type": "fallback", "payload": {"url": "https://a.example/p", "title": "Parka"}}
    message = MESSENGER.heard(message={"attachments": [link]})
    assert message.text == "Parka https://a.example/p"
    assert message.metadata["shares"][0]["kind"] == "fallback"


def test_a_product_of_the_catalogue_is_said():
    element = {"id": "1", "retailer_id": "P1001-BLU-M", "title": "Parka", "image_url": "x"}
    product = {"type": "template", "payload": {"product": {"elements": [element]}}}
    message = MESSENGER.heard(message={"attachments": [product]})
    assert message.text == "Parka"
    assert message.metadata["products"] == [{"id": "P1001-BLU-M", "title": "Parka"}]


async def test_the_reference_goes_along():
    fake, _ = await MESSENGER.sent()
    assert fake.delivered[0].reference == "tresen:7:0"


async def test_quick_replies_follow_cards():
    fake, ids = await MESSENGER.sent(outbound=RICH_CARDS)
    assert len(ids) == 2
    assert fake.delivered[1].text.endswith("[Mehr]")


async def test_a_receipt_is_shown_as_one():
    outbound = OutboundMessage(text="Ihr Beleg:", custom={"receipt": RECEIPT})
    fake, _ = await MESSENGER.sent(outbound=outbound)
    assert [d.text for d in fake.delivered] == [
        "Ihr Beleg:",
        "TR-104711\n1 × Parka\n2 × Socken\n118.90 EUR",
    ]
    payload = MESSENGER.channel().render(outbound, "anna")[1]["message"]["attachment"]["payload"]
    assert payload["adjustments"] == [{"name": "%", "amount": 15.9}]
    assert payload["order_url"] == "https://bot.example/shop/orders/TR-104711"
    assert payload["summary"]["subtotal"] == pytest.approx(129.9)


def test_money_without_cents_has_none():
    custom = {"receipt": {**RECEIPT, "currency": "JPY"}}
    (payload,) = MESSENGER.channel().render(OutboundMessage(custom=custom), "anna")
    summary = payload["message"]["attachment"]["payload"]["summary"]
    assert summary["total_cost"] == 11_890


@pytest.mark.parametrize("broken", [None, {}, "x", {**RECEIPT, "lines": []}])
def test_what_is_no_receipt_is_not_shown(broken):
    outbound = OutboundMessage(text="Ihr Beleg:", custom={"receipt": broken})
    assert len(MESSENGER.channel().render(outbound, "anna")) == 1


async def test_the_profile_speaks_both_languages():
    menu = [
        {"title": "Bestellung verfolgen", "payload": "/track_order"},
        {"title": "Zum Shop", "url": "https://shop.example"},
    ]
    told, shown = await MESSENGER.published({
        "get_started": "/greet",
        "greeting": {"de": "Willkommen!", "en": "Welcome!"},
        "menu": {"de": menu, "en": [{"title": "Track an order", "payload": "/t"}]},
        "ice_breakers": {"de": [{"question": "Wo ist mein Paket?", "payload": "/t"}]},
    })
    assert told.startswith("done: the profile's ")
    assert shown["get_started"] == {"payload": "/greet"}
    assert shown["greeting"] == [
        {"locale": "default", "text": "Willkommen!"},
        {"locale": "de_DE", "text": "Willkommen!"},
        {"locale": "en_US", "text": "Welcome!"},
    ]
    assert [m["locale"] for m in shown["persistent_menu"]] == ["default", "de_DE", "en_US"]
    assert shown["persistent_menu"][0]["call_to_actions"][1]["type"] == "web_url"
    assert shown["ice_breakers"][0]["call_to_actions"][0]["payload"] == "/t"


def test_a_menu_needs_a_start_button():
    with pytest.raises(ValueError, match="get_started"):
        MESSENGER.channel(profile={"menu": {"de": [{"title": "x", "payload": "/a"}]}})


async def test_the_platform_brings_a_request_until_it_is_taken():
    fake = MESSENGER.fake()
    said = [fake.says("anna", f"Nachricht {n}") for n in range(60)]
    answers = iter([503, 500, 200])

    async def post(request):
        MESSENGER.channel().verify(request)
        return next(answers)

    assert await fake.bring(fake.webhook(*said)[0], post) == 3
    stormy = fake.storm(*said)
    assert len(stormy) > len(fake.webhook(*said)) == 3
    heard = {m.message_id: m.text for r in stormy for m in MESSENGER.channel().parse(r)}
    assert heard == {item.message_id: item.text for item in said}
