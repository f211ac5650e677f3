"""Keeps what operators answered in solved cases, and finds what fits a question of now."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from bot.storage.ports import EventStore
from desk.books import CaseBook
from desk.errors import UnknownCase
from desk.records import Case, Operator
from desk.similar_book import Kept, Read, SolvedBook, Vector
from desk.similar_fold import Masks, SolvedAnswer, is_solved, solved_answers
from desk.similar_texts import is_same, without_gaps

READER = 1
"""Raised when conversations are read otherwise: all are then read anew."""
OLD_AFTER, NONE_AFTER = timedelta(days=180), timedelta(days=730)
"""From when on an answer is shown with a warning, and no longer shown."""
NEAR = 0.03
"""A further answer is offered only if it is nearly as alike as the first."""
MOST_ROWS = 20_000
"""The newest of so many answers are compared."""
LOOK_AGAIN_S = 600.0
GATHER_S = 5.0
_BATCH = 16
_LOOKED_AT = 24
log = structlog.get_logger(__name__)
Vectors = NDArray[np.float32]


class Embedding(msgspec.Struct, frozen=True):
    """How texts are compared: `embed` gives rows of length 1, `threshold` is the least likeness.

    `name` changes when the vectors would.
    """

    name: str
    embed: Callable[[list[str]], Vectors]
    threshold: float


class Wanted(msgspec.Struct, frozen=True):
    """What is looked for: what the customer of a case said, for an operator."""

    said: str
    case: Case
    operator: Operator
    now: datetime
    limit: int = 2


class _Index(msgspec.Struct, frozen=True):
    """What is compared, the oldest row first; replaced as a whole."""

    ids: tuple[int, ...] = ()
    conversations: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    matrix: Vectors | None = None


class SimilarCases:
    """The answers of solved cases."""

    def __init__(
        self,
        events: EventStore,
        cases: CaseBook,
        book: SolvedBook,
        masks: Masks,
        embedding: Embedding,
    ) -> None:
        """Read `events`, keep answers in `book` without what `masks` takes out.

        Args:
            events: of all conversations.
            cases: tell which were solved, and who may see them.
            book: keeps the answers.
            masks: takes out what is personal.
            embedding: compares questions.
        """
        self._events = events
        self._cases = cases
        self._book = book
        self._masks = masks
        self._embedding = embedding
        self._reader = f"{READER}:{embedding.name}"
        self._index = _Index()
        self._due: dict[str, None] = {}
        self._known: set[str] = set()
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()
        self._loading = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    def follow(self, case: Case) -> None:
        """Take note that a case changed; costs nothing where nothing was solved."""
        if case.conversation_id in self._known or is_solved(case):
            self._due[case.conversation_id] = None
            self._wake.set()

    def start(self) -> None:
        """Catch up with what happened meanwhile, then go on in the background."""
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._look_again())]

    async def close(self) -> None:
        """Stop; what is due is caught up with at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def catch_up(self) -> int:
        """Read what was solved and not read yet, drop what is gone; return how many were read.

        Raises:
            StorageError: the events cannot be read.
            DeskStoreFailed: the answers cannot be kept.
        """
        seen, solved = await self._book.seen(), await self._book.solved()
        await self._book.erase(set(seen) - set(solved))
        self._known = set(solved)
        for own, version in solved.items():
            if own not in seen or seen[own][1] != self._reader or seen[own][0] < version:
                self._due[own] = None
        read = await self.flush()
        self._index = _Index()  # what was removed, here or elsewhere, is no longer compared
        return read

    async def flush(self) -> int:
        """Read what is due and return how many conversations that were.

        Raises:
            StorageError: events cannot be read; they stay due.
            DeskStoreFailed: answers cannot be kept; they stay due.
        """
        async with self._lock:
            done = 0
            while self._due:
                own = next(iter(self._due))
                del self._due[own]
                try:
                    await self._read(own)
                except BaseException:
                    self._due[own] = None
                    raise
                done += 1
            return done

    async def renew(self, conversation_id: str) -> None:
        """Read a conversation now.

        Raises:
            StorageError: its events cannot be read.
            DeskStoreFailed: the answers cannot be kept.
        """
        await self._read(conversation_id)

    async def find(self, wanted: Wanted) -> list[SolvedAnswer]:
        """Return answers to what is alike, the most alike first, of cases that one may see.

        Raises:
            StorageError: a conversation cannot be read.
            DeskStoreFailed: the answers cannot be read.
        """
        said = wanted.said.strip()
        if not said:
            return []
        index = await self._loaded()
        near = await asyncio.to_thread(self._nearest, index, wanted)
        found: list[SolvedAnswer] = []
        known = await self._book.of_rows([row for row, _ in near])
        wrong = [each.answered for each in known.values() if each.is_wrong]
        least = 0.0
        for row, likeness in near:
            answer = known.get(row)
            if answer is None or wanted.now - answer.at > NONE_AFTER:
                continue
            if likeness < least:
                break
            others = (*wrong, *(each.answered for each in found))
            if any(is_same(answer.answered, other) for other in others):
                continue
            if await self._may_be_told(answer, wanted.operator):
                least = least or likeness - NEAR
                found.append(answer)
            if len(found) == wanted.limit:
                break
        return found

    async def _may_be_told(self, answer: SolvedAnswer, operator: Operator) -> bool:
        """Return whether an answer stands as it was read, in a case that an operator may see.

        Raises:
            StorageError: its conversation cannot be read.
            DeskStoreFailed: it cannot be read.
        """
        try:
            case = await self._cases.get(answer.case_id)
        except UnknownCase:
            return False
        if not operator.may_see(case) or not is_solved(case):
            return False
        read_to, _ = (await self._book.seen_of(case.conversation_id)) or (0, "")
        newer, version = await self._events.load(case.conversation_id, read_to)
        if newer or version < read_to:  # marked, redacted, gone on or erased since
            await self._read(case.conversation_id)
            kept = await self._book.of_conversation(case.conversation_id)
            return any(each.answer == answer for each in kept)
        return True

    async def _read(self, conversation_id: str) -> None:
        stored, version = await self._events.load(conversation_id)
        if not version:
            await self._book.erase([conversation_id])
            return
        try:
            answers = await asyncio.to_thread(solved_answers, conversation_id, stored, self._masks)
        except Exception as error:  # noqa: BLE001 - whatever its events hold
            log.warning("solved_case_not_read", error=type(error).__name__)
            answers = []
        self._known.add(conversation_id)
        known = await self._book.of_conversation(conversation_id)
        seen = await self._book.seen_of(conversation_id)
        if seen is not None and seen[0] > version:  # erased, and begun anew
            await self._book.erase([conversation_id])
        is_ours = seen is not None and seen[1] == self._reader
        vectors = {each.answer.asked: each.vector for each in known} if is_ours else {}
        missing = [each.asked for each in answers if each.asked not in vectors]
        for start in range(0, len(missing), _BATCH):
            part = missing[start : start + _BATCH]
            rows = await asyncio.to_thread(self._embedded, part)
            vectors |= {
                text: row.astype(np.float16).tobytes() for text, row in zip(part, rows, strict=True)
            }
        kept = tuple(Kept(each, vectors[each.asked]) for each in answers)
        await self._book.put(Read(conversation_id, version, self._reader, kept))

    def _embedded(self, texts: list[str]) -> Vectors:
        return self._embedding.embed([without_gaps(text) for text in texts])

    async def _loaded(self) -> _Index:
        """Return what is compared, with what came since."""
        async with self._loading:
            index = self._index
            after = index.ids[-1] if index.ids else 0
            newer = await self._book.vectors(after, self._reader, MOST_ROWS)
            if newer:
                index = self._index = await asyncio.to_thread(_grown, index, newer)
            return index

    def _nearest(self, index: _Index, wanted: Wanted) -> list[tuple[int, float]]:
        """Return the rows that are alike enough with their likeness, the most alike first."""
        if index.matrix is None:
            return []
        masked = self._masks(())(wanted.said)
        (asked,) = self._embedded([masked])
        case, operator = wanted.case, wanted.operator
        open_teams = {team for team in set(index.teams) if operator.may_see_team(team)}
        likeness = index.matrix @ asked
        rows = np.argsort(-likeness, kind="stable")
        found: list[tuple[int, float]] = []
        for place in rows.tolist():
            if likeness[place] < self._embedding.threshold or len(found) == _LOOKED_AT:
                break
            is_spoken = not case.language or index.languages[place] in {"", case.language}
            is_own = index.conversations[place] == case.conversation_id
            if is_spoken and not is_own and index.teams[place] in open_teams:
                found.append((index.ids[place], float(likeness[place])))
        return found

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(GATHER_S)
            await self._safely(self.flush)

    async def _look_again(self) -> None:
        while True:
            await self._safely(self.catch_up)
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _safely(self, work: Callable[[], Awaitable[int]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - also the encoder's; it is tried again
            log.warning("solved_cases_not_kept", error=type(error).__name__)


def _grown(index: _Index, newer: Sequence[Vector]) -> _Index:
    """Return an index with further rows, and without the oldest beyond MOST_ROWS."""
    ordered = sorted(newer, key=lambda each: each.id)
    rows = np.stack([np.frombuffer(each.vector, dtype=np.float16) for each in ordered])
    added = rows.astype(np.float32)
    matrix = added if index.matrix is None else np.concatenate([index.matrix, added])
    return _Index(
        (*index.ids, *(each.id for each in ordered))[-MOST_ROWS:],
        (*index.conversations, *(each.conversation_id for each in ordered))[-MOST_ROWS:],
        (*index.languages, *(each.language for each in ordered))[-MOST_ROWS:],
        (*index.teams, *(each.team for each in ordered))[-MOST_ROWS:],
        matrix[-MOST_ROWS:],
    )
