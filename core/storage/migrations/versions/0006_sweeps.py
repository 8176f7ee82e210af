"""Sweeps, their calls, and the run of every try."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sweeps",
        sa.Column("owner", WORDS, primary_key=True),
        sa.Column("id", WORDS, primary_key=True),
        sa.Column("comparison_id", WORDS),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        *(sa.Column(name, WORDS, nullable=False) for name in ("connection_kind", "connection_name", "base_url", "status", "reason")),
        sa.Column("process", WORDS),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("saved_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("ix_sweeps_created_at", "sweeps", ["owner", "created_at"])
    op.create_index("ix_sweeps_comparison_id", "sweeps", ["owner", "comparison_id", "created_at"])
    op.create_table(
        "sweep_calls",
        *_key(),
        sa.Column("status", WORDS, nullable=False),
        sa.Column("answer_start", WORDS, nullable=False),
        _of_sweep(),
    )
    op.create_table(
        "sweep_tries",
        *_key(),
        sa.Column("nth", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run_id", WORDS, nullable=False),
        _of_sweep(),
    )


def _key() -> tuple[sa.Column[str], sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("owner", WORDS, primary_key=True),
        sa.Column("sweep_id", WORDS, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    )


def _of_sweep() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["owner", "sweep_id"], ["sweeps.owner", "sweeps.id"], ondelete="CASCADE")
