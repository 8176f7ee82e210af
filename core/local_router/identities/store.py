"""Identities and threads in an SQLite file, or in memory."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.local_router.identities.records import Change, Kind, Party, Subject, UnknownParty, Usage
from core.local_router.sqlite_file import SqliteFile

_TABLES = """
CREATE TABLE parties (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL, profile TEXT NOT NULL, searched TEXT NOT NULL, requests INTEGER NOT NULL,
    failed INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, last_seen REAL NOT NULL,
    UNIQUE (owner, kind, name));
CREATE INDEX parties_of_owner ON parties(owner, kind, number);
"""
_AFTER = "number < (SELECT number FROM parties WHERE id = ?)"
_BEFORE = "number > (SELECT number FROM parties WHERE id = ?)"


class PartyStore:
    """Parties by their subjects. Synchronous and safe in threads; ``path`` None keeps it in memory."""

    def __init__(self, path: Path | None) -> None:
        self._file = SqliteFile(path, _TABLES)

    def write(self, changes: Mapping[Subject, Change]) -> None:
        """Make each change, in one transaction; a subject that is new is made."""
        with self._file.transaction() as rows:
            for subject, change in changes.items():
                row = rows.execute("SELECT * FROM parties WHERE owner = ? AND kind = ? AND name = ?", subject).fetchone()
                if row is None:
                    _insert(rows, subject, change)
                else:
                    _update(rows, _party(row), change)

    def find(self, owner: str, kind: Kind, id_or_name: str) -> Party:
        """The owner's party of that id or, else, of that name; raises ``UnknownParty``."""
        with self._file.transaction() as rows:
            row = rows.execute(
                "SELECT * FROM parties WHERE owner = ? AND kind = ? AND (id = ? OR name = ?) ORDER BY id = ? DESC LIMIT 1",
                (owner, kind, id_or_name, id_or_name, id_or_name),
            ).fetchone()
        if row is None:
            raise UnknownParty(id_or_name)
        return _party(row)

    def delete(self, owner: str, kind: Kind, id_or_name: str) -> None:
        """Forget a party and what it used; raises ``UnknownParty``."""
        party = self.find(owner, kind, id_or_name)
        with self._file.transaction() as rows:
            rows.execute("DELETE FROM parties WHERE id = ?", (party.id,))

    def page(
        self,
        owner: str,
        kind: Kind,
        limit: int,
        *,
        after: str | None = None,
        before: str | None = None,
        search: str = "",
        tags: Sequence[str] = (),
    ) -> tuple[list[Party], bool]:
        """At most ``limit`` of the owner's parties, the newest first, and whether there are more: those after the one of id ``after``, or
        those just before ``before``. ``search`` is looked for in name, display name and e-mail, whatever its case; all ``tags`` must be
        there. Raises ``UnknownParty`` where a cursor is none."""
        where = ["owner = ?", "kind = ?", *["EXISTS (SELECT 1 FROM json_each(profile, '$.tags') WHERE value = ?)" for _ in tags]]
        values: list[Any] = [owner, kind, *tags]
        if search:
            where.append("instr(searched, ?)")
            values.append(search.casefold())
        cursor = before if before is not None else after
        if cursor is not None:
            where.append(_BEFORE if before is not None else _AFTER)
            values.append(self.find(owner, kind, cursor).id)
        order = "ASC" if before is not None else "DESC"
        query = f"SELECT * FROM parties WHERE {' AND '.join(where)} ORDER BY number {order} LIMIT ?"  # noqa: S608 - only ? and constants
        with self._file.transaction() as rows:
            found = [_party(row) for row in rows.execute(query, (*values, limit + 1))]
        page = found[:limit]
        return (page[::-1] if before is not None else page), len(found) > limit

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _insert(rows: sqlite3.Connection, subject: Subject, change: Change) -> None:
    usage, prefix = change.usage, "identity" if subject.kind == "identity" else "thread"
    rows.execute(
        "INSERT INTO parties (id, owner, kind, name, created, updated, profile, searched, requests, failed, prompt_tokens, "
        "completion_tokens, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            f"{prefix}_{secrets.token_hex(8)}",
            *subject,
            usage.last_seen,
            usage.last_seen,
            json.dumps(change.profile),
            _searched(subject, change.profile),
            usage.requests,
            usage.failed,
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.last_seen,
        ),
    )


def _update(rows: sqlite3.Connection, party: Party, change: Change) -> None:
    profile, usage = {**party.profile, **change.profile}, party.usage
    usage.add(change.usage)
    updated = party.updated if profile == party.profile else change.usage.last_seen
    rows.execute(
        "UPDATE parties SET updated = ?, profile = ?, searched = ?, requests = ?, failed = ?, prompt_tokens = ?, completion_tokens = ?, "
        "last_seen = ? WHERE id = ?",
        (
            updated,
            json.dumps(profile),
            _searched(party.subject, profile),
            usage.requests,
            usage.failed,
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.last_seen,
            party.id,
        ),
    )


def _searched(subject: Subject, profile: Mapping[str, Any]) -> str:
    return "\n".join((subject.name, profile.get("display_name") or "", profile.get("email") or "")).casefold()


def _party(row: sqlite3.Row) -> Party:
    usage = Usage(row["requests"], row["failed"], row["prompt_tokens"], row["completion_tokens"], row["last_seen"])
    subject = Subject(row["owner"], row["kind"], row["name"])
    return Party(row["id"], subject, row["created"], row["updated"], json.loads(row["profile"]), usage)
