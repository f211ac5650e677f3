"""A push channel that does what its script says, for tests of what stands behind channels."""

import json
from collections.abc import Callable

import msgspec

from bot.messages import Attachment, Contact, InboundMessage, Note, OutboundMessage, Receipt
from channels.base import Unverified, WebhookRequest
from channels.push import (
    ChannelLimits,
    MediaFile,
    PushChannel,
    Undeliverable,
    Verdict,
    WindowClosed,
)
from tests.contracts.channel import NOW


class Scripted(PushChannel):
    """Takes `{"id", "from", "text"?, "signal"?, "files"?, "sequence"?}`; signed by `x-proof: yes`.

    `script` is a list of what the next sends do: an id, or an error to raise; then ids are made.
    """

    name = "scripted"
    limits = ChannelLimits(text_chars=1000, per_second=10_000, window_h=24)

    def __init__(self, *script: str | Exception):
        self.script = list(script)
        self.sent: list[tuple[str, str]] = []
        self.settled: dict[str, str | None] = {}
        self.files: dict[str, bytes | Exception] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.window_closed: Callable[[Contact], bool] = lambda contact: False

    def verify(self, request):
        if request.headers.get("x-proof") != "yes":
            raise Unverified

    def parse(self, request):
        found = []
        for item in json.loads(request.body):
            if "note" in item:
                found.append(Note(self.name, item["note"]))
            elif "receipt" in item:
                found.append(Receipt(self.name, at=NOW, **item["receipt"]))
            else:
                files = tuple(
                    Attachment("image", f"media:{name}") for name in item.get("files", ())
                )
                found.append(
                    InboundMessage(
                        self.name,
                        item["from"],
                        item["id"],
                        item.get("text", ""),
                        NOW,
                        files,
                        item.get("metadata", {}),
                        sequence=item.get("sequence", 0),
                        signal=item.get("signal", ""),
                    )
                )
        return found

    def render(self, outbound, recipient):
        return [{"to": recipient, "text": part} for part in outbound.text.split("|") if part]

    async def send(self, payload, reference):
        step = self.script.pop(0) if self.script else f"id-{len(self.sent)}"
        if isinstance(step, Exception):
            raise step
        self.sent.append((payload["to"], payload["text"]))
        return step

    def admit(self, outbound, contact, now):
        if contact.opted_in is False:
            raise Undeliverable("opted_out")
        if self.window_closed(contact):
            raise WindowClosed("window")
        return outbound

    async def settle(self, doubt):
        return self.settled.get(doubt.reference)

    def verdict(self, code):
        return self.verdicts.get(code, "give_up")

    async def fetch_media(self, reference, limit_bytes):
        found = self.files[reference]
        if isinstance(found, Exception):
            raise found
        return MediaFile(found, "image/png", reference)


def request(*items: dict, proof: str = "yes") -> WebhookRequest:
    return WebhookRequest("POST", "/", headers={"x-proof": proof}, body=json.dumps(items).encode())


def outbound(text: str) -> OutboundMessage:
    return msgspec.structs.replace(OutboundMessage(), text=text)
