"""Requests that cannot be answered, and how the router says so."""

from __future__ import annotations

import json

import httpx
import pytest

from core.local_router.models.pydoc import CONTEXT_TOKENS
from core.local_router.request_body import LARGEST_BODY
from core.local_router.server import LocalRouter
from tests.core.local_router.conftest import KEY

PATH = "/v2/router/completions"
VALID = {"model": "local/pydoc", "prompt": "A class"}


def error(answer: httpx.Response, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-router-request-id"]
    said = answer.json()["error"]
    assert {"code", "message", "param", "type"} <= set(said)
    assert said["message"]
    assert said["type"]
    return said


@pytest.mark.parametrize("path", [PATH, "/v3/router/completions", "/v1/completions", "/v3/router/models", "/v1/models", "/nowhere"])
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (None, "authentication_required"),
        ("Bearer", "authentication_required"),
        (f"Basic {KEY}", "authentication_required"),
        (KEY, "authentication_required"),
        ("Bearer sk-wrong", "invalid_api_key"),
        (f"Bearer {KEY}x", "invalid_api_key"),
        ("Bearer ключ", "invalid_api_key"),
    ],
)
def test_nobody_gets_in_without_the_key(router: LocalRouter, path, sent, code):
    headers = {"Authorization": sent.encode()} if sent else {}
    with httpx.Client(base_url=router.base_url) as client:
        answer = client.get(path, headers=headers) if "models" in path else client.post(path, json=VALID, headers=headers)
    assert error(answer, 401)["code"] == code
    assert answer.headers["www-authenticate"] == "Bearer"
    assert KEY not in answer.text


def test_scheme_is_read_in_any_case(router: LocalRouter):
    assert httpx.post(router.base_url + PATH, json=VALID, headers={"Authorization": f"bearer  {KEY}"}).status_code == 200


def test_health_needs_no_key(router: LocalRouter):
    assert httpx.get(f"{router.base_url}/healthz").json() == {"status": "ok", "under_way": 0}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"model": ""}, "model"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 16.5}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 17}, "n"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": ""}, "stop"),
        ({"stop": ["a", ""]}, "stop"),
        ({"best_of": 2}, "best_of"),
        ({"stream": "yes"}, "stream"),
        ({"orq": {"knowledge_bases": [{"knowledge_id": "a"}, {"knowledge_id": "b", "top_k": 0}]}}, "orq.knowledge_bases.1.top_k"),
        ({"max_tokens": CONTEXT_TOKENS}, "max_tokens"),
        ({"prompt": "漢" * CONTEXT_TOKENS}, "prompt"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_invalid_field_is_named(client: httpx.Client, changes, param):
    said = error(client.post(PATH, json=VALID | changes), 400)
    assert (said["code"], said["param"]) == ("invalid_request_body", param)


def test_every_invalid_field_is_listed(client: httpx.Client):
    said = error(client.post(PATH, json={"model": "local/pydoc", "n": 0, "top_p": 2}), 400)
    assert {failure["param"] for failure in said["failures"]} == {"prompt", "n", "top_p"}
    assert "and 2 more" in said["message"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"', b'{"model": "local/pydoc", "prompt": "\\ud800"}', b"[" * 100_000],
    ids=["empty", "cut", "list", "null", "not UTF-8", "text", "half a surrogate pair", "deep"],
)
def test_body_that_is_no_request_is_refused(client: httpx.Client, content):
    assert error(client.post(PATH, content=content), 400)["code"] == "invalid_request_body"


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_ten_megabytes_is_too_large(client: httpx.Client, chunked):
    body = json.dumps(VALID | {"prompt": "x" * LARGEST_BODY}).encode()
    content = (body[start : start + 65536] for start in range(0, len(body), 65536)) if chunked else body
    assert error(client.post(PATH, content=content), 413)["code"] == "request_too_large"
    assert client.post(PATH, json=VALID).status_code == 200


@pytest.mark.parametrize("model", ["local/pydoc-2", "openai/gpt-4o", "rehearsal", "pydoc"])
def test_unknown_model_is_refused_with_those_there_are(client: httpx.Client, model):
    said = error(client.post(PATH, json=VALID | {"model": model}), 404)
    assert (said["code"], said["param"]) == ("model_not_found", "model")
    assert "local/pydoc-3" in said["message"]


def test_unknown_address_is_not_found(client: httpx.Client):
    assert error(client.get("/v2/router/nothing"), 404)["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("GET", PATH, "POST"), ("DELETE", "/v1/completions", "POST"), ("POST", "/v1/models", "GET")]
)
def test_wrong_method_is_told_the_right_one(client: httpx.Client, method, path, allowed):
    answer = client.request(method, path)
    assert error(answer, 405)["code"] == "method_not_allowed"
    assert allowed in answer.headers["allow"]
