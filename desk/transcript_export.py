"""A transcript outside the shop: as JSON that proves itself, and whether such a file still does."""

from datetime import datetime
from hmac import compare_digest
from typing import Any

import msgspec

from bot.storage.chain import seal
from bot.storage.chain_json import BadExport, as_json, from_json
from bot.storage.chain_ports import Chain
from bot.storage.errors import StorageError
from bot.storage.paging import all_received, all_sent
from bot.storage.ports import Store, StoredEvent
from bot.storage.verification import Verdict, verify
from desk.transcript import Around, transcript_of
from desk.transcript_records import Message, Transcript

FORMAT = "tresen-transcript-1"


class TranscriptUnreadable(StorageError):
    """An event is not what was written: verify the transcript to see where."""


class Sealed(msgspec.Struct, frozen=True):
    """A transcript with what proves it; `seal` is empty where there is no key."""

    transcript: Transcript
    chain: Chain
    verdict: Verdict
    exported_at: datetime
    seal: str = ""


async def read_transcript(
    store: Store, conversation_id: str, now: datetime, key: bytes = b""
) -> Sealed:
    """Return a conversation's transcript as it stands.

    Args:
        store: where it is kept.
        conversation_id: of which.
        now: aware UTC.
        key: the secret of the seal; empty for no seal.

    Raises:
        TranscriptUnreadable: an event cannot be read.
    """
    chain = await store.chains.read(conversation_id)
    sent = await all_sent(store.outbox, conversation_id)
    parts = {e.outbox_id: await store.receipts.of_message(e.outbox_id) for e in sent}
    around = Around(await all_received(store.inbox, conversation_id), sent, parts)
    transcript = folded(chain, around)
    sealed = seal(key, chain.conversation_id, chain.version, chain.head) if key else ""
    return Sealed(transcript, chain, verify(chain), now, sealed)


def folded(chain: Chain, around: Around | None = None) -> Transcript:
    """Return the transcript of a chain.

    Raises:
        TranscriptUnreadable: an event cannot be read.
    """
    stored: list[StoredEvent] = []
    try:
        for link in chain.links:
            data = msgspec.json.decode(link.data, type=dict[str, Any])
            stored.append(StoredEvent(link.seq, link.type, data, link.at))
        return transcript_of(chain.conversation_id, stored, around)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise TranscriptUnreadable(f"({error})") from error


def exported(sealed: Sealed, *, with_notes: bool = False) -> dict[str, Any]:
    """Return a transcript as JSON types.

    Args:
        sealed: what is exported.
        with_notes: also the operators' internal notes; without, their hashes stay in the chain.
    """
    transcript = sealed.transcript
    hidden = () if with_notes else tuple(note.seq for note in transcript.notes)
    if hidden:
        transcript = msgspec.structs.replace(transcript, notes=())
    return {
        "format": FORMAT,
        "exported_at": msgspec.to_builtins(sealed.exported_at),
        "conversation_id": transcript.conversation_id,
        "verification": msgspec.to_builtins(sealed.verdict),
        "seal": {"algorithm": "HMAC-SHA256", "hmac": sealed.seal} if sealed.seal else None,
        "notes_withheld": len(hidden),
        "transcript": msgspec.to_builtins(transcript, str_keys=True),
        "chain": as_json(sealed.chain, hidden),
    }


class FileVerdict(msgspec.Struct, frozen=True):
    """What an exported file shows; `seal` tells whether it is of the key that was given."""

    chain: Verdict
    head: bytes
    withheld: int
    seal: str
    problem: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against the file."""
        return not self.problem and self.chain.state == "intact" and self.seal != "wrong"


def verify_file(text: bytes, key: bytes = b"") -> FileVerdict:
    """Return whether an exported transcript is as it was exported.

    Args:
        text: the file.
        key: the secret of the seal; empty where it is not known.

    Raises:
        BadExport: it is no exported transcript.
    """
    try:
        told = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadExport(f"({error})") from error
    if told.get("format") != FORMAT:
        raise BadExport(f"(its format is not {FORMAT})")
    chain, withheld = from_json(told.get("chain"))
    verdict = verify(chain, withheld)
    problem = "" if verdict.state != "intact" else _other_words(told, chain, withheld)
    return FileVerdict(verdict, chain.head, len(withheld), _seal_of(told, chain, key), problem)


def _seal_of(told: dict[str, Any], chain: Chain, key: bytes) -> str:
    found = told.get("seal")
    if not isinstance(found, dict):
        return "none"
    if not key:
        return "unchecked"
    right = seal(key, chain.conversation_id, chain.version, chain.head)
    return "right" if compare_digest(right, str(found.get("hmac"))) else "wrong"


def _other_words(told: dict[str, Any], chain: Chain, withheld: frozenset[int]) -> str:
    """Return what the readable part says otherwise than the chain; empty when nothing."""
    links = tuple(link for link in chain.links if link.seq not in withheld)
    try:
        ours = folded(msgspec.structs.replace(chain, links=links))
        theirs = msgspec.convert(told.get("transcript"), Transcript, str_keys=True)
    except (TranscriptUnreadable, msgspec.ValidationError) as error:
        return f"its transcript cannot be read: {error}"
    if theirs.conversation_id != chain.conversation_id:
        return "its transcript is of another conversation"
    for name in ("turns", "handoffs", "acts", "notes", "redactions"):
        if getattr(ours, name) != getattr(theirs, name):
            return f"its {name} are not those of the chain"
    if len(ours.messages) != len(theirs.messages):
        return "its messages are not those of the chain"
    for mine, other in zip(ours.messages, theirs.messages, strict=True):
        if _said(mine) != _said(other):
            return f"message {mine.seq} is not that of the chain"
    return ""


def _said(message: Message) -> dict[str, Any]:
    """Return what a message says without what comes from elsewhere than the events."""
    told = msgspec.structs.asdict(message)
    return {name: told[name] for name in told if name not in {"at", "delivery", "channel"}}


async def still_holds(store: Store, text: bytes, key: bytes = b"") -> str:
    """Return what an earlier export holds and the store does not any more; empty for nothing.

    Redaction does not count: the hashes stay.

    Args:
        store: where the conversation is kept.
        text: the export.
        key: the secret of its seal; empty where it is not known.

    Raises:
        BadExport: it is no exported transcript.
    """
    found = verify_file(text, key)
    if not found.is_good:
        return "the export itself is not as it was written"
    chain, _ = from_json(msgspec.json.decode(text)["chain"])
    now = await store.chains.read(chain.conversation_id)
    if now.version < chain.version:
        return f"{chain.version - now.version} events that it has are gone"
    for then, link in zip(chain.links, now.links, strict=False):
        if then.chain != link.chain:
            return f"event {then.seq} was another one"
    return ""
