"""Zendesk messaging as far as its specification says: users, conversations, control, webhooks."""

import json
import re
from base64 import b64decode
from datetime import timedelta

import httpx

from desk.bridges.ports import WebhookCall
from desk.bridges.zendesk_messaging import Config, connect
from tests.desk.bridges.fakes import FakeCase, FakeDesk

APP = "5698edbf2a43bd081be982f1"
OWN = {"id": "5eecde2dcdbffb08f5c3ed37", "name": "tresen", "integrationType": "custom"}
STAFF = {"id": "62261ff6aa72f900ef123e1d", "name": "zd", "integrationType": "zd:agentWorkspace"}
ANSWERS = {"id": "62261ff6aa72f900ef123e1e", "name": "ai", "integrationType": "zd:answerBot"}
PAGE = 100
TICKET = "dataCapture.ticketField."


class SunshineApi(FakeDesk):
    """What is asked of it."""

    def __init__(self, clock):
        super().__init__(clock)
        self.users = {}
        self.conversations = {}
        self.passed = []
        self.own_events = []
        self.default = ANSWERS

    def serve(self, request):
        given = b64decode(request.headers["authorization"].removeprefix("Basic "))
        assert given == b"app_5ebee0975ac5304b664a12fa:s3cret"
        assert request.url.host == "kontor.zendesk.com"
        path = request.url.path.removeprefix(f"/sc/v2/apps/{APP}")
        sent = json.loads(request.content) if request.content else {}
        assert len(request.content) < 100_000
        routes = {
            ("POST", r"/users"): self.add_user,
            ("GET", r"/conversations"): self.conversations_of,
            ("POST", r"/conversations"): self.add_conversation,
            ("GET", r"/conversations/(\w+)"): self.conversation,
            ("GET", r"/conversations/(\w+)/messages"): self.messages_of,
            ("POST", r"/conversations/(\w+)/messages"): self.add_message,
            ("POST", r"/conversations/(\w+)/passControl"): self.pass_control,
            ("POST", r"/conversations/(\w+)/releaseControl"): self.release_control,
        }
        for (method, pattern), route in routes.items():
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                if found.groups() and found[1] not in self.conversations:
                    return self.error(404, "conversation_not_found")
                answer = route(*found.groups(), **(sent | self.plain(request.url.params)))
                status = answer.pop("status_code", 200)
                return httpx.Response(status, json=answer)
        return self.error(404, "not_found")

    def plain(self, params):
        return {re.sub(r"\W+", "_", name).strip("_"): value for name, value in params.items()}

    def error(self, status, code):
        return httpx.Response(status, json={"errors": [{"code": code, "title": code}]})

    def own_id(self):
        return f"{self.next_id():024x}"

    def add_user(self, externalId, profile):  # noqa: N803 - as it is sent
        assert 1 <= len(profile["givenName"]) <= 128
        if externalId in self.users:
            errors = [{"code": "conflict", "title": "User already exists"}]
            return {"status_code": 409, "errors": errors}
        self.users[externalId] = {"id": self.own_id(), "externalId": externalId, "profile": profile}
        return {"status_code": 201, "user": self.users[externalId]}

    def conversations_of(self, filter_userExternalId, page_after=""):  # noqa: N803 - as it is sent
        own = [c for c in self.conversations.values() if c["user"] == filter_userExternalId]
        own = [each for each in own if each["id"] > page_after]
        meta = {"hasMore": len(own) > 1} | ({"afterCursor": own[0]["id"]} if len(own) > 1 else {})
        return {"conversations": [self.shown(each["id"]) for each in own[:1]], "meta": meta}

    def add_conversation(self, type, participants, displayName, metadata):  # noqa: A002, N803
        assert (type, len(participants)) == ("personal", 1)
        assert 1 <= len(displayName) <= 100
        self.check(metadata)
        user = participants[0]["userExternalId"]
        assert user in self.users
        own_id = self.own_id()
        made = {"id": own_id, "user": user, "metadata": metadata, "messages": []}
        self.conversations[own_id] = made | {"active": None}
        self.cases[own_id] = FakeCase()
        return {"status_code": 201, "conversation": self.shown(own_id)}

    def conversation(self, own_id):
        return {"conversation": self.shown(own_id)}

    def shown(self, own_id):
        kept = self.conversations[own_id]
        active = {"activeSwitchboardIntegration": kept["active"]} if kept["active"] else {}
        return {"id": own_id, "type": "personal", "metadata": kept["metadata"]} | active

    def check(self, metadata):
        assert len(json.dumps(metadata, ensure_ascii=False).encode()) <= 4096
        assert all(isinstance(each, str | int | bool) for each in metadata.values())

    def messages_of(self, own_id, page_before=""):
        found = self.conversations[own_id]["messages"]
        if page_before:
            found = [each for each in found if each["id"] < page_before]
        more = len(found) > PAGE
        meta = {"hasMore": more} | ({"beforeCursor": found[-PAGE]["id"]} if more else {})
        return {"messages": found[-PAGE:], "meta": meta}

    def add_message(self, own_id, author, content, metadata):
        self.check(metadata)
        assert content["type"] == "text"
        units = len(content["text"].encode("utf-16-le")) // 2
        if not content["text"] or units > 4096:
            return {"status_code": 400, "errors": [{"code": "bad_request"}]}
        assert not re.search(r"%\(\(|%\[|!\[|%\{\{", content["text"]), "shorthand"
        message = {"id": self.own_id(), "author": author, "content": content, "metadata": metadata}
        kept, case = self.conversations[own_id], self.cases[own_id]
        kept["messages"].append(message)
        had_control = kept["active"] == STAFF
        kept["active"] = kept["active"] or self.default
        if author["type"] == "user":
            assert author["userExternalId"] == kept["user"]
            assert kept["active"] == STAFF, "another bot would answer"
            case.said.append(content["text"])
        elif had_control or own_id in [each[0] for each in self.passed]:
            case.notes.append(content["text"])
        else:
            case.story += content["text"]
        return {"status_code": 201, "messages": [message]}

    def pass_control(self, own_id, switchboardIntegration, metadata):  # noqa: N803 - as it is sent
        self.check(metadata)
        if switchboardIntegration not in STAFF.values():
            return {"status_code": 400, "errors": [{"code": "bad_request"}]}
        self.conversations[own_id]["active"] = STAFF
        self.passed.append((own_id, metadata))
        self.own_events.append(self.switched("passControl", own_id, metadata=metadata))
        return {}

    def release_control(self, own_id, metadata):
        self.check(metadata)
        self.conversations[own_id]["active"] = None
        self.cases[own_id].is_open = False
        self.own_events.append(self.switched("releaseControl", own_id, metadata=metadata))
        return {}


class SunshineDesk(SunshineApi):
    """What it tells."""

    secret = "the-shared-secret-of-the-webhook"
    signs_bodies = False

    def __init__(self, clock):
        super().__init__(clock)
        self.people = {}

    def make(self, context):
        fields = {"summary": 8101, "order_number": "8102", "case": 8103}
        key = "app_5ebee0975ac5304b664a12fa", "s3cret"
        return connect(
            Config("https://kontor.zendesk.com/", APP, *key, self.secret, fields=fields), context
        )

    def signed(self, body, secret=None):
        headers = {"x-api-key": secret or self.secret, "content-type": "application/json"}
        return WebhookCall(headers, {}, body)

    def forgeries(self, call):
        for given in ("another-secret-of-the-webhook", "x", "", "ß", f"{self.secret} "):
            yield WebhookCall({**call.headers, "x-api-key": given}, {}, call.body)
        yield WebhookCall({}, {}, call.body)
        yield WebhookCall({"authorization": self.secret}, {"x-api-key": self.secret}, call.body)

    def batch(self, *events, app=APP):
        webhook = {"id": "5f4eaef81e3dcc117c7ba48a", "version": "v2"}
        told = {"app": {"id": app}, "webhook": webhook, "events": events}
        return self.signed(json.dumps(told).encode())

    def event(self, kind, remote_id, at, payload):
        return {
            "id": self.own_id(),
            "type": kind,
            "createdAt": self.stamp(at),
            "payload": {"conversation": self.shown(remote_id), **payload},
        }

    def stamp(self, at):
        at = at or self.clock.now
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"

    def switched(self, what, remote_id, *, at=None, **payload):
        return self.event(f"switchboard:{what}", remote_id, at, payload)

    def person(self, name):
        return str(self.people.setdefault(name, self.next_id()))

    def message(self, remote_id, text, *, at=None, name="Nora", file="", **more):
        content = {"type": "text", "text": text}
        if file:
            content = {"type": "file", "mediaUrl": file, "mediaType": "application/pdf"}
            content |= {"altText": file[-5:], "mediaSize": 4}
        message = {
            "id": self.own_id(),
            "received": self.stamp(at),
            "author": {"type": "business", "displayName": name, "subtypes": ["agent"]},
            "content": content,
            "source": {"type": "zd:agentWorkspace"},
            "metadata": {"__zendesk_msg.agent.id": self.person(name)},
        }
        self.conversations[remote_id]["messages"].append(message | more)
        return self.event("conversation:message", remote_id, at, {"message": message | more})

    def replies(self, remote_id, text, *, at=None, name="Nora", files=()):
        at = at or self.clock.now
        said = [self.message(remote_id, text, at=at, name=name)]
        for number, url in enumerate(files, 1):  # files come as messages of their own
            later = at + timedelta(milliseconds=number)
            said.append(self.message(remote_id, "", at=later, name=name, file=url))
        return self.batch(*said)

    def closes(self, remote_id, *, back=False, at=None):
        if back:
            return self.batch(self.message(remote_id, "#Bot ", at=at))
        self.conversations[remote_id]["active"] = None
        return self.batch(self.switched("releaseControl", remote_id, at=at, reason="ticketClosed"))

    def own_webhooks(self, remote_id):
        yield self.batch(*self.own_events)
        for message in list(self.conversations[remote_id]["messages"]):
            told = {**message, "received": self.stamp(None), "source": {"type": "api"}}
            told["author"] = {**message["author"], "subtypes": ["agent"]}
            yield self.batch(self.event("conversation:message", remote_id, None, {"message": told}))
        bot = {"type": "business", "displayName": "Answer Bot"}
        trigger = {"__zendesk_msg.agent.id": "__trigger"}
        for more in (
            {"author": {**bot, "subtypes": ["bot"]}},
            {"author": {**bot, "subtypes": ["AI"]}},
            {"author": {**bot, "subtypes": ["activity"]}},
            {"author": bot, "metadata": trigger},
            {"author": bot, "metadata": None},
            {"author": {"type": "user", "userId": "1", "displayName": "Mika"}},
        ):
            yield self.batch(self.message(remote_id, "We are closed", **more))
        yield self.batch(self.message(remote_id, "%((switchboard:passControl:bot))%"))
        yield self.batch(self.message(remote_id, "elsewhere"), app="another")
        strange = self.message(remote_id, "Their own conversation")
        strange["payload"]["conversation"] = {"id": remote_id, "type": "personal", "metadata": None}
        yield self.batch(strange)
        yield self.batch(self.switched("passControl", remote_id))  # the staff has it
        yield self.batch(self.event("conversation:read", remote_id, None, {"activity": {}}))
