"""Shares on both databases: whoever has the link reads, only the maker sees it listed and takes it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.share.freezing import freeze
from core.share.snapshot import Snapshot
from core.share.subject import preset_subject, run_subject
from core.storage.database import Database
from core.storage.schema import shares
from core.storage.share_repository import NoShare, ShareRepository
from tests.core.storage import samples

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


def snapshot(prompt: str = "Once upon a time") -> Snapshot:
    return freeze(preset_subject({"body": samples.body(prompt=prompt), "extra": ""}))


def why_not(repository: ShareRepository, share_id: str) -> str:
    with pytest.raises(NoShare) as refused:
        repository.read(share_id)
    return refused.value.cause


def stored(database: Database, share_id: str) -> bytes | None:
    with database.read() as connection:
        found: bytes | None = connection.execute(select(shares.c.snapshot).where(shares.c.id == share_id)).scalar()
        return found


@pytest.mark.parametrize("run", [samples.run(), samples.everything()])
def test_snapshot_comes_back_as_it_was_made_to_whoever_has_the_link(database: Database, run):
    made = freeze(run_subject(run), hidden=["thread", "base_url"])
    row = ShareRepository(database, "ada").add(made, "A run \0 of mine")
    assert ShareRepository(database, "bob").read(row.id) == made
    assert (row.kind, row.hidden, row.state, row.views) == ("run", made.hidden, "open", 0)


def test_visits_are_counted_and_reloads_are_not(database: Database, clock: Clock):
    repository = ShareRepository(database, now=clock)
    row = repository.add(snapshot(), "t")
    repository.read(row.id)
    clock.moment += timedelta(minutes=1)
    repository.read(row.id)
    repository.read(row.id, count=False)
    (listed,) = repository.rows()
    assert (listed.views, listed.viewed_at) == (2, clock.moment)


def test_list_has_only_the_owners_newest_first(database: Database, clock: Clock):
    mine, other = ShareRepository(database, "ada", now=clock), ShareRepository(database, "bob", now=clock)
    for title in ("one", "two"):
        mine.add(snapshot(), title)
        clock.moment += timedelta(seconds=1)
    other.add(snapshot(), "not mine")
    assert [row.title for row in mine.rows()] == ["two", "one"]


def test_expired_link_says_so_and_its_snapshot_is_deleted(database: Database, clock: Clock):
    repository = ShareRepository(database, now=clock)
    row = repository.add(snapshot(), "t", expires_at=NOON + timedelta(hours=1))
    repository.read(row.id)
    clock.moment += timedelta(hours=1)
    assert why_not(repository, row.id) == "This link has expired."
    assert [listed.state for listed in repository.rows()] == ["expired"]
    assert stored(database, row.id) is None


def test_revoked_link_says_so_and_its_snapshot_is_deleted_at_once(database: Database):
    repository = ShareRepository(database)
    row = repository.add(snapshot(), "t")
    assert repository.revoke(row.id)
    assert stored(database, row.id) is None
    assert why_not(repository, row.id) == "Whoever shared this took it back."
    assert not repository.revoke(row.id)
    assert [listed.state for listed in repository.rows()] == ["revoked"]


def test_only_the_maker_revokes_and_forgets(database: Database):
    row = ShareRepository(database, "ada").add(snapshot(), "t")
    assert not ShareRepository(database, "bob").revoke(row.id)
    ShareRepository(database, "ada").revoke(row.id)
    ShareRepository(database, "bob").forget(row.id)
    assert len(ShareRepository(database, "ada").rows()) == 1


def test_only_a_link_that_is_over_can_be_taken_off_the_list(database: Database):
    repository = ShareRepository(database)
    row = repository.add(snapshot(), "t")
    repository.forget(row.id)
    assert len(repository.rows()) == 1
    repository.revoke(row.id)
    repository.forget(row.id)
    assert repository.rows() == ()
    assert why_not(repository, row.id) == "Nothing is shared under this link."


@pytest.mark.parametrize("share_id", ["", "x", "../../etc/passwd", "a" * 23, "ü" * 22, "' OR 1=1 --xxxxxxxxxxx", "a" * 100_000])
def test_what_is_no_id_is_not_looked_up(database: Database, share_id: str):
    assert why_not(ShareRepository(database), share_id) == "This link is not whole."


def test_ids_are_not_guessed(database: Database):
    repository = ShareRepository(database)
    ids = {repository.add(snapshot(), "t").id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(one) == 22 for one in ids)
    assert why_not(repository, "a" * 22) == "Nothing is shared under this link."


def test_expiry_that_has_passed_is_refused(database: Database, clock: Clock):
    with pytest.raises(ValueError, match="expire"):
        ShareRepository(database, now=clock).add(snapshot(), "t", expires_at=NOON)
