"""Runs with their contents, tags, words and attempts; drafts; cached answers; the processes that write.

A migration is what it was when it was released: it imports nothing of the schema, which goes on changing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SORTED = (
    "created_at",
    "status",
    "prompt_start",
    "model_asked",
    "model_answered",
    "finish_reason",
    "total_tokens",
    "cost_usd",
    "first_token_s",
    "total_s",
    "tokens_per_s",
    "connection_name",
    "slot",
    "thread",
    "identity",
)


def upgrade() -> None:
    """Make the tables."""
    _runs()
    _parts_of_runs()
    _words()
    op.create_table(
        "drafts",
        sa.Column("owner", WORDS, primary_key=True),
        sa.Column("id", WORDS, primary_key=True),
        sa.Column("draft", sa.Text, nullable=False),
        sa.Column("saved_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_drafts_saved_at", "drafts", ["owner", "saved_at"])
    op.create_table(
        "answers",
        sa.Column("owner", WORDS, primary_key=True),
        sa.Column("key", WORDS, primary_key=True),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_answers_stored_at", "answers", ["owner", "stored_at"])
    op.create_table(
        "processes",
        sa.Column("id", WORDS, primary_key=True),
        sa.Column("host", WORDS, nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("pk", KEY, primary_key=True),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("process", WORDS),
        sa.Column("slot", WORDS, nullable=False),
        sa.Column("connection_name", WORDS, nullable=False),
        sa.Column("base_url", WORDS, nullable=False),
        sa.Column("status", WORDS, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("saved_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("prompt_start", WORDS, nullable=False),
        *(sa.Column(name, WORDS) for name in ("model_asked", "model_answered", "finish_reason")),
        *(sa.Column(f"{name}_tokens", sa.BigInteger) for name in ("prompt", "completion", "total", "cached", "reasoning")),
        sa.Column("cost_usd", sa.BigInteger),
        *(sa.Column(name, sa.Float(53)) for name in ("queued_s", "first_token_s", "total_s", "tokens_per_s")),
        sa.Column("attempts", sa.Integer),
        *(sa.Column(name, WORDS) for name in ("cache", "error_kind", "thread", "identity")),
        *(sa.Column(name, WORDS) for name in ("completion_id", "request_id", "system_fingerprint")),
        sa.Column("pieces", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("starred", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("note", WORDS, nullable=False, server_default=""),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("indexed", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.UniqueConstraint("owner", "id", name="uq_runs_owner_id"),
        sqlite_autoincrement=True,
    )
    kept = sa.text("deleted_at IS NULL")
    for name in SORTED:
        op.create_index(f"ix_runs_{name}", "runs", ["owner", name, "pk"], sqlite_where=kept, postgresql_where=kept)


def _parts_of_runs() -> None:
    op.create_table(
        "run_contents",
        _run_pk(),
        sa.Column("sent", sa.LargeBinary, nullable=False),
        sa.Column("choices", sa.Text, nullable=False),
        sa.Column("usage", sa.Text),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("raw_truncated", sa.Boolean, nullable=False),
        sa.Column("trace", sa.Text),
        sa.Column("cost_detail", sa.Text),
    )
    op.create_table("run_tags", _run_pk(), sa.Column("tag", WORDS, primary_key=True), sa.Column("owner", WORDS, nullable=False))
    op.create_index("ix_run_tags_tag", "run_tags", ["owner", "tag", "run_pk"])
    op.create_table(
        "attempts",
        _run_pk(),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("model", WORDS, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("at_ms", sa.Float(53)),
        sa.Column("duration_ms", sa.Float(53)),
    )


def _run_pk() -> sa.Column[int]:
    return sa.Column("run_pk", KEY, sa.ForeignKey("runs.pk", ondelete="CASCADE"), primary_key=True, autoincrement=False)


def _words() -> None:
    """The index of words: without a copy of the texts, which ``run_contents`` has."""
    if op.get_context().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE run_words USING fts5(words, content='', tokenize='unicode61', prefix='1 2 3')")
        return
    op.execute("CREATE TABLE run_words (run_pk bigint PRIMARY KEY REFERENCES runs (pk) ON DELETE CASCADE, words tsvector NOT NULL)")
    op.execute("CREATE INDEX ix_run_words_words ON run_words USING gin (words)")
