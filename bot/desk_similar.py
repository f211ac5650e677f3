"""What the desk needs to find answers of solved cases: masks for what is personal, and vectors."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot import events as ev
from bot.answered import PERSONAL, personal_mask, said_in_slots, without
from bot.settings import Settings
from bot.storage.ports import StoredEvent
from bot.understanding.encoder import Encoder, LexicalEncoder
from desk.similar import Embedding
from desk.similar_fold import Masks
from desk.similar_texts import gap
from knowledge.answer_vectors import usual_questions
from knowledge.suggestions import MASKED

THRESHOLD = 0.49
"""The least likeness at which an answer is shown, chosen by `python -m bench.desk.similar`."""
_GAPS: Mapping[str, str] = {
    "PERSON": "name",
    "EMAILADDRESS": "email",
    "PHONENUMBER": "phone",
    "ADDRESS": "address",
    "POSTCODE": "postcode",
    "ORDERNUMBER": "order_number",
    "TRACKINGNUMBER": "tracking_number",
    "NUMBER": "number",
}
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>«»]+[^\s<>«».,;:!?)\]]")
_CODE = re.compile(r"\b(?=[A-Z0-9-]{0,60}\d)(?=[A-Z0-9-]{0,60}[A-Z])[A-Z0-9]+(?:-[A-Z0-9]+)*\b")
_BATCH = 4
_SHORTEST_CODE = 6
_SHORTEST_NAME = 3
Rows = NDArray[np.float32]


def masks(order_number_pattern: str) -> Masks:
    """Return what takes out everything personal, and leaves gaps that say what belongs there.

    Args:
        order_number_pattern: the shop's, a regular expression.
    """
    masked = personal_mask(order_number_pattern)

    def of_conversation(stored: Sequence[StoredEvent]) -> Callable[[str], str]:
        secrets = _secrets(stored)

        def without_secrets(text: str) -> str:
            text = masked(without(_LINK.sub(gap("link"), text), secrets))
            text = MASKED.sub(lambda found: gap(_GAPS.get(found[0], "number")), text)
            return _CODE.sub(lambda found: _coded(found[0]), text)

        return without_secrets

    return of_conversation


def _coded(word: str) -> str:
    """Return a gap for what may be a voucher's or a parcel's code; sizes and the like stay."""
    return gap("number") if len(word) >= _SHORTEST_CODE else word


def _secrets(stored: Sequence[StoredEvent]) -> list[str]:
    """Return what names people in a conversation, the longest first: whole, and each word of it."""
    told = {text for text in (*said_in_slots(stored), *_named(stored)) if len(text) > 1}
    words = {word for text in told for word in re.split(r"[\s,]+", text) if _is_name(word)}
    return sorted(told | words, key=len, reverse=True)


def _is_name(word: str) -> bool:
    return len(word) >= _SHORTEST_NAME and word[:1].isupper() and word.isalpha()


def _named(stored: Sequence[StoredEvent]) -> Iterator[str]:
    """Yield what was read as personal in messages, and the names of operators."""
    for item in stored:
        event = ev.from_wire(item.data)
        if isinstance(event, ev.UserUttered):
            for entity in event.parse_data.get("entities") or ():
                if entity.get("entity") in PERSONAL:
                    yield from (str(entity.get(name) or "") for name in ("value", "text"))
        elif isinstance(event, ev.HandoffChanged) and event.operator_name:
            yield event.operator_name
        elif isinstance(event, ev.BotUttered) and event.metadata.get("operator"):
            yield str(event.metadata.get("name") or "")


def embedding(encoder: Encoder, vocabulary_dir: Path) -> Embedding:
    """Return how questions are compared: by what is searched for and what is meant, half each.

    What questions of all kinds have in common is taken off both.

    Args:
        encoder: of sentences.
        vocabulary_dir: with usual_questions.yml.
    """
    sides = encoder.encode_queries, encoder.encode
    common: list[Rows] = []

    def embed(texts: list[str]) -> Rows:
        if not common:
            usual = usual_questions(vocabulary_dir) or [""]
            common.extend(_rows(side, usual).mean(axis=0) for side in sides)
        parts = [_unit(_rows(side, texts) - mean) for side, mean in zip(sides, common, strict=True)]
        return _unit(np.concatenate(parts, axis=1))

    return Embedding(encoder.name, embed, THRESHOLD)


def learning(
    settings: Settings, order_number_pattern: str, encoder: Encoder
) -> tuple[Masks, Embedding] | None:
    """Return what solved cases are kept without, and how they are compared.

    None without sentence vectors: words alone find the wrong answers, as the measurement shows.

    Args:
        settings: both YAML files.
        order_number_pattern: the shop's, a regular expression.
        encoder: of sentences.
    """
    if isinstance(encoder, LexicalEncoder):
        return None
    return masks(order_number_pattern), embedding(encoder, settings.root / "data" / "vocabulary")


def _rows(encode: Callable[[Sequence[str]], Rows], texts: Sequence[str]) -> Rows:
    """Encode a few texts at a time, so that customers' messages get in between."""
    parts = [encode(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)]
    return np.concatenate([np.asarray(part, dtype=np.float32) for part in parts])


def _unit(rows: Rows) -> Rows:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-6), dtype=np.float32)
