"""Comparisons as objects of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "comparisons",
        sa.Column("pk", KEY, primary_key=True),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("prompt_start", WORDS, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("models", sa.Text, nullable=False),
        sa.Column("runs", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("starred", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("note", WORDS, nullable=False, server_default=""),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("words", WORDS, nullable=False),
        sa.UniqueConstraint("owner", "id", name="uq_comparisons_owner_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_comparisons_updated_at", "comparisons", ["owner", "updated_at", "pk"])
