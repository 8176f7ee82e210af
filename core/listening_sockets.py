"""Small writes leave at once on every socket this process listens on."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress


def switch_nagle_off() -> int:
    """Set ``TCP_NODELAY`` on the process's listening TCP sockets; how many there were. Accepted connections inherit it.

    asyncio does this by itself only for sockets whose protocol number is given (``asyncio.base_events._set_nodelay`` looks for
    ``IPPROTO_TCP``). Streamlit binds its socket without one, so a panel's second small event would wait, up to 40 ms on Linux, for the
    browser's delayed acknowledgement of the first. Does nothing where the system has no ``/dev/fd``.
    """
    found = 0
    with suppress(OSError):
        for name in os.listdir("/dev/fd"):
            with suppress(OSError, ValueError):
                found += _set_if_listening(int(name))
    return found


def _set_if_listening(descriptor: int) -> bool:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return False
    with socket.socket(fileno=os.dup(descriptor)) as same:
        listens = same.family in (socket.AF_INET, socket.AF_INET6) and same.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if listens:
            same.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bool(listens)
