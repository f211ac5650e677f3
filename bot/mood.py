"""The mood of a conversation: what its messages add up to, folded from the events."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec

Tone = Literal["calm", "upset", "angry", "concerned"]
TONES: frozenset[str] = frozenset(get_args(Tone))

_KEPT_ANGER, _NEW_ANGER = 0.6, 0.5
_KEPT_SCORE = 0.7
_INSULTED, _ANGRY, _UPSET = 1.0, 0.7, 0.3
_UPSET_SCORE = -0.5
_ANGRY_TREND, _UPSET_TREND = 0.3, 0.12
_CONCERNED_TURNS = 6
_IN_NEED = frozenset({"crisis", "abuse"})


class HandOffWhen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a conversation goes to a person although nobody asked for one.

    Args:
        anger: trend of anger in [0, 1] from which on an angry message hands over; 2 for never.
        threat: kinds of threats that do.
        vulnerable: kinds of hard situations that do.
    """

    anger: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.6
    threat: tuple[str, ...] = (
        "lawyer",
        "court",
        "police",
        "consumer_protection",
        "chargeback",
        "violence",
    )
    vulnerable: tuple[str, ...] = ("crisis", "abuse", "death", "illness", "debt", "minor")


class Mood(msgspec.Struct, frozen=True):
    """How the customer has been lately.

    Args:
        score: trend of the mood in [-1, 1].
        anger: trend of the anger in [0, 1].
        messages: how many messages counted.
        threat: the kind of the last threat, "" for none.
        vulnerable: the kind of the last hard situation, "" for none.
        told: at which message it was told.
    """

    score: float = 0.0
    anger: float = 0.0
    messages: int = 0
    threat: str = ""
    vulnerable: str = ""
    told: int = 0

    def after(self, said: Mapping[str, Any]) -> "Mood":
        """Return the mood after one more message.

        Args:
            said: the message's `sentiment` as `parse_data` holds it; empty for a pressed button.
        """
        score = float(said.get("score") or 0.0)
        vulnerable = str(said.get("vulnerable") or "")
        anger = _KEPT_ANGER * self.anger + _NEW_ANGER * anger_of(said)
        messages = self.messages + 1
        return Mood(
            score=round(_KEPT_SCORE * self.score + (1 - _KEPT_SCORE) * score, 4),
            anger=round(min(1.0, anger), 4),
            messages=messages,
            threat=str(said.get("threat") or "") or self.threat,
            vulnerable=vulnerable or self.vulnerable,
            told=messages if vulnerable else self.told,
        )

    @property
    def tone(self) -> Tone:
        """Return how to speak to the customer now."""
        if self.vulnerable and self.messages - self.told < _CONCERNED_TURNS:
            return "concerned"
        if self.anger >= _ANGRY_TREND:
            return "angry"
        return "upset" if self.anger >= _UPSET_TREND else "calm"


def anger_of(said: Mapping[str, Any]) -> float:
    """Return how angry one message is, in [0, 1]."""
    if said.get("insult"):
        return _INSULTED
    if said.get("anger"):
        return _ANGRY
    return _UPSET if float(said.get("score") or 0.0) <= _UPSET_SCORE else 0.0


def why_hand_off(when: HandOffWhen, mood: Mood, said: Mapping[str, Any]) -> str:
    """Return the reason to hand over now, "" for none: only what this message tells counts.

    Args:
        when: the thresholds.
        mood: of the conversation before the message.
        said: the message's `sentiment`.
    """
    if said.get("vulnerable") in when.vulnerable:
        return f"vulnerable: {said['vulnerable']}"
    if said.get("threat") in when.threat:
        return f"threat: {said['threat']}"
    if anger_of(said) >= _ANGRY and mood.after(said).anger >= when.anger:
        return "anger"
    return ""


def need_of(said: Mapping[str, Any]) -> str:
    """Return which help beyond a shop's a message calls for at once, "" for none.

    Args:
        said: the message's `sentiment`.
    """
    told = str(said.get("vulnerable") or "")
    return told if told in _IN_NEED else ""
