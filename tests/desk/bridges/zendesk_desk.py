"""A Zendesk account as far as its documentation says: users, tickets, comments, events."""

import hmac
import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256

import httpx

from desk.bridges.ports import WebhookCall
from desk.bridges.zendesk import Config, connect
from tests.desk.bridges.fakes import FakeCase, FakeDesk


class ZendeskDesk(FakeDesk):
    secret = "a-signing-secret-of-zendesk"
    signs_bodies = True

    def __init__(self, clock):
        super().__init__(clock)
        self.users = {}
        self.tickets = {}
        self.keys = {}
        self.people = {}
        self.lets_solve = True

    def make(self, context):
        config = Config("https://kontor.zendesk.com", "bot@shop.example", "t0ken", self.secret)
        return connect(config, context)

    def serve(self, request):
        given = b64decode(request.headers["authorization"].removeprefix("Basic "))
        assert given == b"bot@shop.example/token:t0ken"
        path = request.url.path.removeprefix("/api/v2")
        sent = json.loads(request.content) if request.content else {}
        if (request.method, path) == ("POST", "/users/create_or_update.json"):
            return self.add_user(**sent["user"])
        if (request.method, path) == ("POST", "/tickets.json"):
            return self.add_ticket(
                request.headers["idempotency-key"], request.content, **sent["ticket"]
            )
        if (request.method, path) == ("GET", "/tickets.json"):
            wanted = request.url.params["external_id"]
            found = [each for each in self.tickets.values() if each["external_id"] == wanted]
            return httpx.Response(200, json={"tickets": found})
        own_id = int(re.match(r"/tickets/(\d+)", path)[1])
        if own_id not in self.tickets:
            return httpx.Response(404, json={"error": "RecordNotFound"})
        if request.method == "GET":
            assert request.url.params["sort_order"] == "desc"
            comments = self.tickets[own_id]["comments"][::-1]
            return httpx.Response(200, json={"comments": comments[:100]})
        return self.change(own_id, **sent["ticket"])

    def add_user(self, name, external_id, skip_verify_email):
        own_id = self.users.setdefault(external_id, self.next_id())
        return httpx.Response(201, json={"user": {"id": own_id, "name": name}})

    def add_ticket(self, key, body, **ticket):
        if key in self.keys:
            own_id, before = self.keys[key]
            if before != body:
                return httpx.Response(400, json={"error": "IdempotentRequestError"})
            return httpx.Response(201, json={"ticket": {"id": own_id}})
        assert ticket["requester_id"] in self.users.values()
        assert ticket["comment"]["public"] is False
        own_id = self.next_id()
        self.keys[key] = own_id, body
        self.tickets[own_id] = {"id": own_id, "external_id": ticket["external_id"], "comments": []}
        self.cases[str(own_id)] = FakeCase(ticket["comment"]["body"])
        return httpx.Response(201, json={"ticket": {"id": own_id}})

    def change(self, own_id, comment=None, metadata=None, status=None):
        case = self.cases[str(own_id)]
        if status == "solved" and not self.lets_solve:
            return httpx.Response(422, json={"error": "RecordInvalid"})
        if status == "solved":
            case.is_open = False
        if comment:
            kept = {"id": self.next_id(), **comment, "metadata": {"custom": metadata}}
            self.tickets[own_id]["comments"].append(kept)
            if comment["public"]:
                assert comment["author_id"] in self.users.values()
                case.said.append(comment["body"])
            else:
                case.notes.append(comment["body"])
        return httpx.Response(200, json={"ticket": {"id": own_id}})

    def signed(self, body, secret=None):
        stamp = self.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        made = hmac.new((secret or self.secret).encode(), stamp.encode() + body, sha256).digest()
        headers = {
            "x-zendesk-webhook-signature-timestamp": stamp,
            "x-zendesk-webhook-signature": b64encode(made).decode(),
        }
        return WebhookCall(headers, {}, body)

    def forgeries(self, call):
        yield self.signed(call.body, "another-secret-of-zendesk")
        yield WebhookCall({}, {}, call.body)
        for name in call.headers:
            yield WebhookCall({**call.headers, name: "x"}, {}, call.body)
            yield WebhookCall({**call.headers, name: "ß"}, {}, call.body)

    def person(self, name):
        return str(self.people.setdefault(name, self.next_id()))

    def event(self, what, remote_id, event, *, at=None, **detail):
        at = at or self.clock.now
        external_id = self.tickets[int(remote_id)]["external_id"]
        told = {
            "type": f"zen:event-type:ticket.{what}",
            "account_id": 1,
            "id": f"01H{self.next_id()}",
            "time": at.isoformat().replace("+00:00", "Z"),
            "subject": f"zen:ticket:{remote_id}",
            "detail": {"id": remote_id, "external_id": external_id, "tags": ["tresen"], **detail},
            "event": {"meta": {"sequence": {"id": "S", "position": 1}}, **event},
        }
        return self.signed(json.dumps(told).encode())

    def comment(self, remote_id, text, *, at=None, name="Nora", public=True, staff=True):
        author = {"id": self.person(name), "name": name, "is_staff": staff}
        comment = {"id": str(self.next_id()), "body": text, "is_public": public, "author": author}
        return self.event("comment_added", remote_id, {"comment": comment}, at=at)

    def replies(self, remote_id, text, *, at=None, name="Nora", files=()):
        return self.comment(remote_id, text, at=at, name=name)

    def attaches(self, remote_id, url, *, public=True, name="Nora"):
        file = {"id": self.next_id(), "content_url": url, "filename": "a.pdf", "is_public": public}
        event = {"attachment": file, "comment": {"id": "1"}}
        what, actor_id = "attachment_linked_to_comment", self.person(name)
        return self.event(what, remote_id, event, actor_id=actor_id)

    def assigns(self, remote_id, name="Nora"):
        change = {"current": self.person(name), "previous": None}
        return self.event("agent_assignment_changed", remote_id, change)

    def closes(self, remote_id, *, back=False, at=None):
        tags = ["tresen", "back_to_bot"] if back else ["tresen"]
        change = {"current": "SOLVED", "previous": "OPEN"}
        who = self.person("Nora")
        return self.event(
            "status_changed", remote_id, change, at=at, tags=tags, status="SOLVED", assignee_id=who
        )

    def own_webhooks(self, remote_id):
        yield self.comment(remote_id, "psst", public=False)
        yield self.comment(remote_id, "Where is it?", staff=False)
        yield self.attaches(remote_id, "https://kontor.zendesk.com/a/1", public=False)
        yield self.event("status_changed", remote_id, {"current": "PENDING"})
        yield self.event("agent_assignment_changed", remote_id, {"current": None})
        yield self.event("created", remote_id, {})
        yield self.event("status_changed", remote_id, {"current": "SOLVED"}, external_id="other")
