"""Any desk that can take and send signed webhooks, after the Standard Webhooks specification.

`docs/howto/other-desks.md` tells both sides' payloads.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec

from bot.messages import Attachment
from desk.bridges.http import BridgeClient
from desk.bridges.ports import (
    Arrived,
    BadWebhook,
    Bridge,
    BridgeContext,
    Ending,
    Line,
    Opening,
    Remark,
    Unverified,
    WebhookCall,
    is_fresh,
    moment,
    reference,
)
from desk.bridges.words import story, summary_text, word

_SECRET_PREFIX = "whsec_"  # noqa: S105 - of the specification, no secret


class Config(msgspec.Struct, frozen=True):
    """Where the other desk listens, and the secret of both directions.

    Args:
        url: gets every payload.
        secret: signs what goes there and proves what comes back; raw, or `whsec_` and base64.
    """

    url: Annotated[str, msgspec.Meta(pattern="^https?://", description="write https://…")]
    secret: Annotated[str, msgspec.Meta(min_length=24, description="use 24 characters or more")]


class _Person(msgspec.Struct, frozen=True):
    id: str = ""
    name: str = ""


class _Told(msgspec.Struct, frozen=True):
    """What the other desk sends; fields that are not known are left alone."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    type: str
    case: Annotated[str, msgspec.Meta(min_length=1)]
    operator: _Person = _Person()
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    at: str | int | float | None = None
    order: int = 0


_KINDS: dict[str, Literal["reply", "assigned", "closed", "gave_back"]] = {
    "reply": "reply",
    "assigned": "assigned",
    "closed": "closed",
    "gave_back": "gave_back",
}


class WebhookBridge(Bridge):
    """A desk of one's own making."""

    name = "webhook"

    def __init__(self, config: Config, context: BridgeContext) -> None:
        """Talk to the desk of `config`."""
        self._secret = _key(config.secret)
        self._context = context
        self._url = config.url
        self._client = BridgeClient("", context)

    async def open(self, opening: Opening) -> str:
        """Send the case with its story; the answer may name its id there.

        Raises:
            TryLater: not now; it may be open already.
            RefusedThere: never.
        """
        case, language = opening.case, self._context.language
        answer = await self._post(
            opening.key,
            "case.opened",
            reference(case.id),
            {
                "conversation": case.conversation_id,
                "channel": case.channel,
                "language": case.language,
                "reason": case.reason,
                "customer": {"id": case.customer_id, "name": case.customer_name},
                "order_number": case.order_number,
                "summary": summary_text(case, opening.summary, language),
                "story": story(opening.transcript, language, self._context.desk_url),
                "transcript": [
                    {"at": m.at, "speaker": m.speaker, "name": m.name, "text": m.text}
                    for m in opening.transcript.messages
                ],
            },
        )
        told = answer.get("id") if isinstance(answer, dict) else None
        return str(told) if isinstance(told, str | int) and str(told) else reference(case.id)

    async def tell(self, remote_id: str, told: Line | Remark) -> None:
        """Send what was said, or a remark.

        Raises:
            TryLater: not now; it may be there already.
            RefusedThere: never.
        """
        if isinstance(told, Remark):
            text = word(told.why, self._context.language, name=told.name)
            await self._post(told.key, "case.remarked", remote_id, {"why": told.why, "text": text})
            return
        message = told.message
        said = {
            "at": message.at,
            "speaker": message.speaker,
            "name": message.name,
            "text": message.text,
            "attachments": message.attachments,
        }
        await self._post(told.key, "message.said", remote_id, said)

    async def end(self, remote_id: str, ending: Ending) -> None:
        """Send that nobody is needed any more.

        Raises:
            TryLater: not now; it may be known already.
            RefusedThere: never.
        """
        await self._post(ending.key, "case.ended", remote_id, {"state": ending.state})

    def parse(self, call: WebhookCall) -> Sequence[Arrived]:
        """Return what a person did there.

        Raises:
            Unverified: the signature is missing, wrong or too old.
            BadWebhook: a field is not what is documented.
        """
        self._verify(call)
        try:
            told = msgspec.json.decode(call.body, type=_Told)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadWebhook(_plain(error)) from error
        kind = _KINDS.get(told.type)
        if kind is None:
            return ()
        return [
            Arrived(
                told.id,
                kind,
                told.case,
                told.operator.id,
                told.operator.name,
                told.text,
                told.attachments,
                at=moment(told.at),
                order=told.order,
            )
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _post(self, key: str, kind: str, remote_id: str, data: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        body = msgspec.json.encode({"id": key, "type": kind, "case": remote_id, "data": data})
        stamp = str(int(self._context.clock().timestamp()))
        headers = {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(self._secret, key, stamp, body),
        }
        return await self._client.ask("POST", self._url, content=body, headers=headers)

    def _verify(self, call: WebhookCall) -> None:
        own_id = call.headers.get("webhook-id", "")
        stamp = call.headers.get("webhook-timestamp", "")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            raise Unverified("webhook-timestamp")
        expected = signature(self._secret, own_id, stamp, call.body).encode()
        given = call.headers.get("webhook-signature", "").encode()
        if not sum(hmac.compare_digest(expected, each) for each in given.split(b" ")):
            raise Unverified("webhook-signature")
        if not is_fresh(int(stamp), self._context.clock()):
            raise Unverified("webhook-timestamp")


def connect(config: Config, context: BridgeContext) -> WebhookBridge:
    """Return the bridge; nothing is sent yet."""
    return WebhookBridge(config, context)


def signature(secret: bytes, own_id: str, stamp: str, body: bytes) -> str:
    """Return the signature of a webhook in the form of its header.

    Args:
        secret: of both sides.
        own_id: the header `webhook-id`.
        stamp: the header `webhook-timestamp`, seconds since 1970.
        body: as it goes over the wire.
    """
    signed = f"{own_id}.{stamp}.".encode() + body
    return f"v1,{b64encode(hmac.new(secret, signed, sha256).digest()).decode()}"


def _key(secret: str) -> bytes:
    if secret.startswith(_SECRET_PREFIX):
        return b64decode(secret.removeprefix(_SECRET_PREFIX) + "==")
    return secret.encode()


def _plain(error: Exception) -> str:
    """Return what is wrong and where, without what was sent."""
    where = str(error).rpartition(" - at ")[2]
    return where[:80] if where.startswith("`$") else "the body"
