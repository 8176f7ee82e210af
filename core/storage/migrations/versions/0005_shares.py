"""Shares: frozen snapshots behind links."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "shares",
        sa.Column("id", WORDS, primary_key=True),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("hidden", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("views", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("viewed_at", sa.BigInteger),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("snapshot", sa.LargeBinary),
    )
    op.create_index("ix_shares_created_at", "shares", ["owner", "created_at"])
