"""Text from outside, shown as text."""

from __future__ import annotations

import html
import re
import unicodedata

_LINKS = re.compile(r"(?<=[hH][tT][tT][pP])(?=:)|(?<=[sS])(?=://)|(?<=[wW]{3})(?=\.)|(?=@)")
_WORD_JOINER = "\u2060"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&\"'=^])")


def plain(text: str, limit: int = 500) -> str:
    """``text`` so that Streamlit's Markdown shows it literally, on one line, at most ``limit`` characters.

    Addresses do not become links: an invisible word joiner keeps Streamlit's Markdown from making them (escapes do not).
    Control and bidirectional formatting characters are shown as their code point, so that nothing hides in a name.
    """
    return _MARKDOWN.sub(r"\\\1", _LINKS.sub(_WORD_JOINER, _line(text, limit)))


def escaped(text: str, limit: int = 500) -> str:
    """``text`` as HTML shows it literally, in an element or a quoted attribute, on one line, at most ``limit`` characters."""
    return html.escape(_line(text, limit), quote=True)


def badge_label(text: str, limit: int = 500) -> str:
    """`plain` for ``st.badge``, which escapes square brackets itself."""
    return plain(text, limit).replace("\\[", "[").replace("\\]", "]")


def one_line(text: str, limit: int = 500) -> str:
    """``text`` for what shows no Markdown, such as the options of a list to choose from: on one line, at most ``limit`` characters."""
    return _line(text, limit)


def with_controls_shown(text: str) -> str:
    """``text`` with its lines and tabs as they are, and every other control and formatting character as its code point."""
    return "".join(character if character in "\n\t" else _visible(character) for character in text)


def _line(text: str, limit: int) -> str:
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(_visible(character) for character in " ".join(cut.split()))


def _visible(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co") and character not in "\u200d\ufe0f":
        return f"⟨U+{ord(character):04X}⟩"
    return character
