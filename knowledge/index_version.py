"""Which index is in use, and whether the encoder is still the one that made it."""

from pathlib import Path

import msgspec
import numpy as np

from knowledge.ingest import Encoders

FORMAT = 3
_PROBE = "tresen probe: waterproof winter jacket"
_SAME_SEARCH = 0.999
_SAME_MEANING = 0.01
"""How far apart the vectors of one text may be; those of two texts can be as near as 0.03."""


class Version(msgspec.Struct, frozen=True):
    """The complete index in use; written last, so that it never names half an index."""

    number: int = 0
    format: int = FORMAT
    fingerprint: str = ""
    generation: int = 0
    probe: tuple[float, ...] = ()
    meaning_probe: tuple[float, ...] = ()


def read_version(home: Path) -> Version:
    """Return what is in use in a folder; nothing where it is of another format."""
    try:
        version = msgspec.json.decode((home / "current.json").read_bytes(), type=Version)
    except (OSError, msgspec.DecodeError):
        return Version()
    return version if version.format == FORMAT else Version(number=version.number)


def write_version(home: Path, version: Version) -> None:
    """Put a version to use, in one step."""
    draft = home / "current.json.draft"
    draft.write_bytes(msgspec.json.encode(version))
    draft.replace(home / "current.json")


def probed(version: Version, encoders: Encoders) -> Version:
    """Return a version that remembers what the encoders make of one text."""
    probe = encoders.passages([_PROBE])[0].tolist()
    meaning = encoders.meanings([_PROBE])[0].tolist() if encoders.meanings else []
    return msgspec.structs.replace(version, probe=tuple(probe), meaning_probe=tuple(meaning))


def is_same_encoder(version: Version, encoders: Encoders) -> bool:
    """Return whether the encoders make of one text what they made for a version."""
    fresh = probed(version, encoders)
    stored, now = np.array(version.probe), np.array(fresh.probe)
    if stored.shape != now.shape or float(stored @ now) <= _SAME_SEARCH:
        return False
    stored, now = np.array(version.meaning_probe), np.array(fresh.meaning_probe)
    return stored.shape == now.shape and float(np.linalg.norm(stored - now)) < _SAME_MEANING
