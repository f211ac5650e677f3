"""A generated October of conversations, as events, and what is true of it.

What is true is written down by each story as it tells its events, and counted by brute force; the
code under test is not asked.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

from bot import events as ev
from bot.storage.ports import NewEvent, TurnCommit

BERLIN = ZoneInfo("Europe/Berlin")
CHANNELS = ("webchat", "whatsapp", "email", "telegram")
REASONS = ("asked", "anger", "not_understood")
HOUR = timedelta(hours=1)


@dataclass
class Truth:
    """What is true of one counted conversation."""

    conversation_id: str
    start: datetime
    end: datetime
    channel: str
    language: str
    customer: str
    runs: list = field(default_factory=list)  # (skill, steps, last, end)
    topics: set = field(default_factory=set)
    goals: set = field(default_factory=set)
    failed: bool = False
    cases: list = field(default_factory=list)  # (reason, reply_s, resolution_s, end, held_s)
    surveys: list = field(default_factory=list)  # (kind, score)
    orders: list = field(default_factory=list)  # (amount, currency)
    sent: int = 0
    right: int = 0
    wrong: int = 0


class Month:
    """Tells stories; `events` are by conversation."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.events = {}
        self.truths = []
        self.erased = set()
        self.frames = 0
        self.at = None
        self.id = ""
        self.truth = None

    def tell(self, event):
        self.events.setdefault(self.id, []).append((self.at, event))
        if isinstance(event, ev.BotUttered):
            self.truth.sent += 1
        return len(self.events[self.id])

    def wait(self, seconds):
        self.at += timedelta(seconds=seconds)

    def begin(self, conversation_id, at, *, customer="", language="de", text="Hallo"):
        channel = conversation_id.partition(":")[0]
        self.id, self.at = conversation_id, at
        self.truth = Truth(conversation_id, at, at, channel, language, customer)
        self.truths.append(self.truth)
        self.says(text)
        self.tell(ev.SlotSet("language", language))
        if customer:
            self.tell(ev.SlotSet("customer_id", customer))

    def says(self, text="Ja"):
        self.truth.end = self.at
        self.tell(ev.UserUttered(text, f"m{len(self.events.get(self.id, ()))}", self.truth.channel))

    def bot(self, response="utter_x"):
        return self.tell(ev.BotUttered("…", metadata={"utter_action": response}))

    def start(self, skill, *steps, topic=True):
        self.frames += 1
        frame = f"f{self.frames}"
        self.tell(ev.FlowStarted(skill, frame))
        for step in steps:
            self.tell(ev.StepReached(frame, step))
        if topic:
            self.truth.topics.add(skill)
        return frame

    def called(self, frame, skill):
        """Have a skill call another one, whose steps are not its own."""
        self.frames += 1
        inner = f"f{self.frames}"
        self.tell(ev.FlowStarted(skill, inner, frame))
        self.tell(ev.StepReached(inner, "inner.0"))
        self.tell(ev.FlowCompleted(skill, inner))

    def ends(self, frame, skill, steps, end="completed"):
        done = {"completed": ev.FlowCompleted, "cancelled": ev.FlowCancelled}.get(end)
        if done:
            self.tell(done(skill, frame))
        self.truth.runs.append((skill, steps, "" if end == "completed" else steps[-1], end))

    # the stories

    def tracks(self, skill="track_order"):
        steps = ("s.0", "s.2", "s.10")
        frame = self.start(skill, *steps[:1])
        self.called(frame, "identify_customer")
        for step in steps[1:]:
            self.tell(ev.StepReached(frame, step))
        self.bot()
        self.ends(frame, skill, steps)
        self.truth.goals.add(skill)

    def falls_silent(self, skill="return_items"):
        frame = self.start(skill, "s.0", "s.1")
        self.bot("utter_ask")
        self.ends(frame, skill, ("s.0", "s.1"), "left")

    def gives_up(self, skill="change_items"):
        frame = self.start(skill, "s.0", "s.1")
        self.wait(70)
        self.says("Abbrechen")
        self.ends(frame, skill, ("s.0", "s.1"), "cancelled")
        self.bot()

    def asks(self, passage="faq:returns", *, answered=True):
        frame = self.start("store_faq", "s.0", topic=False)
        if answered:
            told = ({"passage_id": f"{passage}:{self.truth.language}", "score": 0.7},)
            self.tell(ev.Grounding("utter_faq_answer", 1, (), told))
            self.truth.topics.add(passage)
            self.truth.goals.add(passage)
            self.truth.failed = False
            seq = self.bot("utter_faq_answer")
        else:
            seq = self.bot("utter_no_faq_answer")
            self.truth.failed = True
        self.ends(frame, "store_faq", ("s.0",))
        return seq

    def searches(self):
        frame = self.start("find_product", "s.0")
        self.bot("utter_search_found")
        self.ends(frame, "find_product", ("s.0",))

    def refused(self):
        frame = self.start("cancel_order", "s.0")
        self.tell(ev.SlotSet("refusal", {"code": "sent"}, frame))
        self.bot()
        self.ends(frame, "cancel_order", ("s.0",))
        self.truth.failed = True

    def buys(self, paid_after_h, amount, currency="EUR"):
        frame = self.start("checkout", "s.0", "show")
        self.tell(ev.PlanShown(frame, "h"))
        self.bot()
        self.wait(30)
        self.says("Ja")
        self.tell(ev.SlotSet("plan_state", "done", frame))
        self.bot()
        self.ends(frame, "checkout", ("s.0", "show"))
        self.truth.goals.add("checkout")
        if paid_after_h:
            self.wait(paid_after_h * 3600)
            slots = {
                "kind": "received",
                "order_number": f"TR-{len(self.truths)}",
                "amount": {"amount_minor": amount, "currency": currency},
            }
            for number in range(2):  # told twice, paid once
                notice = ev.Triggered("pattern_payment_notice", f"p{number}", slots)
                self.tell(notice)
            self.bot("utter_payment_received")
            self.truth.orders.append((amount, currency))

    def declines(self):
        frame = self.start("checkout", "s.0", "show")
        self.tell(ev.PlanShown(frame, "h"))
        self.wait(40)
        self.says("Nein")
        self.bot()
        self.ends(frame, "checkout", ("s.0", "show"))

    def needs_person(self, reason, wait_s, talk_s, end, *, lent=False):
        opened = self.at
        self.tell(ev.HandoffChanged("waiting_for_operator", reason))
        self.bot("utter_handoff")
        self.wait(wait_s)
        self.tell(ev.HandoffChanged("with_operator", "taken", operator="o1", operator_name="Lea"))
        taken = self.at
        self.wait(17)
        self.tell(ev.BotUttered("Hallo", metadata={"operator": "o1", "name": "Lea"}))
        replied = self.truth.end = self.at
        if lent:
            self.tell(ev.HandoffChanged("bot", "lent", operator="o1", operator_name="Lea"))
            self.wait(5)
            self.tell(ev.HandoffChanged("with_operator", "skill_done", operator="o1"))
        self.wait(talk_s)
        reason_told = reason.partition(":")[0]
        reply_s = int((replied - opened).total_seconds())
        if not end:
            self.truth.cases.append((reason_told, reply_s, None, "", 0))
            return
        state = "bot" if end == "given_back" else "closed"
        self.tell(ev.HandoffChanged(state, end, operator="o1"))
        self.truth.end = self.at
        spans = [int((self.at - since).total_seconds()) for since in (opened, taken)]
        self.truth.cases.append((reason_told, reply_s, spans[0], end, spans[1]))

    def surveyed(self, kind, score, answer_after_h=0):
        self.frames += 1
        frame = f"f{self.frames}"
        slots = {} if kind == "csat" else {"survey": kind}
        self.tell(ev.FlowStarted("pattern_case_closed", frame, slots=slots))
        self.tell(ev.QuestionAsked(frame, "s.1"))
        self.bot()
        self.truth.surveys.append((kind, score))
        if score is None:
            return
        self.wait(answer_after_h * 3600 + 20)
        self.tell(ev.UserUttered("/SetSlots(rating)", "m", self.truth.channel))
        if not answer_after_h:
            self.truth.end = self.at
        self.tell(ev.HandoffChanged("bot", "customer_wrote"))
        for comment in ("", "Danke"):
            told = {"kind": kind, "score": score, "comment": comment}
            self.tell(ev.SlotSet("case_feedback", told))

    def marks(self, seq, *verdicts):
        for verdict in verdicts:
            data = {"seq": seq, "verdict": verdict}
            self.tell(ev.OperatorActed("marked", "o1", "", data=data))
        self.truth.right += verdicts[-1] == "right"
        self.truth.wrong += verdicts[-1] == "wrong"


def october(seed, conversations=220):
    """Return a month of stories from October 2026, some begun before and some after it."""
    month = Month(seed)
    pick = month.random
    first = datetime(2026, 9, 20, 0, 0, tzinfo=UTC)
    for number in range(conversations):
        at = first + timedelta(seconds=pick.randrange(46 * 24 * 3600))
        customer = f"C{number}" if pick.random() < 0.6 else ""
        own = f"{pick.choice(CHANNELS)}:v{number}"
        language = pick.choice(("de", "en"))
        story(month, pick, own, at, customer, language)
        if pick.random() < 0.35:  # they come back, perhaps elsewhere, perhaps for the same
            after = timedelta(hours=pick.choice((5, 20, 71, 72, 73)), seconds=pick.randrange(2))
            back_at = month.at + after
            elsewhere = customer and pick.random() < 0.5
            is_open = month.truth.cases and not month.truth.cases[-1][3]
            other = f"{pick.choice(CHANNELS)}:w{number}" if elsewhere else own
            if elsewhere or not is_open:
                story(month, pick, other, back_at, customer, language)
        if pick.random() < 0.05:
            month.erased.add(own)
    edges(month)
    month.truths = [each for each in month.truths if each.conversation_id not in month.erased]
    return month


def story(month, pick, conversation_id, at, customer, language):
    """Tell one of the stories."""
    month.begin(conversation_id, at, customer=customer, language=language)
    month.wait(pick.randrange(1, 90))
    kind = pick.randrange(12)
    if kind in {0, 1}:
        month.tracks(pick.choice(("track_order", "refund_status")))
    elif kind == 2:
        month.falls_silent()
    elif kind == 3:
        month.gives_up()
    elif kind in {4, 5}:
        month.marks(month.asks(pick.choice(("faq:returns", "faq:shipping"))), "wrong", "right")
    elif kind == 6:
        month.marks(month.asks(answered=False), "wrong")
    elif kind == 7:
        month.searches()
    elif kind == 8:
        month.refused()
    elif kind == 9:
        month.buys(pick.choice((0, 1, 30)), pick.randrange(1, 90_000), pick.choice(("EUR", "CHF")))
    elif kind == 10:
        month.declines()
    else:
        with_person(month, pick)


def with_person(month, pick):
    """Tell a story of which a part is an operator's, at any hour."""
    if pick.random() < 0.5:
        month.tracks()
    end = pick.choice(("solved", "no_answer", "spam", "given_back", ""))
    reason = pick.choice(REASONS) + pick.choice(("", ": twice"))
    wait_s, talk_s = pick.randrange(20, 40_000), pick.randrange(10, 4000)
    month.needs_person(reason, wait_s, talk_s, end, lent=pick.random() < 0.3)
    if end == "solved":
        kind = pick.choice(("csat", "effort", "nps"))
        score = pick.choice((None, pick.randrange(11) if kind == "nps" else pick.randrange(1, 6)))
        month.surveyed(kind, score, pick.choice((0, 9)))


def edges(month):
    """Tell what lies on the edges: of the month, of a day, of the hour that comes twice."""
    for number, local in enumerate((
        datetime(2026, 10, 1, 0, 0, tzinfo=BERLIN),
        datetime(2026, 9, 30, 23, 59, 59, tzinfo=BERLIN),
        datetime(2026, 10, 31, 23, 59, 59, tzinfo=BERLIN),
        datetime(2026, 11, 1, 0, 0, tzinfo=BERLIN),
        datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=0),
        datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
    )):
        month.begin(f"webchat:edge{number}", local.astimezone(UTC))
        month.tracks()
    for second in (0, 1):  # the last moment of the window, and the one after it
        at = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
        month.begin(f"webchat:late{second}", at)
        month.tracks()
        month.begin(f"webchat:late{second}", at + timedelta(hours=72, seconds=second))
        month.tracks()
    month.begin("webchat:asks-a-person", datetime(2026, 10, 6, 9, 0, tzinfo=UTC))
    month.tracks()
    month.begin("webchat:asks-a-person", datetime(2026, 10, 7, 9, 0, tzinfo=UTC))
    month.needs_person("asked", 60, 60, "solved")
    month.begin("webchat:short-pause", datetime(2026, 10, 8, 9, 0, tzinfo=UTC))
    month.tracks()
    month.wait(4 * 3600)  # no longer than the pause: still the same conversation
    month.says("Noch etwas")
    month.falls_silent()


async def fill(store, month):
    """Write the month's events into a store, and erase what was erased."""
    for conversation_id, told in month.events.items():
        told.sort(key=itemgetter(0))
        wires = [(at, ev.to_wire(event)) for at, event in told]
        events = [NewEvent(wire["event"], wire, at) for at, wire in wires]
        await store.turns.commit(TurnCommit(conversation_id, 0, events))
