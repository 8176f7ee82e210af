"""A HAR file, or one entry of it: what a browser's network tab saves."""

from __future__ import annotations

from typing import Any

from core.importers.found import Found, InvalidImport, body_from_text


def is_har(value: Any) -> bool:
    """Whether a JSON value is a HAR file, an entry, or its request."""
    return isinstance(value, dict) and (
        (isinstance(value.get("log"), dict) and isinstance(value["log"].get("entries"), list))
        or (isinstance(value.get("request"), dict) and "url" in value["request"])
        or ("postData" in value and "url" in value)
    )


def read_har(value: dict[str, Any]) -> Found:
    """The first completion in it. InvalidImport where there is none."""
    entries = value["log"]["entries"] if "log" in value else [value]
    requests = [entry.get("request", entry) for entry in entries if isinstance(entry, dict)]
    posts = [one for one in requests if isinstance(one, dict) and _body(one)]
    likely = [one for one in posts if "completions" in str(one.get("url", ""))[:2_000]]
    if not (likely or posts):
        raise InvalidImport("No request in this HAR file has a body.", "Record it again, with the request's content.")
    chosen = (likely or posts)[0]
    found = Found("HAR")
    if len(likely or posts) > 1:
        found.notes.append(f"The first of {len(likely or posts)} requests with a body.")
    found.take_url(str(chosen.get("url", "")))
    for header in chosen.get("headers") or () if isinstance(chosen.get("headers"), list) else ():
        if isinstance(header, dict):
            found.take_header(str(header.get("name", "")))
    if chosen.get("cookies"):
        found.secrets.append("cookies")
    body_from_text(_body(chosen), found)
    return found


def _body(request: dict[str, Any]) -> str:
    data = request.get("postData")
    text = data.get("text") if isinstance(data, dict) else None
    return text if isinstance(text, str) else ""
