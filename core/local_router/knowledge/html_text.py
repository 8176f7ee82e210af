"""The text of an HTML page as a reader sees it, in time linear in its length: however deep its elements lie in one another, and however
broken it is (Python's own ``html.parser`` takes minutes for a megabyte of ``<a ``, and a tree of deep elements as long to be changed).
"""

from __future__ import annotations

import re
from collections import Counter
from html import unescape

_HIDDEN = frozenset(("script", "style", "template", "noscript", "head", "svg", "rt", "rp"))
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer"),
        *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr"),
        "ul",
    )
)
_CELLS = frozenset(("td", "th"))
_WITHOUT_END = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))

_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)((?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+)>""")
_UNSEEN = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">"), ("<?", ">"), ("</", ">"))
"""What is no tag and no text, with its end; the longer beginnings first. CDATA is text."""
_TEXT_ONLY = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style", "title", "textarea")}
"""Elements in which nothing is a tag but their own end."""


def html_text(page: str) -> str:
    """The visible text of ``page``, blocks apart by blank lines, cells by tabs; the title before it where the text does not have it."""
    seen = _Seen()
    _read(page, seen)
    text, title = "".join(seen.said), " ".join("".join(seen.title).split())
    return f"{title}\n\n{text}" if title and title not in text else text


def _read(page: str, seen: _Seen) -> None:
    """Tell ``seen`` what stands in ``page``. Where something does not end before the page does, the rest is unseen, as in browsers."""
    place = 0
    while place < len(page):
        start = page.find("<", place)
        seen.text(page[place : start if start >= 0 else len(page)])
        if start < 0:
            return
        tag = _TAG.match(page, start)
        if tag is None:
            place = _other(page, start, seen)
            continue
        name, place = tag[2].lower(), tag.end()
        if tag[1]:
            seen.end(name)
            continue
        seen.begin(name)
        if tag[3].endswith("/") and name not in _TEXT_ONLY:
            seen.end(name)
        elif name in _TEXT_ONLY:
            end = _TEXT_ONLY[name].search(page, place)
            seen.text(page[place : end.start() if end else len(page)])
            place = end.start() if end else len(page)


def _other(page: str, start: int, seen: _Seen) -> int:
    """Where to go on after a ``<`` at ``start`` that begins no whole tag."""
    if not page[start + 1 : start + 2].isalpha():
        for beginning, ending in _UNSEEN:
            if page.startswith(beginning, start):
                end = page.find(ending, start + len(beginning))
                if beginning == "<![CDATA[" and end >= 0:
                    seen.text(page[start + len(beginning) : end])
                return len(page) if end < 0 else end + len(ending)
        seen.text("<")
        return start + 1
    return len(page)  # a tag without an end


class _Seen:
    """``said`` are the pieces of text to be seen, ``title`` those of the first title. An end closes all that lies inside of its element;
    one without a beginning is nothing."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.title: list[str] = []
        self._open: list[str] = []
        self._counts: Counter[str] = Counter()
        self._hidden = 0
        self._titles = 0

    def text(self, text: str) -> None:
        """Text between tags, as it is written."""
        if self._counts["title"] and self._titles == 1:
            self.title.append(unescape(text))
        if not self._hidden:
            self.said.append(unescape(text))

    def begin(self, name: str) -> None:
        """An element begins."""
        if not self._hidden:
            follows = name in _CELLS and (self._counts["td"] or self._counts["th"])  # cells need not be closed
            self.said.append("\n\n" if name in _BLOCKS else "\n" if name == "br" else "\t" if follows else "")
        if name in _WITHOUT_END:
            self._after(name)
            return
        self._open.append(name)
        self._counts[name] += 1
        self._hidden += name in _HIDDEN
        self._titles += name == "title"

    def end(self, name: str) -> None:
        """An element ends."""
        while self._counts[name]:
            closed = self._open.pop()
            self._counts[closed] -= 1
            self._hidden -= closed in _HIDDEN
            self._after(closed)
            if closed == name:
                return

    def _after(self, name: str) -> None:
        if not self._hidden:
            self.said.append("\n\n" if name in _BLOCKS else "\t" if name in _CELLS else "")
