"""What the server signs for the web chat: session tokens, upload receipts, picture addresses."""

import base64
import binascii
import hashlib
import hmac
import secrets

import msgspec

from bot.messages import Attachment
from channels.base import BadRequest


class _Receipt(msgspec.Struct, frozen=True):
    """Proof that this session uploaded this file."""

    session_id: str
    attachment: Attachment


class Signer:
    """Signs with one server secret; every kind of thing is signed in its own name space."""

    def __init__(self, secret: bytes) -> None:
        """Set up with the server's secret.

        Args:
            secret: at least 16 random bytes, the same on every server of one shop.

        Raises:
            ValueError: if the secret is too short.
        """
        if len(secret) < 16:
            message = "The web chat's secret must be at least 16 bytes."
            raise ValueError(message)
        self._secret = secret

    def new_session_id(self) -> str:
        """Return a new random session id."""
        return secrets.token_urlsafe(18)

    def sign(self, kind: str, value: str) -> str:
        """Return the signature of a value of one kind, as 64 hexadecimal digits."""
        message = f"{kind}:{value}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def is_valid(self, kind: str, value: str, signature: str) -> bool:
        """Return whether the signature is right, compared in constant time."""
        expected = self.sign(kind, value).encode()
        return hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass"))

    def receipt(self, session_id: str, attachment: Attachment) -> str:
        """Return a receipt with which the session can attach its uploaded file to a message."""
        proof = msgspec.json.encode(_Receipt(session_id, attachment))
        packed = base64.urlsafe_b64encode(proof).decode()
        return f"{packed}.{self.sign('upload', packed)}"

    def attachment(self, session_id: str, receipt: str) -> Attachment:
        """Return the attachment a receipt stands for.

        Raises:
            BadRequest: if the receipt is not one this server gave to this session.
        """
        packed, _, signature = receipt.partition(".")
        problem = "is not a receipt of an upload of this session"
        if not self.is_valid("upload", packed, signature):
            raise BadRequest("attachments", problem)
        try:
            proof = msgspec.json.decode(base64.urlsafe_b64decode(packed), type=_Receipt)
        except (msgspec.DecodeError, binascii.Error) as error:
            raise BadRequest("attachments", problem) from error
        if proof.session_id != session_id:
            raise BadRequest("attachments", problem)
        return proof.attachment
