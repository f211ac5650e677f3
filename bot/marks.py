"""What operators marked as a right or wrong answer of the bot, and what the customer had asked."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from bot import events as ev
from bot.storage.ports import EventStore, StoredEvent

if TYPE_CHECKING:
    from bot.settings import Settings

_PAGE = 200
_LONGEST_CHARS = 300


class Mark(msgspec.Struct, frozen=True):
    """A message whose answer was marked; `read` and `confidence` are how it was understood.

    `asked_seq` is the event with the message. `text` may hold what is personal.
    """

    asked_seq: int
    text: str
    language: str
    read: str
    confidence: float
    verdict: Literal["right", "wrong"]


def marks(stored: Sequence[StoredEvent]) -> Iterator[Mark]:
    """Yield each message of which an answer was marked, once, in the order of the messages.

    Of several marks of an answer the last one counts; of several answers, a wrong one.
    """
    asked: dict[int, tuple[int, ev.UserUttered]] = {}
    last: tuple[int, ev.UserUttered] | None = None
    verdicts: dict[int, str] = {}
    for item in stored:
        event = ev.from_wire(item.data)
        if isinstance(event, ev.UserUttered):
            last = item.seq, event
        elif isinstance(event, ev.BotUttered) and last and not event.metadata.get("operator"):
            asked[item.seq] = last
        elif isinstance(event, ev.OperatorActed) and event.act == "marked" and not event.refusal:
            verdicts[event.data.get("seq", 0)] = str(event.data.get("verdict") or "")
    found: dict[int, Mark] = {}
    for seq, verdict in verdicts.items():
        if seq in asked and verdict in {"right", "wrong"}:
            mark = _mark(*asked[seq], is_wrong=verdict == "wrong")
            known = found.get(mark.asked_seq)
            found[mark.asked_seq] = known if known and known.verdict == "wrong" else mark
    for asked_seq in sorted(found):
        yield found[asked_seq]


def _mark(seq: int, event: ev.UserUttered, *, is_wrong: bool) -> Mark:
    told = event.parse_data.get("language")
    language = str(told.get("code") or "") if isinstance(told, dict) else str(told or "")
    intent = event.parse_data.get("intent") or {}
    name, confidence = str(intent.get("name") or ""), float(intent.get("confidence") or 0.0)
    verdict: Literal["right", "wrong"] = "wrong" if is_wrong else "right"
    return Mark(seq, event.text, language, name, confidence, verdict)


async def all_marks(store: EventStore, masked: Callable[[str], str]) -> list[Mark]:
    """Return the marks of all conversations without what is personal, the wrong ones first.

    Args:
        store: with the events.
        masked: takes what is personal out of a text; what slots know of the customer is cut too.

    Raises:
        StorageError: the store cannot be read.
    """
    from bot.answered import said_in_slots, without

    found: list[Mark] = []
    after = ""
    while page := await store.conversations(after, _PAGE):
        for info in page:
            stored, _ = await store.load(info.conversation_id)
            if any(item.type == "operator_acted" for item in stored):
                secrets = said_in_slots(stored)
                for mark in marks(stored):
                    text = masked(without(mark.text, secrets))[:_LONGEST_CHARS]
                    found.append(msgspec.structs.replace(mark, text=text))
        after = page[-1].conversation_id
    told = {(mark.text, mark.read, mark.verdict): mark for mark in found if _has_words(mark.text)}
    return sorted(told.values(), key=lambda mark: (mark.verdict != "wrong", mark.read, mark.text))


async def marks_at_hand(settings: "Settings") -> list[Mark]:
    """Return the marks of the bot's own store; none where it has not run.

    Raises:
        StorageError: the store cannot be read.
    """
    from bot.answered import personal_mask
    from bot.knowledge_sources import shop_file
    from bot.messages import utc_now
    from bot.storage.open import open_store

    path = settings.data_dir / "tresen.sqlite3"
    if not settings.endpoints.store and not path.is_file():
        return []
    masked = personal_mask(shop_file(settings).order_number_pattern)
    store = await open_store(settings.store_url, utc_now)
    try:
        return await all_marks(store.events, masked)
    finally:
        await store.close()


def _has_words(text: str) -> bool:
    """Return whether somebody wrote it, rather than pressed a button."""
    return not text.startswith("/") and sum(letter.isalpha() for letter in text) > 2
