"""What keeps a request from being answered at all, as one of our errors: a bad address, no connection, silence."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx

from core.connection import Connection
from core.errors import ConnectionFailed, ConnectionProblem, TimedOut
from core.redaction import redacted

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


def address_problem(connection: Connection) -> ConnectionFailed | None:
    """What is wrong with the base URL, before anything is sent; ``None`` when nothing is."""
    step = "Correct it on the Connections page; it looks like https://my.orq.ai or http://127.0.0.1:8000."
    try:
        url = httpx.URL(connection.base_url)
        port = url.port
        httpx.URL(connection.base_url.rstrip("/") + "/" + connection.path.lstrip("/"))
    except (httpx.InvalidURL, ValueError):
        return ConnectionFailed("The base URL is not a web address.", step)
    if url.userinfo:
        return ConnectionFailed("The base URL has a user name or password in it.", "Put the secret into the key's field instead.")
    if url.scheme not in ("http", "https") or not url.host or (port is not None and not 0 < port < 65536):
        return ConnectionFailed(f"The base URL “{redacted(connection.base_url[:200], connection)}” is not a web address.", step)
    return None


def header_problem(connection: Connection) -> ConnectionFailed | None:
    """What in the key or the connection's headers cannot be sent; their values are not told. ``None`` when all can."""
    key = "" if connection.api_key is None else connection.api_key.get_secret_value().strip()
    if not _HEADER_VALUE.fullmatch(key):
        return ConnectionFailed(
            "The key has a character that cannot be sent, such as a line break or a letter with an accent.",
            "Copy the key again on the Connections page.",
        )
    for name, value in connection.headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value) or value != value.strip():
            return ConnectionFailed(
                f"The header “{name[:80]}” cannot be sent: a name takes letters, digits and dashes, a value one line of ASCII.",
                "Correct it on the Connections page.",
            )
    return None


def connection_problem(problem: Exception, connection: Connection) -> ConnectionProblem:
    """The error for what httpx raised before an answer began."""
    where = redacted(connection.base_url, connection)
    match problem:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            seconds = connection.connect_timeout_s
            return TimedOut(
                f"No connection to {where} within {seconds:g} s.",
                "Check the address and the network, or raise the connection's connect time-out.",
                phase="connect",
                seconds=seconds,
            )
        case httpx.TimeoutException():
            seconds = connection.read_timeout_s
            return TimedOut(
                f"{where} did not answer within {seconds:g} s.",
                "Run it again, or raise the connection's read time-out.",
                phase="read",
                seconds=seconds,
            )
        case httpx.ConnectError() | OSError() | UnicodeError() | OverflowError():
            return _not_connected(problem, connection)
        case httpx.ProxyError():
            return ConnectionFailed(f"The proxy on the way to {where} refused.", "Check the proxy settings of this machine.")
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return ConnectionFailed(f"The request to {where} cannot be written as HTTP.", "Check the address, path and headers.")
        case httpx.RemoteProtocolError() if "disconnected" not in str(problem).lower():
            return ConnectionFailed(f"What answers at {where} does not speak HTTP.", "Check the address and the port.")
        case _:
            return ConnectionFailed(
                f"The connection to {where} broke before an answer came.", "Run it again; if it stays, check that the server is well."
            )


def _not_connected(problem: Exception, connection: Connection) -> ConnectionFailed:
    where, host = (redacted(text, connection) for text in (connection.base_url, httpx.URL(connection.base_url).host))
    causes = list(_causes(problem))
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return ConnectionFailed(
            f"Nothing listens at {where}: the connection was refused.", "Start the server there, or correct the base URL."
        )
    if any(isinstance(cause, socket.gaierror | UnicodeError) for cause in causes):
        return ConnectionFailed(f"The host {host} was not found.", "Check how the base URL is spelled, and the network.")
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = cause.verify_message or "it could not be verified"
            return ConnectionFailed(f"The certificate of {host} is not trusted: {reason}.", "Check the address and the certificate.")
        if isinstance(cause, ssl.SSLError):
            return ConnectionFailed(f"{host} made no secure connection.", "Should the base URL begin with http:// rather than https://?")
    return ConnectionFailed(f"No connection to {where}.", "Check the address, the port and the network.")


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """``problem`` and all that led to it, members of exception groups included."""
    pending: list[BaseException | None] = [problem]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            pending += current.exceptions
