"""Presets, their tags and their versions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "presets",
        sa.Column("pk", KEY, primary_key=True),
        *(sa.Column(name, WORDS, nullable=False) for name in ("owner", "id", "kind", "name", "sort_name", "folder")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", WORDS, nullable=False),
        sa.Column("models", sa.Text, nullable=False),
        sa.Column("sets", sa.Integer, nullable=False),
        sa.Column("starred", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("origin_preset", WORDS),
        sa.Column("origin_version", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("saved_at", sa.BigInteger, nullable=False),
        sa.Column("archived_at", sa.BigInteger),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("description", WORDS, nullable=False),
        sa.Column("words", WORDS, nullable=False),
        sa.UniqueConstraint("owner", "id", name="uq_presets_owner_id"),
        sqlite_autoincrement=True,
    )
    listed = sa.text("deleted_at IS NULL")
    for name in ("saved_at", "created_at", "sort_name"):
        op.create_index(f"ix_presets_{name}", "presets", ["owner", name, "pk"], sqlite_where=listed, postgresql_where=listed)
    op.create_index("ix_presets_folder", "presets", ["owner", "folder"])
    op.create_table("preset_tags", _preset_pk(), sa.Column("tag", WORDS, primary_key=True), sa.Column("owner", WORDS, nullable=False))
    op.create_index("ix_preset_tags_tag", "preset_tags", ["owner", "tag", "preset_pk"])
    op.create_table(
        "preset_versions",
        _preset_pk(),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("note", WORDS, nullable=False, server_default=""),
        sa.Column("restored", sa.Integer),
        sa.Column("saved_at", sa.BigInteger, nullable=False),
    )


def _preset_pk() -> sa.Column[int]:
    return sa.Column("preset_pk", KEY, sa.ForeignKey("presets.pk", ondelete="CASCADE"), primary_key=True, autoincrement=False)
