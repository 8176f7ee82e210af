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
_PART = TARGET - OVERLAP  # so that an overlap and a part always fit into one chunk

_PARAGRAPH = re.compile(r"\n(?:[ \t]*\n)+")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])|\n")
_WORD = re.compile(r"\s+")
_NO_SPACE = re.compile(r"\S")
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
    """Pieces that fit into a chunk, each with what joins it to the one before."""
    for paragraph in _PARAGRAPH.split(text):
        glue = "\n\n"
        for part, inner in _sentences(paragraph.rstrip()):
            yield part, glue or inner
            glue = ""


def _sentences(paragraph: str) -> Iterator[tuple[str, str]]:
    """A paragraph whole when it fits, else its sentences, those that are too long in pieces; each with the white space before it."""
    if len(paragraph) <= _PART:
        yield from [(paragraph, "")] if paragraph.strip() else []
        return
    begin, glue = 0, ""
    for end, after in [*(found.span() for found in _SENTENCE.finditer(paragraph)), (len(paragraph), len(paragraph))]:
        for piece, inner in _words(paragraph, begin, end):
            yield piece, glue or inner
            glue = ""
        begin, glue = after, glue + paragraph[end:after]


def _words(text: str, begin: int, end: int) -> Iterator[tuple[str, str]]:
    """``text[begin:end]`` whole when it fits, else cut at the last white space that leaves a piece that fits, else between characters."""
    glue = ""
    while end - begin > _PART:
        cut = next((at for at in range(begin + _PART, begin, -1) if text[at].isspace()), 0)
        after = _NO_SPACE.search(text, cut, end) if cut else None
        if not cut or after is None:
            cut = _between_characters(text, begin)
        if text[begin:cut].strip():
            yield text[begin:cut], glue
        glue = text[cut : after.start()] if after else ""
        begin = after.start() if after else cut
    if text[begin:end].strip():
        yield text[begin:end], glue


def _between_characters(text: str, begin: int) -> int:
    """Where to cut text without a space: not between what a person sees as one character, unless that is longer than half a piece."""
    cut = begin + _PART
    while cut > begin + _PART // 2 and _joined(text, cut):
        cut -= 1
    return cut if cut > begin + _PART // 2 else begin + _PART


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
