"""A customer: hears the bot's messages, and says the next thing until every wish has its end."""

from collections.abc import Callable, Sequence

import msgspec

from simulation.answers import ANSWERABLE, Answers
from simulation.goals import CONFIRM, DONE, PERSON, REFUSED, Goal, is_person, meant
from simulation.plan_reading import PlanReader
from simulation.shop_view import ShopView
from simulation.slips import Slips
from simulation.tasks import Ask, Buy, Task
from simulation.telling import Teller
from simulation.voice import Voice
from simulation.words import Words

STORE_CREDIT = "store_credit"
MOST_TRIES = 3
MOST_CORRECTIONS = 5
MOST_REPEATS = 4
MOST_TURNS_A_WISH = 18
_ALL_AT_ONCE = {
    "plain": 0.25, "terse": 0, "chatty": 0.25, "typos": 0.2, "changes_mind": 0.2, "german": 0.25,
}  # fmt: skip
_IDENTITY_AT_ONCE = {
    "plain": 0.7, "terse": 0.25, "chatty": 0.5, "typos": 0.6, "changes_mind": 0.6, "german": 0.6,
}  # fmt: skip
_ASKS_BETWEEN = {
    "plain": 0.15, "terse": 0.0, "chatty": 0.8, "typos": 0.1, "changes_mind": 0.3, "german": 0.15,
}  # fmt: skip
"""How many customers ask something else in between; when, is left to chance."""
_ASIDE = 0.3
_RIGHT_AWAY = 0.5


class Heard(msgspec.Struct, frozen=True):
    """One message of the bot: which question or statement it is, and what can be read."""

    response: str
    text: str
    buttons: tuple[str, ...] = ()


class Customer:
    """Knows a task's facts and wants its wishes, one after the other, in one style."""

    def __init__(
        self, task: Task, shop: ShopView, voice: Voice, mailbox: Callable[[], str]
    ) -> None:
        """Be the customer of `task`.

        Args:
            task: who they are and what they want.
            shop: what they can know of the shop.
            voice: how they talk.
            mailbox: returns the one-time code of the last e-mail, empty without one.
        """
        words = Words(shop, voice, task.customer)
        self._voice = voice
        self._teller = Teller(shop, words, voice, task.facts)
        self._reader = PlanReader(shop, task.customer)
        self._answers = Answers(shop, words, voice)
        self._mailbox = mailbox if task.facts.mailbox else str
        self._slips = Slips(shop, words, task.customer, voice.dice)
        self._pending = [Goal(wish, wish) for wish in task.wishes]
        if voice.style == "changes_mind":
            for goal in self._pending:
                self._slips.apply(goal)
        self._asides = 1 if voice.chance(_ASKS_BETWEEN[voice.style]) else 0
        self._open: Heard | None = None
        self._repeated = 0
        self._turns = 0
        self._over = False
        self._blunt = False

    def opening(self) -> str:
        """Return the first message."""
        goal = self._pending[0]
        goal.tries = 1
        told = self._teller.wish(goal)
        others = [g for g in self._pending[1:] if not isinstance(g.wish, Ask)]
        if others and self._voice.chance(_ALL_AT_ONCE[self._voice.style]):
            for other in others:
                other.tries = 1
                next_one = self._voice.put("wish.next")
                told = f"{told}. {next_one}{self._teller.wish(other, bare_allowed=False)}"
        identity = self._teller.identity()
        if identity and self._voice.chance(_IDENTITY_AT_ONCE[self._voice.style]):
            first = self._voice.chance(0.5) or len(self._pending) > 1
            first = first or self._voice.style == "terse"
            told = f"{identity}. {_sentence(told)}" if first else f"{told}. {_sentence(identity)}"
        return self._voice.said(told, opening=True)

    def answer(self, heard: Sequence[Heard]) -> str | None:
        """Return what is said next; None when there is nothing left to say."""
        question = self._listen(heard)
        self._turns += 1
        if self._over or not self._pending or self._tired():
            return None
        if question is not None:
            return self._reply(question)
        if self._open is not None and self._asides < 0:
            self._asides, again = 0, self._open
            return self._reply(again)
        return self._next_wish()

    def _tired(self) -> bool:
        return self._turns > MOST_TURNS_A_WISH * (1 + len(self._pending))

    def _listen(self, heard: Sequence[Heard]) -> Heard | None:
        """Take note of what was done and refused; return the question that is open."""
        question: Heard | None = None
        self._blunt = any(message.response == "utter_yes_or_no" for message in heard)
        for message in heard:
            if message.response in PERSON:
                self._over = True
            elif message.response in DONE:
                self._finished(message)
                question = None
            elif message.response in REFUSED:
                self._refused(message)
                question = None
            elif message.response == "utter_refused_lines":
                self._note_impossible(message.text)
            elif message.response == "utter_added_to_cart":
                self._bought(message)
                question = None
            elif message.response in ANSWERABLE or message.response in CONFIRM:
                question = message
        return question

    def _finished(self, message: Heard) -> None:
        goal = meant(self._pending, DONE[message.response], message.text)
        place = getattr(goal.wish, "address", None) if goal is not None else None
        elsewhere = place is not None and place.line1.casefold() not in message.text.casefold()
        if goal is not None and not (elsewhere and "address" in message.response):
            self._pending.remove(goal)
            self._open = None

    def _refused(self, message: Heard) -> None:
        if not self._pending:
            return
        told = [goal for goal in self._pending if goal.tries] or self._pending
        numbered = [goal for goal in told if _speaks_of(goal, message.text)]
        goal = (numbered or told)[0]
        if not numbered and self._reader.names_order(message.text):
            return  # that was about an order they did not speak of: they say their wish again
        if goal.slip[1] or (goal.told.__class__ is goal.wish.__class__ and goal.told != goal.wish):
            goal.put_right()
            goal.tries = 0
            return
        if _offered_credit(goal, message.text):
            goal.insisted = True
            goal.tries = 0
            return
        place = self._pending.index(goal)
        instead = [Goal(wish, wish) for wish in goal.wish.otherwise]
        self._pending[place : place + 1] = instead
        self._open = None

    def _note_impossible(self, text: str) -> None:
        goal = self._pending[0] if self._pending else None
        if goal is not None:
            goal.impossible = self._answers.named_lines(goal, text)

    def _bought(self, message: Heard) -> None:
        goal = meant(self._pending, (Buy,), message.text)
        if goal is None or not isinstance(goal.wish, Buy):
            return
        goal.bought += 1
        goal.tries = 0
        if goal.bought >= len(goal.wish.goods):
            goal.paying = goal.wish.pay
            if not goal.paying:
                self._pending.remove(goal)

    def _reply(self, question: Heard) -> str | None:
        same = self._open is not None and _asked(self._open) == _asked(question)
        self._repeated = self._repeated + 1 if same else 0
        self._open = question
        if self._repeated >= MOST_REPEATS:
            return self._give_up(self._answers.spoken_of(self._pending, question))
        if question.response == "utter_ask_identity":
            return self._voice.said(self._teller.identity_asked(question.text, self._mailbox()))
        if question.response in CONFIRM:
            return self._consent(question)
        goal = self._answers.spoken_of(self._pending, question)
        if goal is None:
            return self._voice.said(self._voice.put("mind.stop"))
        return self._first_else(goal) or self._answer_to(goal, question)

    def _first_else(self, goal: Goal) -> str:
        """Return what is said instead of an answer: a stop, a slip put right, an aside."""
        if goal.stop_first:
            goal.stop_first = False
            goal.tries = 0
            return self._voice.said(self._voice.put("mind.stop"))
        if goal.slip[1] and self._voice.chance(_RIGHT_AWAY):
            wrong, right = goal.slip
            goal.put_right()
            return self._voice.said(self._voice.put("mind.not_this", wrong=wrong, right=right))
        if self._asides > 0 and self._voice.chance(_ASIDE):
            self._asides = -1
            return self._voice.said(self._voice.put("chatty.aside"))
        return ""

    def _answer_to(self, goal: Goal, question: Heard) -> str | None:
        goal.asked_again = self._repeated
        if self._repeated and goal.told != goal.wish:
            goal.put_right()  # what was said by mistake is not to be had: one looks again
        said = self._answers.to(goal, question)
        if said is None:
            return self._misunderstood(goal)
        exactly = question.response == "utter_ask_description"  # it is compared word for word
        described = bool(getattr(goal.wish, "description", ""))
        return self._voice.said(said, bluntly=exactly and described)

    def _misunderstood(self, goal: Goal) -> str | None:
        """Say the wish once more when the bot asks for something that does not belong to it."""
        self._open = None
        if isinstance(goal.wish, Ask) or goal.tries >= MOST_TRIES:
            return self._give_up(goal)
        goal.tries += 1
        goal.put_right()
        told = self._teller.wish(goal, bare_allowed=False)
        return self._voice.said(self._voice.put("object.misunderstood", wish=told))

    def _consent(self, plan: Heard) -> str:
        """Say yes to the plan, or what is wrong with it."""
        goal = meant(self._pending, CONFIRM[plan.response], plan.text)
        if goal is None:
            return self._voice.said(self._voice.put("answer.no"))
        wrong = self._reader.objection(goal, plan.text)
        goal.put_right()
        if wrong is None and goal.stop_first:
            goal.stop_first = False
            goal.tries = 0
            return self._voice.said(self._voice.put("mind.stop"))
        if wrong is None:
            plainly = self._voice.plainly("answer.yes"), self._voice.put("answer.yes")
            return self._voice.said(plainly[not self._blunt], bluntly=self._blunt)
        goal.corrections += 1
        if goal.corrections > MOST_CORRECTIONS:
            goal.corrections = 0
            return self._voice.said(self._voice.put("answer.no"))
        said = self._answers.objection(goal, wrong)
        return self._voice.said(said)

    def _next_wish(self) -> str | None:
        """Say the first wish that is left, once more if it was not understood."""
        while self._pending:
            goal = self._pending[0]
            if isinstance(goal.wish, Ask) and goal.tries >= 1:
                self._pending.pop(0)
                continue
            if goal.tries >= MOST_TRIES:
                self._pending.pop(0)
                continue
            goal.tries += 1
            again = goal.tries > 1 or goal.told != goal.wish
            if goal.tries > 1:
                goal.put_right()
            again = again or goal.insisted
            told = self._teller.wish(goal, bare_allowed=not again, in_full=goal.insisted)
            act = "mind.again" if again and self._voice.style == "changes_mind" else ""
            if act:
                return self._voice.said(self._voice.put(act, wish=_sentence(told)))
            joint = self._voice.put("wish.joint") if goal.tries == 1 else ""
            if is_person(goal):
                joint = ""
            return self._voice.said(joint + told)
        return None

    def _give_up(self, goal: Goal | None) -> str | None:
        """Stop what is not understood and go on with the next wish."""
        if goal is not None:
            self._pending.remove(goal)
        self._open = None
        self._repeated = 0
        return self._voice.said(self._voice.put("mind.stop")) if self._pending else None


def _speaks_of(goal: Goal, text: str) -> bool:
    """Return whether a text names the order of a wish, the right one or the one said."""
    numbers = goal.order, str(getattr(goal.told, "order", ""))
    return any(number and number in text for number in numbers)


def _offered_credit(goal: Goal, text: str) -> bool:
    """Return whether a refusal offers the store credit that the customer would take."""
    wants = getattr(goal.wish, "method", "") == STORE_CREDIT and not goal.insisted
    return wants and any(word in text for word in ("Guthaben", "store credit"))


def _asked(question: Heard) -> tuple[str, object]:
    """Return what makes a question the same, in whatever words it is put."""
    return question.response, question.buttons or question.text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
