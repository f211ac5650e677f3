"""An encoder that keeps its vectors on disk, with what each of them cost to compute."""

import os
import tempfile
import time
import zipfile
from collections.abc import Sequence
from itertools import starmap
from pathlib import Path

import msgspec
import numpy as np

from bot.understanding.encoder import Encoder, Vectors, text_key

_BATCH = 64


class Seconds(msgspec.Struct, frozen=True):
    """Time of the clock and of the processor."""

    clock: float = 0.0
    processor: float = 0.0


class KeptEncoder(Encoder):
    """Vectors of texts seen in an earlier run come from a file; the rest is computed.

    Args:
        inner: computes.
        path: the file; a missing or broken one counts as empty.
    """

    def __init__(self, inner: Encoder, path: Path) -> None:
        self._inner = inner
        self._path = path
        self._known: dict[str, Vectors] = {}
        self._costs: dict[str, Seconds] = {}
        self._asked: set[str] = set()
        self._spent = Seconds()
        self._changed = False
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                keys = stored["keys"].tolist()
                self._known = dict(zip(keys, stored["vectors"], strict=True))
                costs = list(starmap(Seconds, stored["costs_s"].tolist()))
                self._costs = dict(zip(keys, costs, strict=True))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            self._known, self._costs = {}, {}

    @property
    def name(self) -> str:
        """Return the name of the encoder inside."""
        return self._inner.name

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return self._inner.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one row per text, computing only those never seen."""
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        rows = self._rows(texts)
        self._spent = Seconds(
            self._spent.clock + time.perf_counter() - started_s,
            self._spent.processor + time.process_time() - started_cpu_s,
        )
        return rows

    def _rows(self, texts: Sequence[str]) -> Vectors:
        keys = [text_key(self.name, text) for text in texts]
        self._asked.update(keys)
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in self._known}
        ordered = sorted(missing, key=lambda key: len(missing[key]))
        for start in range(0, len(ordered), _BATCH):
            batch = ordered[start : start + _BATCH]
            started_s, started_cpu_s = time.perf_counter(), time.process_time()
            fresh = self._inner.encode([missing[key] for key in batch])
            each = Seconds(
                (time.perf_counter() - started_s) / len(batch),
                (time.process_time() - started_cpu_s) / len(batch),
            )
            for key, row in zip(batch, fresh, strict=True):
                self._known[key] = row.astype(np.float16)
                self._costs[key] = each
            self._changed = True
        rows = [self._known[key] for key in keys]
        return np.stack(rows).astype(np.float32) if rows else np.zeros((0, self.dim), np.float32)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched; nothing is kept."""
        return self._inner.encode_passages(texts)

    def glance(self, texts: Sequence[str]) -> Vectors:
        """Embed texts at a glance; nothing is kept."""
        return self._inner.glance(texts)

    @property
    def cost(self) -> Seconds:
        """Return the seconds that all texts asked for so far took when they were computed."""
        costs = [self._costs[key] for key in self._asked]
        return Seconds(sum(one.clock for one in costs), sum(one.processor for one in costs))

    @property
    def spent(self) -> Seconds:
        """Return the seconds that calls of `encode` took so far, in this process."""
        return self._spent

    def save(self) -> None:
        """Write the file in one step; without new vectors do nothing.

        Raises:
            OSError: the folder is not writable.
        """
        if not self._changed:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent, suffix=".npz")
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                allow_pickle=False,
                keys=np.array(list(self._known)),
                vectors=np.stack(list(self._known.values())),
                costs_s=np.array(
                    [
                        (cost.clock, cost.processor)
                        for cost in map(self._costs.__getitem__, self._known)
                    ],
                    np.float32,
                ),
            )
        temporary = Path(name)
        temporary.chmod(0o644)
        temporary.replace(self._path)
        self._changed = False
