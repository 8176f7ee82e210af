"""Cutting text into chunks: whole paragraphs where they fit, else sentences, else words; each a little larger than needed.

A chunk has about `TARGET` characters and at most `LONGEST`. It begins with the end of the one before (up to `OVERLAP` characters, whole
sentences or words), so that what stands at a cut is found too. The text is put into Unicode's composed form first, and a cut never
parts a character from its accents, an emoji from its modifiers, or a flag's two letters, unless those alone are longer than a chunk.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

TARGET = 1_000
LONGEST = 1_200
OVERLAP = 120

_PARAGRAPH = re.compile(r"\n(?:[ \t]*\n)+")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])|\n")
_WORD = re.compile(r"\s+")
_SPACES_AT_END = re.compile(r"[ \t\f\v\u00a0]+(?=\n|$)")
_JOINER = "\u200d"


def chunks(text: str) -> list[str]:
    """``text`` in pieces, in order, none of them blank; nothing but white space at the cuts is left out."""
    pieces: list[str] = []
    current = ""
    for part, glue in _parts(clean(text)):
        if current and len(current) + len(glue) + len(part) > TARGET:
            pieces.append(current)
            current = _tail(current, LONGEST - len(part) - len(glue))
        current = current + glue + part if current else part
    if current:
        pieces.append(current)
    return pieces


def clean(text: str) -> str:
    """``text`` with one kind of line break, no NULs or broken surrogates, no spaces at line ends, composed characters."""
    text = text.encode("utf-8", "replace").decode() if not text.isascii() else text
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").replace("\ufeff", "")
    return unicodedata.normalize("NFC", _SPACES_AT_END.sub("", text)).strip("\n")


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """The smallest pieces that need not be cut further, each with what joins it to the one before."""
    for paragraph in _PARAGRAPH.split(text):
        glue = "\n\n"
        for part, inner in _cut(paragraph.rstrip(), (_SENTENCE, _WORD)):
            yield part, glue if glue == "\n\n" else inner
            glue = ""


def _cut(text: str, marks: tuple[re.Pattern[str], ...]) -> Iterator[tuple[str, str]]:
    """``text`` whole when it fits, else cut at the first kind of mark, and what is still too long at the next, or anywhere."""
    if len(text) <= TARGET - OVERLAP:
        if text.strip():
            yield text, ""
        return
    if not marks:
        yield from ((piece, "") for piece in _anywhere(text))
        return
    begin, glue = 0, ""
    for mark in marks[0].finditer(text):
        yield from _glued(_cut(text[begin : mark.start()], marks[1:]), glue)
        begin, glue = mark.end(), mark.group()
    yield from _glued(_cut(text[begin:], marks[1:]), glue)


def _glued(parts: Iterator[tuple[str, str]], glue: str) -> Iterator[tuple[str, str]]:
    for index, (part, inner) in enumerate(parts):
        yield part, inner if index else glue


def _anywhere(text: str) -> Iterator[str]:
    """Text without a space, in pieces that fit, cut between characters as a person sees them."""
    length = TARGET - OVERLAP
    begin = 0
    while len(text) - begin > length:
        end = begin + length
        while end > begin + length // 2 and _joined(text, end):
            end -= 1
        if end == begin + length // 2:
            end = begin + length
        yield text[begin:end]
        begin = end
    yield text[begin:]


def _joined(text: str, cut: int) -> bool:
    """Whether the characters on both sides of ``cut`` belong together."""
    before, after = text[cut - 1], text[cut]
    extends = unicodedata.category(after) in ("Mn", "Me", "Mc") or after == _JOINER or "\U0001f3fb" <= after <= "\U0001f3ff"
    flags = "\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff"
    return extends or before == _JOINER or (flags and _flag_letters_before(text, cut) % 2 == 1)


def _flag_letters_before(text: str, cut: int) -> int:
    count = 0
    while count < cut and "\U0001f1e6" <= text[cut - 1 - count] <= "\U0001f1ff":
        count += 1
    return count


def _tail(chunk: str, room: int) -> str:
    """The end of a chunk that the next one repeats: whole sentences, else words, of at most `OVERLAP` characters and ``room``."""
    size = min(OVERLAP, room, len(chunk) - 1)
    if size <= 0:
        return ""
    window = chunk[-size:]
    for mark in (_SENTENCE, _WORD):
        starts = [found.end() for found in mark.finditer(window) if window[found.end() :].strip()]
        if starts:
            return window[starts[0] :].lstrip("\n")
    return ""
