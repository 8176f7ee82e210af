from __future__ import annotations

import httpx
import pytest

from core.local_router.catalog import MODELS, description
from core.local_router.models.rehearsal import parse_script


@pytest.mark.parametrize("path", ["/v3/router/models", "/v1/models"])
def test_models_are_listed_with_what_clients_need(client: httpx.Client, path):
    listed = client.get(path).json()
    assert listed["object"] == "list"
    assert [entry["id"] for entry in listed["data"]] == [card.id for card in MODELS]
    assert all({"id", "object", "created", "owned_by", "description"} == set(entry) for entry in listed["data"])


@pytest.mark.parametrize("card", MODELS, ids=lambda card: card.id)
def test_every_model_of_the_catalogue_is_there(client: httpx.Client, card):
    assert card.description.endswith(".")
    if card.family == "rehearsal":
        assert parse_script(card.id.removeprefix("rehearsal/"))
    else:
        assert client.post("/v2/router/completions", json={"model": card.id, "prompt": "A"}).status_code == 200


@pytest.mark.parametrize("script", ["429", "503-503-ok", "slow-5000ms", "cut-after-20", "malformed-after-5", "content-filter"])
def test_catalogue_shows_each_kind_of_rehearsal(script):
    assert f"rehearsal/{script}" in {card.id for card in MODELS}


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("rehearsal/429-slow-20ms-503-ok", "Refuses with 429, then waits 20 ms and refuses with 503, then answers; and begins anew."),
        ("rehearsal/cut-after-1500", "Breaks off after 1,500 tokens."),
        ("rehearsal/malformed-after-2", "Sends a frame that is not JSON after 2 tokens."),
        ("rehearsal/error-after-3", "Sends an error frame after 3 tokens."),
        ("rehearsal/content-filter-after-4", "Ends with content_filter after 4 tokens."),
        ("rehearsal/nonsense", "There is no such rehearsal: a step cannot be “nonsense”."),
        ("rehearsal/429", "Always refuses: 429 rate_limit_exceeded, with Retry-After."),
        ("ollama/llama3", ""),
        ("-429-ok", ""),
    ],
)
def test_model_says_what_it_does_also_where_it_is_a_script_of_ones_own(model, said):
    assert description(model) == said
