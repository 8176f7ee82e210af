"""An answer on standard output, as it comes."""

from __future__ import annotations

import sys

from core.contract.response import Completion, CompletionChunk
from core.piece_log import SurrogateJoiner
from core.terminal.streams import write


class LiveText:
    """Writes the first choice to standard output as it comes, and the others after it, each under a line with its index."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._halves = SurrogateJoiner()

    def take(self, chunk: CompletionChunk) -> None:
        """Writes what is new of the first choice."""
        for choice in chunk.choices:
            if self._first is None:
                self._first = choice.index
            if choice.index == self._first and choice.text:
                write(self._halves.join(choice.index, choice.text))

    def close(self, completion: Completion) -> None:
        """Writes the other choices; ends the last line where a person reads along."""
        for _, rest in self._halves.rest():
            write(rest)
        for choice in completion.choices:
            if choice.index != self._first:
                write(f"\n\n--- choice {choice.index} ---\n{choice.text}")
        if sys.stdout.isatty():
            write("\n")
