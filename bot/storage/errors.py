"""What can go wrong in storage: one class per error, whose docstring is the message.

No message names a person: a sender id may be a telephone number.
"""


class StorageError(Exception):
    """Storage failed."""

    def __init__(self, detail: str = "") -> None:
        """Join the class's docstring and the detail.

        Args:
            detail: what exactly was found, and where; never a person's data.
        """
        text = (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]
        super().__init__(f"{text} {detail}".strip())


class VersionConflict(StorageError):
    """The conversation has changed since it was loaded: load it again and redo the turn."""

    def __init__(self, expected: int, actual: int) -> None:
        """Keep both versions.

        Args:
            expected: the version that the turn was computed from.
            actual: the version found in the store.
        """
        super().__init__(f"(expected version {expected}, found {actual})")
        self.expected = expected
        self.actual = actual


class AlreadyHandled(StorageError):
    """The inbox message has been handled before: nothing was written."""


class UnknownInboxMessage(StorageError):
    """No such inbox message in this conversation (erased, perhaps): nothing was written."""


class UnknownOutboxMessage(StorageError):
    """No such outbox message (erased, perhaps): its delivery was not recorded."""


class UnknownEvent(StorageError):
    """No such event in this conversation (erased, perhaps): nothing was written."""


class UnknownEffect(StorageError):
    """No such effect in the ledger (erased, perhaps): nothing was written."""


class EffectSettled(StorageError):
    """The effect has its final state, which cannot change: nothing was written."""

    def __init__(self, key: str, state: str, asked: str) -> None:
        """Keep the key and both states.

        Args:
            key: the effect's idempotency key.
            state: the final state it has.
            asked: the state it was to have.
        """
        super().__init__(f"(effect {key} is {state}, asked for {asked})")
        self.key = key
        self.state = state
        self.asked = asked


class KeyTaken(StorageError):
    """The effect's key belongs to another conversation: nothing was written."""


class NaiveTime(StorageError):
    """A time without a time zone cannot be stored."""


class UnstorableData(StorageError):
    """The data cannot be written as JSON."""


class RetentionTooShort(StorageError):
    """Message ids are kept for at least 8 days, because platforms redeliver for a week."""


class EraseIncomplete(StorageError):
    """The rows are deleted, but another reader keeps old pages alive: close it and erase again."""


class StoreClosed(StorageError):
    """The store is closed."""


class StoreFailed(StorageError):
    """The database failed (full, locked or gone): ask again, what was done is recognised."""


class BadStoreUrl(StorageError):
    """The store's URL must be sqlite:///PATH, postgresql://USER@HOST/DATABASE or memory://."""


class StoreUnwritable(StorageError):
    """The store's file or folder cannot be written."""


class StoreUnreadable(StorageError):
    """The store's file is not an SQLite database, or is damaged."""


class StoreUnreachable(StorageError):
    """The database server cannot be reached."""


class MissingDriver(StorageError):
    """PostgreSQL needs the extra `postgres`: pip install 'tresen[postgres]'."""


class SchemaTooNew(StorageError):
    """The store was written by a newer version of the software: update the software."""


class SchemaFailed(StorageError):
    """The store's tables could not be created or migrated."""
