"""The desk's pages over a conversation store in memory, for tests: no model, no shop, no server."""

from datetime import UTC, datetime, timedelta
from itertools import starmap
from urllib.parse import urlencode

import httpx
import msgspec
from starlette.applications import Starlette

from bot import events as ev
from bot.conversation import Conversation, Draft
from bot.messages import InboundMessage
from bot.operators import Operators
from bot.storage.memory import memory_store
from bot.storage.ports import NewEvent, NewOutbound, TurnCommit
from desk.accounts import Accounts
from desk.accounts_passwords import Passwords
from desk.accounts_people import People
from desk.books import AuditLog, CannedBook, CaseBook, OperatorBook
from desk.bus import Bus
from desk.database import DeskDatabase
from desk.desk import Desk, DeskParts
from desk.feed import CaseFeed
from desk.records import Operator
from desk.transcript import Around
from desk.web.pages import key_of
from desk.web.ports import Outside
from desk.web.routes import DeskWebParts, desk_routes

PASSWORD = "horse battery staple"
CHEAP = Passwords(time_cost=1, memory_kib=64, lanes=1)
ADDRESS = "http://127.0.0.1:8080"


class Watch:
    """A clock that moves a little with every look."""

    def __init__(self):
        self.now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self):
        self.now += timedelta(milliseconds=2)
        return self.now


class Quiet:
    """An engine that tells the customer nothing by itself."""

    def __init__(self):
        self.stack = self

    def give_up(self, draft):
        del draft

    def give_up_all(self, draft, reason):
        del draft, reason

    def trigger(self, draft, event):
        draft.emit(event)

    def knows_skill(self, skill):
        return bool(skill)

    def needs_reason(self, skill):
        return skill == "grant_goodwill"

    def begin_skill(self, draft, skill, mention, slots):
        del mention
        draft.emit(ev.FlowStarted(skill, "f1", slots=slots))


class DeskHouse:
    """A desk with its pages, its conversations and its browsers."""

    def __init__(self, folder, outside=None, public_url="", sign_in=None):
        self.clock = Watch()
        self.store = memory_store(self.clock)
        self.database = DeskDatabase(f"sqlite:///{folder / 'desk.sqlite3'}", self.clock)
        self.bus = Bus()
        cases = CaseBook(self.database)
        self.feed = CaseFeed(self.store.events, cases, self.bus)
        self.parts = DeskParts(
            events=self.store.events,
            put=self.put,
            clock=self.clock,
            cases=cases,
            operators=OperatorBook(self.database),
            audit=AuditLog(self.database),
            canned=CannedBook(self.database),
            bus=self.bus,
            feed=self.feed,
        )
        self.accounts = Accounts(self.database, CHEAP, self.parts.audit, self.clock)
        self.people = People(self.accounts, self.parts.operators, self.parts.audit, self.clock)
        self.desk = Desk(self.parts)
        web = DeskWebParts(
            desk=self.desk,
            database=self.database,
            passwords=CHEAP,
            outside=outside(self) if callable(outside) else outside or Outside(),
            arounds=self.around,
            shop_name="Kontor",
            public_url=public_url,
            sign_in=sign_in,
        )
        self.app = Starlette(routes=desk_routes(web))
        self.operators = Operators(Quiet())

    async def around(self, conversation_id):
        sent = await self.store.outbox.after(conversation_id)
        return Around((), sent)

    async def put(self, message: InboundMessage):
        """Carry out an act as a turn does: in order, once."""
        (accepted,) = await self.store.inbox.accept([message])
        if accepted.duplicate:
            return
        draft, version = await self.draft(message.conversation_id)
        said = self.operators.act(draft, message.trigger, message.message_id)
        await self.commit(message.conversation_id, draft, version, said, accepted.inbox_id)

    async def draft(self, conversation_id):
        stored, version = await self.store.events.load(conversation_id)
        conversation = Conversation(conversation_id)
        conversation.apply_all(ev.from_wire(item.data) for item in stored)
        return Draft(conversation), version

    async def commit(self, conversation_id, draft, version, said=(), inbox_id=None):
        channel, _, sender = conversation_id.partition(":")
        events = list(map(self.new, draft.events))
        outbound = [NewOutbound(channel, sender, message) for message in said]
        await self.store.turns.commit(
            TurnCommit(conversation_id, version, events, outbound, inbox_id)
        )
        await self.feed.renew(conversation_id)

    def new(self, event):
        wire = ev.to_wire(event)
        return NewEvent(wire["event"], wire, self.clock())

    async def happens(self, conversation_id, *events):
        """Add events to a conversation."""
        draft, version = await self.draft(conversation_id)
        for event in events:
            draft.emit(event)
        await self.commit(conversation_id, draft, version)

    async def waits(self, who="lena", text="Where is my parcel?", reason="asked", **slots):
        """Have a customer say something and wait for a person; return the case's id."""
        conversation_id = f"webchat:{who}"
        await self.happens(
            conversation_id,
            ev.UserUttered(text, f"m-{who}", "webchat"),
            *starmap(ev.SlotSet, slots.items()),
            ev.HandoffChanged("waiting_for_operator", reason),
        )
        return f"{conversation_id}#1"

    async def in_team(self, case_id, team):
        """Have a case wait for a team."""
        conversation_id = case_id.partition("#")[0]
        await self.happens(
            conversation_id, ev.HandoffChanged("waiting_for_operator", "asked", team=team)
        )

    async def case(self, case_id):
        return await self.parts.cases.get(case_id)

    async def events(self, case_id, kind=None):
        stored, _ = await self.store.events.load(case_id.partition("#")[0])
        found = [ev.from_wire(item.data) for item in stored]
        return [e for e in found if kind is None or isinstance(e, kind)]

    async def audited(self):
        return [entry.action for entry in await self.parts.audit.find()]

    async def add(self, name="Anna", role="operator", **more):
        record = Operator("", f"{name.lower()}@shop.example", name, role, **more)
        return await self.people.add(record, PASSWORD)

    async def at_desk(self, name="Anna", role="operator", **more):
        """Return the browser of a new operator who is signed in."""
        await self.add(name, role, **more)
        browser = self.browser()
        await browser.sign_in(name)
        return browser

    def browser(self, **more):
        return Browser(self, **more)

    async def close(self):
        await self.store.close()
        self.database.close()


class Browser:
    """A browser that keeps cookies and sends what browsers send."""

    def __init__(self, house, base_url=ADDRESS, address="127.0.0.1", language="en"):
        self.house = house
        self.base_url = base_url
        transport = httpx.ASGITransport(house.app, client=(address, 1234))
        headers = {"accept-language": language, "user-agent": "Firefox", "accept": "text/html"}
        self.client = httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers)
        self.csrf = ""

    async def get(self, path, **headers):
        return await self.client.get(path, headers=headers)

    async def post(self, path, form=None, **headers):
        """Send a form as the desk's own pages do."""
        own = {"origin": self.base_url, "sec-fetch-site": "same-origin", "x-desk-token": self.csrf}
        kind = {"content-type": "application/x-www-form-urlencoded"}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in (own | kind | given).items() if value is not None}
        return await self.client.post(path, content=urlencode(form or {}), headers=sent)

    async def sign_in(self, name="Anna", password=PASSWORD):
        form = {"email": f"{name.lower()}@shop.example", "password": password}
        answer = await self.post("/desk/sign-in", form)
        await self.look()
        return answer

    async def look(self):
        """Open the desk and remember its token."""
        page = await self.get("/desk")
        if page.status_code == 200:
            self.csrf = page.text.partition('data-csrf="')[2].partition('"')[0]
        return page

    async def act(self, case_id, act, /, **form):
        return await self.post(f"/desk/c/{key_of(case_id)}/{act}", form)

    async def case(self, case_id, part=""):
        return await self.get(f"/desk/c/{key_of(case_id)}{part}")

    async def says(self, case_id, text, name="act-00000001"):
        answer = await self.act(case_id, "say", text=text, act=name)
        return answer.status_code, msgspec.json.decode(answer.content)["refusal"]
