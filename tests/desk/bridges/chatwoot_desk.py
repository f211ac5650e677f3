"""A Chatwoot installation as far as its documentation says: an account with one API inbox."""

import hmac
import json
import re
from hashlib import sha256

import httpx

from desk.bridges.chatwoot import Config, connect
from desk.bridges.ports import WebhookCall
from tests.desk.bridges.fakes import FakeCase, FakeDesk

INBOX = 3
PAGE = 20


class ChatwootDesk(FakeDesk):
    secret = "a-secret-of-chatwoot"
    signs_bodies = True

    def __init__(self, clock):
        super().__init__(clock)
        self.contacts = {}
        self.conversations = {}
        self.people = {}

    def make(self, context):
        config = Config("https://chat.example/", 1, INBOX, "t0ken", webhook_secret=self.secret)
        return connect(config, context)

    def serve(self, request):
        assert request.headers["api_access_token"] == "t0ken"
        path = request.url.path.removeprefix("/api/v1/accounts/1")
        sent = json.loads(request.content) if request.content else {}
        routes = {
            ("GET", r"/contacts/search"): self.search,
            ("POST", r"/contacts"): self.add_contact,
            ("GET", r"/contacts/(\d+)/conversations"): self.conversations_of,
            ("POST", r"/conversations"): self.add_conversation,
            ("GET", r"/conversations/(\d+)/messages"): self.messages_of,
            ("POST", r"/conversations/(\d+)/messages"): self.add_message,
            ("POST", r"/conversations/(\d+)/toggle_status"): self.toggle,
        }
        for (method, pattern), route in routes.items():
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                answer = route(*map(int, found.groups()), **(sent | dict(request.url.params)))
                status = answer.pop("status_code", 200)
                return httpx.Response(status, json=answer)
        return httpx.Response(404, json={"error": "Resource could not be found"})

    def search(self, q):
        found = [each for each in self.contacts.values() if q in each["identifier"]]
        return {"meta": {"count": len(found)}, "payload": found}

    def add_contact(self, inbox_id, name, identifier):
        if any(each["identifier"] == identifier for each in self.contacts.values()):
            return {"status_code": 422, "message": "Identifier has already been taken"}
        inbox = {"source_id": f"s{self.next_id()}", "inbox": {"id": inbox_id}}
        contact = {"id": self.next_id(), "name": name, "identifier": identifier}
        self.contacts[contact["id"]] = {**contact, "contact_inboxes": [inbox]}
        return {"payload": {"contact": contact, "contact_inbox": inbox}}

    def conversations_of(self, contact_id):
        own = [each for each in self.conversations.values() if each["contact"] == contact_id]
        return {"payload": own}

    def add_conversation(self, contact_id, inbox_id, source_id, status, custom_attributes):
        own = {each["source_id"] for each in self.contacts[contact_id]["contact_inboxes"]}
        assert (source_id in own, inbox_id, status) == (True, INBOX, "open")
        made = {
            "id": self.next_id(),
            "contact": contact_id,
            "status": status,
            "custom_attributes": custom_attributes,
            "messages": [],
        }
        self.conversations[made["id"]] = made
        self.cases[str(made["id"])] = FakeCase()
        return {"id": made["id"], "status": status}

    def messages_of(self, own_id, before=None):
        found = self.conversations[own_id]["messages"]
        if before:
            found = [each for each in found if each["id"] < int(before)]
        return {"payload": found[-PAGE:]}

    def add_message(self, own_id, content, message_type, private, source_id):
        message = {"id": self.next_id(), "content": content, "source_id": source_id}
        message |= {"message_type": int(message_type == "outgoing"), "private": private}
        message |= {"sender": {"id": 1, "name": "Tresen", "type": "user"}, "created_at": 1}
        self.conversations[own_id]["messages"].append(message)
        case = self.cases[str(own_id)]
        if private and not case.story:
            case.story = content
        elif private:
            case.notes.append(content)
        else:
            assert message_type == "incoming"
            case.said.append(content)
            case.is_open = True
        return dict(message)

    def toggle(self, own_id, status):
        self.conversations[own_id]["status"] = status
        self.cases[str(own_id)].is_open = False
        return {"payload": {"success": True, "current_status": status}}

    def signed(self, body, secret=None):
        stamp = str(int(self.clock.now.timestamp()))
        key = (secret or self.secret).encode()
        made = hmac.new(key, f"{stamp}.".encode() + body, sha256).hexdigest()
        headers = {"x-chatwoot-timestamp": stamp, "x-chatwoot-signature": f"sha256={made}"}
        return WebhookCall(headers, {"secret": "of-the-address"}, body)

    def forgeries(self, call):
        yield self.signed(call.body, "another-secret-of-chatwoot")
        yield WebhookCall({}, {}, call.body)
        for name in call.headers:
            yield WebhookCall({**call.headers, name: "x"}, {}, call.body)
            yield WebhookCall({**call.headers, name: "ß"}, {}, call.body)

    def person(self, name):
        own_id = self.people.setdefault(name, self.next_id())
        return {"id": own_id, "name": f"{name} L.", "available_name": name, "type": "user"}

    def message(self, remote_id, text, *, at=None, files=(), **more):
        at = at or self.clock.now
        told = {
            "event": "message_created",
            "id": self.next_id(),
            "content": text,
            "message_type": "outgoing",
            "private": False,
            "source_id": None,
            "content_type": "text",
            "created_at": at.isoformat().replace("+00:00", "Z"),
            "attachments": [{"file_type": "file", "data_url": url} for url in files],
            "inbox": {"id": INBOX, "name": "Bot"},
            "conversation": {"id": int(remote_id), "inbox_id": INBOX},
            "account": {"id": 1},
        }
        kept = {"message_type": 1, "created_at": int(at.timestamp()), "inbox_id": INBOX}
        plain = ("id", "content", "private", "source_id", "content_type", "attachments")
        shown = {name: told[name] for name in plain} | kept | more
        if int(remote_id) in self.conversations:
            self.conversations[int(remote_id)]["messages"].append(shown)
        return self.signed(json.dumps(told | more).encode())

    def conversation(self, event, remote_id, at, **more):
        told = {
            "event": event,
            "id": int(remote_id),
            "inbox_id": INBOX,
            "status": "open",
            "labels": [],
            "meta": {"assignee": self.person("Nora")},
            "updated_at": (at or self.clock.now).timestamp(),
        }
        return self.signed(json.dumps(told | more).encode())

    def replies(self, remote_id, text, *, at=None, name="Nora", files=()):
        return self.message(remote_id, text, at=at, files=files, sender=self.person(name))

    def assigns(self, remote_id, name="Nora"):
        changes = [{"assignee_id": {"previous_value": None, "current_value": 7}}]
        meta = {"assignee": self.person(name)}
        event = "conversation_updated"
        return self.conversation(event, remote_id, None, changed_attributes=changes, meta=meta)

    def closes(self, remote_id, *, back=False, at=None):
        labels = ["vip", "bot"] if back else ["vip"]
        event = "conversation_status_changed"
        return self.conversation(event, remote_id, at, status="resolved", labels=labels)

    def own_webhooks(self, remote_id):
        nora, bot = self.person("Nora"), {"id": 9, "name": "Bot", "type": "agent_bot"}
        yield self.message(remote_id, "psst", private=True, sender=nora)
        yield self.message(
            remote_id, "hi", message_type="incoming", sender={"id": 1, "type": "contact"}
        )
        yield self.message(remote_id, "hi", source_id="tresen:1", sender=nora)
        yield self.message(remote_id, "We are closed", message_type="template", sender=None)
        yield self.message(remote_id, "I am a bot", sender=bot)
        yield self.message(remote_id, "elsewhere", sender=nora, inbox={"id": 99})
        yield self.conversation("conversation_updated", remote_id, None, changed_attributes=None)
        yield self.conversation("conversation_status_changed", remote_id, None, status="pending")
        yield self.signed(b'{"event": "webwidget_triggered", "id": 1}')
