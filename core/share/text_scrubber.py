"""Takes what was left out of a snapshot out of the texts that stay in it: an answer may repeat its prompt, an error quote a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

MASK: Final = "**********"
PHRASE: Final = 5
"""Words in a row that a longer value is recognised by; a shorter one is recognised as a whole."""
SHORTEST: Final = 3
"""Characters of a single word that is looked for. A shorter one would tear every text apart."""

_WORD: Final = re.compile(r"\\u[0-9a-fA-F]{4}|\\[abfnrtv\"/\\]|([^\W_぀-ヿ㐀-鿿가-힯]+|[぀-ヿ㐀-鿿가-힯])")
"""A word, or one character of a script without spaces. Escapes of JSON are taken first, so that ``\\nname`` is found as ``name``."""

_KEY_LIKE: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
    r"|\beyJ[\w-]{8,4000}\.[\w-]{8,4000}\.[\w-]{4,4000}"
    r"|\b(?:sk|pk|rk|xai|gsk|hf|ghp|gho|ghu|ghs|glpat|npm|pypi|xox[abeprs])[-_][\w-]{12,400}"
    r"|\bgithub_pat_\w{12,400}|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,50}"
    r"|(?i:\bbearer)\s{1,4}[\w.~+/-]{16,4000}={0,2}"
)
"""What keys of well-known makers look like."""

SECRET_NAME: Final = re.compile(
    r"(?i)(?:^|[_\-.])(?:authorization|password|passwd|secret|token|credential|cookie|api[_-]?key|access[_-]?key|private[_-]?key)s?$"
)


class TextScrubber:
    """``values`` are pairs of a mark and a text that is to be found nowhere; ``secrets`` are masked as they stand, wherever they do.

    Words are compared without regard to case, spaces and punctuation: a phrase of a hidden text is found with other line breaks, too.
    """

    def __init__(self, values: Iterable[tuple[str, str]] = (), secrets: Iterable[str] = ()) -> None:
        self._phrases: dict[int, dict[tuple[str, ...], str]] = {}
        self._literals: list[tuple[str, str]] = []
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)
        for mark, value in values:
            self._learn(mark, value)

    def _learn(self, mark: str, value: str) -> None:
        words = [_folded(found[1]) for found in _WORD.finditer(value) if found[1]]
        size = min(PHRASE, len(words))
        if size == 0:
            if len(value.strip()) >= SHORTEST:
                self._literals.append((value.strip(), mark))
            return
        if size == 1 and len(words[0]) < SHORTEST:
            return
        phrases = self._phrases.setdefault(size, {})
        for start in range(len(words) - size + 1):
            phrases.setdefault(tuple(words[start : start + size]), mark)

    def text(self, text: str) -> str:
        """``text`` without any of it, and without lone surrogates, which no page and no file can hold."""
        text = mended(text)
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = _KEY_LIKE.sub(MASK, text)
        for value, mark in self._literals:
            text = text.replace(value, mark)
        return self._without_phrases(text) if self._phrases else text

    def _without_phrases(self, text: str) -> str:
        found = [match for match in _WORD.finditer(text) if match[1]]
        words = [_folded(match[1]) for match in found]
        marks: list[str | None] = [None] * len(words)
        for size, phrases in sorted(self._phrases.items(), reverse=True):
            for start in range(len(words) - size + 1):
                mark = phrases.get(tuple(words[start : start + size]))
                if mark is not None:
                    for place in range(start, start + size):
                        marks[place] = marks[place] or mark
        pieces, at, place = [], 0, 0
        while place < len(words):
            mark = marks[place]
            if mark is None:
                place += 1
                continue
            pieces += [text[at : found[place].start(1)], mark]
            while place < len(words) and marks[place] == mark:
                at = found[place].end(1)
                place += 1
        return "".join(pieces) + text[at:] if pieces else text

    def json(self, value: Any) -> Any:
        """A JSON value with every text in it scrubbed, names of fields too; what stands under a name that says *secret* is masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.json(item) for item in value]
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._under(str(name), inner) for name, inner in value.items()}
        return value

    def _under(self, name: str, value: Any) -> Any:
        secret = SECRET_NAME.search(name) and isinstance(value, str | list | tuple | Mapping) and value
        return MASK if secret else self.json(value)


def _folded(word: str) -> str:
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()


def mended(text: str) -> str:
    """``text`` as UTF-8 can hold it: halves of an emoji joined, or U+FFFD where the other half is missing."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def looks_like_key(text: str) -> bool:
    """Whether something in ``text`` looks like a key, and would be masked."""
    return bool(_KEY_LIKE.search(text))
