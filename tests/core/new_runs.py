"""Runs and pieces of answers without a network, for tests."""

from __future__ import annotations

from core.connection import Connection
from core.contract.response import Choice, CompletionChunk
from core.run import Run


def chunk(*choices: Choice) -> CompletionChunk:
    return CompletionChunk("id", None, None, None, None, choices, None, {})


def new_run(run_id: str = "r") -> Run:
    run = Run(run_id, "a", {"model": "m"}, b"{}", Connection("c", "local", "http://127.0.0.1:1", "/"))
    run.leave()
    return run


def whole(pieces: list[tuple[int, str]]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for choice, text in pieces:
        texts[choice] = texts.get(choice, "") + text
    return texts
