"""The key that the playground was given goes to its server and nowhere else."""

from __future__ import annotations

from tests.conftest import REPLAY_KEY
from tests.support.app_process import AppProcess
from tests.support.playground_page import PlaygroundPage
from tests.support.replay import Replay, Script


def test_key_is_sent_upstream_and_shown_logged_and_stored_nowhere(
    scripted: PlaygroundPage, scripted_playground: AppProcess, replay: Replay
) -> None:
    received: list[str] = []
    scripted.page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(repr(data))))
    scripted.page.on("response", lambda response: received.append(response.url))
    scripted.reload()
    for script in (Script(), Script.refusal(401, "invalid_api_key", f"{REPLAY_KEY} is not a key we know")):
        model = replay.add(script)
        scripted.choose_model(model).type_prompt("go").run()
        scripted.panel.wait_until_ended()
        scripted.idle()
        assert replay.call(model).headers["authorization"] == f"Bearer {REPLAY_KEY}"
    scripted.page.get_by_role("link", name="Connections").click()
    scripted.idle()
    received.append(scripted.page.content())
    files = [path for path in scripted_playground.data_dir.rglob("*") if path.is_file()]
    places = {"page": " ".join(received), "output": scripted_playground.output(last=10**7)}
    places |= {str(path): path.read_bytes().decode(errors="replace") for path in files}
    assert not [place for place, text in places.items() if REPLAY_KEY in text]
