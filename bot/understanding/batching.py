"""Encoding for many conversations at once: what arrives while the encoder works goes together.

Understanding runs in threads beside the event loop. The thread that finds the encoder idle uses it
at once; the others wait, and one of them then encodes everything that has come in. Nobody waits for
a batch to fill.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import structlog

from bot.understanding.encoder import Encoder, Role, Vectors
from bot.understanding.normalise import MAX_TEXT_CHARS, clean, squeeze

BATCH_TEXTS = 32
"""Most texts of different callers that are encoded together."""
Key: TypeAlias = tuple[str, Role]
_log = structlog.get_logger(__name__)


class _Request:
    """Texts that one caller waits for."""

    def __init__(self, keys: list[Key]) -> None:
        self.keys = keys
        self.wake = threading.Event()
        self.rows: dict[Key, Vectors] = {}
        self.error: Exception | None = None
        self.is_done = False

    @property
    def role(self) -> Role:
        return self.keys[0][1]


class BatchedEncoder(Encoder):
    """An encoder in front of another: a cache, and batches across threads.

    A text seen before is answered without waiting for the encoder. A text that the encoder breaks
    on breaks for its own caller only.

    Args:
        encoder: what makes the vectors; called from one thread at a time.
        cache_size: number of vectors kept, the longest unused go first; 0 keeps none.
    """

    def __init__(self, encoder: Encoder, cache_size: int = 4_096) -> None:
        self._encoder = encoder
        self._cache_size = cache_size
        self._cache: OrderedDict[Key, Vectors] = OrderedDict()
        self._pending: deque[_Request] = deque()
        self._is_busy = False
        self._lock = threading.Lock()  # guards all of the above; never held while encoding

    @property
    def name(self) -> str:
        """Return the name and version that vectors are cached under."""
        return self._encoder.name

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return self._encoder.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes, to tell what is meant."""
        return self._rows(texts, "meaning")

    @property
    def searches_apart(self) -> bool:
        """Return whether a text has another vector for search than for telling what is meant."""
        return self._encoder.searches_apart

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes, to search passages with it."""
        return self._rows(texts, "query" if self.searches_apart else "meaning")

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        return self._rows(texts, "passage")

    def glance(self, texts: Sequence[str]) -> Vectors:
        """Embed texts at a glance; nobody waits for that, and nothing is kept."""
        return self._encoder.glance(texts)

    def known(self, text: str) -> Vectors | None:
        """Return the vector of what a customer writes if it is in the cache; encode nothing."""
        with self._lock:
            return self._cache.get((squeeze(clean(text[:MAX_TEXT_CHARS])), "meaning"))

    def _rows(self, texts: Sequence[str], role: Role) -> Vectors:
        keys = [(squeeze(clean(text[:MAX_TEXT_CHARS])), role) for text in texts]
        if not keys:
            return np.zeros((0, self.dim), dtype=np.float32)
        with self._lock:
            rows = self._known(keys)
            missing = [key for key in dict.fromkeys(keys) if key not in rows]
            request = _Request(missing)
            if missing:
                self._pending.append(request)
            leads = bool(missing) and not self._is_busy
            self._is_busy = self._is_busy or leads
        if missing:
            self._serve(request, leads=leads)
        if request.error is not None:
            raise request.error
        rows.update(request.rows)
        return np.stack([rows[key] for key in keys])

    def _known(self, keys: Sequence[Key]) -> dict[Key, Vectors]:
        """Return what the cache holds of some texts; the lock is held."""
        found: dict[Key, Vectors] = {}
        for key in keys:
            if key in self._cache:
                self._cache.move_to_end(key)
                found[key] = self._cache[key]
        return found

    def _serve(self, request: _Request, *, leads: bool) -> None:
        """Wait until a request is done, leading a batch when it is this thread's turn."""
        while not request.is_done:
            if leads:
                self._lead()
            else:
                request.wake.wait()
            request.wake.clear()
            leads = not request.is_done  # woken without rows: it is our turn

    def _lead(self) -> None:
        """Encode the next batch, then hand over to the first who still waits."""
        with self._lock:
            batch = self._next_batch()
        try:
            self._encode(batch)
        finally:
            with self._lock:
                for request in batch:
                    if not request.is_done:  # this thread is being ended
                        request.error = RuntimeError("encoding was interrupted")
                        request.is_done = True
                    self._remember(request.rows)
                following = self._pending[0] if self._pending else None
                self._is_busy = following is not None
            for request in batch:
                request.wake.set()
            if following is not None:
                following.wake.set()

    def _next_batch(self) -> list[_Request]:
        """Take the oldest requests for one purpose, as many as fit; the lock is held."""
        batch = [self._pending.popleft()]
        count = len(batch[0].keys)
        while self._pending:
            following = self._pending[0]
            count += len(following.keys)
            if following.role != batch[0].role or count > BATCH_TEXTS:
                break
            batch.append(self._pending.popleft())
        for request in batch:  # meanwhile encoded for somebody else
            request.rows = self._known(request.keys)
        return batch

    def _encode(self, batch: Sequence[_Request]) -> None:
        try:
            self._fill(batch)
        except Exception as error:  # noqa: BLE001 - goes to its own caller
            if len(batch) == 1:
                batch[0].error, batch[0].is_done = error, True
                return
            _log.warning("batch_failed", requests=len(batch), error=type(error).__name__)
            for request in batch:
                self._encode([request])

    def _fill(self, batch: Sequence[_Request]) -> None:
        """Encode what a batch lacks and give each request its rows."""
        wanted = [key for request in batch for key in request.keys if key not in request.rows]
        unique = list(dict.fromkeys(wanted))
        fresh: dict[Key, Vectors] = {}
        if unique:
            sides = {
                "meaning": self._encoder.encode,
                "query": self._encoder.encode_queries,
                "passage": self._encoder.encode_passages,
            }
            vectors = sides[batch[0].role]([text for text, _ in unique])
            fresh = {
                key: np.array(row, np.float32) for key, row in zip(unique, vectors, strict=True)
            }
        for request in batch:
            request.rows.update((key, fresh[key]) for key in request.keys if key in fresh)
            request.is_done = True

    def _remember(self, rows: dict[Key, Vectors]) -> None:
        """Keep rows for later; the lock is held."""
        self._cache.update(rows)
        for key in rows:
            self._cache.move_to_end(key)
        while len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)
