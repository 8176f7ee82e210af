"""Addresses as they may be shown to others."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit, urlunsplit


def clean_address(url: str) -> str:
    """``url`` without user, password, query and fragment; empty for what is no address."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, host, parts.path, "", "")) if parts.scheme and host else ""


def address_secrets(url: str) -> list[str]:
    """The user, the password and the query's values in ``url``, as written and decoded: they belong nowhere."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    before, _, _ = parts.netloc.rpartition("@")
    values = [*before.split(":", 1), *(pair.partition("=")[2] for pair in parts.query.split("&"))]
    return [text for value in values for text in {value, unquote(value)} if len(text) >= 4]
