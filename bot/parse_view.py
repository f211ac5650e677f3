"""What `tresen parse` shows of a reading: lines for people, or JSON."""

from collections.abc import Iterator, Sequence

import msgspec

from bot.commands import Command
from bot.terminal import printable
from bot.understanding.result import Entity, Intent, Sentiment
from bot.understanding.router import Understood
from bot.understanding.stopwatch import Seen
from bot.utterances import parse_data

_RANKED = 4
_LEAST = 0.005


def parse_json(understood: Understood, seen: Seen, total_ms: float) -> bytes:
    """Return everything as JSON: the fields of `/model/parse`, what was read, and the times.

    Args:
        understood: the reading.
        seen: what the pipeline's parts did.
        total_ms: how long all of it took.
    """
    shown = parse_data(understood) | {
        "language_score": understood.parse.language_score,
        "read_as": [
            {"text": text, "intent_ranking": msgspec.to_builtins(ranking)}
            for text, ranking in seen.ranked.items()
        ],
        "path": _path(seen),
        "milliseconds": {stage: round(ms, 2) for stage, ms in _stages(seen, total_ms)},
        "total_milliseconds": round(total_ms, 2),
    }
    return msgspec.json.encode(shown)


def parse_lines(text: str, understood: Understood, seen: Seen, total_ms: float) -> Iterator[str]:
    """Yield everything for a person.

    Args:
        text: what was read.
        understood: the reading.
        seen: what the pipeline's parts did.
        total_ms: how long all of it took.
    """
    parse = understood.parse
    yield printable(text)
    yield f"  language  {parse.language or '?'} ({parse.language_score:.2f})"
    yield f"  intent    {_ranking(parse.ranking or (parse.intent,))}"
    yield f"  by        {_path(seen)}"
    for read, ranking in seen.ranked.items():
        yield f"  read      “{printable(read)}”: {_ranking(ranking[:2])}"
    for entity in parse.entities:
        yield f"  entity    {_entity(entity)}"
    yield f"  mood      {_mood(parse.sentiment)}"
    for command in understood.commands:
        yield f"  command   {_command(command)}"
    stages = ", ".join(f"{stage} {ms:.1f}" for stage, ms in _stages(seen, total_ms))
    yield f"  time      {total_ms:.1f} ms: {stages}"
    yield ""


def _path(seen: Seen) -> str:
    if not seen.ranked:
        return "no classifier: the words themselves say it"
    if seen.encoded:
        return "encoder"
    return "fast path" if seen.is_certain else "classifier: it asked no encoder"


def _stages(seen: Seen, total_ms: float) -> list[tuple[str, float]]:
    """Return the time of each stage, the longest first, and what is left for the rest."""
    stages = sorted(seen.milliseconds.items(), key=lambda stage: -stage[1])
    return [*stages, ("rest", max(0.0, total_ms - sum(seen.milliseconds.values())))]


def _ranking(ranking: Sequence[Intent]) -> str:
    shown = [intent for intent in ranking[:_RANKED] if intent.confidence >= _LEAST]
    return " · ".join(f"{one.name} {one.confidence:.2f}" for one in shown or ranking[:1])


def _entity(entity: Entity) -> str:
    value = msgspec.json.encode(entity.value).decode()
    sure = f" ({entity.score:.2f})" if entity.score < 1 else ""
    said = printable(entity.text)
    return f"{entity.type} = {value}{sure}, “{said}” at {entity.start}–{entity.end}"


def _mood(sentiment: Sentiment) -> str:
    """Return the score, and everything else that is not as usual."""
    said = [f"{sentiment.score:+.2f}"]
    for name, value in msgspec.structs.asdict(sentiment).items():
        if name != "score" and value:
            said.append(name if value is True else f"{name} {value}")
    return ", ".join(said)


def _command(command: Command) -> str:
    """Return a command's name and what it is about; a mention is shown by its words."""
    fields = msgspec.to_builtins(command)
    told = [str(fields.pop("command", type(command).__name__))]
    for name, value in fields.items():
        if name == "mention":
            told.append(f"“{printable(str(value.get('text', '')))}”")
        elif name == "flow":
            told.append(str(value))
        else:
            told.append(f"{name}={printable(msgspec.json.encode(value).decode())}")
    return " ".join(told)
