"""Create contacts, codes, payloads and their news, files; let the outbox tell of attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LINKED = sa.text("conversation_id IS NOT NULL")
_DUE = sa.text("state = 'due'")
_PENDING = sa.text("state = 'pending'")
_KNOWN_CONTACTS = """
INSERT INTO contacts (channel, sender_id, last_inbound_us, details)
SELECT channel, substr(conversation_id, length(channel) + 2), max(accepted_us), '{}'
FROM inbox WHERE substr(message_id, 1, 1) <> :trigger GROUP BY channel, conversation_id"""
"""Who wrote before there were contacts; the ids of triggers begin with a control character."""


def upgrade() -> None:
    """Make the change."""
    op.add_column(
        "outbox", sa.Column("parts_sent", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("outbox", sa.Column("begun_us", sa.BigInteger(), nullable=True))
    op.create_index(
        "outbox_line",
        "outbox",
        ["channel", "conversation_id", "sender_id", "seq"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    _create_contacts()
    _create_receipts()
    _create_media()
    op.execute(sa.text(_KNOWN_CONTACTS).bindparams(trigger="\x1f"))


def _create_contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("sender_id", sa.Text(), primary_key=True),
        sa.Column("last_inbound_us", sa.BigInteger(), nullable=True),
        sa.Column("opted_in", sa.Integer(), nullable=True),
        sa.Column("conversation_id", sa.Text(), nullable=True),
        sa.Column("linked_us", sa.BigInteger(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("consent_order", sa.BigInteger(), nullable=False, server_default="0"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "contacts_conversation",
        "contacts",
        ["conversation_id"],
        sqlite_where=_LINKED,
        postgresql_where=_LINKED,
    )
    op.create_table(
        "link_offers",
        sa.Column("conversation_id", sa.Text(), primary_key=True),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("link_offers_code", "link_offers", ["code_hash"])


def _create_receipts() -> None:
    op.create_table(
        "sent_parts",
        sa.Column("outbox_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("kept_us", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("sent_parts_receipt", "sent_parts", ["channel", "receipt_id"])
    op.create_index("sent_parts_kept", "sent_parts", ["kept_us"])
    op.create_table(
        "early_news",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("receipt_id", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("sender_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("kept_us", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("early_news_sender", "early_news", ["channel", "sender_id"])
    op.create_index("early_news_kept", "early_news", ["kept_us"])


def _create_media() -> None:
    op.create_table(
        "media",
        sa.Column("media_id", _ROW_ID, primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_us", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.Text(), nullable=False),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.UniqueConstraint("key", name="media_key"),
    )
    op.create_index("media_conversation", "media", ["conversation_id"])
    op.create_index("media_due", "media", ["media_id"], sqlite_where=_DUE, postgresql_where=_DUE)


def downgrade() -> None:
    """Undo the change."""
    for table in ("media", "early_news", "sent_parts", "link_offers", "contacts"):
        op.drop_table(table)
    op.drop_index("outbox_line", "outbox")
    for column in ("begun_us", "parts_sent"):
        op.drop_column("outbox", column)
