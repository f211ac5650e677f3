"""Cases to write about, and models of ours that write by rote."""

import asyncio

from bot.writing_setup import hiding
from desk.writing.ports import LanguageModel, Line, ModelFailed, Source

HIDES = hiding(r"[A-Z]{2}-?\d{6}")
GOOD = """\
PROBLEM: PERSON_1 wants 129,90 € for order ORDER_1 back.
TRIED: The bot offered a refund to PayPal.
PLAN: Refund of 129,90 €, the customer has not agreed.
NEXT: Answer whether it can go to PayPal."""


def source(*talk, **changes):
    """Return what is known of a case about a refund."""
    known = {
        "case_id": "webchat:lena#1",
        "language": "en",
        "facts": (Line("desk", "Reason: asked for a person"), Line("desk", "Order: TR-104711")),
        "talk": talk or (
            Line("customer", "Hier ist Lena Vogt, lena@vogt.example. Ich will mein Geld zurück!"),
            Line("bot", "I send 129,90 € for TR-104711 back to PayPal. Shall I?"),
            Line("customer", "Mich kostet das 500 €, bis Freitag!"),
        ),
        "names": (("Lena Vogt", "PERSON"), ("TR-104711", "ORDER")),
    }  # fmt: skip
    return Source(**(known | changes))


class Scribe(LanguageModel):
    """A model that writes what it is told to, and remembers what it was given."""

    def __init__(self, *texts, takes_s=0.0):
        self.texts = list(texts)
        self.takes_s = takes_s
        self.asked = []
        self.at_once = self.most_at_once = 0
        self.is_closed = False

    async def write(self, instructions, material):
        self.asked.append((instructions, material))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if isinstance(text, Exception):
            raise text
        return text

    async def close(self):
        self.is_closed = True


def down():
    """Return what a model raises that cannot be reached."""
    return ModelFailed("unreachable")
