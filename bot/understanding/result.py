"""What understanding reads out of one text, before it is set against the conversation."""

from typing import Any

import msgspec

OUT_OF_SCOPE = "out_of_scope"


class Entity(msgspec.Struct, frozen=True):
    """A value named in the text.

    `type` is one of order_number, email, phone, postcode, name, product, color, size,
    material, price_max, price_min, date, quantity, ordinal, tracking_number, rating, or
    excluded_order, an order that the rest is not about ("all except TR-104711").
    `value` is normalised (JSON types only); `start` and `end` are offsets in characters; `unit`
    is what the value counts where that was said: a price's currency (ISO 4217).
    """

    type: str
    value: Any
    text: str
    start: int
    end: int
    score: float = 1.0
    unit: str = ""


class Intent(msgspec.Struct, frozen=True):
    """A skill id (or `out_of_scope`) with a calibrated confidence in [0, 1]."""

    name: str
    confidence: float


class Sentiment(msgspec.Struct, frozen=True):
    """Mood of a text: `score` in [-1, 1], negative is unhappy.

    `insult` is abuse of shop or bot, `urgency` haste, `sarcasm` praise that is none. `threat` and
    `vulnerable` are kinds of `data/lexicons/sentiment.signals.yml`, or "".
    """

    score: float = 0.0
    anger: bool = False
    insult: bool = False
    urgency: bool = False
    threat: str = ""
    vulnerable: str = ""
    sarcasm: bool = False


class ParseResult(msgspec.Struct, frozen=True):
    """Everything the parser found in one text; `refused` are intents it says are not wanted."""

    text: str
    language: str
    intent: Intent
    ranking: tuple[Intent, ...] = ()
    entities: tuple[Entity, ...] = ()
    sentiment: Sentiment = Sentiment()
    language_score: float = 1.0
    refused: tuple[str, ...] = ()
