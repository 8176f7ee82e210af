"""Text to token ids and back, without loss."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

END_OF_TEXT = 0
"""The id of the token that begins and ends every text learned from; it stands for no characters."""

LONGEST_PIECE = 24
"""Characters of an unknown word that are looked up at once."""

_PIECES = re.compile(r" ?\w+| ?(?:[*=~\-]{3,}|[^\w\s])|\s+(?!\S)|\s+")


def split(text: str) -> list[str]:
    """Words and punctuation, each with the one space before it, and runs of white space; joined they are ``text`` again."""
    return _PIECES.findall(text)


class Tokenizer:
    """A vocabulary of the pieces that some texts are made of, and 256 byte tokens for everything else.

    Id 0 is the end of a text, ids from 1 are pieces by falling frequency (then by the alphabet), and the last 256 ids are bytes.
    A piece that is not in the vocabulary is cut into the longest pieces that are, and characters nobody has seen into the
    bytes of their UTF-8 form: unknown words cost tokens too, and nothing is lost.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        counts = Counter(piece for text in texts for piece in split(text))
        pieces = sorted(counts, key=lambda piece: (-counts[piece], piece))
        self.vocabulary_size = len(pieces) + 1
        """Tokens a model can have learned: the end of a text and every known piece, but no bytes."""
        self._ids = {piece: number for number, piece in enumerate(pieces, 1)}
        self._texts = ["", *pieces]

    def encode(self, text: str, limit: int | None = None) -> list[int]:
        """The ids of ``text``; at most ``limit`` + 1 of them, so that a text far too long costs no time."""
        ids: list[int] = []
        known = self._ids
        for match in _PIECES.finditer(text):
            piece = match.group()
            number = known.get(piece)
            if number is not None:
                ids.append(number)
            else:
                self._encode_unknown(piece, ids, limit)
            if limit is not None and len(ids) > limit:
                return ids[: limit + 1]
        return ids

    def _encode_unknown(self, piece: str, ids: list[int], limit: int | None) -> None:
        position = 0
        while position < len(piece) and (limit is None or len(ids) <= limit):
            for length in range(min(LONGEST_PIECE, len(piece) - position), 0, -1):
                number = self._ids.get(piece[position : position + length])
                if number is not None:
                    ids.append(number)
                    position += length
                    break
            else:
                ids.extend(self.vocabulary_size + byte for byte in piece[position].encode("utf-8", "surrogatepass"))
                position += 1

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ``ids``; bytes that are not UTF-8 (part of a character) become U+FFFD."""
        data = b"".join(self._bytes(number) for number in ids)
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace")

    def _bytes(self, number: int) -> bytes:
        if number < self.vocabulary_size:
            return self._texts[number].encode("utf-8")
        return bytes((number - self.vocabulary_size,))

    def ends_in_lone_space(self, ids: Sequence[int]) -> bool:
        """Whether a text ends in one space that would be the beginning of the next word's token, had the text not ended there."""
        return len(ids) > 1 and ids[-1] == self._ids.get(" ")

    def is_spaced_word(self, number: int) -> bool:
        """Whether a token is one space with something else behind it."""
        return self._texts[number].startswith(" ") and not self._texts[number].isspace()

    def text(self, number: int) -> str:
        """The characters of one token of the vocabulary (not of a byte token)."""
        return self._texts[number]
