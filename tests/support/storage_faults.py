"""What storage has to live with: a file system without room, and a lock that another process holds."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""
_BLOCK = 4_096


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process holds the database's lock while inside."""
    holder = subprocess.Popen([sys.executable, "-c", _LOCK, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"locked\n"
    try:
        yield
    finally:
        holder.communicate()


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[Path]:
    """A new file system of so many MiB at ``folder``; the test is skipped where none can be mounted, for that takes rights."""
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", folder]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:  # type: ignore[arg-type]
        pytest.skip("a small file system cannot be mounted here; max_page_count stands in for it in tests/core/storage/test_faults.py")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def room(folder: Path) -> int:
    """Bytes that still fit."""
    return shutil.disk_usage(folder).free


def fill(folder: Path, file: Path) -> Path:
    """Leave no room in ``folder``, nor in the write-ahead log of its database ``file``; what to remove to make room again."""
    with closing(sqlite3.connect(file, timeout=30)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as out:
        while left := room(folder) // _BLOCK * _BLOCK:
            out.write(b"x" * min(left, 2**20))
    return filler
