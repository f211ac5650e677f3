"""A small bot for tests of the engine: flows as YAML texts, a parser that knows its lines."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.action_runner import ActionError, ActionOutcome
from bot.conversation import Conversation
from bot.dispatcher import Dispatcher
from bot.engine import Engine
from bot.events import from_wire
from bot.flow_checks import REQUIRED_PATTERNS
from bot.flow_files import load_flows
from bot.flows import FlowSet
from bot.messages import Attachment, InboundMessage, utc_now
from bot.metrics import Metrics
from bot.responses import Renderer
from bot.storage.memory import memory_store
from bot.turn import Brain, TurnRunner
from bot.understanding.consent import load_consent_words
from bot.understanding.reader import SlotValueReader
from bot.understanding.result import Entity, Intent, ParseResult
from bot.understanding.router import Router
from bot.understanding.thresholds import Thresholds

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
CONSENT = load_consent_words(ROOT / "data" / "lexicons" / "consent.yml")
ENTITIES = {"order_number": r"TR-\d{6}", "email": r"\S+@\S+\.\w+", "postcode": r"\b\d{5}\b"}
SPECIAL = """
  pattern_clarify:
    anything_else: false
    slots: {readings: any, reading: {type: choice, options_from: readings}}
    steps:
      - collect: reading
        ask: utter_pattern_clarify
        from_mentions: false
      - start: reading
    responses:
      utter_pattern_clarify: {en: [{text: "[clarify]", buttons_from: reading=readings}]}
  pattern_handoff:
    anything_else: false
    slots: {reason: any}
    steps: [{say: utter_pattern_handoff}, {handoff: asked}]
    responses: {utter_pattern_handoff: {en: "[handoff]"}}
  pattern_repeat:
    anything_else: false
    steps: [{action: action_repeat_bot_messages}]
  pattern_answer_rejected:
    anything_else: false
    slots: {tries: any, ambiguous: any, message: any, asked_type: any, asked_flow: any, reason: any}
    steps: [{say: utter_pattern_answer_rejected}]
    responses: {utter_pattern_answer_rejected: {en: "[rejected {{ tries }}{{ message | tr }}]"}}
"""
PIZZA = """
skill: pizza
title: {en: Order a pizza, de: Pizza bestellen}
slots:
  size:
    type: category
    words: {en: [size]}
    options:
      - {value: small, title: {en: small}}
      - {value: large, title: {en: large}}
  topping:
    type: category
    options:
      - {value: ham, title: {en: ham}}
      - {value: olives, title: {en: olives}}
  note: text
  price: {type: any, initial: 0}
  plan: any
  plan_state: any
steps:
  - collect: size
  - collect: topping
  - collect: note
    optional: true
  - action: action_plan
  - id: show
    confirm: utter_confirm
    plan: plan
  - action: action_bake
  - if: "plan_state == 'changed'"
    then:
      - goto: show
  - say: utter_baked
responses:
  utter_ask_size: {en: "size?"}
  utter_ask_topping: {en: "topping?"}
  utter_ask_note: {en: "note?"}
  utter_confirm: {en: "bake {{ size }} {{ topping }} {{ note }} for {{ price }}?"}
  utter_baked: {en: "baked {{ size }} {{ topping }}"}
"""
HOURS = """
skill: hours
title: {en: Opening hours, de: Zeiten}
anything_else: false
steps: [{say: utter_hours}]
responses: {utter_hours: {en: "nine to five"}}
"""
TABLE = """
skill: table
title: {en: Book a table, de: Tisch}
slots: {guests: {type: quantity, check: "value < 20", invalid: {en: " at most 19"}}}
steps: [{collect: guests}, {say: utter_booked}]
responses: {utter_ask_guests: {en: "guests?"}, utter_booked: {en: "table for {{ guests }}"}}
"""
INTENTS = {
    "a pizza please": "pizza",
    "when are you open": "hours",
    "book a table": "table",
    "stop": "cancel",
    "skip": "skip",
    "no idea": "dont_know",
    "say that again": "repeat",
    "no, the other size": "correction",
    "start over": "go_back",
}


class ScriptedParser:
    """Knows the intents of given sentences; anything else is out of scope."""

    def __init__(self, intents: Mapping[str, str] = INTENTS):
        self.intents = dict(intents)

    def parse(self, text, hint_language=None, now=None, expected=()):
        name = self.intents.get(text.casefold().strip(" .!"), "out_of_scope")
        entities = tuple(
            Entity(kind, found.group(), found.group(), found.start(), found.end())
            for kind, pattern in ENTITIES.items()
            for found in re.finditer(pattern, text)
        )
        near = name.split("|")
        if len(near) > 1:
            ranking = tuple(Intent(option, 0.4) for option in near)
            return ParseResult(text, "en", Intent("out_of_scope", 0.5), ranking, entities)
        return ParseResult(text, "en", Intent(name, 0.95), (), entities)

    def parse_wishes(self, text, hint_language=None, now=None, expected=()):
        return [self.parse(part, hint_language, now) for part in text.split(" and also ")]


class Kitchen:
    """Actions: a plan with a hash, and an oven that may change its mind or break."""

    def __init__(self):
        self.baked: list[str] = []
        self.prices = [10]
        self.broken = False

    async def run(self, name: str, tracker: Mapping[str, Any]) -> ActionOutcome:
        slots = tracker["slots"]
        if name == "action_plan":
            return ActionOutcome(self._plan(slots), ())
        if self.broken or name != "action_bake":
            raise ActionError(name)
        if slots["consent"] != slots["plan"]["hash"]:
            raise ActionError("no consent to this plan")
        if len(self.prices) > 1:
            del self.prices[0]
            return ActionOutcome({**self._plan(slots), "plan_state": "changed"}, ())
        self.baked.append(f"{slots['size']} {slots['topping']} {slots['plan']['hash']}")
        return ActionOutcome({"plan_state": "done"}, ())

    def _plan(self, slots) -> dict[str, Any]:
        price = self.prices[0]
        return {"plan": {"hash": f"{slots['size']}-{slots['topping']}-{price}"}, "price": price}

    def names(self):
        return frozenset({"action_plan", "action_bake"})


def patterns_text(session_slots: str = "{facts: any, customer_id: any}") -> str:
    """Return a `patterns.yml` whose plain patterns say their own name in brackets."""
    special = set(re.findall(r"^  (pattern_\w+):", SPECIAL, re.MULTILINE))
    plain = "".join(
        f"  {name}:\n    anything_else: false\n"
        "    slots: {title: any, corrected: any, value: any, said: any, tries: any, error: any,"
        " asked_type: any, busy: any}\n"
        f"    steps: [{{say: utter_{name}}}]\n"
        f'    responses: {{utter_{name}: {{en: "[{name.removeprefix("pattern_")}]"}}}}\n'
        for name in sorted(REQUIRED_PATTERNS - special)
    )
    shared = 'responses: {utter_nothing_changed: {en: "nothing changed"}}\n'
    return f"session_slots: {session_slots}\npatterns:\n{plain}{SPECIAL}{shared}"


def write_flows(folder: Path, *skills: str, patterns: str = "") -> Path:
    """Write skills and patterns as `load_flows` wants them; return the data folder."""
    data = folder / "data"
    (data / "skills").mkdir(parents=True, exist_ok=True)
    for skill in skills:
        name = re.search(r"^skill: (\w+)", skill, re.MULTILINE)
        (data / "skills" / f"{name.group(1) if name else 'nameless'}.yml").write_text(skill)
    (data / "patterns.yml").write_text(patterns or patterns_text())
    return data


class SmallBot:
    """Everything from the words of a message to its committed answer."""

    def __init__(self, flows: FlowSet, store=None, intents: Mapping[str, str] = INTENTS):
        self.flows = flows
        self.kitchen = Kitchen()
        self.engine = Engine(flows, SlotValueReader())
        self.router = Router(ScriptedParser(intents), self.engine, flows, CONSENT, Thresholds())
        self.store = store or memory_store()
        renderer = Renderer(flows, ("en", "de"), "Europe/Berlin")
        brain = Brain(flows, self.engine, self.router, renderer, self.kitchen)
        self.turns = TurnRunner(brain, self.store)
        self.dispatcher = Dispatcher(self.store, self.turns, Metrics())
        self._sent = 0

    def message(self, text, sender="ann", attachments=()):
        self._sent += 1
        files = tuple(Attachment("image", url) for url in attachments)
        number = f"{id(self)}-{self._sent}"
        return InboundMessage("rest", sender, number, text, utc_now(), attachments=files)

    async def says(self, text, sender="ann", attachments=()) -> list[str]:
        """Return the bot's texts in answer to one message."""
        entries = await self.dispatcher.answer(self.message(text, sender, attachments))
        return [entry.message.text for entry in entries or ()]

    async def hears(self, *texts, sender="ann") -> list[str]:
        """Say several things; return the answers to the last."""
        answers: list[str] = []
        for text in texts:
            answers = await self.says(text, sender)
        return answers

    async def conversation(self, sender="ann") -> Conversation:
        """Return the conversation as the fold of what is stored."""
        stored, version = await self.store.events.load(f"rest:{sender}")
        conversation = Conversation(f"rest:{sender}", version)
        conversation.apply_all(from_wire(item.data) for item in stored)
        return conversation

    async def events(self, name, sender="ann"):
        """Return the stored events of one kind."""
        stored, _ = await self.store.events.load(f"rest:{sender}")
        return [from_wire(item.data) for item in stored if item.type == name]


def small_bot(folder: Path, *skills: str, **more) -> SmallBot:
    """Return a bot with the pizza, the hours and the table, and more skills."""
    return SmallBot(load_flows(write_flows(folder, PIZZA, HOURS, TABLE, *skills)), **more)
