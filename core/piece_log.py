"""The text of a run: pieces in order of arrival, addressed by sequence number."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import pairwise

FRAME_CHARACTERS = 65_536
"""How many characters one reading takes at most, so that a slow reader never makes the process hold more."""

Texts = dict[int, str]


class PieceLog:
    """A log that grows. Written by one thread; ``texts`` may be called by any."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, str]] = []
        self._folded: tuple[int, Texts] = (0, {})
        self.characters = 0

    def __len__(self) -> int:
        return len(self._pieces)

    def append(self, choice: int, text: str) -> None:
        """Add one piece of choice ``choice``."""
        self._pieces.append((choice, text))
        self.characters += len(text)

    def since(self, start: int, limit: int = FRAME_CHARACTERS) -> tuple[Texts, int]:
        """What came after the first ``start`` pieces, joined per choice, and the sequence number reached.

        At least one piece, then no more than fit into ``limit`` characters. Nothing for a ``start`` at or past the end.
        """
        return _gather(iter(self._pieces[start:]), start, limit)

    def texts(self) -> Texts:
        """The whole text of each choice; costs only what came since the last call."""
        done, texts = self._folded
        fresh = self._pieces[done:]
        if fresh:
            parts: dict[int, list[str]] = {}
            for choice, text in fresh:
                parts.setdefault(choice, []).append(text)
            texts = {**texts, **{choice: texts.get(choice, "") + "".join(new) for choice, new in parts.items()}}
            self._folded = (done + len(fresh), texts)
        return texts

    def packed(self) -> PackedLog:
        """The same log, closed: about a tenth of the memory."""
        return PackedLog(self.texts(), self._pieces)


class PackedLog:
    """A log that has ended: one text per choice and the pieces' lengths, so that old sequence numbers stay good."""

    @classmethod
    def of(cls, texts: Texts, count: int) -> PackedLog:
        """The log of ``texts`` cut anew into ``count`` pieces of about equal length (never an empty one), choice by choice."""
        pieces: list[tuple[int, str]] = []
        left = sum(len(text) for text in texts.values())
        for choice, text in texts.items():
            here = min(max(round((count - len(pieces)) * len(text) / left), 1), len(text)) if text else 0
            edges = [len(text) * number // here for number in range(here + 1)] if here else []
            pieces += [(choice, text[begin:end]) for begin, end in pairwise(edges)]
            left -= len(text)
        return cls(texts, pieces)

    def __init__(self, texts: Texts, pieces: list[tuple[int, str]]) -> None:
        self._texts = texts
        self._choices = array("q", (choice for choice, _ in pieces)) if len(texts) > 1 else None
        self._lengths = array("L", (len(text) for _, text in pieces))
        self.characters = sum(len(text) for text in texts.values())

    def __len__(self) -> int:
        return len(self._lengths)

    def append(self, choice: int, text: str) -> None:
        """Refused: an ended run gets no text."""
        raise ValueError("the log is closed")

    def since(self, start: int, limit: int = FRAME_CHARACTERS) -> tuple[Texts, int]:
        """As ``PieceLog.since``."""
        return _gather(self._from(start), start, limit)

    def texts(self) -> Texts:
        """The whole text of each choice."""
        return self._texts

    def packed(self) -> PackedLog:
        """Itself."""
        return self

    def _from(self, start: int) -> Iterator[tuple[int, str]]:
        only = next(iter(self._texts), 0)
        offsets = dict.fromkeys(self._texts, 0)
        for sequence, length in enumerate(self._lengths):
            choice = only if self._choices is None else self._choices[sequence]
            begin = offsets[choice]
            offsets[choice] = begin + length
            if sequence >= start:
                yield choice, self._texts[choice][begin : begin + length]


def _gather(pieces: Iterator[tuple[int, str]], start: int, limit: int) -> tuple[Texts, int]:
    parts: dict[int, list[str]] = {}
    taken = 0
    for choice, text in pieces:
        if taken and limit < len(text):
            break
        parts.setdefault(choice, []).append(text)
        limit -= len(text)
        taken += 1
    return {choice: "".join(texts) for choice, texts in parts.items()}, start + taken


class SurrogateJoiner:
    """Puts together an emoji whose two halves came in two pieces; a half that stays alone becomes U+FFFD."""

    def __init__(self) -> None:
        self.holds: dict[int, str] = {}

    def join(self, choice: int, text: str) -> str:
        """``text`` as it may be shown; a high half at its end is held back for the next piece of this choice."""
        text = self.holds.pop(choice, "") + text
        if text and "\ud800" <= text[-1] <= "\udbff":
            self.holds[choice] = text[-1]
            text = text[:-1]
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    def rest(self) -> list[tuple[int, str]]:
        """What is left for choices whose second half never came."""
        left = [(choice, "\ufffd") for choice in self.holds]
        self.holds.clear()
        return left
