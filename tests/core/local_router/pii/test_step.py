"""The plug-in between a request and scripted models."""

from __future__ import annotations

import json
import logging

import pytest

from core.local_router.answer import Call
from core.local_router.api_error import ApiError
from core.local_router.pii import kinds as catalogue
from core.local_router.pii.kinds import MAX_TEXT_CHARS, Kind
from core.local_router.trace import Trace
from tests.core.local_router.fakes import Bench, ScriptedModel, heard

ON = [{"id": "pii_redaction"}]
CANARY = "canary.bird@example.com"


async def test_model_gets_placeholders_and_the_caller_gets_values():
    bench = Bench(a=ScriptedModel(["I wrote to <EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2>"]))
    said = await bench.say(prompt=f"Write to {CANARY}", stop=[CANARY, "END"], user=CANARY, plugins=ON)
    assert said.strip() == f"I wrote to {CANARY} and <EMAIL_ADDRESS_2>"
    asked = bench.models["a"].asked[0].body
    assert (asked["prompt"], asked["stop"], asked["user"]) == (
        "Write to <EMAIL_ADDRESS_1>",
        ["<EMAIL_ADDRESS_1>", "END"],
        "<EMAIL_ADDRESS_1>",
    )
    assert "plugins" not in asked


async def test_value_is_in_no_trace_no_log_and_no_header(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    bench = Bench(a=ScriptedModel(["<EMAIL_ADDRESS_1>"]))
    await bench.say(prompt=f"Write to {CANARY}", user=CANARY, plugins=ON, cache={"type": "exact_match"})
    (event,) = bench.events("pii")
    assert (event["result"], event["entities"], event["language"]) == ("redacted", {"EMAIL_ADDRESS": 2}, None)
    assert bench.traces[-1].view()["user"] == "<EMAIL_ADDRESS_1>"
    assert event["duration_ms"] > 0
    assert CANARY not in json.dumps(bench.traces[-1].view()) + str(bench.headers) + caplog.text
    assert CANARY not in str(bench.models["a"].asked) + str(vars(bench.pipeline._cache))


async def test_cached_answer_is_restored_with_each_requests_own_values():
    bench = Bench(a=ScriptedModel(["Dear <EMAIL_ADDRESS_1>"]))
    for name in ("jane@example.com", "joe@example.com"):
        assert await bench.say(prompt=f"Write to {name}", plugins=ON, cache={"type": "exact_match"}) == f" Dear {name}"
    assert bench.headers["cache"] == "hit"
    assert len(bench.models["a"].asked) == 1


async def test_private_values_are_hidden_as_inputs():
    bench = Bench(a=ScriptedModel(["<INPUT_1>"]))
    body = {"model": "a", "prompt": "Greet Ada", "plugins": ON}
    answer = await bench.pipeline.answer(Call("a", body, "me", private=("Ada",)), Trace("r", "me", body, bench.time.clock))
    assert await heard(answer) == (" Ada", None)
    assert bench.models["a"].asked[0].body["prompt"] == "Greet <INPUT_1>"


async def test_two_plugins_work_one_after_the_other():
    bench = Bench(a=ScriptedModel(["<URL_1>"]))
    said = await bench.say(
        prompt=f"See https://example.org/{CANARY}",
        plugins=[{"id": "pii_redaction", "entities": ["EMAIL_ADDRESS"]}, {"id": "pii_redaction", "entities": ["URL"]}],
    )
    prompt = bench.models["a"].asked[0].body["prompt"]
    assert [event["entities"] for event in bench.events("pii")] == [{"EMAIL_ADDRESS": 1}, {"URL": 1}]
    assert CANARY not in prompt
    assert said.strip() in f"https://example.org/{CANARY}"  # no placeholder of the first is left in what the second restores


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"prompt": "x" * (MAX_TEXT_CHARS + 1)}, "prompt"),
        ({"prompt": CANARY, "plugins": [{**ON[0], "language": "tlh"}]}, "plugins.0.language"),
    ],
)
async def test_failure_that_the_request_can_mend_is_a_400(asked: dict, param: str):
    bench = Bench(a=ScriptedModel(["x"]))
    with pytest.raises(ApiError) as raised:
        await bench.say(**{"plugins": ON, **asked})
    assert (raised.value.status, raised.value.code, raised.value.param) == (400, "pii_redaction_failed", param)
    assert bench.events("pii")[0]["result"] == "blocked"
    assert bench.models["a"].asked == []


def broken(*_: object):
    raise RuntimeError(CANARY)


async def test_broken_recogniser_blocks_and_tells_no_value(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr(catalogue, "KINDS", catalogue.KINDS)
    monkeypatch.setitem(catalogue.KINDS, "URL", Kind("URL", None, broken))  # type: ignore[arg-type]
    bench = Bench(a=ScriptedModel(["x"]))
    with pytest.raises(ApiError) as raised:
        await bench.say(prompt=CANARY, plugins=ON)
    assert (raised.value.status, raised.value.code) == (500, "pii_redaction_failed")
    assert "URL" in caplog.text
    assert CANARY not in caplog.text + str(raised.value) + json.dumps(bench.traces[-1].view())
    await bench.say(prompt=CANARY, plugins=[{**ON[0], "on_failure": "passthrough"}])
    assert bench.models["a"].asked[0].body["prompt"] == CANARY
    assert bench.events("pii")[0]["result"] == "passed_through"
