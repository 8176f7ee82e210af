"""A folder of preset files, such as one under git: read when it is asked for, again where a file changed, and never written.

A file that cannot be read is one fault with one sentence; the others are there all the same.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.errors import InvalidPreset
from core.preset.document import SUFFIXES, read_presets
from core.preset.preset import NewPreset

MOST_FILES: Final = 5_000
LARGEST_BYTES: Final = 8 * 1024 * 1024
FRESH_S: Final = 1.0
"""How old a listing may be before the folder is looked at again."""


@dataclass(frozen=True, slots=True)
class FolderPreset:
    """One preset of a file. ``path`` is relative, with ``/``; of a file of many ``place`` counts from 0.

    Its folder is the one its file says, else the one its file is in.
    """

    path: str
    place: int
    preset: NewPreset

    @property
    def id(self) -> str:
        """Stays the same as long as the file keeps its name and order."""
        return f"{self.path}#{self.place}"


@dataclass(frozen=True, slots=True)
class FolderFault:
    """A file that gave no presets, and why in one sentence; the path is empty for the folder itself."""

    path: str
    cause: str


@dataclass(frozen=True, slots=True)
class FolderListing:
    """What the folder holds, in the order of its paths."""

    presets: tuple[FolderPreset, ...] = ()
    faults: tuple[FolderFault, ...] = ()


Read = tuple[FolderPreset, ...] | FolderFault
Stamp = tuple[int, int, int]
"""What changes when a file does: its time of change in nanoseconds, its size, its number on the disk."""


class PresetFolder:
    """The files of ``root``; an empty listing where there is no root. Safe to call from any thread."""

    def __init__(self, root: Path | None, *, fresh_s: float = FRESH_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.root = root
        self._fresh_s = fresh_s
        self._clock = clock
        self._lock = threading.Lock()
        self._read: dict[str, tuple[Stamp, Read]] = {}
        self._listing = FolderListing()
        self._looked_at: float | None = None

    def listing(self) -> FolderListing:
        """What is there now, or was at most ``fresh_s`` seconds ago; only files that changed are read again."""
        if self.root is None:
            return self._listing
        with self._lock:
            now = self._clock()
            if self._looked_at is None or now - self._looked_at >= self._fresh_s:
                self._listing = self._look(self.root)
                self._looked_at = now
            return self._listing

    def find(self, preset_id: str) -> FolderPreset | None:
        """A preset by its id; None when it is not there (any more)."""
        return next((one for one in self.listing().presets if one.id == preset_id), None)

    def _look(self, root: Path) -> FolderListing:
        faults: list[FolderFault] = []
        kept: dict[str, tuple[Stamp, Read]] = {}
        if not root.is_dir():
            return FolderListing(faults=(FolderFault("", "The folder is not there."),))
        for path in _files(root, faults):
            name = path.relative_to(root).as_posix()
            if len(kept) == MOST_FILES:
                faults.append(FolderFault("", f"The folder has more than {MOST_FILES:,} files of presets; the rest is left out."))
                break
            try:
                found = path.stat()
                stamp = found.st_mtime_ns, found.st_size, found.st_ino
                known = self._read.get(name)
                kept[name] = known if known and known[0] == stamp else (stamp, _read(root, path, name, found.st_size))
            except OSError as problem:
                kept[name] = (0, 0, 0), FolderFault(name, f"{name} cannot be read: {problem.strerror or problem}.")
        self._read = kept
        reads = [read for _, read in kept.values()]
        faults += [read for read in reads if isinstance(read, FolderFault)]
        return FolderListing(tuple(one for read in reads if isinstance(read, tuple) for one in read), tuple(faults))


def _files(root: Path, faults: list[FolderFault]) -> Iterator[Path]:
    """The files with a known ending, in order of their paths; nothing hidden."""

    def failed(problem: OSError) -> None:
        where = Path(problem.filename).relative_to(root).as_posix() if problem.filename else ""
        faults.append(FolderFault(where, f"{where or 'The folder'} cannot be read: {problem.strerror or problem}."))

    for folder, below, names in os.walk(root, onerror=failed):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder, name)


def _read(root: Path, path: Path, name: str, size: int) -> Read:
    if not path.resolve().is_relative_to(root.resolve()):
        return FolderFault(name, f"{name} is a link to a place outside of the folder.")
    if size > LARGEST_BYTES:
        return FolderFault(name, f"{name} has more than {LARGEST_BYTES // 1024**2} MB.")
    try:
        found = read_presets(path.read_bytes(), name)
    except InvalidPreset as problem:
        return FolderFault(name, f"{problem.cause} {problem.next_step}".strip())
    around = Path(name).parent.as_posix().removeprefix(".")
    placed = (one if one.label.folder else replace(one, label=replace(one.label, folder=around)) for one in found)
    return tuple(FolderPreset(name, place, one) for place, one in enumerate(placed))
