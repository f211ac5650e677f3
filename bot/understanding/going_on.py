"""Questions that go on with the one answered before: "and swimwear?"."""

import re
from pathlib import Path

import msgspec
import yaml

from bot import commands as cm
from bot.understanding.corrections import FACTS, Situation
from bot.understanding.normalise import fold
from bot.understanding.result import OUT_OF_SCOPE
from bot.understanding.unclear import HELP

ANSWERED = frozenset({"utter_faq_answer", "utter_faq_nearby", "utter_no_faq_answer"})
LAST_QUESTION = "last_question"
_OWN_WISH = 0.85
"""So clear, another wish is meant: "and talk to a person"."""
_SOUNDS_LIKE = frozenset({
    HELP, OUT_OF_SCOPE, "find_product", "product_question", "check_stock", "recommend", "chitchat",
})  # fmt: skip
"""What "and swimwear?" alone may be read as."""
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


class GoingOn(msgspec.Struct, frozen=True):
    """The words of `data/lexicons/going_on.yml`.

    Args:
        leads: what such a question begins with, folded, the longest first.
        tails: what it may end with.
        glue: words before what it asks about.
        most_words: how many words it may ask about.
        back: whole questions that say "that" of what was asked before.
        around: words before and behind them that change nothing.
    """

    leads: tuple[str, ...] = ()
    tails: frozenset[str] = frozenset()
    glue: frozenset[str] = frozenset()
    most_words: int = 3
    back: re.Pattern[str] | None = None
    around: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())

    def start(self, s: Situation) -> cm.StartFlow | None:
        """Return the next question for the help texts, None where a message is none."""
        if not _has_answered(s):
            return None
        if pointed := self.points_back(s):
            return pointed
        if any(entity.type in FACTS for entity in s.whole.entities):
            return None
        if s.whole.intent.name not in _SOUNDS_LIKE and s.whole.intent.confidence >= _OWN_WISH:
            return None
        rest = self.asked(s.whole.text)
        return cm.StartFlow(HELP, s.mention, {"goes_on": rest}) if rest else None

    def points_back(self, s: Situation) -> cm.StartFlow | None:
        """Return the question before, asked on by "and how long does that take", else None."""
        if self.back is None or not _has_answered(s):
            return None
        words = [fold(word) for word in _WORD.findall(s.whole.text)]
        while words and words[0] in self.around[0]:
            words.pop(0)
        while words and words[-1] in self.around[1]:
            words.pop()
        if self.back.fullmatch(" ".join(words)) is None:
            return None
        return cm.StartFlow(HELP, s.mention, {"goes_on": s.whole.text, "whole": True})

    def asked(self, text: str) -> str:
        """Return what follows the lead of a question that goes on, "" for all other words."""
        words = _WORD.findall(text)
        folded = [fold(word) for word in words]
        for lead in self.leads:
            begun = lead.split()
            if folded[: len(begun)] != begun:
                continue
            rest = list(zip(words, folded, strict=True))[len(begun) :]
            while rest and rest[-1][1] in self.tails:
                rest.pop()
            about = sum(word not in self.glue for _, word in rest)
            return " ".join(word for word, _ in rest) if 0 < about <= self.most_words else ""
        return ""


def _has_answered(s: Situation) -> bool:
    """Return whether the bot has just answered a question from the help texts."""
    said = s.conversation.last_bot or s.conversation.previous_bot
    answered = any(str(one.metadata.get("utter_action")) in ANSWERED for one in said)
    return answered and bool(s.conversation.slots.get(LAST_QUESTION))


def load_going_on(path: Path) -> GoingOn:
    """Read the words from `going_on.yml`.

    Raises:
        OSError: The file is missing.
        yaml.YAMLError: The file is not YAML.
    """
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    leads = {" ".join(_WORD.findall(fold(str(lead)))) for lead in data["leads"]}
    return GoingOn(
        leads=tuple(sorted(leads, key=lambda lead: -len(lead.split()))),
        tails=frozenset(fold(str(word)) for word in data["tails"]),
        glue=frozenset(fold(str(word)) for word in data["glue"]),
        most_words=int(data["most_words"]),
        back=re.compile("|".join(f"(?:{question})" for question in data["points_back"])),
        around=(
            frozenset(fold(str(word)) for word in data["before"]),
            frozenset(fold(str(word)) for word in data["behind"]),
        ),
    )
