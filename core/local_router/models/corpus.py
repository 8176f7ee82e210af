"""The text the local model learns from: Python's own reference, which every Python carries as ``pydoc_data.topics``."""

from __future__ import annotations

import re

WRAP_COLUMNS = 70
"""The width at which the reference's paragraphs are wrapped."""

_LEAD = re.compile(r"(?P<indent> *)(?P<mark>(?:\* |\d+\. |\[\d+\] )?)")
_UNDERLINE = re.compile(r"\W{3,}")


def topics() -> tuple[str, ...]:
    """About 80 texts, 465,000 characters together, in the order of their names (the same on every machine with the same Python).

    Wrapped paragraphs are made whole, as a person's prompt is not wrapped at 70 columns either.
    """
    from pydoc_data.topics import topics as reference  # 0.5 MB that only this model needs

    return tuple(unwrap(reference[name]) for name in sorted(reference))


def unwrap(text: str) -> str:
    """``text`` with the line breaks taken out that stand there only because the next word did not fit into 70 columns.

    Code, tables, headings and lists keep theirs: a break goes only between two lines that start in the same column,
    and only if the second line's first word would have made the first one too long.
    """
    lines: list[str] = []
    previous = ""  # the last line as it stands in the source: a joined line is longer than what was wrapped
    for line in text.split("\n"):
        if lines and _is_wrapped(previous, line):
            glue = "" if re.search(r"\w-$", lines[-1]) else " "
            lines[-1] += glue + line.strip()
            previous = " " * _column(previous) + line.strip()
        else:
            lines.append(line)
            previous = line
    return "\n".join(lines)


def _column(line: str) -> int:
    """Where the text of a line starts, after indentation and a list's mark."""
    lead = _LEAD.match(line)
    return lead.end() if lead else 0


def _is_wrapped(line: str, following: str) -> bool:
    word = following.split(maxsplit=1)[0] if following.strip() else ""
    if not line.strip() or not word or word.startswith(("|", "+")) or _UNDERLINE.fullmatch(word):
        return False
    starts_list = _column(following) != len(following) - len(following.lstrip())
    if starts_list or _column(line) != _column(following):
        return False
    hyphened = re.search(r"\w-$", line)  # the wrapper breaks after a hyphen too
    first_part = re.split(r"(?<=\w-)(?=\w)", word)[0]
    return len(line) + (0 if hyphened else 1) + len(first_part) > WRAP_COLUMNS
