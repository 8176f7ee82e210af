"""The text in a file: .txt, .md, .html and .pdf, told apart by the name's ending. Every refusal is one sentence with a next step."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from core.local_router.knowledge.html_text import html_text

if TYPE_CHECKING:
    from pypdf import PdfReader

LARGEST_BYTES = 20_000_000
MOST_CHARACTERS = 5_000_000
MOST_PAGES = 5_000

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_TOO_MANY_CONTROLS = 0.01  # of all characters: more is no text


def extract(name: str, content: bytes) -> str:
    """The text of a file called ``name``; ValueError when it holds none that can be read, or too much."""
    suffix = PurePosixPath(name.lower()).suffix
    reader = _READERS.get(suffix)
    if reader is None:
        raise ValueError(f"{name} is of a kind that cannot be read; add {', '.join(sorted(_READERS))} files.")
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"{name} has {len(content):,} bytes, more than {LARGEST_BYTES:,}; split it into smaller files.")
    if not content:
        raise ValueError(f"{name} is empty; choose a file with text in it.")
    text = reader(name, content)
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"{name} has {len(text):,} characters of text, more than {MOST_CHARACTERS:,}; split it into smaller files.")
    if not text.strip():
        raise ValueError(f"{name} holds no text; choose a file with text in it.")
    return text


def decode(name: str, content: bytes) -> str:
    """Bytes as text: UTF-8 or UTF-16 by their mark, else UTF-8, else Windows-1252 or Latin-1; ValueError for what is no text."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16", "replace")
    else:
        text = _decode_bytes(content.removeprefix(codecs.BOM_UTF8))
    if len(_CONTROLS.findall(text)) > _TOO_MANY_CONTROLS * len(text):
        raise ValueError(f"{name} is not text, whatever its name says; save it as UTF-8 text and add that.")
    return _CONTROLS.sub("", text)


def _decode_bytes(content: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _html_text(name: str, content: bytes) -> str:
    return html_text(decode(name, content))


def _pdf_text(name: str, content: bytes) -> str:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ValueError(f"{name} is protected by a password; save a copy without one and add that.")
        text = _pages(name, reader)
    except ValueError:
        raise
    except DependencyError:
        raise ValueError(f"{name} is encrypted in a way that cannot be read here; save a copy without protection and add that.") from None
    except (PyPdfError, RecursionError, OverflowError, ArithmeticError, LookupError, TypeError, AttributeError, OSError) as error:
        raise ValueError(f"{name} cannot be read as PDF ({type(error).__name__}); save it again from the program it came from.") from error
    if not text.strip():
        raise ValueError(f"{name} has pages but no text, as scans do; run text recognition (OCR) over it and add the result.")
    return text


def _pages(name: str, reader: PdfReader) -> str:
    if len(reader.pages) > MOST_PAGES:
        raise ValueError(f"{name} has {len(reader.pages):,} pages, more than {MOST_PAGES:,}; split it into smaller files.")
    texts: list[str] = []
    characters = 0
    for page in reader.pages:
        texts.append(page.extract_text())
        characters += len(texts[-1])
        if characters > MOST_CHARACTERS:
            break  # the caller says what is wrong
    return "\n\n".join(texts)


_READERS: dict[str, Callable[[str, bytes], str]] = {
    ".txt": decode,
    ".md": decode,
    ".html": _html_text,
    ".htm": _html_text,
    ".pdf": _pdf_text,
}
SUFFIXES = tuple(_READERS)
"""The endings of file names that can be read."""
