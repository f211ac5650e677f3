"""Bytes to text: size limits, encodings told or found, and texts that give orders."""

import re
from pathlib import Path

from charset_normalizer import from_bytes

from knowledge.errors import SourceUnreadable

MAX_FILE_BYTES = 50_000_000
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_LIKELY = ["cp1252", "cp1250", "cp1251"]
_SAMPLE_BYTES = 200_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+|your\s+|the\s+|previous\s+|prior\s+|above\s+)+"
    r"(?:instructions?|prompts?|rules|messages?)"
    r"|\b(?:ignorier\w*|vergiss|vergessen\s+sie)\s+(?:bitte\s+)?(?:alle|deine|die|sämtliche|vorherigen"
    r"|bisherigen|\s)+(?:anweisung|regel|vorgabe|instruktion)"
    r"|\byou\s+are\s+now\s+(?:a|an|in|the)\b|\bdu\s+bist\s+(?:jetzt|ab\s+sofort|nun)\s+ein"
    r"|\b(?:reveal|show|print|repeat)\s+(?:me\s+)?(?:your|the)\s+(?:system\s+)?prompt"
    r"|\bsystem\s*(?:prompt|message|override)\b|<\|(?:im_start|system|endoftext)\|>|\[/?INST\]"
    r"|\b(?:as|als)\s+(?:an?\s+)?(?:AI|KI|LLM|language\s+model|sprachmodell)\b[^.]{0,40}"
    r"\b(?:must|should|musst|sollst|soll)\b",
    re.IGNORECASE,
)


def read_file(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Return a file's content.

    Args:
        path: The file.
        limit: Largest size in bytes.

    Raises:
        SourceUnreadable: When it is missing, may not be read or is larger.
    """
    try:
        size = path.stat().st_size
        if size > limit:
            raise SourceUnreadable(str(path), f"{size} bytes are more than the limit of {limit}")
        return path.read_bytes()
    except OSError as error:
        raise SourceUnreadable(str(path), error.strerror or "unreadable") from error


def decode(data: bytes, told: str = "", path: str = "") -> str:
    """Return the text in the encoding that was told, else UTF-8, else the likeliest.

    Raises:
        SourceUnreadable: When it is no text, or not in the encoding that was told.
    """
    try:
        if told:
            return _text(data.decode(told), path)
        bom = next((name for mark, name in _BOMS if data.startswith(mark)), "")
        return _text(data.decode(bom or "utf-8"), path)
    except (UnicodeDecodeError, LookupError) as error:
        if told:
            raise SourceUnreadable(path, f"is not in the encoding {told}: {error}") from error
    best = from_bytes(data[:_SAMPLE_BYTES], cp_isolation=_LIKELY).best()
    try:
        return _text(data.decode(best.encoding if best else "cp1252"), path)
    except UnicodeDecodeError as error:
        raise SourceUnreadable(path, f"is no text in an encoding that is known: {error}") from error


def decode_first(data: bytes, encodings: tuple[str, ...], path: str = "") -> str:
    """Return the text in the first encoding that fits, else in the one that is found.

    Raises:
        SourceUnreadable: When it is no text.
    """
    for encoding in filter(None, encodings):
        try:
            return decode(data, encoding, path)
        except SourceUnreadable:
            continue
    return decode(data, "", path)


def gives_orders(text: str) -> bool:
    """Return whether a text reads as if it gave orders to a language model."""
    return bool(_ORDERS.search(text))


def _text(text: str, path: str) -> str:
    """Return the text as it is to be stored.

    Raises:
        SourceUnreadable: When too much of it is control characters.
    """
    controls = len(_CONTROL.findall(text))
    if controls > 2 + len(text) // 100:
        raise SourceUnreadable(path, "is no text")
    return _CONTROL.sub(" ", text)
