"""The Connections page through Streamlit's AppTest: servers are added behind the local router, tested, changed and removed."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from components.connections.call_limit_field import traffic_parts
from core.calls.places import Traffic
from core.workspace import opened_workspace
from tests.core.local_router.upstreams.chat_server import ChatServer, chat_server
from tests.support.script_page import ScriptPage
from tests.support.server_thread import served

KEY = "sk-typed-canary-5519"


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with chat_server() as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    upstreams = opened_workspace().router.upstreams
    for status in upstreams.status():
        upstreams.remove(status.config.name)


class Page(ScriptPage):
    """The shell with the Connections page on it."""

    def __init__(self) -> None:
        super().__init__("shell.py")
        self.run()
        self.at.switch_page("connections.py")
        self.run()

    def fill(self, **fields: str) -> Page:
        for name, value in fields.items():
            self.set(self._key(name), value)
        return self

    def value(self, name: str) -> str:
        return str(self.at.get_by_key(self._key(name)).value)

    def _key(self, name: str) -> str:
        return next(w.key for w in self.at.text_input if w.key.startswith("upstream.key.")) if name == "key" else f"upstream.{name}"


def names() -> list[str]:
    return [status.config.name for status in opened_workspace().router.upstreams.status()]


def test_server_is_tested_added_and_its_models_are_on_offer_at_once(chat: ChatServer):
    page = Page().fill(name="mine", base_url=chat.base_url + "/v1", key=KEY).click("upstream.test")
    assert "thinker (over chat) answered" in page.words
    assert names() == []
    page.click("upstream.add")
    assert names() == ["mine"]
    assert "mine can be used" in page.words
    assert "answers · 2 models" in page.words
    current = opened_workspace()
    assert {"mine/thinker", "mine/family/other"} < set(current.models(current.local_connection))
    body = {"model": "mine/thinker", "prompt": "Hello"}
    headers = {"Authorization": f"Bearer {current.router.api_key.get_secret_value()}"}
    assert httpx.post(f"{current.router.base_url}/v1/completions", json=body, headers=headers, timeout=30).status_code == 200
    assert set(chat.keys) == {f"Bearer {KEY}"}
    assert [page.value(name) for name in ("name", "base_url", "key")] == ["", "", ""]


def test_typed_key_is_in_no_file_and_not_on_the_page(chat: ChatServer):
    page = Page().fill(name="mine", base_url=chat.base_url, key=KEY).click("upstream.add")
    assert chat.keys
    assert KEY not in page.words + str(
        [vars(element.proto) if hasattr(element.proto, "__dict__") else element for element in page.at.text_input]
    )
    data_dir = opened_workspace().settings.data_dir
    assert (data_dir / "router" / "upstreams.json").is_file()
    assert not [path for path in data_dir.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "local", "base_url": "http://a"}, "name may not be local"),
        ({"name": "", "base_url": "http://a"}, "name must be 1 to 64 letters"),
        ({"name": "a", "base_url": "localhost"}, "A base URL starts with"),
        ({"name": "a", "base_url": "http://a", "api_key_env": "sk-canary-in-the-wrong-field"}, "api_key_env must be the name"),
        ({"name": "a", "base_url": "http://a", "api_key_env": "PLAYGROUND_SECRET"}, "Only variables that begin with UPSTREAM_"),
        ({"name": "a", "base_url": "http://a", "api_key_env": "OPENAI_API_KEY"}, "Only variables that begin with UPSTREAM_"),
    ],
)
def test_what_cannot_be_used_is_marked_at_its_field_and_nothing_is_added(fields, said):
    page = Page().fill(**fields).click("upstream.add")
    assert said in page.words
    assert names() == []


def test_preset_fills_the_form():
    page = Page()
    page.at.get_by_key("upstream.preset").set_value("OpenAI")
    page.run()
    assert [page.value(name) for name in ("name", "base_url", "api_key_env")] == ["openai", "https://api.openai.com", "OPENAI_API_KEY"]


def test_second_server_of_a_name_is_refused(chat: ChatServer):
    page = Page().fill(name="mine", base_url=chat.base_url).click("upstream.add")
    page.fill(name="mine", base_url="http://elsewhere").click("upstream.add")
    assert "There is an upstream mine already" in page.words


def test_server_is_changed_and_removed(chat: ChatServer):
    page = Page().fill(name="mine", base_url=chat.base_url, key=KEY).click("upstream.add").click("upstreams.edit.mine")
    assert page.value("base_url") == chat.base_url
    page.fill(models="thinker, other").click("upstream.add")
    (status,) = opened_workspace().router.upstreams.status()
    assert status.config.models == ["thinker", "other"]
    assert opened_workspace().router.upstreams.has_typed_key("mine")
    page.click("upstreams.remove.mine")
    assert names() == []


def test_key_that_is_still_being_typed_when_add_is_clicked_goes_to_this_server_and_to_no_later_one(chat: ChatServer):
    """The browser sends the field's text and the click together, in either order."""
    page = Page().fill(name="mine", base_url=chat.base_url)
    states = page.at._tree.get_widget_states()
    add, key = (page.at.get_by_key(name).proto.id for name in ("upstream.add", page._key("key")))
    states.widgets.add(id=add, trigger_value=True)
    states.widgets.add(id=key, string_value=KEY)
    page.at._run(states)
    assert opened_workspace().router.upstreams.has_typed_key("mine")
    page.fill(name="other", base_url=chat.base_url).click("upstream.add")
    assert names() == ["mine", "other"]
    assert not opened_workspace().router.upstreams.has_typed_key("other")


def test_server_that_is_down_says_so_and_what_to_do():
    page = Page().fill(name="dead", base_url="http://127.0.0.1:9").click("upstream.add")
    assert "dead was added, but does not answer." in page.words
    assert "can be used" not in page.words
    page.click("upstreams.test.dead")
    assert "Start the server there, or correct the base URL." in page.words


def test_test_of_a_key_that_is_refused_does_not_send_people_to_the_page_they_are_on():
    async def refuse(scope, receive, send):
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"error": {"message": "Who are you?"}}'})

    with served(refuse) as url:
        page = Page().fill(name="locked", base_url=url).click("upstream.test")
    assert "Who are you?" in page.words
    assert "Connections page" not in page.words
    assert "Enter a key." in page.words


def test_calls_at_once_are_set_for_the_address_and_hold_for_everybody() -> None:
    current = opened_workspace()
    page = Page()
    key = "connection.local.calls_at_once"
    assert page.at.get_by_key(key).value == 64
    page.at.get_by_key(key).set_value(3)
    page.run()
    try:
        assert current.call_limits.limit(current.local_connection) == 3
        assert current.hub.traffic(current.local_connection).limit == 3
        assert Page().at.get_by_key(key).value == 3
    finally:
        current.call_limits.set(current.local_connection, 64)


def test_what_runs_and_waits_and_how_far_a_connection_backed_off_is_said_in_words() -> None:
    assert traffic_parts(Traffic(16, 16, 3, 40)) == ["3 running, 40 waiting"]
    parts = traffic_parts(Traffic(16, 4, 0, 2, 7.4))
    assert "backed off to 4 of 16 at once" in parts[1]
    assert "asked to wait 7 s more" in parts[2]
