"""E-mail: a case is a thread in your team's mailbox, and their replies come in over a webhook.

Each case has a reply address of its own that is signed, so that nobody writes to a customer who was
not written to. The Message-ID of what we send stays the same when it is sent again; mail has no way
to ask whether it arrived.
"""

import asyncio
import hmac
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from hashlib import sha256
from typing import Annotated, Literal

import msgspec

from desk.bridges.mail_text import body_of, files_of, own_words
from desk.bridges.ports import (
    MOST_BYTES,
    Arrived,
    Bridge,
    BridgeContext,
    Ending,
    Kind,
    Line,
    Opening,
    RefusedThere,
    Remark,
    TryLater,
    Unverified,
    WebhookCall,
    reference,
)
from desk.bridges.words import message_text, story, summary_text, word
from desk.records import Case

Send = Callable[[EmailMessage], None]
Shown = Literal["case", "customer", "note", "end"]
TIMEOUT_S = 20.0
MOST_MAIL_BYTES = 30_000_000
COMMANDS: dict[str, Kind] = {"#take": "assigned", "#close": "closed", "#bot": "gave_back"}
"""What a line of its own in a reply does."""
_ADDRESS = "^[^@\\s+]+@[^@\\s]+$"
_RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
_PASSWORD_WRONG = frozenset({530, 534, 535})
_FINAL = 500


class Config(msgspec.Struct, frozen=True):
    """How mail is sent, to whom, and how replies come back.

    Args:
        host: of the SMTP server.
        to: the team's address.
        address: ours; replies go to it with `+…` before the @.
        secret: signs the reply addresses.
        webhook_secret: the bearer token with which replies are posted.
        port: of the SMTP server.
        security: starttls, tls, or none on this machine only.
        username: for the SMTP server; empty for none.
        password: of that user.
    """

    host: str
    to: Annotated[str, msgspec.Meta(pattern=_ADDRESS)]
    address: Annotated[str, msgspec.Meta(pattern=_ADDRESS)]
    secret: Annotated[str, msgspec.Meta(min_length=24)]
    webhook_secret: Annotated[str, msgspec.Meta(min_length=24)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: str = ""


class EmailBridge(Bridge):
    """A team's mailbox."""

    name = "email"

    def __init__(self, config: Config, context: BridgeContext, send: Send) -> None:
        """Write to the team of `config`.

        Args:
            config: addresses and secrets.
            context: the words for people there.
            send: hands a mail to the mail server.
        """
        self._config = config
        self._context = context
        self._send = send
        self._local, self._domain = config.address.split("@")

    async def open(self, opening: Opening) -> str:
        """Send the case with its story.

        Raises:
            TryLater: not now; it may have been sent.
            RefusedThere: never.
        """
        case, language = opening.case, self._context.language
        parts = (
            summary_text(case, opening.summary, language),
            story(opening.transcript, language, self._context.desk_url),
            word("how_by_mail", language),
        )
        remote_id = reference(case.id)
        await self._write(remote_id, remote_id, case, "case", "\n\n".join(parts))
        return remote_id

    async def tell(self, remote_id: str, told: Line | Remark) -> None:
        """Send what was said, or a remark, into the thread.

        Raises:
            TryLater: not now; it may have been sent.
            RefusedThere: never.
        """
        language = self._context.language
        shown: Shown = "note"
        if isinstance(told, Remark):
            text = word(told.why, language, name=told.name)
        else:
            text = message_text(told.message, language, self._context.desk_url)
            if told.message.speaker == "customer":
                shown = "customer"
            else:
                text = word("said_here", language, name=told.message.name, text=text)
        await self._write(remote_id, told.key, told.case, shown, text)

    async def end(self, remote_id: str, ending: Ending) -> None:
        """Send into the thread that nobody is needed any more.

        Raises:
            TryLater: not now; it may have been sent.
            RefusedThere: never.
        """
        what = "closed_here" if ending.state == "closed" else "bot_again"
        text = word(what, self._context.language)
        await self._write(remote_id, ending.key, ending.case, "end", text)

    def parse(self, call: WebhookCall) -> Sequence[Arrived]:
        """Return what a person's reply says and does: the body is the mail as it came.

        Raises:
            Unverified: the token is missing or wrong.
        """
        if not self._is_proven(call.headers):
            raise Unverified("authorization")
        mail = message_from_bytes(call.body, policy=policy.default)
        remote_id = self._case_of(mail)
        own_id = str(mail.get("message-id", "")).strip()
        if not remote_id or not own_id or _is_automatic(mail) or self._is_ours(own_id):
            return ()
        return tuple(self._events(mail, remote_id, sha256(own_id.encode()).hexdigest()[:24]))

    def most_bytes(self, headers: Mapping[str, str]) -> int:
        """Return how long a mail may be: as mail servers take it, from them alone."""
        return MOST_MAIL_BYTES if self._is_proven(headers) else MOST_BYTES

    def _is_proven(self, headers: Mapping[str, str]) -> bool:
        given = headers.get("authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {self._config.webhook_secret}".encode())

    def _events(self, mail: EmailMessage, remote_id: str, own_id: str) -> Iterator[Arrived]:
        name, address = (getaddresses([str(mail.get("from", ""))]) or [("", "")])[0]
        who, shown = address.lower(), name or address.partition("@")[0]
        at = _sent_at(mail)
        lines, kinds = [], dict[Kind, None]()
        for line in own_words(body_of(mail)).splitlines():
            kind = COMMANDS.get(line.strip().lower())
            if kind is None:
                lines.append(line)
            else:
                kinds[kind] = None
        text = self._without_address("\n".join(lines).strip())
        files = files_of(mail)
        if text or files:
            yield Arrived(own_id, "reply", remote_id, who, shown, text, left_out=files, at=at)
        elif not kinds:
            yield Arrived(own_id, "reply", remote_id, who, shown, is_empty=True, at=at)
        for kind in kinds:
            yield Arrived(f"{own_id}:{kind}", kind, remote_id, who, shown, at=at)

    def _case_of(self, mail: EmailMessage) -> str:
        """Return the case whose address a mail went to, if its signature is ours."""
        fields = [str(each) for name in _RECIPIENTS for each in mail.get_all(name, ())]
        for _, address in getaddresses(fields):
            local, _, domain = address.lower().rpartition("@")
            own, _, tag = local.partition("+")
            remote_id, _, given = tag.partition(".")
            if (own, domain) != (self._local.lower(), self._domain.lower()) or not remote_id:
                continue
            expected = self._proof(remote_id.upper())
            if hmac.compare_digest(expected.encode(), given.encode()):
                return remote_id.upper()
        return ""

    def _proof(self, remote_id: str) -> str:
        made = hmac.new(self._config.secret.encode(), remote_id.encode(), sha256)
        return made.hexdigest()[:20]

    def reply_address(self, remote_id: str) -> str:
        """Return the address to which a case is answered."""
        return f"{self._local}+{remote_id.lower()}.{self._proof(remote_id)}@{self._domain}"

    def _without_address(self, text: str) -> str:
        """Return a text without reply addresses: who knows one can answer the customer."""
        local, domain = re.escape(self._local), re.escape(self._domain)
        return re.sub(rf"{local}\+[\w.]+@{domain}", self._config.address, text, flags=re.IGNORECASE)

    def _id(self, key: str) -> str:
        return f"<tresen.{key}@{self._domain}>"

    def _is_ours(self, own_id: str) -> bool:
        return own_id.startswith("<tresen.") and own_id.endswith(f"@{self._domain}>")

    async def _write(self, remote_id: str, key: str, case: Case, shown: Shown, text: str) -> None:
        mail = EmailMessage(policy=policy.SMTP)
        subject = word("case", self._context.language, id=remote_id, shop=self._context.shop_name)
        mail["Subject"] = subject if shown == "case" else f"Re: {subject}"
        mail["From"] = f"Tresen <{self._config.address}>"
        mail["To"] = self._config.to
        mail["Reply-To"] = self.reply_address(remote_id)
        mail["Date"] = self._context.clock()
        mail["Message-ID"] = self._id(key)
        if shown != "case":
            mail["In-Reply-To"] = mail["References"] = self._id(remote_id)
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Tresen"] = shown
        mail["X-Priority"] = "1" if case.urgent else "3"
        mail.set_content(text)
        try:
            await asyncio.to_thread(self._send, mail)
        except smtplib.SMTPRecipientsRefused as error:
            raise _meaning(next(iter(error.recipients.values()), (0, b""))[0]) from error
        except smtplib.SMTPResponseException as error:
            raise _meaning(error.smtp_code) from error
        except (smtplib.SMTPException, OSError) as error:
            raise TryLater(type(error).__name__) from error


def connect(config: Config, context: BridgeContext) -> EmailBridge:
    """Return the bridge; nothing is sent yet."""
    return EmailBridge(config, context, _sending(config))


def _sending(config: Config) -> Send:
    def send(mail: EmailMessage) -> None:
        tls = ssl.create_default_context()
        server: smtplib.SMTP
        if config.security == "tls":
            server = smtplib.SMTP_SSL(config.host, config.port, timeout=TIMEOUT_S, context=tls)
        else:
            server = smtplib.SMTP(config.host, config.port, timeout=TIMEOUT_S)
        with server:
            if config.security == "starttls":
                server.starttls(context=tls)
            if config.username:
                server.login(config.username, config.password)
            server.send_message(mail)

    return send


def _meaning(code: int) -> TryLater | RefusedThere:
    """Return what the mail server's refusal means; a wrong password is put right by a person."""
    if code >= _FINAL and code not in _PASSWORD_WRONG:
        return RefusedThere(f"smtp_{code}")
    return TryLater(f"smtp_{code}")


def _is_automatic(mail: EmailMessage) -> bool:
    """Return whether no person wrote a mail: bounces, absence notices, lists."""
    said = str(mail.get("auto-submitted", "no")).strip().lower()
    bulk = str(mail.get("precedence", "")).strip().lower() in {"bulk", "junk", "list", "auto_reply"}
    bounced = str(mail.get("return-path", "")).strip() == "<>"
    report = mail.get_content_type() == "multipart/report"
    return said != "no" or bulk or bounced or report or "x-autoreply" in mail


def _sent_at(mail: EmailMessage) -> datetime | None:
    try:
        found = parsedate_to_datetime(str(mail.get("date", "")))
    except (ValueError, TypeError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
