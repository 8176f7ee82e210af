"""Standard output and standard error."""

from __future__ import annotations

import sys


def write(text: str) -> None:
    """To standard output at once, in UTF-8 whatever the terminal's language."""
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def complain(text: str) -> None:
    """To standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
