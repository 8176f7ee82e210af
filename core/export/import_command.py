"""``python -m core import``: exported runs from a file or a pipe into the history, with a line that says how far it is."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from core.export.run_import import ImportReport, import_runs
from core.settings import Settings
from core.storage.database import Database
from core.storage.run_repository import RunRepository

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
EVERY_S: Final = 1.0


def import_command(file: str, complain: Callable[[str], None]) -> int:
    """Import ``file`` (``-`` is standard input) into the database that the environment names; gives the exit status.

    ``complain`` gets lines for a person: progress once a second, and what came of it.
    """
    try:
        settings = Settings.from_environment()
        database = Database.of(settings.data_dir, settings.database_url)
        with _opened(file) as (source, size):
            report = import_runs(source, RunRepository(database), _Progress(source, size, complain))
    except ValueError as problem:
        complain(str(problem))
        return BAD_INPUT
    except OSError as problem:
        complain(f"{file} cannot be read: {problem.strerror or problem}.")
        return BAD_INPUT
    except KeyboardInterrupt:
        complain("interrupted; what was imported until now stays, and importing the file again adds the rest")
        return INTERRUPTED
    database.close()
    complain(f"{report.sentence} The database is {database.path or database.place}.")
    return _status(report)


def _status(report: ImportReport) -> int:
    match report.stopped_by:
        case None:
            return DONE
        case "storage":
            return FAILED
        case "line":
            return BAD_INPUT


@contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """The file and its size in bytes, which standard input does not have."""
    if file == "-":
        yield sys.stdin.buffer, None
        return
    with Path(file).open("rb") as source:
        yield source, os.fstat(source.fileno()).st_size


class _Progress:
    """Says once a second how much has been read."""

    def __init__(self, source: BinaryIO, size: int | None, complain: Callable[[str], None]) -> None:
        self._source = source
        self._size = size
        self._complain = complain
        self._said_at = time.monotonic()

    def __call__(self, read: int, added: int) -> None:
        if time.monotonic() - self._said_at < EVERY_S:
            return
        self._said_at = time.monotonic()
        share = f"{self._source.tell() / self._size:.0%}, " if self._size else ""
        self._complain(f"{share}{read:,} runs read, {added:,} of them new")
