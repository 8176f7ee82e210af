"""The library of presets: every save is a version that never changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, select, update

from core.draft_store import new_draft_id
from core.preset.content import Content, content_from, digest_of
from core.preset.preset import LONGEST_NOTE, Label, NewPreset, Origin, Preset, Version, VersionHead, copy_name, label
from core.storage import preset_rows
from core.storage.database import Database
from core.storage.preset_query import PresetFilter, PresetOrder, PresetPage, search_words
from core.storage.run_repository import LOCAL
from core.storage.schema import preset_tags, preset_versions, presets

BATCH: Final = 500
LISTED: Final = tuple(column for column in presets.c if column.name not in ("words", "owner", "digest"))


class PresetRepository:
    """The presets of ``owner``; another owner's are not there. StorageProblem when the database cannot be used.

    KeyError from whatever changes a preset or version that is not there (any more).
    """

    def __init__(self, database: Database, owner: str = LOCAL, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._owner = owner
        self._now = now

    # Saving

    def add(self, new: Sequence[NewPreset]) -> tuple[Preset, ...]:
        """Keep new presets, each at version 1. InvalidPreset when one is too large; then none is kept."""
        made = [
            (new_draft_id(), one, preset_rows.label_columns(one.label, one.content) | preset_rows.content_columns(one.content))
            for one in new
        ]
        with self._database.write() as connection:
            moment = self._now()
            for preset_id, one, columns in made:
                origin = one.origin
                row = {
                    "owner": self._owner,
                    "id": preset_id,
                    "version": 1,
                    "starred": one.starred,
                    "origin_preset": origin.preset if origin else None,
                    "origin_version": origin.version if origin else None,
                    "created_at": moment,
                    "saved_at": moment,
                    **columns,
                }
                pk = int(connection.execute(presets.insert().values(**row).returning(presets.c.pk)).scalar_one())
                self._put_tags(connection, pk, one.label.tags)
                self._put_version(connection, pk, 1, one.content, moment)
            ids = [preset_id for preset_id, _, _ in made]
            found = {one.id: one for one in self._listed(connection, presets.c.id.in_(ids))}
        return tuple(found[preset_id] for preset_id in ids)

    def save(self, preset_id: str, content: Content, *, note: str = "", restored: int | None = None) -> Preset:
        """Keep the next version of a preset; what somebody saved meanwhile stays, as the version before."""
        columns = preset_rows.content_columns(content)  # refuses before anything is locked
        with self._database.write() as connection:
            row, moment = self._row(connection, preset_id), self._now()
            kept, number = preset_rows.preset(row, self._tags(connection, [row.pk]).get(row.pk, ())), row.version + 1
            values = columns | {"words": search_words(kept.label, content), "version": number, "saved_at": moment}
            connection.execute(update(presets).where(presets.c.pk == row.pk).values(**values))
            self._put_version(connection, row.pk, number, content, moment, note=note[:LONGEST_NOTE], restored=restored)
            return self._one(connection, preset_id)

    def restore(self, preset_id: str, number: int) -> Preset:
        """Make an old version the newest: a version more, with its content; the ones between stay."""
        return self.save(preset_id, self._version(preset_id, number).content, restored=number)

    def fork(self, preset_id: str, number: int | None = None, *, name: str | None = None) -> Preset:
        """A preset of its own with a version's content (the newest's without ``number``); it knows where it came from."""
        kept = self._known(preset_id)
        number = kept.version if number is None else number
        content = self._version(preset_id, number).content
        old = kept.label
        named = label(name or copy_name(old.name), old.description, old.tags, old.folder)
        return self.add([NewPreset(named, content, Origin(preset_id, number))])[0]

    def describe(self, preset_id: str, described: Label) -> Preset:
        """Give a preset another label. Its versions stay as they are."""
        with self._database.write() as connection:
            row = self._row(connection, preset_id)
            newest = (preset_versions.c.preset_pk == row.pk, preset_versions.c.number == row.version)
            content = content_from(connection.scalar(select(preset_versions.c.content).where(*newest)))
            values = preset_rows.label_columns(described, content)
            connection.execute(update(presets).where(presets.c.pk == row.pk).values(**values))
            connection.execute(delete(preset_tags).where(preset_tags.c.preset_pk == row.pk))
            self._put_tags(connection, row.pk, described.tags)
            return self._one(connection, preset_id)

    def star(self, ids: Sequence[str], starred: bool = True) -> None:
        """Star presets, or take their stars away."""
        self._update(ids, {"starred": starred})

    def archive(self, ids: Sequence[str], archived: bool = True) -> None:
        """Put presets out of the way, or back; nothing of them is lost."""
        self._update(ids, {"archived_at": self._now() if archived else None})

    def delete(self, ids: Sequence[str]) -> datetime | None:
        """Delete presets with their versions; what ``undelete`` takes to bring exactly them back, None when there were none."""
        with self._database.write() as connection:
            mine = presets.c.owner == self._owner
            moment = self._now()
            newest = connection.scalar(select(func.max(presets.c.deleted_at)).where(mine))
            if newest is not None and newest >= moment:
                moment = newest + timedelta(microseconds=1)
            chosen = (mine, presets.c.id.in_(ids), presets.c.deleted_at.is_(None))
            return moment if connection.execute(update(presets).where(*chosen).values(deleted_at=moment)).rowcount else None

    def undelete(self, deleted_at: datetime) -> int:
        """Bring back what one ``delete`` took; how many."""
        with self._database.write() as connection:
            chosen = (presets.c.owner == self._owner, presets.c.deleted_at == deleted_at)
            return connection.execute(update(presets).where(*chosen).values(deleted_at=None)).rowcount

    def purge(self, deleted_before: datetime) -> int:
        """Remove for good what was deleted before a moment; how many."""
        with self._database.write() as connection:
            return connection.execute(delete(presets).where(presets.c.owner == self._owner, presets.c.deleted_at < deleted_before)).rowcount

    # Reading

    def find(self, preset_id: str) -> Preset | None:
        """The preset, archived or not; None when there is none of this id, or it was deleted."""
        with self._database.read() as connection:
            found = self._listed(connection, presets.c.id == preset_id, presets.c.deleted_at.is_(None))
            return found[0] if found else None

    def version(self, preset_id: str, number: int) -> Version | None:
        """One version; None when there is none."""
        with self._database.read() as connection:
            asked = select(preset_versions).join(presets).where(*self._mine(preset_id), preset_versions.c.number == number)
            row = connection.execute(asked).first()
            return Version(preset_rows.head(row), content_from(row.content)) if row else None

    def versions(self, preset_id: str) -> tuple[VersionHead, ...]:
        """Every version without its content, the newest first; none of a preset that is not there."""
        heads = [column for column in preset_versions.c if column.name != "content"]
        with self._database.read() as connection:
            asked = select(*heads).join(presets).where(*self._mine(preset_id)).order_by(preset_versions.c.number.desc())
            return tuple(preset_rows.head(row) for row in connection.execute(asked))

    def page(
        self, which: PresetFilter | None = None, order: PresetOrder | None = None, *, after: str | None = None, limit: int = 50
    ) -> PresetPage:
        """At most ``limit`` presets (1 to 1,000) behind the cursor of the page before. ValueError for a cursor of another order."""
        which, order, limit = which or PresetFilter(), order or PresetOrder(), min(max(limit, 1), 1_000)
        with self._database.read() as connection:
            if which.words:
                count, rows = self._found(connection, which, order, after, limit + 1)
            else:
                count = self._count(connection, which)
                conditions = which.conditions(self._owner, self._database.dialect) + ([order.behind(after)] if after else [])
                asked = select(*LISTED, order.stored().label("sort_value")).where(*conditions).order_by(*order.by()).limit(limit + 1)
                rows = connection.execute(asked).all()
            tags = self._tags(connection, [row.pk for row in rows[:limit]])
        found = tuple(preset_rows.preset(row, tags.get(row.pk, ())) for row in rows[:limit])
        last = rows[limit - 1] if len(rows) > limit else None
        return PresetPage(found, order.cursor(last.sort_value, last.pk) if last else None, count)

    def _found(
        self, connection: Connection, which: PresetFilter, order: PresetOrder, after: str | None, limit: int
    ) -> tuple[int, Sequence[Row[Any]]]:
        """How many presets have the words, and a page of them: one way through all words, whose finds are kept and asked twice."""
        conditions = which.conditions(self._owner, self._database.dialect)
        matched = select(presets.c.pk, order.stored().label("sort_value")).where(*conditions).cte("matched")
        shown = select(matched.c.pk, matched.c.sort_value).join(presets, presets.c.pk == matched.c.pk)
        shown = (shown.where(order.behind(after)) if after else shown).order_by(*order.by()).limit(limit)
        keys = connection.execute(shown.add_columns(select(func.count()).select_from(matched).scalar_subquery().label("found"))).all()
        if not keys:
            return (self._count(connection, which) if after else 0), []
        listed = select(*LISTED, order.stored().label("sort_value")).where(presets.c.pk.in_([row.pk for row in keys])).order_by(*order.by())
        return keys[0].found, connection.execute(listed).all()

    def _count(self, connection: Connection, which: PresetFilter) -> int:
        conditions = which.conditions(self._owner, self._database.dialect)
        return connection.scalar(select(func.count()).select_from(presets).where(*conditions)) or 0

    def count(self, which: PresetFilter | None = None) -> int:
        """How many presets a filter has."""
        with self._database.read() as connection:
            return self._count(connection, which or PresetFilter())

    def empty(self) -> bool:
        """Whether there is no preset at all, archived or not."""
        with self._database.read() as connection:
            mine = (presets.c.owner == self._owner, presets.c.deleted_at.is_(None))
            return connection.execute(select(presets.c.pk).where(*mine).limit(1)).first() is None

    def folders(self) -> tuple[str, ...]:
        """Every folder that some preset is in, in order, without the empty one."""
        with self._database.read() as connection:
            asked = select(presets.c.folder).where(presets.c.owner == self._owner, presets.c.deleted_at.is_(None), presets.c.folder != "")
            return tuple(connection.execute(asked.distinct().order_by(presets.c.folder)).scalars())

    def tags(self) -> tuple[str, ...]:
        """Every tag that some preset has, in order."""
        with self._database.read() as connection:
            asked = select(preset_tags.c.tag).where(preset_tags.c.owner == self._owner).distinct().order_by(preset_tags.c.tag)
            return tuple(connection.execute(asked).scalars())

    def stream(self, which: PresetFilter | None = None) -> Iterator[tuple[Preset, Content]]:
        """Every preset of a filter with its newest content, in the order they were made."""
        conditions = (which or PresetFilter()).conditions(self._owner, self._database.dialect)
        newest = (preset_versions.c.preset_pk == presets.c.pk) & (preset_versions.c.number == presets.c.version)
        asked = (
            select(*LISTED, preset_versions.c.content).join(preset_versions, newest).where(*conditions).order_by(presets.c.pk).limit(BATCH)
        )
        last = 0
        while True:
            with self._database.read() as connection:
                rows = connection.execute(asked.where(presets.c.pk > last)).all()
                tags = self._tags(connection, [row.pk for row in rows])
            for row in rows:
                yield preset_rows.preset(row, tags.get(row.pk, ())), content_from(row.content)
            if len(rows) < BATCH:
                return
            last = rows[-1].pk

    def twin(self, described: Label, content: Content) -> Preset | None:
        """A preset of the same name and folder whose newest version is the same; None where there is none."""
        chosen = (
            presets.c.name == described.name,
            presets.c.folder == described.folder,
            presets.c.digest == digest_of(content),
            presets.c.deleted_at.is_(None),
        )
        with self._database.read() as connection:
            found = self._listed(connection, *chosen)
            return found[0] if found else None

    # Rows

    def _mine(self, preset_id: str) -> tuple[Any, ...]:
        return presets.c.owner == self._owner, presets.c.id == preset_id, presets.c.deleted_at.is_(None)

    def _known(self, preset_id: str) -> Preset:
        found = self.find(preset_id)
        if found is None:
            raise KeyError(preset_id)
        return found

    def _version(self, preset_id: str, number: int) -> Version:
        found = self.version(preset_id, number)
        if found is None:
            raise KeyError(f"{preset_id} version {number}")
        return found

    def _row(self, connection: Connection, preset_id: str) -> Row[Any]:
        """The row, locked until the transaction ends."""
        row = connection.execute(select(*LISTED).where(*self._mine(preset_id)).with_for_update()).first()
        if row is None:
            raise KeyError(preset_id)
        return row

    def _one(self, connection: Connection, preset_id: str) -> Preset:
        return self._listed(connection, *self._mine(preset_id))[0]

    def _listed(self, connection: Connection, *conditions: Any) -> list[Preset]:
        rows = connection.execute(select(*LISTED).where(presets.c.owner == self._owner, *conditions).order_by(presets.c.pk)).all()
        tags = self._tags(connection, [row.pk for row in rows])
        return [preset_rows.preset(row, tags.get(row.pk, ())) for row in rows]

    def _tags(self, connection: Connection, pks: Sequence[int]) -> dict[int, tuple[str, ...]]:
        found: dict[int, tuple[str, ...]] = {}
        if not pks:
            return found
        asked = select(preset_tags.c.preset_pk, preset_tags.c.tag).where(preset_tags.c.preset_pk.in_(pks)).order_by(preset_tags.c.tag)
        for row in connection.execute(asked):
            found[row.preset_pk] = (*found.get(row.preset_pk, ()), row.tag)
        return found

    def _update(self, ids: Sequence[str], values: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            connection.execute(update(presets).where(presets.c.owner == self._owner, presets.c.id.in_(ids)).values(**values))

    def _put_tags(self, connection: Connection, pk: int, tags: Sequence[str]) -> None:
        if tags:
            connection.execute(preset_tags.insert(), [{"preset_pk": pk, "tag": tag, "owner": self._owner} for tag in tags])

    def _put_version(
        self,
        connection: Connection,
        pk: int,
        number: int,
        content: Content,
        moment: datetime,
        *,
        note: str = "",
        restored: int | None = None,
    ) -> None:
        row = {"preset_pk": pk, "number": number, "owner": self._owner, "content": content.to_dict(), "note": note, "restored": restored}
        connection.execute(preset_versions.insert().values(**row, saved_at=moment))
