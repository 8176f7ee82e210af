"""The library of stored prompts: an SQLite file, or memory."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from core.local_router.prompts.records import Content, StoredPrompt, UnknownPrompt, Version
from core.local_router.prompts.starters import STARTERS
from core.local_router.sqlite_file import SqliteFile

_TABLES = """
CREATE TABLE prompts (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created REAL NOT NULL);
CREATE TABLE versions (
    prompt TEXT NOT NULL REFERENCES prompts(id), number INTEGER NOT NULL, saved REAL NOT NULL, display_name TEXT NOT NULL,
    description TEXT, content TEXT NOT NULL, metadata TEXT NOT NULL, PRIMARY KEY (prompt, number)) WITHOUT ROWID;
"""
_LATEST = """
SELECT p.id, p.created, v.* FROM prompts p JOIN versions v ON v.prompt = p.id
WHERE v.number = (SELECT max(number) FROM versions WHERE prompt = p.id)
"""


MOST_KEPT = 256
LONGEST_KEPT = 32_000
"""So many prompts are kept in memory, each of so many characters of JSON at most."""


class PromptStore:
    """Prompts by their ids, each with all of its versions. Synchronous and safe in threads; ``path`` None keeps it in memory.

    A new library has the ``STARTERS``; one that was deleted stays away. Several processes may use one file.
    """

    def __init__(self, path: Path | None, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._file = SqliteFile(path, _TABLES, self._begin)
        self._kept: OrderedDict[str, StoredPrompt] = OrderedDict()  # changed only while it is this thread's turn with the file
        self._kept_at = -1

    def known(self, prompt_id: str) -> StoredPrompt | None:
        """The prompt of that id, where ``latest`` found it and nobody, in no process, has changed the library since. Never waits."""
        with self._file.glance() as rows:
            if rows is None:
                return None
            self._forget_if_changed(rows)
            return self._kept.get(prompt_id)

    def latest(self, prompt_id: str) -> StoredPrompt:
        """The prompt of that id; raises ``UnknownPrompt``."""
        with self._file.transaction() as rows:
            row = self._row(rows, prompt_id)
            found = _prompt(row)
            if len(row["content"]) + len(row["metadata"]) <= LONGEST_KEPT:
                self._forget_if_changed(rows)
                self._kept[prompt_id] = found
                if len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
            return found

    def page(self, limit: int, *, after: str | None = None, before: str | None = None) -> tuple[list[StoredPrompt], bool]:
        """At most ``limit`` prompts, the newest first, and whether there are more: those after the one of id ``after``, or those just
        before ``before``. Raises ``UnknownPrompt`` where a cursor is none."""
        with self._file.transaction() as rows:
            if before is not None:
                found = rows.execute(
                    f"{_LATEST} AND p.number > ? ORDER BY p.number LIMIT ?",
                    (self._number(rows, before), limit + 1),
                ).fetchall()
                return [_prompt(row) for row in reversed(found[:limit])], len(found) > limit
            bound = self._number(rows, after) if after is not None else 2**62
            found = rows.execute(
                f"{_LATEST} AND p.number < ? ORDER BY p.number DESC LIMIT ?",
                (bound, limit + 1),
            ).fetchall()
        return [_prompt(row) for row in found[:limit]], len(found) > limit

    def create(self, content: Content) -> StoredPrompt:
        """A new prompt, with its first version."""
        with self._file.transaction() as rows:
            prompt_id = f"prompt_{secrets.token_hex(8)}"
            self._insert(rows, prompt_id, content)
            return self._latest(rows, prompt_id)

    def save(self, prompt_id: str, change: Callable[[Content], Content]) -> StoredPrompt:
        """The prompt with one version more, unless ``change`` gives what the newest one is; raises ``UnknownPrompt``."""
        with self._file.transaction() as rows:
            latest = self._latest(rows, prompt_id).latest
            content = change(latest.content)
            if content != latest.content:
                self._kept.pop(prompt_id, None)
                self._add(rows, prompt_id, latest.number + 1, content)
            return self._latest(rows, prompt_id)

    def delete(self, prompt_id: str) -> None:
        """Take the prompt away with its versions; raises ``UnknownPrompt``."""
        with self._file.transaction() as rows:
            self._number(rows, prompt_id)
            self._kept.pop(prompt_id, None)
            rows.execute("DELETE FROM versions WHERE prompt = ?", (prompt_id,))
            rows.execute("DELETE FROM prompts WHERE id = ?", (prompt_id,))

    def versions(self, prompt_id: str) -> list[Version]:
        """Every version, the newest first; raises ``UnknownPrompt``."""
        with self._file.transaction() as rows:
            self._number(rows, prompt_id)
            found = rows.execute("SELECT * FROM versions WHERE prompt = ? ORDER BY number DESC", (prompt_id,)).fetchall()
        return [_version(row) for row in found]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._kept.clear()

    def _forget_if_changed(self, rows: sqlite3.Connection) -> None:
        (version,) = rows.execute("PRAGMA data_version").fetchone()  # another number once another connection has changed the file
        if version != self._kept_at:
            self._kept.clear()
            self._kept_at = version

    def _begin(self, rows: sqlite3.Connection) -> None:
        for starter in reversed(STARTERS):  # the newest stands first in a list
            self._insert(rows, starter.id, starter.content)

    def _insert(self, rows: sqlite3.Connection, prompt_id: str, content: Content) -> None:
        rows.execute("INSERT INTO prompts (id, created) VALUES (?, ?)", (prompt_id, self._now()))
        self._add(rows, prompt_id, 1, content)

    def _add(self, rows: sqlite3.Connection, prompt_id: str, number: int, content: Content) -> None:
        kept = (json.dumps(dict(part)) for part in (content.prompt, content.metadata))
        rows.execute(
            "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?)",
            (prompt_id, number, self._now(), content.display_name, content.description, *kept),
        )

    def _latest(self, rows: sqlite3.Connection, prompt_id: str) -> StoredPrompt:
        return _prompt(self._row(rows, prompt_id))

    def _row(self, rows: sqlite3.Connection, prompt_id: str) -> sqlite3.Row:
        row: sqlite3.Row | None = rows.execute(f"{_LATEST} AND p.id = ?", (prompt_id,)).fetchone()
        if row is None:
            raise _unknown(prompt_id)
        return row

    def _number(self, rows: sqlite3.Connection, prompt_id: str) -> int:
        row = rows.execute("SELECT number FROM prompts WHERE id = ?", (prompt_id,)).fetchone()
        if row is None:
            raise _unknown(prompt_id)
        return int(row["number"])


def _unknown(prompt_id: str) -> UnknownPrompt:
    return UnknownPrompt(f"There is no stored prompt {prompt_id[:100]}.")


def _prompt(row: sqlite3.Row) -> StoredPrompt:
    return StoredPrompt(row["id"], row["created"], _version(row))


def _version(row: sqlite3.Row) -> Version:
    content = Content(row["display_name"], json.loads(row["content"]), row["description"], json.loads(row["metadata"]))
    return Version(row["prompt"], row["number"], row["saved"], content)
