"""What came to the texts of runs under way since their rows were written: a row a second for each, instead of the whole text again.

Rows are added only, and go away when the run's own rows are written anew, at the latest with its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, select

from core.run import RunSnapshot
from core.storage.schema import run_pieces

Pieces = Sequence[Row[Any]]
_FORGET: Final = delete(run_pieces).where(run_pieces.c.run_pk == bindparam("b_pk"))


def lengths(run: RunSnapshot) -> dict[int, int]:
    """How many characters each choice has."""
    return {index: len(choice.text) for index, choice in run.choices.items()}


def since(run: RunSnapshot, known: Mapping[int, int]) -> dict[str, str]:
    """The text of each choice behind the ``lengths`` known of it, as it is stored; choices without any are left out."""
    return {str(index): text[known[index] :] for index, (text, _) in run.choices.items() if len(text) > known[index]}


def pieces_of(connection: Connection, pks: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """Every piece of runs, in order, by their keys."""
    found: dict[int, list[Row[Any]]] = {}
    if pks:
        asked = select(run_pieces).where(run_pieces.c.run_pk.in_(pks)).order_by(run_pieces.c.run_pk, run_pieces.c.number)
        for row in connection.execute(asked):
            found.setdefault(row.run_pk, []).append(row)
    return found


def whole(choices: Sequence[Mapping[str, Any]], pieces: Pieces) -> list[dict[str, Any]]:
    """Stored choices, and behind them what ``pieces`` have."""
    parts: dict[int, list[str]] = {}
    for piece in pieces:
        for index, text in piece.texts.items():
            parts.setdefault(int(index), []).append(text)
    return [{**choice, "text": "".join([choice["text"], *parts.get(choice["index"], ())])} for choice in choices]


def forget(connection: Connection, pks: Sequence[int]) -> None:
    """Remove the pieces of runs whose rows have their whole texts now."""
    if pks:
        connection.execute(_FORGET, [{"b_pk": pk} for pk in pks])
