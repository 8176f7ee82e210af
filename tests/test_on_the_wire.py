"""Completeness on the wire: every leaf of the contract leaves the client, and as the official SDK sends it."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from orq_ai_sdk import Orq
from orq_ai_sdk.types import UNSET

from core.client.client import RouterClient, encode_body
from core.connection import Connection
from core.contract.request import parse_request
from core.outgoing import outgoing
from tests.support.replay import Replay, Script

HERE = Path(__file__).parent
LEAVES = [leaf["path"] for leaf in json.loads((HERE / "parameters.json").read_text())["request"]]
SDK_DEFAULTS = ("echo", "frequency_penalty", "max_tokens", "presence_penalty", "temperature", "top_p", "n")
"""What the SDK sends on its own when nobody says UNSET (contract §5)."""

FULL: dict[str, Any] = json.loads((HERE / "wire" / "30_everything_set.json").read_text())["requests"][0]["body"]
FULL["orq"]["contact"] = copy.deepcopy(FULL["orq"]["identity"])


def sample(leaf: str) -> dict[str, Any]:
    """A valid body in which the leaf is set, and little else."""
    top, *inner = re.split(r"\.", leaf.replace("[]", "").replace("{}", ""))
    body: dict[str, Any] = {"model": "", "prompt": FULL["prompt"]}
    body[top] = {inner[0]: FULL["orq"][inner[0]]} if top == "orq" else FULL[top]
    if top == "thinking":
        body["max_tokens"] = FULL["max_tokens"]
    return copy.deepcopy(body)


def without(body: Any, leaf: str) -> Any:
    """``body`` with the leaf taken out wherever it stands."""
    name, _, rest = leaf.partition(".")
    bare = name.removesuffix("[]").removesuffix("{}")
    if not rest:
        return {key: value for key, value in body.items() if key != bare}
    inner = body[bare]
    taken = [without(item, rest) if _leads(item, rest) else item for item in inner] if isinstance(inner, list) else without(inner, rest)
    return {**body, bare: taken}


def _leads(item: Any, rest: str) -> bool:
    head = rest.partition(".")[0].removesuffix("[]").removesuffix("{}")
    return isinstance(item, dict) and head in item


def sent_by_sdk(replay: Replay, body: dict[str, Any]) -> dict[str, Any]:
    model = replay.add(Script())
    arguments = {**dict.fromkeys(SDK_DEFAULTS, UNSET), **body, "model": model}
    answer = Orq(api_key="k", server_url=replay.url).router.completions.create(**arguments)
    if body.get("stream"):
        with answer as events:
            list(events)
    sent = replay.call(model).body
    if "stream" not in body:
        del sent["stream"]
    return {**sent, "model": ""}


async def sent_by_us(replay: Replay, body: dict[str, Any]) -> dict[str, Any]:
    model = replay.add(Script())
    leaving = outgoing({"body": {**body, "model": model}, "extra": ""})
    assert leaving.problems == ()
    client = RouterClient(Connection("replay", "orq", replay.url, "/v2/router/completions"))
    await client.complete(leaving.body)
    await client.aclose()
    return {**replay.call(model).body, "model": ""}


@pytest.mark.parametrize("leaf", LEAVES)
async def test_a_leaf_leaves_as_the_official_sdk_sends_it(replay: Replay, leaf: str) -> None:
    body = sample(leaf)
    assert await sent_by_us(replay, body) == sent_by_sdk(replay, body)


@pytest.mark.parametrize("leaf", LEAVES)
def test_setting_a_leaf_changes_the_bytes_on_the_wire(leaf: str) -> None:
    body = sample(leaf)
    assert encode_body(without(body, leaf)) != encode_body(body)


async def test_everything_at_once_leaves_as_the_official_sdk_sends_it(replay: Replay) -> None:
    assert await sent_by_us(replay, FULL) == sent_by_sdk(replay, FULL)


def test_integers_and_their_floats_leave_alike() -> None:
    whole = {"model": "m", "prompt": "p", "max_tokens": 16, "seed": 7, "n": 2, "retry": {"count": 3, "on_codes": [429]}}
    floats = {"model": "m", "prompt": "p", "max_tokens": 16.0, "seed": 7.0, "n": 2.0, "retry": {"count": 3.0, "on_codes": [429.0]}}
    assert json.loads(encode_body(parse_request(whole))) == json.loads(encode_body(parse_request(floats)))
    assert b'"max_tokens":16,' in encode_body(parse_request(floats))
