"""Runs are sorted by stars, notes and tags, too: the beginnings of the latter two, and an index for each."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_TAGS_OF_SQLITE = """
    UPDATE runs SET tag_line = substr(
        (SELECT group_concat(tag, ', ') FROM (SELECT tag FROM run_tags WHERE run_pk = runs.pk ORDER BY tag)), 1, 200
    ) WHERE pk IN (SELECT run_pk FROM run_tags)
"""
_TAGS_OF_POSTGRESQL = """
    UPDATE runs SET tag_line = substr((SELECT string_agg(tag, ', ' ORDER BY tag) FROM run_tags WHERE run_pk = runs.pk), 1, 200)
    WHERE pk IN (SELECT run_pk FROM run_tags)
"""


def upgrade() -> None:
    """Add the columns, fill them from what is there, and make the indexes."""
    for name in ("note_start", "tag_line"):
        op.add_column("runs", sa.Column(name, WORDS))
    op.execute("UPDATE runs SET note_start = substr(note, 1, 200) WHERE note <> ''")
    op.execute(_TAGS_OF_SQLITE if op.get_context().dialect.name == "sqlite" else _TAGS_OF_POSTGRESQL)
    kept = sa.text("deleted_at IS NULL")
    for name in ("starred", "note_start", "tag_line"):
        op.create_index(f"ix_runs_{name}", "runs", ["owner", name, "pk"], sqlite_where=kept, postgresql_where=kept)
