"""A small bot at a till: its plans are paid out once per key, whatever happens on the way."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from bot.action_runner import ActionError, ActionOutcome
from bot.flow_files import load_flows
from bot.messages import InboundMessage
from bot.reconciler import Reconciler
from bot.storage.effects import EffectQuery
from bot.storage.memory import memory_store
from tests.bot.kit import TABLE, ScriptedParser, SmallBot, patterns_text, write_flows

PAYOUT = """
skill: payout
title: {en: Pay out, de: Auszahlen}
anything_else: false
slots:
  plan: any
  plan_state: any
  amount:
    type: category
    options: [{value: ten, title: {en: ten}}, {value: two, title: {en: two}}]
steps:
  - collect: amount
  - action: action_plan
  - id: show
    confirm: utter_confirm
    plan: plan
  - action: action_commit_plan
  - if: "plan_state == 'done'"
    then: [{say: utter_paid}]
    else: [{say: utter_not_paid}]
responses:
  utter_ask_amount: {en: "amount?"}
  utter_confirm: {en: [{text: "pay {{ amount }}?", buttons: [{title: "Yes!", payload: /affirm}]}]}
  utter_paid: {en: "paid {{ amount }}"}
  utter_not_paid: {en: "{{ plan_state }}"}
"""
RASH = """
skill: rash
title: {en: Pay without asking, de: Ungefragt zahlen}
anything_else: false
slots: {plan: any, plan_state: any, amount: {type: any, initial: ten}}
steps:
  - action: action_plan
  - action: action_commit_plan
  - say: utter_rash
responses: {utter_rash: {en: "{{ plan_state }}"}}
"""
SETTLE = """
  pattern_settle_effect:
    anything_else: false
    during_handoff: true
    slots: {plan: any, consent: any, plan_state: any, news: {type: any, initial: false}}
    steps:
      - action: action_commit_plan
      - if: "news == false"
        then: [end]
      - say: utter_settled
    responses: {utter_settled: {en: "settled: {{ plan_state }}"}}
  pattern_clarify:"""
INTENTS = {
    "pay me out": "payout",
    "just pay": "rash",
    "book a table": "table",
    "a person please": "talk_to_human",
}
PERSON = """
skill: talk_to_human
title: {en: Talk to a person, de: Mensch}
anything_else: false
steps: [{say: utter_wait}, {handoff: asked}]
responses: {utter_wait: {en: "wait"}}
"""


class Died(BaseException):
    """The process is gone; nobody catches that."""


class Bank:
    """A till that pays once per key, and may answer late, badly, or while the process dies."""

    def __init__(self):
        self.paid = Counter()
        self.seen = []
        self.moods = []
        self.before = None

    async def run(self, name, tracker):
        slots = tracker["slots"]
        if name == "action_plan":
            plan = {
                "hash": f"{slots['amount']}".ljust(64, "0"),
                "id": tracker["latest_message"]["message_id"],
                "kind": "goodwill",
                "request": {"order_number": "TR-1"},
            }
            return ActionOutcome({"plan": plan}, ())
        self.seen.append(slots["effects"])
        steps = {item["step"]: item for item in slots["effects"]}
        if not steps:
            return ActionOutcome({"plan_state": "no consent"}, ())
        if self.before:
            await self.before()
        return self._paid(steps["write"], steps["mail"])

    def _paid(self, write, mail):
        mood = self.moods.pop(0) if self.moods else "pays"
        if write["held_up"]:
            mood = "refuses"
        if mood == "dies first":
            raise Died
        if mood == "breaks":
            raise ValueError(mood)
        if mood == "fails":
            raise ActionError(mood)
        doubt = write["state"] in {"sent", "unknown"} and write["sent_at"] is not None
        states = {"doubts": "unknown", "refuses": "refused"}
        state = states.get(mood, "done")
        if state == "done":
            self.paid[write["key"]] |= 1
        if mood == "dies after":
            raise Died
        told = [{"key": item["key"], "state": state, "result": {}} for item in (write, mail)]
        news = doubt and state != "unknown"
        return ActionOutcome({"plan_state": state, "news": news, "effect_outcomes": told}, ())

    def names(self):
        return frozenset({"action_plan", "action_commit_plan"})


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 15, 12, tzinfo=UTC)

    def __call__(self):
        return self.now


class Deaf(ScriptedParser):
    """A parser that must not be asked."""

    def parse_wishes(self, *_args, **_more):
        raise AssertionError("understanding was asked again")

    parse = parse_wishes


class PayBot(SmallBot):
    """The small bot at a till, with a clock and a reconciler."""

    def __init__(self, folder, store=None, clock=None, bank=None):
        self.clock = clock or Clock()
        patterns = patterns_text().replace("\n  pattern_clarify:", SETTLE)
        data = write_flows(folder, PAYOUT, RASH, TABLE, PERSON, patterns=patterns)
        super().__init__(load_flows(data), store or memory_store(self.clock), INTENTS)
        self.bank = self.kitchen = bank or Bank()
        brain = self.turns._brain
        self.turns._brain = type(brain)(
            brain.flows, brain.engine, brain.router, brain.renderer, self.bank
        )
        self.turns._clock = self.clock
        self.folder = folder
        self.reconciler = Reconciler(self.store, self.dispatcher.accept, self.clock)

    def message(self, text, sender="ann", attachments=()):
        self._sent += 1
        return InboundMessage("rest", sender, f"{id(self)}-{self._sent}", text, self.clock())

    def reborn(self):
        """Return a new process over the same store and till."""
        bot = PayBot(self.folder, self.store, self.clock, self.bank)
        bot._sent = self._sent
        return bot

    async def asked(self, sender="ann"):
        """Talk until the plan is shown; return the payload of the yes."""
        await self.says("pay me out", sender)
        answer = self.message("ten", sender)
        entries = await self.dispatcher.answer(answer)
        return entries[-1].message.buttons[0].payload

    async def dies_at(self, text):
        """Have the process die while it handles a message."""
        await self.store.inbox.accept([self.message(text)])
        (entry,) = await self.store.inbox.pending()
        with pytest.raises(Died):
            await self.turns.handle(entry)

    async def drained(self):
        """Let everything that is queued be handled."""
        await asyncio.sleep(0)
        await self.dispatcher.close()

    async def looks(self, after_s=15.0):
        """Let time pass, and the reconciler look; return what the customer then hears."""
        before = len(await self.store.outbox.after("rest:ann"))
        self.clock.now += timedelta(seconds=after_s)
        await self.reconciler.look()
        await self.drained()
        return [entry.message.text for entry in await self.store.outbox.after("rest:ann")][before:]

    async def states(self):
        effects = await self.store.effects.find(EffectQuery())
        return {effect.step: effect.state for effect in effects}

    async def heard(self):
        return [entry.message.text for entry in await self.store.outbox.after("rest:ann")]
