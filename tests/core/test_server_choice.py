import pytest
from pydantic import SecretStr

from core.connection import Connection
from core.server_choice import (
    ServerChoice,
    base_url_problem,
    choose_connection,
    double_path_problem,
    find_key,
    headers_problem,
    parse_headers,
    path_problem,
)
from core.settings import Settings

LOCAL = Connection("Local router", "local", "http://127.0.0.1:1", "/v2/router/completions")


def settings(tmp_path, **environ):
    return Settings.from_environment({"PLAYGROUND_DATA_DIR": str(tmp_path), "PLAYGROUND_SECRET": "s", **environ})


def choose(choice, current, typed=None, secrets=None):
    return choose_connection(ServerChoice.model_validate(choice), current, local=LOCAL, typed_keys=typed or {}, secrets=secrets or {})


def test_without_key_and_choice_the_local_router_is_used(tmp_path):
    assert choose({}, settings(tmp_path)) is LOCAL


def test_orq_key_in_the_environment_selects_the_real_service(tmp_path):
    chosen = choose({}, settings(tmp_path, ORQ_API_KEY="k"))
    assert (chosen.kind, chosen.base_url, chosen.path) == ("orq", "https://my.orq.ai", "/v2/router/completions")
    assert chosen.api_key.get_secret_value() == "k"


def test_orq_key_in_streamlit_secrets_selects_the_real_service(tmp_path):
    chosen = choose({}, settings(tmp_path), secrets={"ORQ_API_KEY": "from secrets"})
    assert chosen.kind == "orq"
    assert chosen.api_key.get_secret_value() == "from secrets"


def test_a_choice_beats_the_environment(tmp_path):
    assert choose({"kind": "local"}, settings(tmp_path, ORQ_API_KEY="k")) is LOCAL


def test_edited_fields_make_the_connection(tmp_path):
    edited = {"base_url": "http://localhost:9/", "path": "/x", "read_timeout_s": 5.0, "headers": {"X-A": "b"}}
    chosen = choose({"kind": "orq", "orq": edited}, settings(tmp_path))
    assert (chosen.base_url, chosen.path, chosen.read_timeout_s, chosen.connect_timeout_s) == ("http://localhost:9", "/x", 5.0, 10.0)
    assert chosen.headers == {"X-A": "b"}


def test_typed_key_beats_environment_and_secrets(tmp_path):
    key, source = find_key("orq", "https://my.orq.ai", settings(tmp_path, ORQ_API_KEY="e"), SecretStr("t"), {"ORQ_API_KEY": "s"})
    assert (key.get_secret_value(), source) == ("t", "typed")


def test_openai_key_goes_to_openai_and_its_base_url_only(tmp_path):
    current = settings(tmp_path, OPENAI_API_KEY="e", OPENAI_BASE_URL="http://gateway:8000/v1")
    sources = {
        url: find_key("openai", url, current, None, {})[1] for url in ("https://api.openai.com", "http://gateway:8000", "http://else:8000")
    }
    assert sources == {"https://api.openai.com": "environment", "http://gateway:8000": "environment", "http://else:8000": "none"}


@pytest.mark.parametrize(
    "url", ["my.orq.ai", "ftp://a", "https://", "https://u:p@host", "https://host?x=1", "http://host:port", "http://[::1"]
)
def test_unusable_base_url_is_named(url):
    assert base_url_problem(url)


@pytest.mark.parametrize("url", ["https://my.orq.ai", "http://127.0.0.1:11434", "http://[::1]:80", "https://host/prefix"])
def test_usable_base_url_has_no_problem(url):
    assert base_url_problem(url) is None


def test_path_starts_with_a_slash():
    assert path_problem("v1/completions")
    assert path_problem("/v1/completions?x")
    assert path_problem("/v1/completions") is None


def test_version_in_base_url_and_path_is_noticed():
    assert "/v1/v1/completions" in double_path_problem("http://host/v1", "/v1/completions")
    assert double_path_problem("http://host", "/v1/completions") is None


def test_headers_are_read_line_by_line():
    assert parse_headers("X-A: 1\n\n x-b :two words ") == {"X-A": "1", "x-b": "two words"}


@pytest.mark.parametrize("text", ["no colon", "bad name: x", "Authorization: Bearer k", "X-A: a\x07b", "X-A: é", ": empty"])
def test_unusable_header_is_named_by_its_line(text):
    assert headers_problem("X-Fine: 1\n" + text).startswith("Line 2")
