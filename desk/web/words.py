"""How the desk writes times, moods, reasons and names."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Literal

from babel.dates import format_datetime

from desk.records import Case
from desk.web.texts import TEXTS

Tone = Literal["angry", "upset", "concerned", "calm", "happy"]
_ANGRY, _UPSET, _UPSET_SCORE, _HAPPY_SCORE = 0.3, 0.12, -0.35, 0.35


def ago(then: datetime | None, now: datetime, language: str) -> str:
    """Return how long ago a moment was, such as 3 min."""
    texts = TEXTS[language]
    seconds = (now - then).total_seconds() if then else 0.0
    if seconds < 60:
        return texts["just_now"]
    for unit, length_s in (("n_days", 86_400), ("n_hours", 3600), ("n_min", 60)):
        if seconds >= length_s:
            return texts[unit].format(n=int(seconds // length_s))
    return ""


def span(seconds: float, language: str) -> str:
    """Return a length of time, such as 3 min; less than a minute is now."""
    texts = TEXTS[language]
    for unit, length_s in (("n_days", 86_400), ("n_hours", 3600), ("n_min", 60)):
        if seconds >= length_s:
            return texts[unit].format(n=int(seconds // length_s))
    return texts["now"]


def moment(at: datetime | None, zone: tzinfo, language: str) -> str:
    """Return a date with its time in the office's zone."""
    locale = "de_DE" if language == "de" else "en_GB"
    return str(format_datetime(at.astimezone(zone), "short", locale=locale)) if at else ""


def tone(case: Case) -> Tone:
    """Return the mood of a case in one word."""
    if case.vulnerable:
        return "concerned"
    if case.threat or case.anger >= _ANGRY:
        return "angry"
    if case.anger >= _UPSET or case.score <= _UPSET_SCORE:
        return "upset"
    return "happy" if case.score >= _HAPPY_SCORE else "calm"


def word(prefix: str, name: str, language: str) -> str:
    """Return the text of a known name, such as a reason or a channel; else the name itself."""
    head, _, rest = name.partition(":")
    known = TEXTS[language].get(f"{prefix}_{head.strip()}")
    if known is None:
        return name.replace("_", " ")
    kinds = [TEXTS[language].get(f"signal_{each}", each) for each in rest.split()]
    return f"{known}: {' '.join(kinds)}" if kinds else known


def team_name(teams: Mapping[str, Mapping[str, str]], team: str, language: str) -> str:
    """Return what a team is called."""
    names = teams.get(team, {})
    return names.get(language) or next(iter(names.values()), "") or team


def called(case: Case, language: str) -> str:
    """Return what a case's customer is called; somebody unknown gets a code that stays theirs."""
    code = hashlib.sha256(case.conversation_id.encode()).hexdigest()[:4].upper()
    return case.customer_name or TEXTS[language]["guest"].format(code=code)
