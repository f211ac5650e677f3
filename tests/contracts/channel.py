"""What every channel keeps to. Subclass it and say how this channel's requests look."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from bot.messages import Button, Card, InboundMessage, OutboundMessage
from channels.base import BadRequest, Channel, ChannelError, Unverified, WebhookRequest

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RICH = OutboundMessage(
    text="Diese zwei passen – 👍 <b>nicht fett</b>:",
    buttons=(Button("Ja, bitte", "/affirm"), Button("Nein", "/deny")),
    cards=(Card(title="Parka", price="89,00 €"), Card(title="Mantel", price="129,90 €")),
)


class ChannelContract:
    """Subclass per channel; override the methods that describe its requests."""

    #: Whether anyone may reach the channel, as a terminal's keyboard.
    is_open = False
    #: Whether bodies are JSON objects that can be broken.
    reads_json = True

    def channel(self) -> Channel:
        """Return the channel with a clock that stands at NOW."""
        raise NotImplementedError

    def request(self, text: str) -> WebhookRequest:
        """Return a well-formed, well-signed request that brings the text."""
        raise NotImplementedError

    def forged(self) -> list[WebhookRequest]:
        """Return requests whose proof is missing or wrong."""
        raise NotImplementedError

    def with_body(self, body: bytes) -> WebhookRequest:
        return msgspec.structs.replace(self.request("x"), body=body)

    def test_good_request_is_verified_and_parsed(self):
        channel, request = self.channel(), self.request("Wo ist mein Paket? 📦")
        channel.verify(request)
        (message,) = channel.parse(request)
        assert isinstance(message, InboundMessage)
        assert message.text == "Wo ist mein Paket? 📦"
        assert message.channel == channel.name
        assert message.conversation_id == f"{channel.name}:{message.sender_id}"
        assert message.message_id
        assert message.received_at == NOW

    def test_parse_is_pure(self):
        channel, request = self.channel(), self.request("twice")
        assert channel.parse(request) == channel.parse(request)

    def test_a_message_can_be_stored(self):
        (message,) = self.channel().parse(self.request("stored"))
        stored = msgspec.json.encode(message)
        assert msgspec.json.decode(stored, type=InboundMessage) == message

    def test_forged_requests_are_refused(self):
        if self.is_open:
            self.channel().verify(self.request("x"))
            return
        assert self.forged()
        for request in self.forged():
            with pytest.raises(Unverified):
                self.channel().verify(request)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'"text"',
            b"\xff\xfe{}",
            b'{"a":NaN}',
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b'{"type":"message","id":7,"sender":7,"message":7,"text":7}',
            b'{"' + b"x" * 5_000_000 + b'":1}',
            b'{"surprise":"\\ud800"}',
        ],
        ids=lambda body: body[:12].decode("latin-1") + f"({len(body)})",
    )
    def test_broken_bodies_are_refused_by_name(self, body):
        if not self.reads_json:
            assert self.channel().parse(self.with_body(b"\xff\xfe"))
            return
        with pytest.raises(BadRequest) as raised:
            self.channel().parse(self.with_body(body))
        assert raised.value.field
        assert raised.value.problem
        assert 400 <= raised.value.status < 500
        json.dumps(raised.value.as_payload()).encode()
        assert len(str(raised.value)) < 400

    def test_too_long_text_is_refused(self):
        with pytest.raises(ChannelError, match="at most"):
            self.channel().parse(self.request("ä" * 10_001))

    def test_longest_text_is_taken(self):
        (message,) = self.channel().parse(self.request("€" * 10_000))
        assert len(message.text) == 10_000

    @pytest.mark.parametrize("hostile", ["a\x00b", "a\x1b[31mb", "a\x7fb", "a\x85b"])
    def test_control_characters_are_cleaned(self, hostile):
        (message,) = self.channel().parse(self.request(hostile))
        assert message.text[0] == "a"
        assert message.text[-1] == "b"
        assert message.text.isprintable()

    def test_render_loses_nothing_and_is_json(self):
        channel = self.channel()
        payloads = channel.render(RICH, "someone")
        shown = json.dumps(payloads, ensure_ascii=False)
        words = [RICH.text, "Ja, bitte", "Nein", "Parka", "89,00 €", "Mantel", "129,90 €"]
        assert [word for word in words if word not in shown] == []
        assert payloads == channel.render(RICH, "someone")

    def test_render_of_nothing_is_nothing(self):
        assert self.channel().render(OutboundMessage(language="de"), "someone") == []
