import functools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import (
    Attachment,
    InboundMessage,
    Note,
    Receipt,
)
from channels.base import BadRequest
from channels.push import (
    ChannelContext,
    SettingsInvalid,
)
from channels.twilio import TwilioMessages, connect
from tests.contracts.channel import NOW, ChannelContract
from tests.platforms.twilio import (
    ACCOUNT,
    PUBLIC,
    SMS_FROM,
    WEBHOOK,
    TwilioFake,
    signed,
    signed_json,
)

SMS, WHATSAPP = "+4915112345678", "whatsapp:+4915112345678"
CONTEXT = ChannelContext(PUBLIC, clock=lambda: NOW)


def opened(fake=None, **more):
    settings = {**(fake or TwilioFake()).settings(), **more}
    if not settings["api_url"]:
        del settings["api_url"]
    return connect(settings, CONTEXT)


def told(text="", sender=SMS, channel=None, **fields):
    fake = TwilioFake()
    (request,) = fake.webhook(fake.says(sender, text, **fields))
    (found,) = (channel or parser()).parse(request)
    return found


@functools.cache
def parser():
    return opened()


class TestContract(ChannelContract):
    def channel(self):
        return parser()

    def request(self, text):
        fake = TwilioFake()
        (request,) = fake.webhook(fake.says(WHATSAPP, text))
        return request

    def forged(self):
        good = self.request("x")
        headers = {k: v for k, v in good.headers.items() if k != "x-twilio-signature"}
        fields = {"MessageSid": "SM1", "From": SMS, "Body": "x", "AccountSid": ACCOUNT}
        json_body = signed_json(b'{"MessageSid": "SM1"}')
        return [
            msgspec.structs.replace(good, headers=headers),
            msgspec.structs.replace(good, headers={**headers, "x-twilio-signature": ""}),
            msgspec.structs.replace(good, headers={**headers, "x-twilio-signature": "\udcff"}),
            msgspec.structs.replace(good, body=good.body + b"&Body=more"),
            msgspec.structs.replace(good, query={"reference": "tresen:1:0"}),
            msgspec.structs.replace(good, body=b"\xff\xfe"),
            msgspec.structs.replace(good, body=b"a=1&" * 2_000),
            signed(fields, token="another"),
            signed(fields, url="https://evil.example/webhooks/twilio/webhook"),
            msgspec.structs.replace(json_body, body=b'{"MessageSid": "SM2"}'),
            msgspec.structs.replace(json_body, query={}),
        ]


class TestParse:
    def test_pressed_buttons_and_list_rows_bring_their_payload(self):
        button = told(
            "Ja", WHATSAPP, ButtonPayload="/affirm", ButtonText="Ja", MessageType="button"
        )
        assert (button.text, button.metadata["title"]) == ("/affirm", "Ja")
        row = told("Rot", WHATSAPP, ListId="/pick", ListTitle="Rot", MessageType="interactive")
        assert (row.text, row.metadata["title"]) == ("/pick", "Rot")

    def test_files_keep_their_reference(self):
        fake = TwilioFake()
        fake.url = "https://api.twilio.com"
        message = told("Kaputt", WHATSAPP, **fake.share("image/jpeg", b"x"))
        (file,) = message.attachments
        assert (file.kind, file.mime_type) == ("image", "image/jpeg")
        assert file.url.startswith("media:https://api.twilio.com/2010-04-01/Accounts/AC")

    def test_place(self):
        message = told(
            "", WHATSAPP, Latitude="52.52", Longitude="13.40", Label="Laden", Address="B"
        )
        assert message.attachments == (Attachment("location", "geo:52.52,13.4", "Laden, B"),)
        assert not message.signal

    @pytest.mark.parametrize("wrong", ["nan", "inf", "north", "91"])
    def test_place_off_this_planet_is_unsupported(self, wrong):
        message = told("", WHATSAPP, Latitude=wrong, Longitude="0", MessageType="location")
        assert (message.signal, message.metadata["kind"]) == ("unsupported", "location")

    def test_reply_referral_and_profile(self):
        message = told(
            "Hallo",
            WHATSAPP,
            OriginalRepliedMessageSid="SM9",
            ReferralSourceType="ad",
            ReferralSourceId="123",
            ReferralHeadline="Jacken",
            ReferralCtwaClid="c1",
            Forwarded="true",
        )
        assert message.metadata["reply_to"] == "SM9"
        assert message.metadata["profile_name"] == "Anna Probst"
        expected = {"source": "ad", "id": "123", "headline": "Jacken", "click_id": "c1"}
        assert message.metadata["referral"] == expected
        assert message.metadata["forwarded"] is True
        silent = told("", WHATSAPP, ReferralSourceType="ad")
        assert silent.signal == "opened"

    @pytest.mark.parametrize(
        ("text", "signal"),
        [
            ("STOP", "opt_out"),
            ("Stopp.", "opt_out"),
            (" stop all ", "opt_out"),
            ("Abmelden!", "opt_out"),
            ("START", "opt_in"),
            ("stop the parcel", ""),
            ("ja", ""),
            ("YES", ""),
        ],
    )
    def test_stop_words_in_sms(self, text, signal):
        message = told(text)
        assert message.signal == signal
        assert message.text == ("" if signal else text)

    def test_twilio_names_the_stop_word_itself(self):
        assert told("Nein danke", OptOutType="STOP").signal == "opt_out"
        assert told("Ja bitte", WHATSAPP, OptOutType="START").signal == "opt_in"
        asked = told("HELP", OptOutType="HELP")
        assert (asked.signal, asked.text) == ("", "HELP")
        assert told("cancel", channel=opened(advanced_opt_out=True)).text == "cancel"
        assert told("STOP", WHATSAPP).text == "STOP"

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("queued", "sent"),
            ("sent", "sent"),
            ("delivered", "delivered"),
            ("read", "read"),
            ("undelivered", "failed"),
            ("failed", "failed"),
        ],
    )
    def test_reports(self, status, state):
        fields = {"MessageSid": "SM7", "MessageStatus": status, "To": SMS, "AccountSid": ACCOUNT}
        more = {"ErrorCode": "63016"} if state == "failed" else {}
        request = signed({**fields, **more}, f"{WEBHOOK}?reference=tresen%3A7%3A0")
        channel = parser()
        channel.verify(request)
        (receipt,) = channel.parse(request)
        assert isinstance(receipt, Receipt)
        assert (receipt.receipt_id, receipt.state) == ("SM7", state)
        assert receipt.reference == "tresen:7:0"
        assert receipt.code == more.get("ErrorCode", "")

    def test_other_accounts_and_numbers_are_noted(self):
        assert told("x", AccountSid="ACother") == Note("twilio", "foreign_account")
        assert told("x", To="+4999") == Note("twilio", "foreign_account")
        service = opened(messaging_service_sid="MG1")
        assert told("x", To="+4999", MessagingServiceSid="MG1", channel=service).text == "x"
        assert isinstance(told("x", To="+4999", MessagingServiceSid="MG2", channel=service), Note)
        report = {"MessageSid": "SM1", "MessageStatus": "sent", "AccountSid": "ACother"}
        assert parser().parse(signed(report)) == [Note("twilio", "foreign_account")]

    def test_unknown_statuses_and_kinds_are_kept(self):
        report = {"MessageSid": "SM1", "MessageStatus": "partially_read", "AccountSid": ACCOUNT}
        assert parser().parse(signed(report)) == [
            Note("twilio", "unknown_status", "partially_read")
        ]
        new = told("", WHATSAPP, MessageType="hologram", HologramUrl="x")
        assert (new.signal, new.metadata["kind"]) == ("unsupported", "hologram")

    def test_json_bodies_of_event_streams(self):
        body = json.dumps([
            {
                "type": "com.twilio.messaging.message.delivered",
                "data": {
                    "messageSid": "SM7",
                    "messageStatus": "DELIVERED",
                    "accountSid": ACCOUNT,
                    "to": SMS,
                },
            },
            {
                "type": "com.twilio.messaging.inbound-message.received",
                "data": {
                    "messageSid": "SM8",
                    "accountSid": ACCOUNT,
                    "from": SMS,
                    "to": SMS_FROM,
                    "body": "Hallo",
                },
            },
            {"type": "com.twilio.new", "data": {}},
            7,
        ]).encode()
        request = signed_json(body)
        channel = parser()
        channel.verify(request)
        report, message, empty, number = channel.parse(request)
        assert (report.receipt_id, report.state) == ("SM7", "delivered")
        assert (message.message_id, message.text) == ("SM8", "Hallo")
        assert empty == Note("twilio", "unreadable_event", "MessageSid")
        assert number == Note("twilio", "unknown_event")

    @given(st.binary(max_size=400), st.booleans())
    def test_no_bytes_break_it(self, body, is_json):
        request = signed_json(body) if is_json else signed({"a": "b"})
        self._parsed(msgspec.structs.replace(request, body=body))

    @given(
        st.dictionaries(
            st.sampled_from([
                *("MessageSid", "From", "To", "Body", "NumMedia", "MediaUrl0", "ListId"),
                *("AccountSid", "Latitude", "Longitude", "ButtonPayload", "OptOutType"),
                "MessageStatus",
            ]),
            st.one_of(st.text(max_size=40), st.sampled_from([ACCOUNT, SMS, SMS_FROM, "1", "nan"])),
        ),
        st.dictionaries(st.text(max_size=10), st.recursive(st.integers(), st.lists), max_size=2),
    )
    def test_no_signed_fields_break_it(self, fields, more):
        with_ids = {"MessageSid": "SM1", "AccountSid": ACCOUNT, "From": SMS, **fields}
        clean = {k: v.encode("utf-8", "replace").decode() for k, v in with_ids.items()}
        request = signed(clean)
        parser().verify(request)
        self._parsed(request)
        body = json.dumps([{"data": {**clean, **more}}, {"data": more}]).encode()
        self._parsed(signed_json(body))

    def _parsed(self, request):
        try:
            found = parser().parse(request)
        except BadRequest:
            return
        for one in found:
            assert isinstance(one, InboundMessage | Receipt | Note)
            msgspec.json.encode(one)
            if isinstance(one, InboundMessage):
                assert one.text or one.attachments or one.signal


class TestSettings:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"auth_token": ""},
            {"account_sid": "SK1"},
            {"surprise": 1},
            {"from_number": "", "whatsapp_from": ""},
            {"whatsapp_from": "+49157"},
            {"per_second": 0},
        ],
    )
    def test_wrong_ones_are_named(self, wrong):
        with pytest.raises(SettingsInvalid, match=r"channels\.twilio"):
            opened(**wrong)

    def test_answer_is_no_message(self):
        reply = opened().reply(signed({"MessageSid": "SM1"}))
        assert (reply.status, reply.body) == (200, b"<Response></Response>")

    def test_service_sends_sms(self):
        settings = msgspec.structs.replace(
            opened()._settings, messaging_service_sid="MG1", whatsapp_from=""
        )
        channel = TwilioMessages(settings, CONTEXT)
        assert channel._settings.sender(SMS) == {"messaging_service_sid": "MG1"}
        assert channel._settings.sender(WHATSAPP) == {"messaging_service_sid": "MG1"}
