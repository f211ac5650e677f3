"""Keeps the statistics of orders in a file, and says when they are to be made anew."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from zipfile import BadZipFile

import msgspec
import numpy as np

from knowledge.purchases import Purchase, log_of
from knowledge.recommend_model import PurchaseModel, empty_model, fit, model_of

_FORMAT = 1


class TrainReport(msgspec.Struct, frozen=True):
    """What a training did; `made` is false when nothing had changed since the last."""

    made: bool
    version: int
    lines: int
    products: int
    pairs: int
    seconds: float


class _Kept(msgspec.Struct, frozen=True):
    """The version in use; written last, so that it never names half a file."""

    number: int = 0
    format: int = _FORMAT
    fingerprint: str = ""


class RecommendStore:
    """The folder with the statistics: `recommend-N.npz`, and which N is in use."""

    def __init__(self, home: Path) -> None:
        """Use a folder, which is made when something is kept."""
        self._home = home

    def load(self) -> PurchaseModel:
        """Return the statistics in use, those of no orders when there are none to be read."""
        number = self._kept().number
        try:
            with self._file(number).open("rb") as file:
                return model_of(dict(np.load(file, allow_pickle=False)))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return empty_model()

    def train(
        self, purchases: Iterable[Purchase], as_of: datetime
    ) -> tuple[TrainReport, PurchaseModel | None]:
        """Make the statistics anew if orders or the day have changed; return them, or None.

        What was sold is counted again from the beginning: orders are changed, cancelled and sent
        back later, and a million lines take seconds.

        Args:
            purchases: everything that was bought and kept.
            as_of: the present, aware UTC.
        """
        started = perf_counter()
        bought = sorted(purchases, key=lambda one: (one.basket, one.product_id))
        kept, fingerprint = self._kept(), _fingerprint(bought, as_of)
        if kept.fingerprint == fingerprint and self._file(kept.number).is_file():
            return TrainReport(False, kept.number, len(bought), 0, 0, 0.0), None
        model = fit(log_of(bought, as_of))
        number = kept.number + 1
        self._write(model, _Kept(number, _FORMAT, fingerprint))
        self._file(kept.number).unlink(missing_ok=True)
        pairs = len(model.together.others) + len(model.also.others)
        seconds = perf_counter() - started
        report = TrainReport(True, number, len(bought), len(model.product_ids), pairs, seconds)
        return report, model

    def _write(self, model: PurchaseModel, kept: _Kept) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        draft = self._home / "recommend.draft"
        with draft.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **model.arrays())
        draft.replace(self._file(kept.number))
        pointer = self._home / "recommend.json.draft"
        pointer.write_bytes(msgspec.json.encode(kept))
        pointer.replace(self._home / "recommend.json")

    def _kept(self) -> _Kept:
        try:
            kept = msgspec.json.decode((self._home / "recommend.json").read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            return _Kept()
        return kept if kept.format == _FORMAT else _Kept(number=kept.number)

    def _file(self, number: int) -> Path:
        return self._home / f"recommend-{number}.npz"


def _fingerprint(bought: Iterable[Purchase], as_of: datetime) -> str:
    digest = blake2b(f"{_FORMAT}:{as_of:%Y-%m-%d}".encode(), digest_size=16)
    for one in bought:
        digest.update(f"{one.basket}\0{one.product_id}\0{one.at.isoformat()}\0".encode())
    return digest.hexdigest()
