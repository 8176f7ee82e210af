"""Files on their way: each is written in a thread of its own, can be watched and taken, and goes away an hour after it was written."""

from __future__ import annotations

import logging
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from core.errors import PlaygroundError
from core.export.run_files import FileKind, write_runs
from core.storage.packed_run import PackedRun
from core.storage.run_query import RunFilter
from core.storage.run_record import StoredRun

KEPT_S: Final = 3_600.0
TOLD_EACH: Final = 100
"""Of more runs than this the progress is told each time that so many more are written."""
log = logging.getLogger(__name__)


class Runs(Protocol):
    """Where runs come from."""

    def count(self, which: RunFilter | None = None) -> int:
        """How many a filter has."""
        ...

    def packed(self, which: RunFilter | None = None, *, lines: bool = True) -> Iterator[StoredRun | PackedRun]:
        """All of them, one after the other; without ``lines`` only what a table has."""
        ...


@dataclass(frozen=True, slots=True)
class Export:
    """One file as it is now: ``written`` of about ``total`` runs; ``path`` once it is complete; ``problem`` once it failed."""

    id: str
    kind: FileKind
    name: str
    total: int
    written: int = 0
    path: Path | None = None
    size_bytes: int = 0
    problem: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.path is not None or bool(self.problem)


class ExportJobs:
    """Exports by their unguessable ids."""

    def __init__(self, runs: Runs, clock: Callable[[], float] = time.monotonic) -> None:
        self._runs = runs
        self._clock = clock
        self._lock = threading.Lock()
        self._exports: dict[str, Export] = {}
        self._ended_at: dict[str, float] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def start(self, which: RunFilter, kind: FileKind, name: str) -> str:
        """Begin to write the runs of a filter; the export's id. StorageProblem when they cannot even be counted."""
        self._forget_old()
        total = self._runs.count(which)
        export = Export(secrets.token_urlsafe(12), kind, f"{name}.{kind}", total)
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="playground-export-")
            path = Path(self._folder.name) / export.id
            self._exports[export.id] = export
        threading.Thread(target=self._write, args=(export, which, path), name=f"export-{kind}", daemon=True).start()
        return export.id

    def find(self, export_id: str) -> Export | None:
        """The export as it is now; None when there is none (any more)."""
        self._forget_old()
        return self._exports.get(export_id)

    def close(self) -> None:
        """Remove every file."""
        with self._lock:
            self._exports.clear()
            self._ended_at.clear()
            folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()

    def _write(self, export: Export, which: RunFilter, path: Path) -> None:
        try:
            count = write_runs(
                self._runs.packed(which, lines=export.kind == "jsonl"), export.kind, path, lambda count: self._change(export, count)
            )
            done = Export(export.id, export.kind, export.name, max(count, export.total), count, path, path.stat().st_size)
        except PlaygroundError as problem:
            done = Export(export.id, export.kind, export.name, export.total, problem=f"{problem.cause} {problem.next_step}".strip())
        except Exception:
            log.exception("an export failed")
            done = Export(export.id, export.kind, export.name, export.total, problem="The file could not be written. Try again.")
        self._keep(done)

    def _change(self, export: Export, count: int) -> None:
        if count > TOLD_EACH and count % TOLD_EACH:
            return
        self._keep(Export(export.id, export.kind, export.name, max(export.total, count), count))

    def _keep(self, export: Export) -> None:
        with self._lock:
            if export.id in self._exports:
                self._exports[export.id] = export
                if export.ended:
                    self._ended_at[export.id] = self._clock()

    def _forget_old(self) -> None:
        now = self._clock()
        with self._lock:
            for export_id in [one for one, ended_at in self._ended_at.items() if now - ended_at > KEPT_S]:
                del self._exports[export_id], self._ended_at[export_id]
                if self._folder is not None:
                    (Path(self._folder.name) / export_id).unlink(missing_ok=True)
