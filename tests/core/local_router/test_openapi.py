"""The router's OpenAPI document: it names every route, and whatever it allows is answered without a server error."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import SecretStr
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from core.contract.json_schema import part_schema
from core.contract.request import CompletionRequest
from core.local_router.app import local_router_app
from core.local_router.openapi import completions, document, knowledge, library
from core.local_router.openapi.parts import SCHEMAS
from core.local_router.server import LocalRouter
from tests.core.local_router.conftest import KEY

LARGEST = 64
"""Tokens and choices that a fuzzed request may ask for: the models would go on for seconds."""


def test_document_names_every_route_and_no_other():
    routes = {(route.path, method) for route in local_router_app(SecretStr(""), 0).routes for method in route.methods - {"HEAD"}}
    named = {(path, method.upper()) for path, operations in document()["paths"].items() for method in operations}
    assert named == routes - {("/openapi.json", "GET")}


def test_schemas_of_one_name_are_one():
    bodies = [(kind.__name__, part_schema(kind, SCHEMAS)) for kind in (CompletionRequest, *knowledge.BODIES, *library.BODIES)]
    parts = [part for _, body in bodies for part in body.get("$defs", {}).items()]
    answers = [found for group in (completions, knowledge, library) for found in group.SCHEMAS.items()]
    written = document()["components"]["schemas"]
    assert [name for name, schema in (*parts, *answers) if written[name] != schema] == []
    assert {name for name, _ in answers}.isdisjoint(name for name, _ in (*bodies, *parts))


def test_every_schema_is_one():
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.fixture(scope="module")
def known() -> Iterator[tuple[LocalRouter, dict[str, str]]]:
    """A router of its own, for fuzzing leaves things behind; and ids of what is there, by the names they have in addresses."""
    with LocalRouter(api_key=KEY, pace=0).running() as running:
        with httpx.Client(base_url=running.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http:
            labels = {"identity": {"id": "ada"}, "thread": {"id": "t-1"}}
            asked = http.post("/v2/router/completions", json={"model": "local/pydoc-1", "prompt": "A", "orq": labels})
            base = http.post("/v2/knowledge", json={"key": "fuzzed"}).json()["_id"]
            file = {"name": "one.txt", "content_base64": base64.b64encode(b"The otter hunts crabs.").decode()}
            source = http.post(f"/v2/knowledge/{base}/documents", json=file).json()["_id"]
            (chunk,) = http.get(f"/v2/knowledge/{base}/datasources/{source}/chunks").json()["data"]
            (version,) = http.get("/v2/prompts/python-statement/versions").json()["data"]
        yield (
            running,
            {
                "request_id": asked.headers["x-router-request-id"],
                "knowledge_id": base,
                "datasource_id": source,
                "chunk_id": chunk["_id"],
                "prompt_id": "python-statement",
                "version_id": version["_id"],
            },
        )


@pytest.fixture(scope="module")
def api(known: tuple[LocalRouter, dict[str, str]]) -> Any:
    running, ids = known
    schema = schemathesis.openapi.from_url(f"{running.base_url}/openapi.json", headers={"Authorization": f"Bearer {KEY}"})

    @schema.hook
    def map_path_parameters(context: Any, parameters: Any) -> Any:
        """Addresses of what is there, but for every fourth or so; nothing is deleted that others need."""
        if not parameters or context.operation.method == "delete" or sum(map(len, map(str, parameters.values()))) % 4 == 3:
            return parameters
        named = {"id": "ada" if "identities" in context.operation.path else "t-1"}
        return {name: (ids | named)[name] for name in parameters}

    @schema.hook
    def map_body(_context: Any, body: Any) -> Any:
        """Half of the requests that could reach a model do, and ask for little."""
        if isinstance(body, dict) and isinstance(body.get("model"), str):
            if len(body["model"]) % 2:
                body["model"] = "local/pydoc-1"
            for name in ("max_tokens", "n"):
                if isinstance(body.get(name), int) and body[name] > LARGEST:
                    body[name] = body[name] % LARGEST + 1
            body.pop("timeout", None)
        return body

    return schema


OPERATIONS = [(path, method) for path, operations in document()["paths"].items() for method in operations]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_the_document_allows_is_answered(api: Any, path: str, method: str, data: st.DataObject):
    case = data.draw(api[path][method].as_strategy())
    case.call_and_validate(
        headers={"Authorization": f"Bearer {KEY}"},
        checks=[not_a_server_error, response_schema_conformance, status_code_conformance],
    )


BODIES = [(path, method) for path, method in OPERATIONS if "requestBody" in document()["paths"][path][method]]


@pytest.mark.parametrize(("path", "method"), BODIES)
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_the_document_does_not_allow_is_no_server_error(api: Any, path: str, method: str, data: st.DataObject):
    case = data.draw(api[path][method].as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, checks=[not_a_server_error, response_schema_conformance])


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff", b'{"model": 1}', b'"' + b"x" * 100_000 + b'"', b"[" * 100_000])
def test_what_is_no_request_is_a_400(client: httpx.Client, body):
    answer = client.post("/v2/router/completions", content=body)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) >= {"code", "message", "param", "type"}
