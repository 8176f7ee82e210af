"""Snapshots behind links: whoever has the link may read one, only its maker sees it listed and takes it back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from sqlalchemy import Connection, Row, or_, select, update

from core.errors import PlaygroundError, StorageUnavailable
from core.share.reading import checked_json
from core.share.snapshot import ItemName, Snapshot
from core.storage.database import Database
from core.storage.run_repository import LOCAL
from core.storage.schema import shares

MOST_LISTED: Final = 1_000
LONGEST_TITLE: Final = 200
_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")

State = Literal["open", "expired", "revoked"]


class NoShare(PlaygroundError):
    """A link that shows nothing: not whole, unknown, expired or taken back. The cause says which."""

    kind = "no_share"


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One line of what somebody shared. Times are UTC; ``expires_at`` is None for never; ``views`` counts visits, not reloads.

    ``hidden`` names what was left out; ``size_bytes`` is the snapshot as JSON, which is gone once the link is not ``open`` any more.
    """

    id: str
    kind: str
    title: str
    hidden: tuple[ItemName, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    views: int
    viewed_at: datetime | None
    size_bytes: int
    state: State


class ShareRepository:
    """The snapshots of ``owner``. StorageProblem when the database cannot be used."""

    def __init__(self, database: Database, owner: str = LOCAL, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._owner = owner
        self._now = now

    def add(self, snapshot: Snapshot, title: str, *, expires_at: datetime | None = None) -> ShareRow:
        """Keep a snapshot under a new id of 128 bits, which nobody guesses. ValueError for an expiry that has passed."""
        moment = self._now()
        if expires_at is not None and expires_at <= moment:
            raise ValueError("a link cannot expire before it is made")
        data = snapshot.to_json()
        with self._database.write() as connection:
            self._let_go(connection, moment)
            row = {
                "id": secrets.token_urlsafe(16),
                "owner": self._owner,
                "kind": snapshot.content.kind,
                "title": title[:LONGEST_TITLE],
                "hidden": list(snapshot.hidden),
                "created_at": moment,
                "expires_at": expires_at,
                "size_bytes": len(data),
                "snapshot": data,
            }
            made = connection.execute(shares.insert().values(**row).returning(*_LISTED)).one()
        return _row(made, moment)

    def read(self, share_id: str, *, count: bool = True) -> Snapshot:
        """The snapshot behind a link, whoever made it; ``count`` makes it a visit. NoShare says why there is none.

        A visit that cannot be counted (the database is locked) does not keep anybody from reading.
        """
        if not _ID.fullmatch(share_id):
            raise NoShare("This link is not whole.", "Copy all of it, or ask for it again.")
        with self._database.read() as connection:
            found = connection.execute(select(*_LISTED, shares.c.snapshot).where(shares.c.id == share_id)).one_or_none()
        if found is None:
            raise NoShare("Nothing is shared under this link.", "Check whether it is the whole link, and the right server.")
        row = _row(found, self._now())
        if row.state == "revoked":
            raise NoShare("Whoever shared this took it back.", "Ask for a new link.")
        if row.state == "expired" or found.snapshot is None:
            raise NoShare("This link has expired.", "Ask for a new link.")
        if count:
            with suppress(StorageUnavailable), self._database.write() as connection:
                seen = {"views": shares.c.views + 1, "viewed_at": self._now()}
                connection.execute(update(shares).where(shares.c.id == share_id).values(**seen))
        return checked_json(found.snapshot)

    def rows(self) -> tuple[ShareRow, ...]:
        """What the owner shared, the newest first; the snapshots of expired ones go."""
        moment = self._now()
        with suppress(StorageUnavailable), self._database.write() as connection:
            self._let_go(connection, moment)
        with self._database.read() as connection:
            asked = select(*_LISTED).where(shares.c.owner == self._owner)
            found = connection.execute(asked.order_by(shares.c.created_at.desc(), shares.c.id).limit(MOST_LISTED)).all()
        return tuple(_row(row, moment) for row in found)

    def revoke(self, share_id: str) -> bool:
        """Take a link back: its snapshot is deleted at once. False where the owner has no open one of this id."""
        with self._database.write() as connection:
            mine = (shares.c.owner == self._owner, shares.c.id == share_id, shares.c.revoked_at.is_(None))
            done = connection.execute(update(shares).where(*mine).values(revoked_at=self._now(), snapshot=None))
            return done.rowcount == 1

    def forget(self, share_id: str) -> None:
        """Take a link that is not open any more off the list; one that is open stays."""
        moment = self._now()
        with self._database.write() as connection:
            over = or_(shares.c.revoked_at.is_not(None), shares.c.expires_at <= moment)
            connection.execute(shares.delete().where(shares.c.owner == self._owner, shares.c.id == share_id, over))

    def _let_go(self, connection: Connection, moment: datetime) -> None:
        """Delete the snapshots of the owner's expired links."""
        over = (shares.c.owner == self._owner, shares.c.expires_at <= moment, shares.c.snapshot.is_not(None))
        connection.execute(update(shares).where(*over).values(snapshot=None))


_LISTED: Final = tuple(column for column in shares.c if column.name not in ("owner", "snapshot"))


def _row(found: Row[tuple[object, ...]], moment: datetime) -> ShareRow:
    values = {name: value for name, value in found._mapping.items() if name != "snapshot"}
    values["hidden"] = tuple(values["hidden"])
    over = values["expires_at"] is not None and values["expires_at"] <= moment
    state: State = "revoked" if values["revoked_at"] is not None else "expired" if over else "open"
    return ShareRow(**values, state=state)
