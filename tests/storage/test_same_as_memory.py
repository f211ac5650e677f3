"""Whatever is done in whatever order, SQLite answers as the store in memory does."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.messages import Contact, InboundMessage, OutboundMessage, Receipt, Trigger
from bot.storage.chain_ports import Redaction, Rewritten
from bot.storage.channel_ports import MediaItem, SentPart
from bot.storage.effects import EffectOutcome, EffectQuery, NewEffect
from bot.storage.errors import StorageError
from bot.storage.open import open_store
from bot.storage.ports import Delivery, NewEvent, NewOutbound, TurnCommit
from bot.storage.verification import verify
from tests.contracts.storage import NOON, SetClock
from tests.contracts.storage_chain import mark

SENDERS = st.sampled_from(["anna", "ben", "çem 🙂"])
IDS = st.integers(1, 12)
KEYS = st.sampled_from(["k1", "k2", "k3", "ç\ud83d"])
STATES = st.sampled_from(["sent", "done", "refused", "unknown"])
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=12)


async def verified(store, key):
    return verify(await store.chains.read(key))


class TwoStores(RuleBasedStateMachine):
    """Does everything to both stores and compares answers and errors."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SetClock()
        self.runner = asyncio.Runner()
        self.stores = [self.open("memory://"), self.open(self.url())]

    def url(self):
        return f"sqlite:///{Path(self.folder.name) / 'tresen.sqlite3'}"

    def open(self, url):
        return self.runner.run(open_store(url, self.clock))

    def both(self, ask):
        answers = [self.runner.run(self.answer(ask, store)) for store in self.stores]
        assert answers[0] == answers[1]
        return answers[0]

    async def answer(self, ask, store):
        try:
            return await ask(store)
        except StorageError as error:
            return type(error), str(error)

    @rule(sender=SENDERS)
    def erase(self, sender):
        self.both(lambda s: s.events.erase(f"web:{sender}"))

    @rule(hours=st.sampled_from([1, 24, 240]))
    def wait(self, hours):
        self.clock.now += timedelta(hours=hours)

    @rule(days=st.integers(7, 9))
    def prune(self, days):
        self.both(lambda s: s.inbox.prune(self.clock.now - timedelta(days=days)))

    @rule()
    def restart(self):
        self.runner.run(self.stores[1].close())
        self.stores[1] = self.open(self.url())

    def teardown(self):
        for store in self.stores:
            self.runner.run(store.close())
        self.runner.close()
        self.folder.cleanup()


class ChannelRules(TwoStores):
    """What channels, the sender and the linking do."""

    @rule(sender=SENDERS, other=SENDERS, text=ANY_TEXT, opted_in=st.sampled_from([None, True]))
    def save(self, sender, other, text, opted_in):
        link = f"web:{other}" if len(text) % 2 else ""
        contact = Contact("web", sender, None, opted_in, link, self.clock.now, {text: text})
        self.both(lambda s: s.contacts.save(contact))

    @rule(sender=SENDERS, code=KEYS, hours=st.integers(-1, 2))
    def offer(self, sender, code, hours):
        until = self.clock.now + timedelta(hours=hours)
        self.both(lambda s: s.contacts.offer(code, f"web:{sender}", until))

    @rule(sender=SENDERS, code=KEYS)
    def redeem(self, sender, code):
        self.both(lambda s: s.contacts.redeem(code, "web", sender, self.clock.now))

    @rule(number=IDS)
    def begin(self, number):
        self.both(lambda s: s.outbox.begin(number))

    @rule(number=IDS, part=st.integers(0, 1), name=KEYS)
    def take(self, number, part, name):
        taken = SentPart(number, part, "web", name, "sent", self.clock.now)
        self.both(lambda s: s.receipts.sent(taken))
        self.both(lambda s: s.outbox.mark(Delivery(number, "part", name)))

    @rule(number=IDS, note=ANY_TEXT)
    def reopen(self, number, note):
        self.both(lambda s: s.outbox.mark(Delivery(number, "reopened", error=note)))

    @rule(
        names=st.lists(KEYS, max_size=3),
        state=st.sampled_from(["sent", "failed", "delivered", "read"]),
        sender=SENDERS,
        note=ANY_TEXT,
    )
    def news(self, names, state, sender, note):
        at = self.clock.now
        told = [Receipt("web", name, state, at, "", sender, note, note) for name in names]
        self.both(lambda s: s.receipts.news(told))

    @rule(key=KEYS, sender=SENDERS, state=st.sampled_from(["due", "due", "fetched"]), note=ANY_TEXT)
    def files(self, key, sender, state, note):
        item = MediaItem(key, f"web:{sender}", "web", note)
        self.both(lambda s: s.media.add([item]))
        next_at = self.clock.now + timedelta(minutes=30 * (len(note) % 2))
        new = MediaItem(key, "", "", "", state, 1, next_at, note, note, note)
        self.both(lambda s: s.media.save(new))
        self.both(lambda s: s.media.get(key))


class SameAsMemory(ChannelRules):
    """What arrivals and turns do, and what must be the same after every step."""

    @rule(
        sender=SENDERS,
        numbers=st.lists(IDS, max_size=4),
        text=ANY_TEXT,
        minutes=IDS,
        trigger=st.sampled_from([None, None, Trigger("pattern_x")]),
        conversation=st.sampled_from(["", "web:ben"]),
    )
    def accept(self, sender, numbers, text, minutes, trigger, conversation):
        at = self.clock.now - timedelta(minutes=minutes)
        more = {"trigger": trigger, "conversation": conversation}
        messages = [InboundMessage("web", sender, f"m{n}", text, at, **more) for n in numbers]
        self.both(lambda s: s.inbox.accept(messages))

    @rule(
        sender=SENDERS,
        stale=st.sampled_from([0, 0, 0, 1, -1]),
        texts=st.lists(ANY_TEXT, max_size=3),
        handle=st.sampled_from(["next", "next", "none", "any"]),
        number=IDS,
    )
    def commit(self, sender, stale, texts, handle, number):
        key = f"web:{sender}"
        _, version = self.both(lambda s: s.events.load(key))
        waiting = self.both(lambda s: s.inbox.waiting(key, 1))
        inbox_id = {"next": waiting[0].inbox_id if waiting else None, "none": None, "any": number}
        commit = TurnCommit(
            key,
            version + stale,
            [NewEvent("said", {"text": t, "list": (t, 1)}, NOON) for t in texts],
            [NewOutbound("web", sender, OutboundMessage(text=t)) for t in texts[1:]],
            inbox_id[handle],
        )
        self.both(lambda s: s.turns.commit(commit))

    @rule(number=IDS, sent=st.booleans(), retry_s=st.sampled_from([None, 60, 7200]), note=ANY_TEXT)
    def mark(self, number, sent, retry_s, note):
        retry_at = self.clock.now + timedelta(seconds=retry_s) if retry_s else None
        delivery = Delivery(number, "sent" if sent else "failed", note, note, retry_at)
        self.both(lambda s: s.outbox.mark(delivery))

    @rule(sender=SENDERS, keys=st.lists(KEYS, min_size=1, max_size=2), state=STATES, text=ANY_TEXT)
    def checkpoint(self, sender, keys, state, text):
        key = f"web:{sender}"
        _, version = self.both(lambda s: s.events.load(key))
        effects = [NewEffect(name, text, "return", text, {"text": text}) for name in keys]
        outcomes = [EffectOutcome(keys[0], state, {"text": text}, text)]
        events = [NewEvent("intended", {}, NOON)]
        commit = TurnCommit(key, version, events, (), None, effects, outcomes[: len(text) % 2])
        self.both(lambda s: s.turns.commit(commit))

    @rule(sender=SENDERS, seq=st.integers(1, 4), stale=st.sampled_from([0, 0, 1]), text=ANY_TEXT)
    def redact(self, sender, seq, stale, text):
        key, data, salt = f"web:{sender}", {"text": text}, b"s" * 16
        events, version = self.both(lambda s: s.events.load(key))
        kind = next((event.type for event in events if event.seq == seq), "said")
        if kind == "redacted":  # nobody redacts a mark
            return
        told = [mark(seq, data, salt, kind)]
        redaction = Redaction(key, version + stale, [Rewritten(seq, data, salt)], told)
        self.both(lambda s: s.chains.redact(redaction))

    @rule(key=KEYS, state=STATES, result=st.dictionaries(ANY_TEXT, IDS, max_size=1), note=ANY_TEXT)
    def settle(self, key, state, result, note):
        self.both(lambda s: s.effects.mark(EffectOutcome(key, state, result, note)))

    @rule(
        states=st.lists(st.sampled_from(["intended", "sent", "done", "unknown"]), max_size=2),
        sender=st.one_of(st.just(""), SENDERS.map("web:{}".format)),
        step=st.one_of(st.just(""), ANY_TEXT),
        minutes=st.one_of(st.none(), st.integers(0, 200)),
        after=st.one_of(st.just(""), KEYS),
        limit=st.integers(0, 3),
    )
    def find(self, states, sender, step, minutes, after, limit):
        before = self.clock.now - timedelta(minutes=minutes) if minutes is not None else None
        query = EffectQuery(tuple(states), sender, step, before, after, limit)
        self.both(lambda s: s.effects.find(query))

    @invariant()
    def same_queues(self):
        self.both(lambda s: s.inbox.pending())
        self.both(lambda s: s.outbox.unsent("web"))
        self.both(lambda s: s.outbox.begun("web", self.clock.now))
        self.both(lambda s: s.media.due())
        self.both(lambda s: s.effects.find(EffectQuery()))
        for info in self.both(lambda s: s.events.conversations()):
            key = info.conversation_id
            self.both(lambda s, key=key: s.events.load(key))
            assert self.both(lambda s, key=key: verified(s, key)).state == "intact"
            self.both(lambda s, key=key: s.inbox.history(key))
            self.both(lambda s, key=key: s.contacts.of_conversation(key))
            for entry in self.both(lambda s, key=key: s.outbox.after(key)):
                self.both(lambda s, entry=entry: s.receipts.of_message(entry.outbox_id))


SameAsMemory.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSameAsMemory = SameAsMemory.TestCase
