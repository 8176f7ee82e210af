"""Which chunks a base has, as arrays: what filters and searches agree on."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]
"""One truth value per chunk of a roster, in its order."""


def numbers(connection: sqlite3.Connection, query: str, parameters: tuple[Any, ...]) -> Numbers:
    """The column ``chunk`` of a query's rows.

    It comes as one text: a row at a time, Python's lock is given up and taken back each time, which beside busy threads takes seconds.
    """
    (text,) = connection.execute(f"SELECT group_concat(chunk) FROM ({query})", parameters).fetchone()  # noqa: S608 (ours)
    return np.fromstring(text, dtype=np.int64, sep=",") if text else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """The chunks of one base at one ``revision``: their ``numbers``, ascending, and which are ``enabled``."""

    revision: int
    numbers: Numbers
    enabled: Mask

    @classmethod
    def read(cls, connection: sqlite3.Connection, base: int, revision: int) -> Roster:
        """As the database has it."""
        every = np.sort(numbers(connection, "SELECT number AS chunk FROM chunks WHERE base = ?", (base,)))
        enabled = np.ones(len(every), dtype=bool)
        disabled = numbers(connection, "SELECT number AS chunk FROM chunks WHERE base = ? AND NOT enabled", (base,))
        enabled[np.searchsorted(every, disabled)] = False
        return cls(revision, every, enabled)

    def all(self) -> Mask:
        """Every chunk."""
        return np.ones(len(self.numbers), dtype=bool)

    def none(self) -> Mask:
        """No chunk."""
        return np.zeros(len(self.numbers), dtype=bool)

    def mask(self, numbers: Numbers | list[int]) -> Mask:
        """The chunks with these numbers; all of them must be in the roster."""
        mask = self.none()
        if len(numbers):
            mask[np.searchsorted(self.numbers, np.asarray(numbers, dtype=np.int64))] = True
        return mask

    def carried(self, mask: Mask, numbers: Numbers) -> Mask:
        """``mask`` for other ``numbers`` (ascending): False for those that are not in the roster."""
        if not len(self.numbers):
            return np.zeros(len(numbers), dtype=bool)
        rows = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        return np.asarray(mask[rows] & (self.numbers[rows] == numbers))
