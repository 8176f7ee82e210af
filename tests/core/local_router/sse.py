"""Reading the router's streams strictly: exactly the form it promises, nothing more tolerant."""

from __future__ import annotations

import json
from typing import Any

import httpx

DONE = "data: [DONE]"


def frames(body: str) -> list[dict[str, Any]]:
    """The JSON frames of a whole stream that ended as it should."""
    events = body.split("\n\n")
    assert events[-2:] == [DONE, ""]
    assert all(event.startswith("data: ") and "\n" not in event for event in events[:-1])
    return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]


def texts(stream: list[dict[str, Any]]) -> dict[int, str]:
    """The text of each choice."""
    found: dict[int, str] = {}
    for frame in stream:
        for choice in frame["choices"]:
            found[choice["index"]] = found.get(choice["index"], "") + choice["text"]
    return found


def stream(client: httpx.Client, path: str = "/v2/router/completions", **body: Any) -> list[dict[str, Any]]:
    """The frames the router answers with."""
    answer = client.post(path, json={"model": "local/pydoc", "prompt": "A class", "stream": True, **body})
    assert answer.status_code == 200, answer.text
    return frames(answer.text)


def whole(client: httpx.Client, path: str = "/v2/router/completions", **body: Any) -> dict[str, Any]:
    """The completion the router answers with."""
    answer = client.post(path, json={"model": "local/pydoc", "prompt": "A class", **body})
    assert answer.status_code == 200, answer.text
    completion: dict[str, Any] = answer.json()
    return completion
