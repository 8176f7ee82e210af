from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.local_router.upstreams.config import UpstreamConfig
from core.local_router.upstreams.files import Written, read_added, read_router_toml, write_added

GOOD = '[[upstream]]\nname = "good"\nbase_url = "http://127.0.0.1:11434/v1/"\n'


def read(tmp_path: Path, text: str) -> Written:
    file = tmp_path / "router.toml"
    file.write_text(text, encoding="utf-8")
    return read_router_toml(file)


def test_every_field_of_the_file_is_taken(tmp_path: Path):
    written = read(
        tmp_path,
        """
        [[upstream]]
        name = "openai"
        base_url = "https://api.openai.com"
        api_key_env = "OPENAI_API_KEY"
        models = ["gpt-3.5-turbo-instruct"]
        chat = false
        headers = { X-Project = "playground" }
        connect_timeout_s = 2
        read_timeout_s = 60.5
        completions_path = "/openai/v1/completions"
        chat_path = "/c"
        embeddings_path = "/e"
        rerank_path = "/r"
        """,
    )
    assert written.problems == ()
    assert [upstream.model_dump() for upstream in written.upstreams] == [
        {
            "name": "openai",
            "base_url": "https://api.openai.com",
            "api_key_env": "OPENAI_API_KEY",
            "models": ["gpt-3.5-turbo-instruct"],
            "chat": False,
            "headers": {"X-Project": "playground"},
            "connect_timeout_s": 2,
            "read_timeout_s": 60.5,
            "completions_path": "/openai/v1/completions",
            "chat_path": "/c",
            "embeddings_path": "/e",
            "rerank_path": "/r",
        }
    ]


def test_v1_at_the_end_of_a_base_url_is_taken_off(tmp_path: Path):
    assert read(tmp_path, GOOD).upstreams[0].base_url == "http://127.0.0.1:11434"


def test_no_file_is_no_upstream_and_no_problem(tmp_path: Path):
    assert read_router_toml(tmp_path / "router.toml") == Written()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('name = "local"', "line 5: name may not be local"),
        ('name = "rehearsal"', "line 5: name may not be rehearsal"),
        ('name = "a/b"', "line 5: name must be 1 to 64 letters"),
        ('name = "good"\nbase_url = "http://b"', "line 5: there is an upstream 'good' already"),
        ('name = "x"\nbase_url = "ftp://host"', "line 6: base_url cannot be used: A base URL starts with http"),
        ('name = "x"\nbase_url = "http://user:sk-canary@host"', "line 6: base_url cannot be used: Leave user name and password out"),
        ('name = "x"\napi_key = "sk-canary"', "line 6: api_key is refused: put the key into an environment variable"),
        ('name = "x"\napi_key_env = "sk-canary"', "line 6: api_key_env must be the name of an environment variable"),
        ('name = "x"\nmodels = "one"', "line 6: models should be a valid list"),
        ('name = "x"\nchat = "yes"', "line 6: chat should be a valid boolean"),
        ('name = "x"\nread_timeout_s = 0', "line 6: read_timeout_s should be greater than 0"),
        ('name = "x"\nchat_path = "v1"', "line 6: chat_path cannot be used: A path starts with /"),
        ('name = "x"\n[upstream.headers]\nAuthorization = "Bearer sk-canary"', "line 4: headers has 'Authorization'"),
        ('name = "x"\ncolour = "red"', "line 6: colour is not a field of an upstream; there are name, base_url"),
        ("chat = true", "line 4: name is missing; add it"),
    ],
)
def test_upstream_that_cannot_be_used_is_told_by_file_line_and_field_and_the_others_stay(tmp_path: Path, line, said):
    written = read(tmp_path, f"{GOOD}[[upstream]]\n{line}\n")
    assert [upstream.name for upstream in written.upstreams] == ["good"]
    assert f"router.toml, {said}" in "\n".join(written.problems)
    assert "canary" not in "\n".join(written.problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[upstream]\n", "router.toml is not TOML: "),
        ('[upstream]\nname = "x"\n', "upstream must be written [[upstream]]"),
        ("upstream = 3\n", "upstream must be written [[upstream]]"),
        ("upstream = [3]\n", "router.toml, upstream 1: it should be a valid dictionary"),
        ("[servers]\n", "servers is not known"),
    ],
)
def test_file_that_is_none_says_so(tmp_path: Path, text, said):
    written = read(tmp_path, text)
    assert written.upstreams == ()
    assert said in "\n".join(written.problems)


def test_file_that_is_no_text_says_so(tmp_path: Path):
    (tmp_path / "router.toml").write_bytes(b"\xff\xfe")
    assert read_router_toml(tmp_path / "router.toml").problems == (
        "router.toml cannot be read: it is not UTF-8. None of its upstreams is used.",
    )


def test_added_upstreams_are_kept_and_read_again(tmp_path: Path):
    kept = [UpstreamConfig(name="a", base_url="http://a", models=["x"]), UpstreamConfig(name="b", base_url="http://b", chat=True)]
    file = tmp_path / "deep" / "upstreams.json"
    write_added(file, kept)
    assert read_added(file) == Written(tuple(kept))
    assert [path.name for path in file.parent.iterdir()] == ["upstreams.json"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"upstreams": 3}', "\x00"])
def test_broken_file_of_added_upstreams_is_told(tmp_path: Path, content):
    file = tmp_path / "upstreams.json"
    file.write_text(content)
    written = read_added(file)
    assert written.upstreams == ()
    assert "upstreams.json" in written.problems[0]


def test_added_upstream_that_is_no_longer_legal_is_told_and_the_others_stay(tmp_path: Path):
    file = tmp_path / "upstreams.json"
    file.write_text(json.dumps({"upstreams": [{"name": "local", "base_url": "http://a"}, {"name": "b", "base_url": "http://b"}]}))
    written = read_added(file)
    assert [upstream.name for upstream in written.upstreams] == ["b"]
    assert "upstreams.json, upstream 1: name may not be local" in written.problems[0]
