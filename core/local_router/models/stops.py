"""Ending a text before a stop sequence, wherever the tokens are cut."""

from __future__ import annotations

from collections.abc import Sequence


class StopFilter:
    """Takes a text piece by piece and gives out what certainly stands before every stop sequence.

    What could be the beginning of a stop is held back until more text tells. ``stops`` are not empty strings.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.stopped = False
        """True once a stop sequence was met; everything from its first character on is dropped."""

    def feed(self, piece: str) -> str:
        """What can be given out now that ``piece`` came."""
        if not self._stops:
            return piece
        text = self._held + piece
        met = [place for place in (text.find(stop) for stop in self._stops) if place >= 0]
        if met:
            self.stopped = True
            self._held = ""
            return text[: min(met)]
        keep = self._possible_start(text)
        self._held = text[keep:]
        return text[:keep]

    def flush(self) -> str:
        """What was held back, once no more text comes."""
        held, self._held = self._held, ""
        return held

    def _possible_start(self, text: str) -> int:
        """Where the longest end of ``text`` begins that is the beginning of a stop; the text's length when there is none."""
        longest = max(map(len, self._stops)) - 1
        for place in range(max(0, len(text) - longest), len(text)):
            if any(stop.startswith(text[place:]) for stop in self._stops):
                return place
        return len(text)
