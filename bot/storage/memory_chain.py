"""Hash chains and redaction in memory."""

import msgspec

from bot.storage.chain import chained
from bot.storage.chain_ports import Chain, Chains, Link, Redaction
from bot.storage.codec import clean_id, from_us, load_inbound, load_outbound, redaction_columns
from bot.storage.errors import UnknownEvent, VersionConflict
from bot.storage.memory_tables import Tables


class MemoryChains(Chains):
    """Chains in the rows of the conversations."""

    def __init__(self, tables: Tables) -> None:
        """Work on tables shared with the other ports."""
        self._tables = tables

    async def read(self, conversation_id: str) -> Chain:
        """Return a conversation's chain as it is stored."""
        key = clean_id(conversation_id)
        known = self._tables.conversations.get(key)
        if known is None:
            return Chain(key, 0, b"", ())
        links = tuple(
            Link(seq, kind, data, from_us(at_us), *hashes)
            for seq, (kind, data, at_us, *hashes) in enumerate(known.events, 1)
        )
        return Chain(key, len(links), known.head or b"", links)

    async def redact(self, redaction: Redaction) -> int:
        """Replace what events and messages say.

        Raises:
            VersionConflict: the conversation changed since it was loaded.
            UnknownEvent: there is no event with one of the numbers.
        """
        columns = redaction_columns(redaction)
        known = self._tables.conversations.get(columns.conversation_id)
        version = len(known.events) if known else 0
        if version != columns.expected_version:
            raise VersionConflict(columns.expected_version, version)
        for _, _, seq in columns.rewritten:
            if not 1 <= seq <= version:
                raise UnknownEvent(f"(number {seq})")
        if known is None:
            return 0
        for data, salt, seq in columns.rewritten:
            kind, _, at_us, _, digest, chain = known.events[seq - 1]
            known.events[seq - 1] = (kind, data, at_us, salt, digest, chain)
        self._rewrite(columns.conversation_id, columns.inbox, columns.outbox)
        events, known.head = chained(columns.conversation_id, known.head, columns.marks)
        known.events.extend(events)
        return len(known.events)

    def _rewrite(
        self, key: str, inbox: list[tuple[str, int]], outbox: list[tuple[str, int]]
    ) -> None:
        tables = self._tables
        for text, number in inbox:
            came = tables.inbox.get(number)
            if came and came.conversation_id == key:
                message = load_inbound(text)
                tables.inbox[number] = msgspec.structs.replace(came, message=message)
        for text, number in outbox:
            went = tables.outbox.get(number)
            if went and went.conversation_id == key:
                said = load_outbound(text)
                tables.outbox[number] = msgspec.structs.replace(went, message=said)
