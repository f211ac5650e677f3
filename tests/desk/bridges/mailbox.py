"""A team's mailbox: a mail server that fails as they do, and people who answer."""

import smtplib
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from desk.bridges.email import Config, EmailBridge
from desk.bridges.ports import WebhookCall
from tests.desk.bridges.fakes import FakeCase, FakeDesk

CODES = {429: 451, 500: 421, 401: 535, 404: 550, 422: 554}
"""What a mail server says where others answer with HTTP."""


class Mailbox(FakeDesk):
    secret = "signs-the-reply-addresses-of-cases"
    token = "the-bearer-token-of-the-mail-server"
    signs_bodies = False

    def __init__(self, clock):
        super().__init__(clock)
        self.mails = {}
        self.addresses = {}

    def make(self, context):
        config = Config(
            "mail.test", "team@kontor.test", "desk@kontor.test", self.secret, self.token
        )
        return EmailBridge(config, context, self.send)

    def send(self, mail):
        self.asked += 1
        if self.is_down:
            raise ConnectionRefusedError
        if self.faults:
            code = CODES[self.faults.popleft()[0]]
            if code == 550:
                raise smtplib.SMTPRecipientsRefused({"team@kontor.test": (550, b"Mika who?")})
            raise smtplib.SMTPResponseException(code, b"Mika Muster")
        assert mail["To"] == "team@kontor.test"
        if mail["Message-ID"] not in self.mails:  # as mail readers do
            self.mails[mail["Message-ID"]] = mail
            self.keep(mail)
        if self.loses_answers:
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")

    def keep(self, mail):
        remote_id = mail["Reply-To"].partition("+")[2].partition(".")[0].upper()
        text = mail.get_content().strip()
        if mail["X-Tresen"] == "case":
            self.cases[remote_id] = FakeCase(text)
            self.addresses[remote_id] = mail["Reply-To"], mail["Message-ID"]
            return
        assert mail["In-Reply-To"] == self.addresses[remote_id][1]
        case = self.cases[remote_id]
        (case.said if mail["X-Tresen"] == "customer" else case.notes).append(text)
        case.is_open &= mail["X-Tresen"] != "end"

    def signed(self, body, token=None):
        return WebhookCall({"authorization": f"Bearer {token or self.token}"}, {}, body)

    def forgeries(self, call):
        yield WebhookCall({}, {}, call.body)
        for given in ("x", "Bearer ", "Bearer ß", f"Basic {self.token}", self.token):
            yield WebhookCall({"authorization": given}, {}, call.body)

    def mail(self, remote_id, text, *, at=None, name="Nora", files=(), html=False, **headers):
        address, first = self.addresses[remote_id]
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"] = Address(name, name[:4].lower().strip('">') or "x", "kontor.test")
        mail["To"] = headers.pop("to", address)
        mail["Subject"] = "Re: Case"
        mail["Date"] = format_datetime(at or self.clock.now)
        mail["Message-ID"] = f"<{self.next_id()}@kontor.test>"
        mail["In-Reply-To"] = first
        for header, value in headers.items():
            del mail[header.replace("_", "-")]
            mail[header.replace("_", "-")] = value
        quoted = "On Sun, Nov 22, 2026 at 10:00 AM Tresen <desk@kontor.test> wrote:"
        if html:
            mail.set_content(text, subtype="html")
        else:
            mail.set_content(f"{text}\n\n{quoted}\n\n> Where is my parcel?\n> #close\n")
        for url in files:
            mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename=url[-5:])
        return self.signed(mail.as_bytes())

    def replies(self, remote_id, text, *, at=None, name="Nora", files=()):
        return self.mail(remote_id, text, at=at, name=name, files=files)

    def assigns(self, remote_id, name="Nora"):
        return self.mail(remote_id, "#take", name=name)

    def closes(self, remote_id, *, back=False, at=None):
        return self.mail(remote_id, "#Bot " if back else "#close", at=at)

    def own_webhooks(self, remote_id):
        address, _ = self.addresses[remote_id]
        wrong = address.replace(".", "0.", 1), address.replace("@", "0@"), "desk@kontor.test"
        for to in (*wrong, f"desk+{remote_id.lower()}@kontor.test", "desk+.@kontor.test"):
            yield self.mail(remote_id, "psst", to=to)
        yield self.mail(remote_id, "I am away", auto_submitted="auto-replied")
        yield self.mail(remote_id, "not delivered", return_path="<>")
        yield self.mail(remote_id, "news", precedence="bulk")
        for mail in self.mails.values():
            yield self.signed(mail.as_bytes())
        yield self.signed(b"")
