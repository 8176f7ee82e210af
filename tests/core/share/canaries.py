"""A run and a comparison in which every item has a value that is found nowhere else, and repeats it where it can hide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from core.comparison.board import Board, BoardSlot
from core.outgoing import draft_of
from core.prices.pricing import PriceList
from core.prices.run_cost import RunCost
from core.run import ChoiceText, RunError, RunSnapshot
from core.share.snapshot import ItemName
from core.share.subject import Subject, comparison_subject, preset_subject, run_subject
from tests.core.storage import samples

KEY: Final = "canary-key-0123456789-secret"
PROMPT: Final = "The canary prompt sings\nabout {{fruit}} and yellow feathers all day long"
RENDERED: Final = PROMPT.replace("{{fruit}}", "mangosteen")
CANARIES: Final[dict[ItemName, tuple[str, ...]]] = {
    "prompt": ("The canary prompt sings\nabout", "The canary prompt sings about", "yellow feathers all day long", "quetzal query"),
    "output": ("nightingale answer",),
    "inputs": ("mangosteen",),
    "stored_prompt": ("prompt-heron-77",),
    "knowledge": ("base-osprey-31", "osprey-key", "filtered-kestrel"),
    "identity": ("customer-merlin-8", "Merlin Falconer", "merlin@example.org", "user-goshawk-5"),
    "thread": ("thread-plover-12",),
    "names": ("trace-name-avocet",),
    "stop": ("STOP-BITTERN",),
    "models": ("forge/godwit-9b", "forge/dunlin-70b", "godwit-9b"),
    "extra": ("extra-curlew-value", "curlew_field"),
    "base_url": ("router.sandpiper.example",),
    "error": ("the upstream quoted lapwing",),
}

BODY: Final[dict[str, Any]] = {
    "model": "forge/godwit-9b",
    "prompt": PROMPT,
    "temperature": 0.25,
    "stop": ["STOP-BITTERN"],
    "user": "user-goshawk-5",
    "name": "trace-name-avocet",
    "fallbacks": [{"model": "forge/dunlin-70b"}],
    "orq": {
        "inputs": {"fruit": "mangosteen"},
        "prompt": {"id": "prompt-heron-77", "version": "latest"},
        "identity": {"id": "customer-merlin-8", "display_name": "Merlin Falconer", "email": "merlin@example.org"},
        "thread": {"id": "thread-plover-12"},
        "knowledge_bases": [
            {"knowledge_id": "base-osprey-31", "query": "quetzal query", "filter_by": {"kind": {"eq": "filtered-kestrel"}}}
        ],
    },
    "curlew_field": {"inner": "extra-curlew-value"},
    "api_key": KEY[::-1],
}

REPEATED: Final = " / ".join(text for name, texts in CANARIES.items() if name not in ("output", "stop", "error") for text in texts)
"""What a router may say that quotes all of the request."""

TRACE: Final[dict[str, Any]] = {
    "id": "req-secret-1",
    "identity": {"id": "customer-merlin-8"},
    "thread": {"id": "thread-plover-12"},
    "events": [
        {"type": "prompt", "at_ms": 0.1, "id": "prompt-heron-77", "version": 3},
        {"type": "inputs", "at_ms": 0.2, "filled": ["fruit"], "missing": [], "unused": []},
        {"type": "retrieval", "at_ms": 0.3, "duration_ms": 2.0, "knowledge_id": "base-osprey-31", "key": "osprey-key",
         "search_type": "keyword_search", "chunks": [{"id": "base-osprey-31-7", "score": 0.8}], "left_out": []},
        {"type": "cache", "at_ms": 3.0, "result": "miss", "changed": ["temperature", "curlew_field"]},
        {"type": "draw", "at_ms": 3.1, "models": [{"model": "forge/godwit-9b", "share": 1.0}], "drawn": "forge/godwit-9b"},
        {"type": "attempt", "at_ms": 3.2, "number": 1, "target": "forge/godwit-9b", "status": 503, "duration_ms": 5.0},
        {"type": "fallback", "at_ms": 8.2, "after": 503, "target": "forge/dunlin-70b"},
        {"type": "attempt", "at_ms": 8.3, "number": 2, "target": "forge/dunlin-70b", "status": 200, "duration_ms": 90.0},
        {"type": "odd_note", "at_ms": 9.0, "said": REPEATED},
        {"type": "first_token", "at_ms": 20.0},
        {"type": "end", "at_ms": 98.0, "state": "finished", "status": 200},
    ],
}  # fmt: skip


def run(**fields: Any) -> RunSnapshot:
    """A failed run with every canary in its request, and all of them repeated by its output, its error and its trace."""
    made = samples.run(
        asked=BODY,
        choices={0: ChoiceText(f"nightingale answer, with {KEY}: {REPEATED}. {RENDERED}", "stop")},
        status="failed",
        base_url=f"https://owluser:{KEY}@router.sandpiper.example/v9?token={KEY}",
        model="forge/dunlin-70b",
        headers={"x-router-model": "forge/dunlin-70b", "x-router-request-id": "req-secret-1", "x-router-odd": REPEATED},
        error=RunError("router_rejected", f"It failed because the upstream quoted lapwing, {REPEATED} and {KEY}.", f"See {REPEATED}."),
        raw=f"{REPEATED} {KEY}",
        trace=TRACE,
        request_id="req-secret-1",
        completion_id="cmpl-secret-2",
    )
    return replace(made, **fields)


NEVER: Final = (KEY, KEY[::-1], "req-secret-1", "cmpl-secret-2", "run-", "owluser", "x-router-odd", "base-osprey-31-7")
"""What no snapshot may hold, whatever is switched on."""


def subjects() -> dict[str, Subject]:
    """The three kinds."""
    seen = run()
    draft = draft_of(BODY)
    board = Board((BoardSlot(draft, "trace-name-avocet"), BoardSlot(draft_of({**BODY, "temperature": 0.5}))), prompt=PROMPT)
    return {
        "preset": preset_subject(draft, name="trace-name-avocet", description="about trace-name-avocet", tags=("trace-name-avocet",)),
        "run": run_subject(seen, RunCost(None, "no price is known for forge/dunlin-70b")),
        "comparison": comparison_subject(board, [[seen], [replace(run(), status="finished", error=None)]], PriceList(())),
    }
