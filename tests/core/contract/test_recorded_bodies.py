"""What the official client was seen to send (``tests/wire``): which bodies the contract takes, and why not the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.contract.request import check_request, parse_request

_WIRE = Path(__file__).parents[2] / "wire"


def _recorded() -> dict[str, dict[str, Any]]:
    """Bodies sent to the completions endpoint, by case; of equal bodies the first."""
    bodies: dict[str, dict[str, Any]] = {}
    for file in sorted(_WIRE.glob("*.json")):
        for request in json.loads(file.read_text())["requests"]:
            if request["path"].endswith("/completions") and request["body"] not in bodies.values():
                bodies[file.stem] = request["body"]
    return bodies


BODIES = _recorded()
REFUSED = {
    "44_stop_five": ["stop"],
    "45_out_of_range": [
        "frequency_penalty",
        "max_tokens",
        "temperature",
        "n",
        "retry.count",
        "retry.on_codes",
        "cache.ttl",
        "load_balancer.models",
        "timeout.call_timeout",
        "thinking.budget_tokens",
    ],
}


def test_there_are_recorded_bodies() -> None:
    assert {"30_everything_set", "33_nulls_toplevel", "39_filter_field_named_and", *REFUSED} <= set(BODIES)


@pytest.mark.parametrize("case", [case for case in BODIES if case not in REFUSED])
def test_a_legal_body_leaves_as_the_official_client_sent_it(case: str) -> None:
    assert parse_request(BODIES[case]).to_wire() == BODIES[case]


@pytest.mark.parametrize("case", REFUSED)
def test_a_body_out_of_range_is_refused_at_each_fault(case: str) -> None:
    assert [problem.path for problem in check_request(BODIES[case])] == REFUSED[case]


# What went into the official client where it raised before sending, or dropped a part (cases 35, 36, 37, 38, 42, 46, 50 to 53).
NEVER_SENT: list[tuple[dict[str, Any], str]] = [
    ({"orq": {"knowledge_bases": [{"knowledge_id": "k", "filter_by": {"a": {"exists": True}}}]}}, "orq.knowledge_bases.0.filter_by.a"),
    ({"orq": {"knowledge_bases": [{"knowledge_id": "k", "filter_by": {"a": {"gte": 1, "lt": 5}}}]}}, "orq.knowledge_bases.0.filter_by.a"),
    (
        {"orq": {"knowledge_bases": [{"knowledge_id": "k", "filter_by": {"and": [{"or": [{"a": {"eq": 1}}]}]}}]}},
        "orq.knowledge_bases.0.filter_by.and.0.or",
    ),
    ({"orq": {"knowledge_bases": [{"knowledge_id": "k", "filter_by": {"a": "x"}}]}}, "orq.knowledge_bases.0.filter_by.a"),
    ({"prompt": ["a", "b"]}, "prompt"),
    ({"max_tokens": 16.5}, "max_tokens"),
    ({"thinking": {"type": "telepathy"}}, "thinking.type"),
    ({"fallbacks": {"model": "x"}}, "fallbacks"),
    ({"cache": {"ttl": 5}}, "cache.type"),
    ({"retry": {"count": 1, "surprise": 2}}, "retry.surprise"),
]


@pytest.mark.parametrize(("fields", "path"), NEVER_SENT, ids=[path for _, path in NEVER_SENT])
def test_what_the_official_client_drops_or_refuses_is_refused_at_its_place(fields: dict[str, Any], path: str) -> None:
    assert [problem.path for problem in check_request({"model": "m", "prompt": "p", **fields})] == [path]


def test_exists_is_taken_on_request_only() -> None:
    body = {"model": "m", "prompt": "p", "orq": {"knowledge_bases": [{"knowledge_id": "k", "filter_by": {"a": {"exists": True}}}]}}
    assert parse_request(body, lenient=True).to_wire() == body
    assert check_request(body)
