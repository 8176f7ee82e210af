"""The tables as the newest migration leaves them; ``migrations/`` makes them, and a test compares the two.

What lists show and sort by is in ``runs``, narrow; what only one run's page needs is in ``run_contents``. The words to search in
are in ``run_words``, which each database makes in its own way (``full_text``).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from core.storage.column_types import Dollars, Json, Moment, Packed, Words

metadata = MetaData()
_KEY: Final = BigInteger().with_variant(Integer, "sqlite")

runs = Table(
    "runs",
    metadata,
    Column("pk", _KEY, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("id", Words, nullable=False),
    Column("process", Words),
    Column("slot", Words, nullable=False),
    Column("connection_name", Words, nullable=False),
    Column("base_url", Words, nullable=False),
    Column("status", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("saved_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("prompt_start", Words, nullable=False),
    Column("model_asked", Words),
    Column("model_answered", Words),
    Column("finish_reason", Words),
    Column("prompt_tokens", BigInteger),
    Column("completion_tokens", BigInteger),
    Column("total_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("cost_usd", Dollars),
    Column("queued_s", Float(53)),
    Column("first_token_s", Float(53)),
    Column("total_s", Float(53)),
    Column("tokens_per_s", Float(53)),
    Column("attempts", Integer),
    Column("cache", Words),
    Column("error_kind", Words),
    Column("thread", Words),
    Column("identity", Words),
    Column("completion_id", Words),
    Column("request_id", Words),
    Column("system_fingerprint", Words),
    Column("pieces", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("starred", Boolean, nullable=False, server_default=text("false")),
    Column("note", Words, nullable=False, server_default=""),
    Column("deleted_at", Moment),
    Column("indexed", Boolean, nullable=False, server_default=text("false")),
    Column("note_start", Words),
    Column("tag_line", Words),
    UniqueConstraint("owner", "id", name="uq_runs_owner_id"),
    sqlite_autoincrement=True,
)

INDEXED: Final = (
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
    "starred",
    "note_start",
    "tag_line",
)
"""What lists are sorted by: each has an index of the rows that are not deleted, in the order of the value and then of the key."""

for _name in INDEXED:
    _kept = runs.c.deleted_at.is_(None)
    Index(f"ix_runs_{_name}", runs.c.owner, runs.c[_name], runs.c.pk, sqlite_where=_kept, postgresql_where=_kept)

run_contents = Table(
    "run_contents",
    metadata,
    Column("run_pk", _KEY, ForeignKey("runs.pk", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("sent", LargeBinary, nullable=False),
    Column("choices", Json, nullable=False),
    Column("usage", Json),
    Column("headers", Json, nullable=False),
    Column("error", Json),
    Column("raw", Packed, nullable=False),
    Column("raw_truncated", Boolean, nullable=False),
    Column("trace", Json),
    Column("cost_detail", Json),
)

run_pieces = Table(
    "run_pieces",
    metadata,
    Column("run_pk", _KEY, ForeignKey("runs.pk", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("pieces", BigInteger, nullable=False),
    Column("saved_at", Moment, nullable=False),
    Column("texts", Json, nullable=False),
)

run_tags = Table(
    "run_tags",
    metadata,
    Column("run_pk", _KEY, ForeignKey("runs.pk", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("tag", Words, primary_key=True),
    Column("owner", Words, nullable=False),
    Index("ix_run_tags_tag", "owner", "tag", "run_pk"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("run_pk", _KEY, ForeignKey("runs.pk", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("owner", Words, nullable=False),
    Column("model", Words, nullable=False),
    Column("status", Integer),
    Column("at_ms", Float(53)),
    Column("duration_ms", Float(53)),
)

drafts = Table(
    "drafts",
    metadata,
    Column("owner", Words, primary_key=True),
    Column("id", Words, primary_key=True),
    Column("draft", Json, nullable=False),
    Column("saved_at", Moment, nullable=False),
    Index("ix_drafts_saved_at", "owner", "saved_at"),
)

comparisons = Table(
    "comparisons",
    metadata,
    Column("pk", _KEY, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("id", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("prompt_start", Words, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("models", Json, nullable=False),
    Column("runs", Json, nullable=False),
    Column("document", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    Column("starred", Boolean, nullable=False, server_default=text("false")),
    Column("note", Words, nullable=False, server_default=""),
    Column("tags", Json, nullable=False),
    Column("words", Words, nullable=False),
    UniqueConstraint("owner", "id", name="uq_comparisons_owner_id"),
    Index("ix_comparisons_updated_at", "owner", "updated_at", "pk"),
    sqlite_autoincrement=True,
)

answers = Table(
    "answers",
    metadata,
    Column("owner", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("answer", Packed, nullable=False),
    Column("stored_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Index("ix_answers_stored_at", "owner", "stored_at"),
)

preferences = Table(
    "preferences",
    metadata,
    Column("owner", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("value", Json, nullable=False),
    Column("saved_at", Moment, nullable=False),
)

processes = Table(
    "processes",
    metadata,
    Column("id", Words, primary_key=True),
    Column("host", Words, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("seen_at", Moment, nullable=False),
)

presets = Table(
    "presets",
    metadata,
    Column("pk", _KEY, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("sort_name", Words, nullable=False),
    Column("folder", Words, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Words, nullable=False),
    Column("models", Json, nullable=False),
    Column("sets", Integer, nullable=False),
    Column("starred", Boolean, nullable=False, server_default=text("false")),
    Column("origin_preset", Words),
    Column("origin_version", Integer),
    Column("created_at", Moment, nullable=False),
    Column("saved_at", Moment, nullable=False),
    Column("archived_at", Moment),
    Column("deleted_at", Moment),
    Column("description", Words, nullable=False),
    Column("words", Words, nullable=False),
    UniqueConstraint("owner", "id", name="uq_presets_owner_id"),
    sqlite_autoincrement=True,
)

PRESETS_SORTED_BY: Final = ("saved_at", "created_at", "sort_name")
"""What the library is sorted by, by indexes like those of runs."""

for _name in PRESETS_SORTED_BY:
    _listed = presets.c.deleted_at.is_(None)
    Index(f"ix_presets_{_name}", presets.c.owner, presets.c[_name], presets.c.pk, sqlite_where=_listed, postgresql_where=_listed)

Index("ix_presets_folder", presets.c.owner, presets.c.folder)

preset_tags = Table(
    "preset_tags",
    metadata,
    Column("preset_pk", _KEY, ForeignKey("presets.pk", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("tag", Words, primary_key=True),
    Column("owner", Words, nullable=False),
    Index("ix_preset_tags_tag", "owner", "tag", "preset_pk"),
)

preset_versions = Table(
    "preset_versions",
    metadata,
    Column("preset_pk", _KEY, ForeignKey("presets.pk", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("owner", Words, nullable=False),
    Column("content", Json, nullable=False),
    Column("note", Words, nullable=False, server_default=""),
    Column("restored", Integer),
    Column("saved_at", Moment, nullable=False),
)

shares = Table(
    "shares",
    metadata,
    Column("id", Words, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("hidden", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("views", BigInteger, nullable=False, server_default=text("0")),
    Column("viewed_at", Moment),
    Column("size_bytes", BigInteger, nullable=False),
    Column("snapshot", Packed),
    Index("ix_shares_created_at", "owner", "created_at"),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("owner", Words, primary_key=True),
    Column("id", Words, primary_key=True),
    Column("comparison_id", Words),
    Column("name", Words, nullable=False),
    Column("settings", Json, nullable=False),
    Column("connection_kind", Words, nullable=False),
    Column("connection_name", Words, nullable=False),
    Column("base_url", Words, nullable=False),
    Column("status", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("process", Words),
    Column("created_at", Moment, nullable=False),
    Column("saved_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Index("ix_sweeps_created_at", "owner", "created_at"),
    Index("ix_sweeps_comparison_id", "owner", "comparison_id", "created_at"),
)

sweep_calls = Table(
    "sweep_calls",
    metadata,
    Column("owner", Words, primary_key=True),
    Column("sweep_id", Words, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("status", Words, nullable=False),
    Column("answer_start", Words, nullable=False),
    ForeignKeyConstraint(["owner", "sweep_id"], ["sweeps.owner", "sweeps.id"], ondelete="CASCADE"),
)

sweep_tries = Table(
    "sweep_tries",
    metadata,
    Column("owner", Words, primary_key=True),
    Column("sweep_id", Words, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("nth", Integer, primary_key=True, autoincrement=False),
    Column("run_id", Words, nullable=False),
    ForeignKeyConstraint(["owner", "sweep_id"], ["sweeps.owner", "sweeps.id"], ondelete="CASCADE"),
)
