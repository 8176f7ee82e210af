"""Takes a connection's secrets out of texts that others wrote: a server may send back what it was sent."""

from __future__ import annotations

import re
import traceback
from typing import Any, Final

from core.connection import Connection

MASK: Final = "**********"
_SHORTEST: Final = 6  # a shorter key is no secret, and masking it would tear words apart
_SECRET_NAME: Final = re.compile("auth|key|token|secret|password|cookie|credential", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a header, a field or a variable of this name is likely to hold a secret."""
    return bool(_SECRET_NAME.search(name))


def secrets(connection: Connection) -> tuple[str, ...]:
    """What must be seen nowhere: the key, and the values of headers whose names say that they are secret; longest first."""
    found = {value.strip() for name, value in connection.headers.items() if _SECRET_NAME.search(name)}
    found |= {value.partition(" ")[2].strip() for value in found}
    if connection.api_key is not None:
        found.add(connection.api_key.get_secret_value().strip())
    return tuple(sorted((value for value in found if len(value) >= _SHORTEST), key=len, reverse=True))


def redacted(text: str, connection: Connection) -> str:
    """``text`` with asterisks for every secret of ``connection``."""
    for secret in secrets(connection):
        text = text.replace(secret, MASK)
    return text


def redacted_json(value: Any, connection: Connection) -> Any:
    """A JSON value with every text in it, names of fields too, ``redacted``."""
    if isinstance(value, str):
        return redacted(value, connection)
    if isinstance(value, list):
        return [redacted_json(item, connection) for item in value]
    if isinstance(value, dict):
        return {redacted(name, connection): redacted_json(item, connection) for name, item in value.items()}
    return value


def masked_traceback(bug: BaseException, connection: Connection) -> str:
    """The traceback, for a log, with asterisks for the key and every header's value: however short, and whatever the header's name."""
    text = redacted("".join(traceback.format_exception(bug)), connection)
    key = connection.api_key.get_secret_value() if connection.api_key else ""
    for value in (key, *connection.headers.values()):
        text = text.replace(value, MASK) if value else text
    return text
