"""Create conversations, their events, the inbox and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNHANDLED = sa.text("handled_us IS NULL")
_PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "conversations",
        sa.Column("conversation_id", sa.Text(), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("outbound_seq", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "conversation_events",
        sa.Column("conversation_id", sa.Text(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    _create_inbox()
    _create_outbox()


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("inbox_id", _ROW_ID, primary_key=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("accepted_us", sa.BigInteger(), nullable=False),
        sa.Column("handled_us", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("channel", "message_id", name="inbox_message"),
        sqlite_autoincrement=True,
    )
    op.create_index("inbox_conversation", "inbox", ["conversation_id", "inbox_id"])
    op.create_index(
        "inbox_unhandled",
        "inbox",
        ["conversation_id", "inbox_id"],
        sqlite_where=_UNHANDLED,
        postgresql_where=_UNHANDLED,
    )
    op.create_index("inbox_accepted", "inbox", ["accepted_us"])


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("outbox_id", _ROW_ID, primary_key=True),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_us", sa.BigInteger(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.UniqueConstraint("conversation_id", "seq", name="outbox_seq"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "outbox_pending",
        "outbox",
        ["channel", "outbox_id"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )


def downgrade() -> None:
    """Undo the change."""
    for table in ("outbox", "inbox", "conversation_events", "conversations"):
        op.drop_table(table)
