"""JSON that is the same for the same value, whatever the order of names: what digests are made of."""

from __future__ import annotations

import json
from typing import Any

import orjson

_ANY_SIZE = json.JSONEncoder(sort_keys=True, ensure_ascii=False)


def canonical(value: Any) -> bytes:
    """``value``, a JSON value, in UTF-8 with its names sorted. Numbers may be of any size, although orjson takes 64 bits only."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return _ANY_SIZE.encode(value).encode()
