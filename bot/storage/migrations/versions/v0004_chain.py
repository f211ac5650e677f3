"""Link the events of each conversation by their hashes, those that are there already, too."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from bot.storage.chain import chained, hashed

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PAGE = 500
_COLUMNS = ("salt", "digest", "chain")
_IDS = sa.text(
    "SELECT conversation_id FROM conversations WHERE conversation_id > :after "
    "ORDER BY conversation_id LIMIT :limit"
)
_EVENTS = sa.text(
    "SELECT type, data, at_us FROM conversation_events WHERE conversation_id = :key AND seq > :seq "
    "ORDER BY seq LIMIT :limit"
)
_LINK = sa.text(
    "UPDATE conversation_events SET salt = :salt, digest = :digest, chain = :chain "
    "WHERE conversation_id = :key AND seq = :seq"
)
_HEAD = sa.text("UPDATE conversations SET chain = :chain WHERE conversation_id = :key")


def upgrade() -> None:
    """Make the change."""
    for column in _COLUMNS:
        op.add_column("conversation_events", sa.Column(column, sa.LargeBinary(), nullable=True))
    op.add_column("conversations", sa.Column("chain", sa.LargeBinary(), nullable=True))
    connection = op.get_bind()
    for key in _conversations(connection):
        _link(connection, key)


def _conversations(connection: sa.Connection) -> Iterator[str]:
    after = ""
    while keys := connection.scalars(_IDS, {"after": after, "limit": _PAGE}).all():
        yield from keys
        after = keys[-1]


def _link(connection: sa.Connection, key: str) -> None:
    seq, head = 0, None
    while rows := connection.execute(_EVENTS, {"key": key, "seq": seq, "limit": _PAGE}).all():
        columns, head = chained(key, head, hashed([tuple(row) for row in rows], seq))
        links = [
            {"key": key, "seq": number, "salt": salt, "digest": digest, "chain": link}
            for number, (*_, salt, digest, link) in enumerate(columns, seq + 1)
        ]
        connection.execute(_LINK, links)
        seq += len(rows)
    if head is not None:
        connection.execute(_HEAD, {"key": key, "chain": head})


def downgrade() -> None:
    """Undo the change."""
    op.drop_column("conversations", "chain")
    for column in _COLUMNS:
        op.drop_column("conversation_events", column)
