"""What people say about their documents: checked when it comes, so that every chunk's metadata can be stored, filtered and sent."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

LARGEST_BYTES = 16_000
RESERVED = ("document", "position", "characters")
"""What every chunk's metadata says by itself: the document's name, the chunk's position in it from 0, its length."""


def checked(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A copy as JSON would give it back; ValueError, with what would be right, when JSON cannot carry it."""
    if taken := [name for name in RESERVED if name in metadata]:
        raise ValueError(f"Metadata cannot set {', '.join(taken)}: each chunk has that of its own; use another name.")
    if not all(isinstance(name, str) for name in metadata):
        raise ValueError("Metadata must have texts as names; put quotation marks around them.")
    _check_numbers(metadata)
    try:
        text = json.dumps(dict(metadata), ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("Metadata contains half of a surrogate pair; remove the broken character.") from None
    except (TypeError, ValueError, RecursionError):
        raise ValueError("Metadata must be what JSON can carry: texts, numbers, true, false, null, lists and objects.") from None
    if size > LARGEST_BYTES:
        raise ValueError(f"Metadata has {size:,} bytes as JSON, more than {LARGEST_BYTES:,}; put long texts into the document.")
    copy: dict[str, Any] = json.loads(text)
    return copy


def _check_numbers(metadata: Mapping[str, Any]) -> None:
    for name, value in metadata.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"Metadata {name} is {value}, which JSON cannot carry; leave it out or write it as text.")
