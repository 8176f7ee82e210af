"""A preset, its versions, and what a list shows of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.errors import InvalidPreset
from core.preset.content import Content, Kind

LONGEST_NAME: Final = 200
LONGEST_DESCRIPTION: Final = 10_000
LONGEST_TAG: Final = 60
MOST_TAGS: Final = 50
LONGEST_FOLDER: Final = 200
LONGEST_NOTE: Final = 200


@dataclass(frozen=True, slots=True)
class Label:
    """What a preset is found by. ``folder`` is names joined by ``/``, empty for none; tags are in order, each once.

    Made by ``label``, which cleans and refuses.
    """

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a preset was forked from: another one's version. That one may be gone by now."""

    preset: str
    version: int


@dataclass(frozen=True, slots=True)
class Preset:
    """One preset as a list shows it; ``version`` is its newest, counted from 1. Times are aware UTC.

    ``models`` are those that it asks; ``sets`` counts fields or slots, as ``content.sets_of`` does. ``archived_at`` and ``deleted_at`` are
    None while it is neither.
    """

    id: str
    kind: Kind
    label: Label
    version: int
    models: tuple[str, ...]
    sets: int
    starred: bool
    origin: Origin | None
    created_at: datetime
    saved_at: datetime
    archived_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VersionHead:
    """A version without its content: its number from 1, when it was saved, what somebody noted, and which version it brought back."""

    number: int
    saved_at: datetime
    note: str = ""
    restored: int | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One version: it never changes."""

    head: VersionHead
    content: Content


@dataclass(frozen=True, slots=True)
class NewPreset:
    """What is to become a preset, at version 1."""

    label: Label
    content: Content
    origin: Origin | None = None
    starred: bool = False


def label(name: str, description: str = "", tags: Iterable[str] = (), folder: str = "") -> Label:
    """A label from what somebody typed: without white space at the ends, tags once each and sorted, folders without empty names.

    InvalidPreset for a name that is empty, and for what is too long.
    """
    name = " ".join(name.split())
    if not name:
        raise InvalidPreset("A preset needs a name.", "Give it one.")
    cleaned = sorted({" ".join(tag.split()) for tag in tags} - {""})
    parts = [" ".join(part.split()) for part in folder.split("/")]
    made = Label(name, description.strip(), tuple(cleaned), "/".join(part for part in parts if part))
    for what, text, most in (
        ("name", made.name, LONGEST_NAME),
        ("description", made.description, LONGEST_DESCRIPTION),
        ("folder", made.folder, LONGEST_FOLDER),
        *(("tag", tag, LONGEST_TAG) for tag in made.tags),
    ):
        if len(text) > most:
            raise InvalidPreset(f"A preset's {what} may have {most:,} characters, this one has {len(text):,}.", "Shorten it.")
    if len(made.tags) > MOST_TAGS:
        raise InvalidPreset(f"A preset may have {MOST_TAGS} tags, this one has {len(made.tags):,}.", "Take some out.")
    return made


def copy_name(name: str) -> str:
    """The name of a copy, no longer than a name may be."""
    return f"{name[: LONGEST_NAME - len(' (copy)')]} (copy)"
