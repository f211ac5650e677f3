"""WhatsApp: proof of origin, events beside messages, and bodies of any kind."""

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import InboundMessage, Note, Receipt
from channels.base import BadRequest, ChannelError, Unverified, WebhookRequest
from channels.push import SettingsInvalid
from channels.whatsapp import connect
from tests.channels.whatsapp_webhooks import (
    CONTEXT,
    CUSTOMER,
    FAKE,
    SETTINGS,
    channel,
    parsed,
    told,
)
from tests.contracts.channel import NOW, ChannelContract


class TestContract(ChannelContract):
    def channel(self):
        return channel()

    def request(self, text):
        message = {
            "from": CUSTOMER,
            "id": "wamid.1",
            "timestamp": "1763726400",
            "type": "text",
            "text": {"body": text},
        }
        return FAKE.signed(FAKE.envelope({"messages": [message]}))

    def forged(self):
        good = self.request("x")
        mark = good.headers["x-hub-signature-256"]
        headers = [
            {},
            {"x-hub-signature-256": ""},
            {"x-hub-signature-256": "sha256="},
            {"x-hub-signature-256": mark.removeprefix("sha256=")},
            {"x-hub-signature-256": mark[:-1]},
            {"x-hub-signature-256": mark[:-1] + ("0" if mark[-1] != "0" else "1")},
            {"x-hub-signature-256": "sha256=ä"},
            {"x-hub-signature": mark},
        ]
        wrong = [WebhookRequest("POST", good.path, headers=h, body=good.body) for h in headers]
        other = FAKE.signed({"object": "whatsapp_business_account", "entry": []}, secret="other")
        longer = WebhookRequest("POST", good.path, headers=good.headers, body=good.body + b" ")
        return [*wrong, other, longer, *(FAKE.challenge(token) for token in ("", "x", "ä"))]

    def test_too_long_text_is_refused(self):
        (message,) = self.channel().parse(self.request("ä" * 10_001))
        assert (len(message.text), message.metadata["cut_chars"]) == (10_000, 1)


class TestAddressCheck:
    def test_challenge_is_answered(self):
        request = FAKE.challenge()
        channel().verify(request)
        assert channel().reply(request).body == b"1158201444"
        assert channel().parse(request) == []

    def test_other_modes_are_refused(self):
        query = {"hub.mode": "unsubscribe", "hub.verify_token": "tresen-verify"}
        with pytest.raises(Unverified):
            channel().verify(WebhookRequest("GET", "/", query=query))

    def test_post_gets_an_empty_answer(self):
        request = WebhookRequest("POST", "/", query={"hub.challenge": "7"})
        assert channel().reply(request).body == b""


class TestOtherEvents:
    def test_batch_keeps_the_order_and_one_bad_event_stops_nothing(self):
        text = {"type": "text", "text": {"body": "x"}}
        found = parsed(
            {"id": "wamid.1", **text},
            {"id": "", **text},
            {"id": "wamid.3", "from": "a\nb", **text},
            {"id": "wamid.4", **text},
            statuses=[
                {"id": "wamid.9", "status": "read"},
                {"id": "wamid.9", "status": "warped"},
                7,
            ],
        )
        kinds = [getattr(item, "message_id", getattr(item, "kind", "")) for item in found]
        assert kinds == ["wamid.1", "malformed", "malformed", "wamid.4", "", "status", "malformed"]
        assert found[4] == Receipt("whatsapp", "wamid.9", "read", NOW)

    def test_failed_status(self):
        error = {"code": 131026, "title": "Message undeliverable to 4915112345678"}
        (receipt,) = told(statuses=[{"id": "wamid.9", "status": "failed", "errors": [error]}])
        assert (receipt.state, receipt.code) == ("failed", "131026")
        assert CUSTOMER not in receipt.error

    def test_changed_number_is_told_without_the_number(self):
        body = f"User A changed from {CUSTOMER} to 4915187654321"
        system = {"type": "user_changed_number", "body": body, "wa_id": "4915187654321"}
        (note,) = parsed({"type": "system", "system": system})
        assert note == Note("whatsapp", "number_changed")

    def test_another_number_of_the_account(self):
        other = connect({**SETTINGS, "phone_number_id": "1"}, CONTEXT)
        request = FAKE.signed(FAKE.envelope({"messages": [{"id": "1", "from": "2"}]}))
        assert other.parse(request) == [Note("whatsapp", "foreign_account", "messages")]

    def test_messages_of_a_group_are_nobodys(self):
        (note,) = parsed({"type": "text", "group_id": "g", "text": {"body": "x"}})
        assert note == Note("whatsapp", "group_message", "text")

    def test_unknown_fields_of_the_future(self):
        body = FAKE.envelope({"wishes": [1]}, field="wishes")
        assert channel().parse(FAKE.signed(body)) == [Note("whatsapp", "wishes")]
        found = told(wishes=[1], statuses=[])
        assert found == [Note("whatsapp", "unknown_field", "messages.wishes")]

    def test_stop_of_marketing_is_an_opt_out(self):
        preference = {
            "wa_id": CUSTOMER,
            "category": "marketing_messages",
            "value": "stop",
            "timestamp": 1763726400,
        }
        body = FAKE.envelope({"user_preferences": [preference]}, field="user_preferences")
        (message,) = channel().parse(FAKE.signed(body))
        assert (message.signal, message.sender_id) == ("opt_out", CUSTOMER)
        assert message.metadata["category"] == "marketing_messages"

    @pytest.mark.parametrize(
        "body",
        [{}, {"object": "page", "entry": []}, {"object": "whatsapp_business_account", "entry": {}}],
    )
    def test_another_envelope_is_refused(self, body):
        with pytest.raises(BadRequest):
            channel().parse(FAKE.signed(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(string.ascii_lowercase + "_", max_size=12), inner, max_size=4)
    ),
    max_leaves=20,
)
WHOLE = FAKE.envelope(
    {
        "contacts": [{"profile": {"name": "A"}, "wa_id": CUSTOMER}],
        "messages": [
            {
                "from": CUSTOMER,
                "id": "wamid.1",
                "timestamp": "1763726400",
                "type": kind,
                "context": {"id": "wamid.0", "referred_product": {"product_retailer_id": "A"}},
                "referral": {"source_id": "1"},
                kind: content,
            }
            for kind, content in {
                "text": {"body": "x"},
                "image": {"id": "1", "mime_type": "image/png"},
                "location": {"latitude": 1, "longitude": 2},
                "contacts": [{"name": {"formatted_name": "A"}, "phones": [{"phone": "1"}]}],
                "order": {"product_items": [{"product_retailer_id": "A", "quantity": 1}]},
                "edit": {"message": {"type": "text", "text": {"body": "x"}}},
                "interactive": {"nfm_reply": {"response_json": "{}"}},
                "system": {"type": "user_changed_number"},
            }.items()
        ],
        "statuses": [{"id": "wamid.9", "status": "sent", "timestamp": "1", "pricing": {"a": 1}}],
        "errors": [{"code": 1, "title": "x"}],
    },
    {"calls": [{"id": "c", "from": "1", "event": "connect"}]},
)


def places(value, path=()):
    """Return every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


PLACES = [path for path in places(WHOLE) if path]


def only_known_errors(body):
    whatsapp = channel()
    request = FAKE.signed(body)
    whatsapp.verify(request)
    try:
        found = whatsapp.parse(request)
    except ChannelError:
        return []
    assert found == whatsapp.parse(request)
    return found


class TestAnything:
    @settings(deadline=None)
    @given(st.binary(max_size=400))
    def test_any_bytes(self, body):
        with pytest.raises(BadRequest):
            channel().parse(WebhookRequest("POST", "/", body=body))

    @settings(deadline=None)
    @given(json_values)
    def test_any_json(self, value):
        only_known_errors({"object": "whatsapp_business_account", "entry": value})
        entry = {"changes": [{"field": "messages", "value": value}, value]}
        only_known_errors({"object": "whatsapp_business_account", "entry": [entry, value]})

    @settings(deadline=None, max_examples=300)
    @given(st.sampled_from(PLACES), json_values)
    def test_any_field_may_hold_anything(self, path, value):
        body = json.loads(json.dumps(WHOLE))
        target = body
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value
        for item in only_known_errors(body):
            assert isinstance(item, (InboundMessage, Receipt, Note))

    def test_the_whole_is_read(self):
        assert len(only_known_errors(WHOLE)) == 8 + 2 + 1 + 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"access_token": ""}, "access_token"),
        ({"app_secret": 7}, "app_secret"),
        ({"phone_number_id": "1/2"}, "phone_number_id"),
        ({"api_version": "26"}, "api_version"),
        ({"api_url": "ftp://x.example"}, "api_url"),
        ({"colour": "blue"}, "colour"),
        ({"templates": {"utter_x": {"name": "x"}}}, "languages"),
    ],
)
def test_wrong_settings_are_named(change, named):
    with pytest.raises(SettingsInvalid, match=named):
        connect({**SETTINGS, **change}, CONTEXT)
