"""Between presets and their rows."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row

from core.preset.content import Content, digest_of, models_of, sets_of
from core.preset.preset import Label, Origin, Preset, VersionHead
from core.storage.full_text import words_of
from core.storage.preset_query import search_words

MOST_MODELS: Final = 20
"""Models that a list knows of one preset."""


def label_columns(described: Label, content: Content) -> dict[str, Any]:
    """What lists show, sort and search, of a label."""
    return {
        "name": described.name,
        "sort_name": words_of([described.name]) or described.name,
        "folder": described.folder,
        "description": described.description,
        "words": search_words(described, content),
    }


def content_columns(content: Content) -> dict[str, Any]:
    """What lists show of a content. InvalidPreset when it is too large."""
    return {
        "kind": content.kind,
        "digest": digest_of(content),
        "models": list(models_of(content))[:MOST_MODELS],
        "sets": sets_of(content),
    }


def preset(row: Row[Any], tags: tuple[str, ...]) -> Preset:
    """A preset from its row."""
    return Preset(
        id=row.id,
        kind=row.kind,
        label=Label(row.name, row.description, tags, row.folder),
        version=row.version,
        models=tuple(row.models),
        sets=row.sets,
        starred=row.starred,
        origin=None if row.origin_preset is None else Origin(row.origin_preset, row.origin_version),
        created_at=row.created_at,
        saved_at=row.saved_at,
        archived_at=row.archived_at,
        deleted_at=row.deleted_at,
    )


def head(row: Row[Any]) -> VersionHead:
    """A version's head from its row."""
    return VersionHead(row.number, row.saved_at, row.note, row.restored)
