"""Create the effect ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "effects",
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("intended_us", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_us", sa.BigInteger(), nullable=True),
        sa.Column("settled_us", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("erased", sa.Integer(), nullable=False),
    )
    op.create_index("effects_conversation", "effects", ["conversation_id", "intended_us"])
    op.create_index("effects_state", "effects", ["state", "intended_us"])
    op.create_index("effects_intended", "effects", ["intended_us", "key"])


def downgrade() -> None:
    """Undo the change."""
    op.drop_table("effects")
