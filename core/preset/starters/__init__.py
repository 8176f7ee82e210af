"""Presets to begin with: files like anybody's, which all run on the local router."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.preset.document import read_presets
from core.preset.preset import NewPreset


@dataclass(frozen=True, slots=True)
class Starter:
    """``id`` is the file's name without its number and ending: ``greedy-extraction``."""

    id: str
    preset: NewPreset


@cache
def starters() -> tuple[Starter, ...]:
    """Every starter, in the order of their files."""
    files = sorted(Path(__file__).parent.glob("*.yaml"))
    return tuple(Starter(path.stem.split("-", 1)[1], read_presets(path.read_bytes(), path.name)[0]) for path in files)


def starter(starter_id: str) -> Starter | None:
    """A starter by its id; None where there is none."""
    return next((one for one in starters() if one.id == starter_id), None)
