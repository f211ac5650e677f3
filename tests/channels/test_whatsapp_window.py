"""WhatsApp: the 24-hour window, templates outside it, and who opted out."""

from datetime import timedelta

import pytest

from bot.messages import Button, Contact, OutboundMessage
from channels.push import Undeliverable, WindowClosed
from tests.channels.whatsapp_webhooks import CUSTOMER, TEMPLATES, channel
from tests.contracts.channel import NOW


class TestWindow:
    WORDS = OutboundMessage("Ihr Paket kommt\nspäter.", response="utter_parcel_late", language="de")

    def contact(self, hours=None, opted_in=None):
        last = None if hours is None else NOW - timedelta(hours=hours)
        return Contact("whatsapp", CUSTOMER, last_inbound_at=last, opted_in=opted_in)

    def late(self, **more):
        fields = {"custom": {"parameters": {"order_number": "TR-1"}}, **more}
        return OutboundMessage(
            text=self.WORDS.text,
            response="utter_parcel_late",
            language=fields.pop("language", "de"),
            buttons=(Button("Wo ist es?", "/track_order"),),
            **fields,
        )

    def test_inside_it_everything_goes(self):
        assert channel().admit(self.WORDS, self.contact(23.99), NOW) == self.WORDS

    @pytest.mark.parametrize("hours", [24, 25, None])
    def test_outside_it_nothing_goes_without_a_template(self, hours):
        with pytest.raises(WindowClosed):
            channel().admit(self.WORDS, self.contact(hours), NOW)

    @pytest.mark.parametrize(
        ("language", "code"), [("de", "de"), ("en", "en_US"), ("en-US", "en_US")]
    )
    def test_outside_it_the_template_goes(self, language, code):
        whatsapp = channel(templates=TEMPLATES)
        admitted = whatsapp.admit(self.late(language=language), self.contact(48), NOW)
        (payload,) = whatsapp.render(admitted, CUSTOMER)
        body = [
            {"type": "text", "text": "TR-1"},
            {"type": "text", "text": "Ihr Paket kommt später."},
        ]
        button = {"type": "button", "sub_type": "quick_reply", "index": "0"}
        pressed = [{"type": "payload", "payload": "/track_order"}]
        assert payload["template"] == {
            "name": "parcel_late",
            "language": {"code": code},
            "components": [
                {"type": "body", "parameters": body},
                {**button, "parameters": pressed},
            ],
        }

    @pytest.mark.parametrize(
        "change", [{"language": "fr"}, {"custom": {}}, {"custom": {"parameters": 1}}]
    )
    def test_template_that_is_not_filled_waits(self, change):
        with pytest.raises(WindowClosed):
            channel(templates=TEMPLATES).admit(self.late(**change), self.contact(48), NOW)

    @pytest.mark.parametrize(
        "template",
        [
            {"name": "other", "language": "en_US"},
            {"name": "hello", "language": "de"},
            {"name": "hello", "language": "en_US", "parameters": ["one too many"]},
            {"name": "parcel_late", "language": "de", "parameters": ["TR-1"], "buttons": ["/x"]},
            {"name": "parcel_late", "language": "de", "parameters": ["", "x"], "buttons": ["/x"]},
            {
                "name": "parcel_late",
                "language": "de",
                "parameters": ["TR-1", {"type": "currency", "currency": {}}],
                "buttons": ["/x"],
            },
        ],
    )
    def test_own_template_must_fit(self, template):
        message = OutboundMessage(custom={"template": template})
        with pytest.raises(Undeliverable, match="template"):
            channel(templates=TEMPLATES).admit(message, self.contact(1), NOW)

    def test_own_template_goes_at_any_time(self):
        message = OutboundMessage(custom={"template": {"name": "hello", "language": "en_US"}})
        assert channel(templates=TEMPLATES).admit(message, self.contact(), NOW) == message

    def test_who_opted_out_gets_answers_but_no_templates(self):
        whatsapp = channel(templates=TEMPLATES)
        assert whatsapp.admit(self.WORDS, self.contact(1, opted_in=False), NOW) == self.WORDS
        with pytest.raises(Undeliverable) as raised:
            whatsapp.admit(self.late(), self.contact(48, opted_in=False), NOW)
        assert raised.value.code == "opted_out"
        template = OutboundMessage(custom={"template": {"name": "hello", "language": "en_US"}})
        with pytest.raises(Undeliverable):
            whatsapp.admit(template, self.contact(1, opted_in=False), NOW)

    def test_parameters_with_names_and_types(self):
        settings = {
            "name": "late",
            "languages": ["de"],
            "header": {"type": "image", "value": "picture"},
            "parameters": [
                {"name": "number", "value": "order_number"},
                {"type": "currency", "value": "refund"},
            ],
        }
        whatsapp = channel(templates={"utter_parcel_late": settings})
        money = {"fallback_value": "5 €", "code": "EUR", "amount_1000": 5000}
        values = {"order_number": 7, "refund": money, "picture": "https://shop.example/p.png"}
        message = self.late(custom={"parameters": values})
        (payload,) = whatsapp.render(whatsapp.admit(message, self.contact(), NOW), CUSTOMER)
        header, body = payload["template"]["components"]
        assert header["parameters"] == [
            {"type": "image", "image": {"link": "https://shop.example/p.png"}}
        ]
        assert body["parameters"] == [
            {"type": "text", "parameter_name": "number", "text": "7"},
            {"type": "currency", "currency": money},
        ]
