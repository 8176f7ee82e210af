"""Which chunks a base has, as arrays: what filters and searches agree on."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]
"""One truth value per chunk of a roster, in its order."""


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """The chunks of one base at one ``revision``: their ``numbers``, ascending, and which are ``enabled``."""

    revision: int
    numbers: Numbers
    enabled: Mask

    @classmethod
    def read(cls, connection: sqlite3.Connection, base: int, revision: int) -> Roster:
        """As the database has it."""
        rows = connection.execute("SELECT number, enabled FROM chunks WHERE base = ? ORDER BY number", (base,)).fetchall()
        table = np.array(rows, dtype=np.int64).reshape(-1, 2)
        return cls(revision, np.ascontiguousarray(table[:, 0]), table[:, 1].astype(bool))

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
