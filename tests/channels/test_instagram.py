import pytest

from bot.messages import Attachment, Button, Card, OutboundMessage, Receipt
from tests.channels.meta_page.pages import INSTAGRAM, PageContract
from tests.platforms.platform import Delivered

CDN = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1"


class TestInstagramContract(PageContract):
    page = INSTAGRAM


def test_an_echo_names_the_message_and_no_app():
    fake = INSTAGRAM.fake()
    mid = fake.new_mid()
    echo, read = fake.receipts(Delivered("anna", "Guten Tag", mid, ""))
    (sent,) = INSTAGRAM.channel().parse(echo)
    assert isinstance(sent, Receipt)
    assert (sent.receipt_id, sent.state, sent.sender_id) == (mid, "sent", "anna")
    assert not INSTAGRAM.channel().tells_reference
    (seen,) = INSTAGRAM.channel().parse(read)
    assert (seen.receipt_id, seen.state) == (mid, "read")


def test_a_deleted_message_is_a_signal():
    fake = INSTAGRAM.fake()
    mid = fake.new_mid()
    said = fake.event("anna", mid, message={"text": "ups"})
    gone = fake.event("anna", mid, message={"is_deleted": True})
    first, second = INSTAGRAM.read(said, gone)
    assert second.signal == "deleted"
    assert second.metadata["deletes"] == first.message_id == mid
    assert second.message_id != mid


def test_what_instagram_cannot_bring_is_answered_politely():
    message = INSTAGRAM.heard(message={"is_unsupported": True})
    assert (message.signal, message.metadata["kind"]) == ("unsupported", "unsupported")


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("story_mention", "file"),
        ("share", "file"),
        ("ig_post", "file"),
        ("ig_reel", "video"),
        ("reel", "video"),
    ],
)
def test_what_is_shared_is_kept_with_its_kind(kind, kept):
    payload = {"url": CDN, "title": "Neue Jacken", "ig_post_media_id": "18"}
    message = INSTAGRAM.heard(message={"attachments": [{"type": kind, "payload": payload}]})
    assert message.attachments == (Attachment(kept, f"media:{CDN}", name="Neue Jacken"),)
    assert message.metadata["shares"] == [
        {"kind": kind, "id": "18", "title": "Neue Jacken", "url": CDN}
    ]


def test_a_reply_to_a_story_names_it():
    reply = {"story": {"id": "17", "url": CDN}}
    message = INSTAGRAM.heard(message={"text": "Gibt es die in blau?", "reply_to": reply})
    assert message.metadata["story"] == {"id": "17", "url": CDN}


def test_a_question_from_a_product_page_names_the_product():
    referral = {"product": {"id": "4711"}}
    message = INSTAGRAM.heard(message={"text": "Noch da?", "referral": referral})
    assert message.metadata["referral"] == {"id": "4711"}


def test_messages_may_come_as_changes():
    fake = INSTAGRAM.fake()
    event = fake.event("anna", fake.new_mid(), message={"text": "Hallo"})
    changes = [{"field": "messages", "value": event}, {"field": "comments", "value": {}}]
    request = fake.signed([{"id": fake.account_id, "changes": changes}])
    message, note = INSTAGRAM.channel().parse(request)
    assert message.text == "Hallo"
    assert (note.kind, note.detail) == ("change", "comments")


def test_text_is_counted_in_bytes():
    messages = INSTAGRAM.shown(text="ä" * 499 + " " + "ö" * 400)
    assert [len(m["text"].encode()) for m in messages] == [998, 800]


async def test_quick_replies_come_with_words_after_cards():
    outbound = OutboundMessage(
        cards=(Card("Parka", price="89 €"),), buttons=(Button("Mehr", "/m"),)
    )
    fake, ids = await INSTAGRAM.sent(outbound=outbound)
    assert len(ids) == 2
    assert fake.delivered[1].text == "1. Mehr\n[Mehr]"


def test_a_document_is_a_link():
    file = Attachment("file", "https://shop.example/a.pdf", name="Rechnung")
    assert INSTAGRAM.shown(attachments=(file,)) == [{"text": "Rechnung https://shop.example/a.pdf"}]


async def test_a_receipt_is_left_to_the_words():
    fake, _ = await INSTAGRAM.sent(
        outbound=OutboundMessage(text="Beleg", custom={"receipt": {"order_number": "1"}})
    )
    assert [d.text for d in fake.delivered] == ["Beleg"]


async def test_the_profile_has_what_instagram_knows():
    told, shown = await INSTAGRAM.published({
        "get_started": "/greet",
        "greeting": {"de": "Willkommen!"},
        "ice_breakers": {"en": [{"question": "Where is my parcel?", "payload": "/t"}]},
    })
    assert told.startswith("done: the profile's ")
    assert sorted(shown) == ["ice_breakers", "platform"]
    assert [item["locale"] for item in shown["ice_breakers"]] == ["default", "en_US"]
