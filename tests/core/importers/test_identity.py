"""What is exported in any language comes back as the same draft."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.connection import Connection
from core.contract.request import check_request
from core.importers import read_import
from core.outgoing import draft_of
from core.snippets import LANGUAGES, Language, call_to
from core.snippets.clients import DEFAULTS, node_changes, python_changes
from tests.core.contract.bodies import LEAVES, TEXT, body_with, legal
from tests.core.snippets.test_snippets import BODIES

THERE = Connection("there", "orq", "https://router.example", "/v2/router/completions", headers={"X-Api-Key": "sk-secret", "X-Project": "p"})


def kept(one: Language, body: dict[str, Any]) -> dict[str, Any]:
    """What of a body this language can say at all."""
    if one.id.startswith("orq-python"):
        return python_changes(body).applied(body)
    if one.id == "orq-node":
        dropped = tuple(names for names in node_changes(body).dropped if len(names) == 1)
        return type(node_changes(body))({}, dropped).applied(body)
    return body


def comes_back(one: Language, body: dict[str, Any]) -> None:
    read = read_import(one.write(call_to(body, THERE)))
    wanted = draft_of(kept(one, body))
    assert read.draft["body"] == wanted["body"]
    assert json.loads(read.draft["extra"] or "{}") == json.loads(wanted["extra"] or "{}")
    if one.id != "json":
        assert read.url == THERE.base_url + THERE.path
        assert any("X-Api-Key" in name for name in read.secrets) or not one.write(call_to(body, THERE)).count("X-Api-Key")
    assert not [line for line in read.lines if line.verdict == "rejected" and not line.path.startswith("header")]


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("one", LANGUAGES, ids=lambda one: one.id)
def test_an_exported_call_comes_back(one: Language, name: str) -> None:
    comes_back(one, {"model": "a/b", **BODIES[name]})


HARD = st.text(max_size=30) | st.text("'\"`$\\%!^&\n\r\0{}#*/@;<>| =,()[]", max_size=30)
SOME = st.sampled_from(LEAVES).flatmap(lambda leaf: legal(leaf).map(lambda value: body_with(leaf["path"], value)[0]))
EXTRAS = st.dictionaries(
    TEXT.filter(lambda name: name not in DEFAULTS and not name.isidentifier()),
    st.none() | TEXT | st.lists(st.booleans(), max_size=2),
    max_size=2,
)


@settings(max_examples=60, deadline=None)
@given(bodies=st.lists(SOME, min_size=1, max_size=3), prompt=HARD, extras=EXTRAS)
@pytest.mark.parametrize("one", LANGUAGES, ids=lambda one: one.id)
def test_any_legal_call_comes_back(one: Language, bodies: list[dict[str, Any]], prompt: str, extras: dict[str, Any]) -> None:
    body: dict[str, Any] = {}
    for part in bodies:
        body |= part
    body["prompt"] = prompt.encode("utf-8", "ignore").decode()
    if check_request(body):
        body = {"model": "m", "prompt": body["prompt"]}
    comes_back(one, {**body, **extras})
