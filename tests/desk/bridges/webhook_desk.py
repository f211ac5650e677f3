"""A desk that takes signed webhooks, as docs/howto/other-desks.md says it should."""

import hmac
import json
from base64 import b64encode
from hashlib import sha256

import httpx

from desk.bridges.ports import WebhookCall
from desk.bridges.webhook import Config, connect
from tests.desk.bridges.fakes import FakeCase, FakeDesk


class WebhookDesk(FakeDesk):
    secret = "a-secret-of-more-than-24-characters"
    signs_bodies = True

    def __init__(self, clock):
        super().__init__(clock)
        self.known = set()

    def make(self, context):
        return connect(Config("https://helpdesk.example/hook", self.secret), context)

    def serve(self, request):
        headers = request.headers
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode()
        assert headers["webhook-signature"] == self.signature(signed + request.content)
        told = json.loads(request.content)
        if told["id"] not in self.known:
            self.known.add(told["id"])
            self.keep(told)
        return httpx.Response(200, json={"id": f"T-{told['case']}"})

    def keep(self, told):
        data = told["data"]
        if told["type"] == "case.opened":
            story = f"{data['summary']}\n{data['story']}"
            self.cases[f"T-{told['case']}"] = FakeCase(story)
            return
        case = self.cases[told["case"]]
        if told["type"] == "message.said" and data["speaker"] == "customer":
            case.said.append(data["text"])
        elif told["type"] in {"message.said", "case.remarked"}:
            case.notes.append(data["text"])
        else:
            case.is_open = False
            bot = data["state"] == "bot"
            case.notes.append("talks to the bot again" if bot else "closed at the shop")

    def signature(self, signed, secret=None):
        key = (secret or self.secret).encode()
        return "v1," + b64encode(hmac.new(key, signed, sha256).digest()).decode()

    def signed(self, body, secret=None):
        stamp = str(int(self.clock.now.timestamp()))
        made = self.signature(f"w1.{stamp}.".encode() + body, secret)
        headers = {
            "webhook-id": "w1",
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,bm8= {made}",
        }
        return WebhookCall(headers, {}, body)

    def forgeries(self, call):
        yield self.signed(call.body, "another-secret-of-24-characters")
        yield WebhookCall({}, {}, call.body)
        for name in call.headers:
            yield WebhookCall({**call.headers, name: "x"}, {}, call.body)
            yield WebhookCall({**call.headers, name: "ß"}, {}, call.body)

    def person(self, kind, remote_id, at, **more):
        at = at or self.clock.now
        told = {"id": f"e{self.next_id()}", "type": kind, "case": remote_id, "at": at.isoformat()}
        return self.signed(json.dumps(told | more).encode())

    def replies(self, remote_id, text, *, at=None, name="Nora", files=()):
        attachments = [{"kind": "file", "url": url} for url in files]
        operator = {"id": name[:10], "name": name}
        more = {"text": text, "operator": operator, "attachments": attachments}
        return self.person("reply", remote_id, at, **more)

    def assigns(self, remote_id, name="Nora"):
        return self.person("assigned", remote_id, None, operator={"id": name, "name": name})

    def closes(self, remote_id, *, back=False, at=None):
        operator = {"id": "Nora", "name": "Nora"}
        return self.person("gave_back" if back else "closed", remote_id, at, operator=operator)

    def own_webhooks(self, remote_id):
        return [self.person(kind, remote_id, None, text="psst") for kind in ("note", "typing")]
