"""Audits, kept for comparison with later ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """A table that begins empty."""
    op.create_table(
        "audit",
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("domain", "as_of"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Kept audits are lost."""
    op.drop_table("audit")
