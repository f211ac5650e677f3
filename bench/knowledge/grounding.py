"""Mutates what the bot would say, and counts what the grounding gate catches.

Every wording of every skill and every passage, in both languages, is filled with records and
changed in one place: an amount, a currency, a separator, a date, a weekday, a span of time, a
number written as a word, stock. The mutator finds places by patterns of its own.
"""

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from bot.flow_files import load_flows
from bot.flows import Flow, FlowSet, Variation
from bot.grounding import Gate, used_names
from bot.grounding_facts import Stated
from bot.messages import OutboundMessage
from bot.responses import Renderer
from knowledge.documents import Passage
from knowledge.sources import SourceDirs, read_shop

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MUTANTS = 1_000
_PLACE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TAG = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_AMOUNT = re.compile(
    r"(?P<sign>[€$£])(?P<n>\d[\d.,]*\d|\d)|(?P<n2>\d[\d.,]*\d|\d)(?P<s2>\s?[€$£])(?!\w)"
)
_SPAN = re.compile(
    r"\b(?P<n>\d+)(?P<gap>[ -](?:business |working )?)(?P<u>days?|hours?|minutes?|weeks?|months?"
    r"|years?|Tagen?|Werktagen?|Stunden?|Minuten?|Wochen?|Monaten?|Jahren?)\b"
)
_SHARE = re.compile(r"\b(?P<n>\d+)(?P<s>\s?%)")
_CLOCK = re.compile(r"\b(?P<h>\d{1,2}):(?P<m>\d\d)\b")
_EN_MONTHS = "January February March April May June July August September October November December"
_DE_MONTHS = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
_EN_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
_DE_DAYS = "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag"
_STOCK = (
    ("is sold out", "is in stock"), ("ist ausverkauft", "ist lieferbar"),
    ("in stock", "sold out"), ("auf Lager", "ausverkauft"), ("lieferbar", "ausverkauft"),
    ("ausverkauft", "auf Lager"), ("sold out", "in stock"),
)  # fmt: skip
_WORDS = {"en": ("seventeen", "forty", "ninety"), "de": ("siebzehn", "vierzig", "neunzig")}
Mutate = Callable[[str, str, random.Random], str | None]


class Sample(msgspec.Struct, frozen=True):
    """A message as the bot would say it, with what it rests on."""

    message: OutboundMessage
    flow: Flow | None
    values: dict[str, Any]


class Outcome(msgspec.Struct, frozen=True):
    """What the gate did."""

    messages: int
    false_alarms: tuple[str, ...]
    mutants: int
    missed: tuple[str, ...]


def open_gate() -> tuple[Gate, FlowSet, tuple[Passage, ...]]:
    """Return the gate over the demo shop's skills and texts."""
    data = ROOT / "data"
    flows = load_flows(data)
    dirs = SourceDirs(data / "demo_shop", data / "faq", data / "policies" / "texts")
    passages = read_shop(dirs)[0].passages
    return Gate(flows, "Europe/Berlin", Stated(lambda: passages, data)), flows, passages


def samples(flows: FlowSet, passages: tuple[Passage, ...], dice: random.Random) -> Iterator[Sample]:
    """Yield every wording filled with records, and every passage as it is quoted."""
    renderer = Renderer(flows, ("en", "de"), "Europe/Berlin")
    owners: list[tuple[Flow | None, Any]] = [(None, flows.responses)]
    owners += [(flow, flow.responses) for flow in flows.flows.values()]
    for flow, responses in owners:
        for name, wordings in responses.items():
            for language, few in wordings.items():
                for one in few:
                    yield _filled(name, flow, one, language, renderer, dice)
    flow = flows.flows["store_faq"]
    for passage in passages:
        answer = {
            "text": passage.text,
            "source_title": passage.source_title,
            "source_url": passage.source_url,
            "updated_at": passage.updated_at.isoformat() if passage.updated_at else None,
            "passage_id": passage.id,
        }
        values = {"answer": answer, "skills": []}
        said = renderer.render("utter_faq_answer", flow, values, passage.language, passage.id)
        yield Sample(said, flow, values)


def _filled(
    name: str,
    flow: Flow | None,
    one: Variation,
    language: str,
    renderer: Renderer,
    dice: random.Random,
) -> Sample:
    records: list[Any] = []

    def fill(match: re.Match[str]) -> str:
        source = match[1]
        moment = NOW + timedelta(days=dice.randrange(1, 300), minutes=dice.randrange(600))
        if "money" in source:
            records.append({"amount_minor": dice.randrange(150, 250_000), "currency": "EUR"})
            return renderer.money(records[-1], language)
        for word, render in (
            ("date", renderer.date), ("day", renderer.day), ("moment", renderer.moment),
        ):  # fmt: skip
            if re.search(rf"\|\s*{word}\b", source):
                records.append(moment.isoformat())
                return str(render(records[-1], language))
        if re.search(r"\b(?:minutes|days|hours)\b", source):
            records.append({source.strip().rpartition(".")[2]: 15})
            return "15"
        return "Sylt"

    text = _TAG.sub(" ", _PLACE.sub(fill, one.text))
    records += _states(text)
    names = sorted(used_names(one)) or ["record"]
    message = OutboundMessage(text=text, language=language, response=name)
    return Sample(message, flow, {names[0]: records, "record": records})


def _states(text: str) -> list[dict[str, Any]]:
    """Return the records that make true what a wording says of stock and of what is free."""
    records: list[dict[str, Any]] = []
    if re.search(r"\bfree\b|kostenlos|gratis", text):
        records.append({"amount_minor": 0, "currency": "EUR"})
    is_gone = bool(re.search(r"sold[- ]out|ausverkauft", text))
    if re.search(r"nothing in stock|nichts auf Lager", text):
        return [*records, {"available": False}]
    if is_gone and "stock" not in text and "Lager" not in text:
        return [*records, {"stock_state": "sold_out", "available": False}]
    if is_gone:
        return [*records, {"stock_state": "sold_out"}, {"available": True}, {"available": False}]
    return [*records, {"available": True}] if re.search(r"in stock|auf Lager", text) else records


def _amount(text: str, _language: str, dice: random.Random) -> str | None:
    found = list(_AMOUNT.finditer(text))
    if not found:
        return None
    match = dice.choice(found)
    group = "n" if match["n"] else "n2"
    digits = match[group]
    places = [at for at, char in enumerate(digits) if char.isdigit()]
    at = dice.choice(places)
    other = str((int(digits[at]) + dice.randrange(1, 10)) % 10)
    start = match.start(group)
    return f"{text[: start + at]}{other}{text[start + at + 1 :]}"


def _currency(text: str, _language: str, dice: random.Random) -> str | None:
    found = [m.start() for m in re.finditer(r"€", text)]
    if not found:
        return None
    at = dice.choice(found)
    return f"{text[:at]}{dice.choice('$£')}{text[at + 1 :]}"


def _separator(text: str, _language: str, dice: random.Random) -> str | None:
    """Move the decimal sign: 12,90 becomes 129,0 or 1.290."""
    found = [m for m in _AMOUNT.finditer(text) if re.search(r"[.,]\d\d$", m["n"] or m["n2"])]
    if not found:
        return None
    match = dice.choice(found)
    group = "n" if match["n"] else "n2"
    digits = re.sub(r"\D", "", match[group])
    start, end = match.span(group)
    return f"{text[:start]}{digits}{text[end:]}"


def _span(text: str, language: str, dice: random.Random) -> str | None:
    found = list(_SPAN.finditer(text))
    if not found:
        return None
    match = dice.choice(found)
    word = dice.choice([str(int(match["n"]) + dice.randrange(1, 9)), *_WORDS[language]])
    return f"{text[: match.start('n')]}{word}{text[match.end('n') :]}"


def _unit(text: str, language: str, dice: random.Random) -> str | None:
    pairs = {
        "en": (("days", "weeks"), ("months", "years"), ("hours", "days"), ("years", "months")),
        "de": (
            ("Tagen", "Wochen"),
            ("Tage", "Wochen"),
            ("Jahre", "Monate"),
            ("Werktage", "Wochen"),
        ),
    }[language]
    fitting = [(old, new) for old, new in pairs if re.search(rf"\d[ -](?:business )?{old}\b", text)]
    if not fitting:
        return None
    old, new = dice.choice(fitting)
    return re.sub(rf"(?<=\d )((?:business )?){old}\b", new, text, count=1)


def _share(text: str, _language: str, dice: random.Random) -> str | None:
    match = _SHARE.search(text)
    if not match:
        return None
    return (
        f"{text[: match.start()]}{int(match['n']) + dice.randrange(1, 9)}{text[match.end('n') :]}"
    )


def _clock(text: str, _language: str, dice: random.Random) -> str | None:
    match = _CLOCK.search(text)
    if not match:
        return None
    hour = (int(match["h"]) + dice.randrange(1, 12)) % 24
    return f"{text[: match.start()]}{hour:02d}:{match['m']}{text[match.end() :]}"


def _name(english: str, german: str) -> Mutate:
    def mutate(text: str, language: str, dice: random.Random) -> str | None:
        names = (german if language == "de" else english).split()
        found = [n for n in names if re.search(rf"\b\d{{1,2}}\.? {n}\b|\b{n}, \d", text)]
        if not found:
            return None
        old = dice.choice(found)
        new = re.sub(rf"\b{old}\b", dice.choice([n for n in names if n != old]), text, count=1)
        said = re.compile(rf"\d{{1,2}}\.? (?:{'|'.join(names)})")
        is_other = len(set(said.findall(new))) >= len(set(said.findall(text)))
        return new if is_other else None  # it became another true date of the same message

    return mutate


def _day(text: str, language: str, dice: random.Random) -> str | None:
    names = (_DE_MONTHS if language == "de" else _EN_MONTHS).replace(" ", "|")
    match = re.search(rf"\b(?P<d>\d{{1,2}})\.? (?:{names})\b", text)
    if not match:
        return None
    day = (int(match["d"]) + dice.randrange(1, 27)) % 28 + 1
    return f"{text[: match.start()]}{day}{text[match.end('d') :]}"


def _stock(text: str, _language: str, _dice: random.Random) -> str | None:
    for old, new in _STOCK:
        if old in text and new not in text:
            return text.replace(old, new)
    return None


MUTATIONS: dict[str, Mutate] = {
    "amount": _amount,
    "currency": _currency,
    "separator": _separator,
    "span": _span,
    "unit": _unit,
    "share": _share,
    "clock": _clock,
    "month": _name(_EN_MONTHS, _DE_MONTHS),
    "weekday": _name(_EN_DAYS, _DE_DAYS),
    "day": _day,
    "stock": _stock,
}


def measure(seed: int = 6, count: int = MUTANTS) -> Outcome:
    """Mutate `count` messages and return what the gate caught, and what it held up wrongly."""
    dice = random.Random(seed)
    gate, flows, passages = open_gate()
    said = list(samples(flows, passages, dice))
    alarms = [s.message.response for s in said if _missing(gate, s, s.message.text)]
    sound = [s for s in said if not _missing(gate, s, s.message.text)]
    missed: list[str] = []
    made: set[tuple[str, str]] = set()
    for _ in range(count * 200):
        if len(made) >= count:
            break
        sample = dice.choice(sound)
        kind = dice.choice(list(MUTATIONS))
        text = sample.message.text
        mutant = MUTATIONS[kind](text, sample.message.language, dice)
        if mutant is None or mutant == text or (kind, mutant) in made:
            continue
        made.add((kind, mutant))
        if not _missing(gate, sample, mutant):
            missed.append(f"{kind}: {sample.message.response}: {mutant}")
    return Outcome(len(said), tuple(alarms), len(made), tuple(missed))


def _missing(gate: Gate, sample: Sample, text: str) -> bool:
    message = msgspec.structs.replace(sample.message, text=text, voice="")
    return bool(gate.check(message, sample.flow, sample.values, "", NOW).missing)


def bench_grounding() -> None:
    """Print the share of mutants caught and of false alarms."""
    outcome = measure()
    caught = outcome.mutants - len(outcome.missed)
    for line in outcome.missed:
        print(f"  missed {line}")
    print(f"grounding: {caught}/{outcome.mutants} mutants caught")
    print(f"false alarms: {len(outcome.false_alarms)}/{outcome.messages} {outcome.false_alarms}")


if __name__ == "__main__":
    bench_grounding()
