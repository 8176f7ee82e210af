"""What the library is asked: which presets, in which order, from where on."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, ColumnElement, func, literal, or_, select, tuple_, type_coerce

from core.preset.content import Content, Kind, models_of, prompts_of
from core.preset.preset import Label, Preset
from core.storage.column_types import Moment
from core.storage.full_text import terms_of, words_of
from core.storage.schema import preset_tags, presets

PresetSort = Literal["saved_at", "created_at", "sort_name"]
SEARCHED: Final = 4_000
"""Characters of a preset's different words that are searched: its name, tags, folder, description and models first, then its prompts."""


@dataclass(frozen=True, slots=True)
class PresetFilter:
    """Which presets: those that fit every field that is set; of ``tags``, all of them. Archived ones only with ``archived``.

    ``text`` asks for words, or parts of them, all of which are somewhere in what ``search_words`` has. ``folder`` has those in folders
    below it, too; an empty text is the folder of none, None any.
    """

    ids: tuple[str, ...] = ()
    text: str = ""
    tags: tuple[str, ...] = ()
    folder: str | None = None
    kind: Kind | None = None
    starred: bool = False
    archived: bool = False

    def conditions(self, owner: str, dialect: str) -> list[ColumnElement[bool]]:
        """The same as SQL, over ``presets`` of ``owner``."""
        kept = presets.c.archived_at.is_not(None) if self.archived else presets.c.archived_at.is_(None)
        found = [presets.c.owner == owner, presets.c.deleted_at.is_(None), kept]
        if self.ids:
            found.append(presets.c.id.in_(self.ids))
        if self.kind:
            found.append(presets.c.kind == self.kind)
        if self.starred:
            found.append(presets.c.starred.is_(True))
        if self.folder is not None:
            below = presets.c.folder.startswith(f"{self.folder}/", autoescape=True)
            found.append(or_(presets.c.folder == self.folder, below) if self.folder else presets.c.folder == "")
        for tag in self.tags:
            found.append(presets.c.pk.in_(select(preset_tags.c.preset_pk).where(preset_tags.c.owner == owner, preset_tags.c.tag == tag)))
        place = func.instr if dialect == "sqlite" else func.strpos
        return found + [place(presets.c.words, word) > 0 for word in self.words]

    @property
    def words(self) -> tuple[str, ...]:
        """The words of ``text`` as they are looked for, each once, the longest first: it fits least."""
        return tuple(sorted({word for words, _ in terms_of(self.text) for word in words}, key=lambda word: (-len(word), word)))


def search_words(label: Label, content: Content) -> str:
    """What a preset is found by, folded as runs are, each word once."""
    texts = (label.name, *label.tags, label.folder, label.description, *models_of(content), *prompts_of(content))
    words = dict.fromkeys(words_of([text[: 4 * SEARCHED] for text in texts]).split(" "))
    return " ".join(words)[:SEARCHED]


@dataclass(frozen=True, slots=True)
class PresetOrder:
    """By a column, then by the order in which presets were made."""

    column: PresetSort = "saved_at"
    descending: bool = True

    def by(self) -> list[ColumnElement[Any]]:
        """What to order by."""
        keys: list[ColumnElement[Any]] = [presets.c[self.column], presets.c.pk]
        return [key.desc() for key in keys] if self.descending else keys

    def stored(self) -> ColumnElement[Any]:
        """The column's value as it is stored."""
        column = presets.c[self.column]
        return type_coerce(column, BigInteger) if isinstance(column.type, Moment) else column

    def behind(self, cursor: str) -> ColumnElement[bool]:
        """The condition of a page behind ``cursor``. ValueError for what is none of this order."""
        try:
            column, descending, value, pk = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        except (ValueError, TypeError):
            raise ValueError("This is no cursor of a page.") from None
        wanted = str if self.column == "sort_name" else int
        if column != self.column or descending != self.descending or type(pk) is not int or type(value) is not wanted:
            raise ValueError("This cursor belongs to another order.")
        here, there = tuple_(self.stored(), presets.c.pk), tuple_(literal(value), literal(pk))
        return here < there if self.descending else here > there

    def cursor(self, value: Any, pk: int) -> str:
        """The cursor of the page behind a row."""
        return base64.urlsafe_b64encode(json.dumps([self.column, self.descending, value, pk]).encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class PresetPage:
    """Presets in order, the cursor of the next page (None when this is the last), and how many presets the filter has."""

    presets: Sequence[Preset]
    next: str | None
    count: int
