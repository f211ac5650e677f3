"""Files that visitors send: told by their first bytes, stored under random names."""

import hashlib
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from bot.messages import Attachment
from channels.base import BadRequest, TooLarge, TooMany
from channels.webchat.tokens import Signer
from channels.wire import clean_text

MAX_UPLOAD_BYTES = 10 * 1024 * 1024
_NAME = re.compile(r"[0-9a-f]{24}/[0-9a-f]{32}\.(png|jpg|webp|gif|pdf)")
_MIME_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "pdf": "application/pdf",
}


class StoredFile(msgspec.Struct, frozen=True):
    """A file on disk that may be served."""

    path: Path
    mime_type: str


def sniff(body: bytes) -> str:
    """Return the file's extension as its first bytes tell it, or an empty string."""
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if body.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "webp"
    return "pdf" if body.startswith(b"%PDF-") else ""


def sniff_media(body: bytes) -> str:
    """Return the extension of a sound or film as its first bytes tell it, or an empty string."""
    if body.startswith(b"OggS"):
        return "ogg"
    if body[4:8] == b"ftyp":
        return "mp4"
    if body.startswith(b"#!AMR"):
        return "amr"
    is_mp3 = body.startswith(b"ID3") or (body[:1] == b"\xff" and body[1:2] in b"\xfb\xf3\xf2")
    if is_mp3 and len(body) > 2:
        return "mp3"
    return "webm" if body.startswith(b"\x1aE\xdf\xa3") else ""


class UploadStore:
    """Keeps visitors' files in one folder; an address is good only with its signature."""

    def __init__(
        self,
        folder: Path,
        signer: Signer,
        base_url: str = "/webhooks/webchat/uploads",
        max_files_per_session: int = 40,
    ) -> None:
        """Set up the store.

        Args:
            folder: where the files lie; made on the first upload.
            signer: signs the addresses.
            base_url: where the routes serve the files.
            max_files_per_session: how many files one session, or one conversation, may keep.
        """
        self._folder = folder
        self._signer = signer
        self.base_url = base_url
        self._max_files = max_files_per_session

    def save(self, session_id: str, name: str, body: bytes) -> Attachment:
        """Store a file and return the attachment that shows it.

        Args:
            session_id: whose file it is.
            name: what the visitor calls the file; only shown, never used as a path.
            body: the file's bytes, at most 10 MB.

        Raises:
            TooLarge: if the file is larger than 10 MB.
            BadRequest: if it is empty or not a PNG, JPEG, WebP, GIF or PDF.
            TooMany: if the session has uploaded too many files.
        """
        if len(body) > MAX_UPLOAD_BYTES:
            raise TooLarge("file", f"must be at most {MAX_UPLOAD_BYTES // 1024**2} MB")
        if not body:
            raise BadRequest("file", "is empty")
        extension = sniff(body)
        if not extension:
            raise BadRequest("file", "must be a PNG, JPEG, WebP or GIF picture or a PDF")
        folder = self._folder_of(session_id)
        folder.mkdir(parents=True, exist_ok=True)
        self._leave_room(folder)
        stored = f"{folder.name}/{secrets.token_hex(16)}.{extension}"
        (self._folder / stored).write_bytes(body)
        kind: Literal["file", "image"] = "file" if extension == "pdf" else "image"
        shown = clean_text(name).replace("\n", " ").replace("\t", " ").strip()
        return Attachment(
            kind=kind,
            url=f"{self.base_url}/{stored}?sig={self._signer.sign('file', stored)}",
            name=shown.replace("\\", "/").rsplit("/", 1)[-1][:120] or f"upload.{extension}",
            mime_type=_MIME_TYPES[extension],
            size_bytes=len(body),
        )

    def keep(self, owner: str, key: str, body: bytes) -> str:
        """Store a file that a platform brought and return its name within the folder.

        Args:
            owner: the conversation it belongs to.
            key: its own name, of letters and digits.
            body: the file's bytes.

        Raises:
            BadRequest: if it is empty or not a picture, a PDF, a sound or a film.
            TooMany: if the conversation has too many files.
        """
        extension = sniff(body) or sniff_media(body)
        if not extension:
            raise BadRequest("file", "must be a picture, a PDF, a sound or a film")
        folder = self._folder_of(owner)
        folder.mkdir(parents=True, exist_ok=True)
        self._leave_room(folder, key)
        stored = f"{folder.name}/{key}.{extension}"
        (self._folder / stored).write_bytes(body)
        return stored

    def check_room(self, owner: str, key: str) -> None:
        """See that a file may be kept, before it is fetched.

        Raises:
            TooMany: if the conversation has too many files.
        """
        self._leave_room(self._folder_of(owner), key)

    def path_of(self, stored: str) -> Path | None:
        """Return where a file that was kept lies; None if there is none."""
        path = self._folder / stored
        inside = path.resolve().is_relative_to(self._folder.resolve())
        return path if inside and path.is_file() else None

    def find(self, stored: str, signature: str) -> StoredFile | None:
        """Return the stored file, or None if there is none or the signature is wrong."""
        if not _NAME.fullmatch(stored) or not self._signer.is_valid("file", stored, signature):
            return None
        path = self._folder / stored
        if not path.is_file():
            return None
        return StoredFile(path, _MIME_TYPES[stored.rsplit(".", 1)[-1]])

    def of_session(self, session_id: str) -> list[Path]:
        """Return the files that a session has sent, sorted by name."""
        folder = self._folder_of(session_id)
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def erase(self, session_id: str) -> int:
        """Remove a session's files and return how many there were."""
        files = self.of_session(session_id)
        for path in files:
            path.unlink(missing_ok=True)
        with suppress(OSError):  # there is none, or a file came meanwhile
            self._folder_of(session_id).rmdir()
        return len(files)

    def _leave_room(self, folder: Path, key: str = "") -> None:
        """Refuse one file too many; one that was kept under the same key is replaced.

        Raises:
            TooMany: if the conversation has too many files.
        """
        kept = [path for path in folder.iterdir() if path.stem != key] if folder.is_dir() else []
        if len(kept) >= self._max_files:
            raise TooMany("file", f"a chat takes at most {self._max_files} files")

    def _folder_of(self, session_id: str) -> Path:
        return self._folder / hashlib.sha256(session_id.encode()).hexdigest()[:24]
