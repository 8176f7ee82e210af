"""Values back in the place of placeholders, while the answer is still arriving."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from core.local_router.answer import Batches, Piece, Pieces


class TextRestorer:
    """Takes one choice's text piece by piece. Held back is only an end of it that may become a known placeholder."""

    def __init__(self, placeholders: PlaceholderSet) -> None:
        self._set = placeholders
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be given out now that ``piece`` came."""
        text = self._held + piece
        self._held = ""
        if "<" not in text:
            return text
        said = []
        head, *rest = text.split("<")
        said.append(head)
        for index, part in enumerate(rest):
            end = part.find(">") + 1
            candidate = "<" + (part[:end] if end else part)
            if not end and index == len(rest) - 1 and candidate in self._set.beginnings:
                self._held = candidate
            else:
                said += [self._set.originals.get(candidate, candidate), part[end:] if end else ""]
        return "".join(said)

    def flush(self) -> str:
        """What was held back, once no more text comes."""
        held, self._held = self._held, ""
        return held


class PlaceholderSet:
    """Known placeholders with their values, and every beginning of one. Each starts with its only ``<`` and ends with its only ``>``."""

    def __init__(self, originals: Mapping[str, str]) -> None:
        self.originals = originals
        self.beginnings = frozenset(placeholder[:length] for placeholder in originals for length in range(1, len(placeholder)))


class RestoredBatches:
    """An answer with its values restored, each choice on its own; counts of tokens stay as they are.

    What is held back goes out with its choice's last piece, and before an error when the answer breaks off.
    """

    def __init__(self, batches: Batches, originals: Mapping[str, str]) -> None:
        self._batches = batches
        self._set = PlaceholderSet(originals)
        self._restorers: dict[int, TextRestorer] = {}
        self._endings: deque[Exception] = deque()

    def __aiter__(self) -> RestoredBatches:
        return self

    async def __anext__(self) -> Pieces:
        if self._endings:
            raise self._endings.popleft()
        try:
            batch = await self._batches.__anext__()
        except Exception as ending:  # also StopAsyncIteration
            rest = [Piece(choice, text, None, 0) for choice, restorer in self._restorers.items() if (text := restorer.flush())]
            if not rest:
                raise
            self._endings.append(ending)
            return rest
        return [self._restored(piece) for piece in batch]

    async def aclose(self) -> None:
        """Stop the model."""
        await self._batches.aclose()

    def _restored(self, piece: Piece) -> Piece:
        restorer = self._restorers.get(piece.choice)
        if restorer is None:
            restorer = self._restorers[piece.choice] = TextRestorer(self._set)
        text = restorer.feed(piece.text)
        if piece.finish_reason is not None:
            text += restorer.flush()
        return piece if text == piece.text else piece._replace(text=text)
