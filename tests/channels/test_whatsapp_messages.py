"""WhatsApp: what customers send, of every kind that Meta documents."""

import json

import pytest

from bot.messages import Attachment
from tests.channels.whatsapp_webhooks import CUSTOMER, parsed


class TestMessages:
    def test_words_name_and_time(self):
        contacts = [
            {"profile": {"name": "Somebody Else"}, "wa_id": "1"},
            {"profile": {"name": "Ada"}, "wa_id": CUSTOMER},
        ]
        text = {"timestamp": "1763726400", "type": "text", "text": {"body": "Hallo"}}
        (message,) = parsed(text, contacts=contacts)
        assert message.sequence == 1763726400
        assert message.metadata == {
            "sent_at": "2025-11-21T12:00:00+00:00",
            "profile_name": "Ada",
        }

    def test_sender_who_hides_the_number(self):
        (message,) = parsed({
            "from": "",
            "from_user_id": "US.13491208655302741918",
            "type": "text",
            "text": {"body": "Hi"},
        })
        assert message.sender_id == "US.13491208655302741918"

    @pytest.mark.parametrize("kind", ["image", "audio", "video", "document", "sticker", "voice"])
    def test_files(self, kind):
        media = {
            "id": "7781",
            "mime_type": "x/y",
            "filename": "../../etc/pass\x00wd",
            "voice": True,
        }
        (message,) = parsed({"type": kind, kind: {**media, "caption": "schau"}})
        (file,) = message.attachments
        kinds = {"sticker": "image", "document": "file", "voice": "audio"}
        assert (file.kind, file.url) == (kinds.get(kind, kind), "media:7781")
        assert (file.name, file.mime_type, message.text) == ("passwd", "x/y", "schau")

    @pytest.mark.parametrize("media_id", ["../me", "1/2", "", None, 5, "a?b", "x" * 200])
    def test_file_without_a_proper_id_is_unsupported(self, media_id):
        (message,) = parsed({"type": "image", "image": {"id": media_id}})
        assert (message.signal, message.metadata["kind"]) == ("unsupported", "image")

    def test_place(self):
        place = {"latitude": 52.5, "longitude": -13.4, "name": "Laden", "address": "Gasse 1"}
        (message,) = parsed({"type": "location", "location": place})
        assert message.attachments == (
            Attachment("location", "geo:52.5,-13.4", name="Laden, Gasse 1"),
        )

    @pytest.mark.parametrize("latitude", [91, "52", None, True, 10**400])
    def test_no_place_is_unsupported(self, latitude):
        location = {"latitude": latitude, "longitude": 1}
        (message,) = parsed({"type": "location", "location": location})
        assert message.signal == "unsupported"

    def test_press_of_a_template_button_and_consent(self):
        pressed = [
            {"type": "button", "button": {"payload": "/track_order", "text": "Wo ist es?"}},
            {"id": "wamid.2", "type": "button", "button": {"payload": "/opt_out", "text": "Stopp"}},
        ]
        first, second = parsed(*pressed)
        assert (first.text, first.metadata["title"]) == ("/track_order", "Wo ist es?")
        assert (second.signal, second.text) == ("opt_out", "")

    def test_press_of_a_list(self):
        reply = {"id": '/cart_add{"product_id": "P1"}', "title": "Parka", "description": "blau"}
        interactive = {"type": "list_reply", "list_reply": reply}
        context = {"from": "1", "id": "wamid.0"}
        content = {"type": "interactive", "interactive": interactive, "context": context}
        (message,) = parsed(content)
        assert message.text == '/cart_add{"product_id": "P1"}'
        assert (message.metadata["title"], message.metadata["reply_to"]) == ("Parka", "wamid.0")

    def test_order_from_the_catalogue(self):
        items = [
            {"product_retailer_id": "A-1", "quantity": 2, "item_price": 19.99, "currency": "EUR"},
            {"product_retailer_id": "B", "quantity": "1", "item_price": 500, "currency": "JPY"},
            {"product_retailer_id": "", "quantity": 1},
            {"product_retailer_id": "C", "quantity": 1, "item_price": "NaN", "currency": "EUR"},
        ]
        order = {"catalog_id": "77", "text": "bitte schnell", "product_items": items}
        (message,) = parsed({"type": "order", "order": order})
        assert message.metadata["order"] == [
            {"variant_id": "A-1", "quantity": 2, "unit_price_minor": 1999, "currency": "EUR"},
            {"variant_id": "B", "quantity": 1, "unit_price_minor": 500, "currency": "JPY"},
            {"variant_id": "", "quantity": 1, "unit_price_minor": None, "currency": ""},
            {"variant_id": "C", "quantity": 1, "unit_price_minor": None, "currency": "EUR"},
        ]
        assert message.metadata["order_note"] == "bitte schnell"
        assert json.loads(message.text.removeprefix("/cart_add"))["items"][0] == {
            "variant_id": "A-1",
            "quantity": 2,
        }

    def test_a_long_order_is_whole_and_nothing_of_it_is_dropped(self):
        items = [
            {"product_retailer_id": f"P{n}-BLU-M-{n:020}", "quantity": n, "currency": "EUR"}
            for n in range(60)
        ]
        items[7]["quantity"] = "many"
        (message,) = parsed({"type": "order", "order": {"product_items": items}})
        assert message.text == '/cart_add{"items": "order"}'
        order = message.metadata["order"]
        assert [line["variant_id"] for line in order] == [i["product_retailer_id"] for i in items]
        assert (order[7]["quantity"], order[59]["quantity"]) == (0, 59)

    def test_question_about_a_product(self):
        product = {"catalog_id": "77", "product_retailer_id": "A-1"}
        context = {"from": "1", "id": "wamid.0", "referred_product": product}
        (message,) = parsed({"type": "text", "text": {"body": "Auch in rot?"}, "context": context})
        assert message.metadata["product"] == {"id": "A-1", "catalog_id": "77"}
        assert message.text == "Auch in rot?"

    @pytest.mark.parametrize(
        "content",
        [
            {"type": "text", "text": {"body": ""}},
            {"type": "unsupported"},
            {"type": "request_welcome"},
        ],
    )
    def test_click_on_an_advertisement_without_words(self, content):
        (message,) = parsed({**content, "referral": {"source_type": "ad", "source_id": "9"}})
        assert message.signal == "opened"
        assert message.metadata["referral"] == {"source": "ad", "id": "9"}

    def test_edited_and_deleted(self):
        inner = {"type": "text", "text": {"body": "neu"}}
        edit = {"type": "edit", "edit": {"original_message_id": "wamid.0", "message": inner}}
        revoke = {"type": "revoke", "revoke": {"original_message_id": "wamid.0"}, "id": "wamid.2"}
        edited, deleted = parsed(edit, revoke)
        assert (edited.text, edited.metadata["edits"]) == ("neu", "wamid.0")
        assert (deleted.signal, deleted.metadata["deletes"]) == ("deleted", "wamid.0")

    @pytest.mark.parametrize(
        "content",
        [
            {"type": "hologram", "hologram": {"id": "1"}},
            {"type": "text"},
            {"type": "text", "text": {"body": "   "}},
            {"type": "interactive", "interactive": {"type": "later"}},
            {"type": "edit", "edit": {"message": {"type": "edit"}}},
            {"type": 7},
            {},
        ],
    )
    def test_what_nobody_can_read_is_unsupported(self, content):
        (message,) = parsed(content)
        assert (message.signal, message.text) == ("unsupported", "")
        assert message.metadata["kind"]
