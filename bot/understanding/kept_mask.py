"""Masks of training examples, kept between trainings: reading 4,000 examples takes seconds."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
import structlog

from bot.understanding.model_store import replace_file

_PACKAGES = ("dateparser", "phonenumbers")
_log = structlog.get_logger(__name__)


class _Kept(msgspec.Struct, frozen=True):
    reader: str
    masked: dict[str, str]


class KeptMask:
    """What replaces entities in a text by their kind, and looks into a file first.

    What was kept counts only as long as nothing has changed that reads: this package's own source,
    the packages that read dates and numbers, and the settings.

    Args:
        mask: replaces entities by their kind.
        path: the file; a missing or broken one counts as empty.
        settings: what the mask was made with, in words.
    """

    def __init__(self, mask: Callable[[str], str], path: Path, settings: str) -> None:
        self._mask = mask
        self._path = path
        self._settings = settings
        self._used: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Return the masked text."""
        if text not in self._used:
            known = self._known.get(text)
            self._used[text] = self._mask(text) if known is None else known
        return self._used[text]

    def keep(self) -> None:
        """Write what was asked for into the file; where that cannot be, the next training reads."""
        if self._used == self._known:
            return
        try:
            content = msgspec.json.encode(_Kept(self._reader, self._used))
            replace_file(self._path, lambda file: file.write(content))
        except OSError as error:
            _log.warning("masks_not_kept", file=str(self._path), reason=error.strerror)

    @cached_property
    def _reader(self) -> str:
        digest = hashlib.sha256(self._settings.encode())
        for path in sorted(Path(__file__).parent.glob("*.py")):
            digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
        for name in _PACKAGES:
            digest.update(f"\0{name} {_version(name)}".encode())
        return digest.hexdigest()

    @cached_property
    def _known(self) -> dict[str, str]:
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}
        return kept.masked if kept.reader == self._reader else {}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
