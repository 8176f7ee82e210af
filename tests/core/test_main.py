"""``python -m core run``: the request from a file or a pipe, the answer to standard output, the exit status."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import core.__main__ as command
from core.preset.content import ComparisonContent, DraftContent, SlotContent
from core.preset.document import Form, write_presets
from core.preset.preset import NewPreset, label
from core.share.freezing import freeze
from core.share.subject import preset_subject
from core.terminal.call import run as run_once
from core.terminal.live_text import LiveText
from tests.core.client.byte_server import Answer, serving
from tests.support.replay import Replay, Script

KEY = "sk-canary-0123456789"


@pytest.fixture
def asked(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """The scripted upstream, as the environment's router."""
    monkeypatch.setenv("ORQ_API_KEY", KEY)
    monkeypatch.setenv("ORQ_BASE_URL", replay.url)
    return replay


def written(tmp_path: Path, value: object) -> str:
    path = tmp_path / "request.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return str(path)


def run(capsysbinary: pytest.CaptureFixture[bytes], *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    status = command.main(["run", *arguments])
    out, err = capsysbinary.readouterr()
    return status, out.decode(), err.decode()


def test_text_goes_to_standard_output_and_nothing_else_does(asked: Replay, tmp_path: Path, capsysbinary: Any) -> None:
    model = asked.add(Script.of("Grüße an 😀 alle"))
    status, out, err = run(capsysbinary, written(tmp_path, {"model": model, "prompt": "p"}))
    assert (status, out) == (0, "Grüße an 😀 alle")
    assert "stop · 1 + 4 tokens" in err
    assert model in err
    (call,) = asked.calls(model)
    assert call.path == "/v2/router/completions"
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert call.body == {"model": model, "prompt": "p", "stream": True}


async def test_an_emoji_cut_in_two_is_written_whole(capsysbinary: Any) -> None:
    pieces = [rb"a \ud83d", rb"\ude00 b", rb"\ud83d"]
    frames = [b'data: {"choices": [{"index": 0, "text": "' + piece + b'"}]}\n\n' for piece in pieces]
    async with serving(Answer(frames)) as server:
        await run_once({"model": "m", "prompt": "p"}, server.connection(), LiveText())
    assert capsysbinary.readouterr().out.decode() == "a 😀 b\ufffd"


def test_json_is_one_object_with_everything(asked: Replay, tmp_path: Path, capsysbinary: Any) -> None:
    model = asked.add(Script.choices("one two", "uno dos tres"))
    status, out, err = run(capsysbinary, written(tmp_path, {"model": model, "prompt": "p", "n": 2}), "--json")
    answer = json.loads(out)
    timings = answer.pop("timings")
    assert (status, err) == (0, "")
    assert answer == {
        "choices": [
            {"index": 0, "text": "one two", "finish_reason": "stop"},
            {"index": 1, "text": "uno dos tres", "finish_reason": "stop"},
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6},
        "model": model,
        "id": "cmpl-replay",
        "error": None,
        "partial": False,
    }
    assert 0 <= timings["queued_s"] <= timings["first_token_s"] <= timings["total_s"]
    assert timings["tokens_per_s"] > 0


def test_further_choices_follow_the_first(asked: Replay, tmp_path: Path, capsysbinary: Any) -> None:
    model = asked.add(Script.choices("one two", "uno dos"))
    _, out, _ = run(capsysbinary, written(tmp_path, {"model": model, "prompt": "p", "n": 2}))
    assert out == "one two\n\n--- choice 1 ---\nuno dos"


@pytest.mark.parametrize("stream", [True, False])
def test_a_body_that_says_whether_to_stream_is_sent_as_it_says(asked: Replay, tmp_path: Path, capsysbinary: Any, stream: bool) -> None:
    model = asked.add(Script.of("a b"))
    status, out, _ = run(capsysbinary, written(tmp_path, {"model": model, "prompt": "p", "stream": stream}), "--json")
    assert (status, asked.call(model).body["stream"]) == (0, stream)
    assert json.loads(out)["choices"][0]["text"] == "a b"
    assert (json.loads(out)["timings"]["first_token_s"] is not None) is stream


def test_a_draft_is_sent_with_its_extra_fields(asked: Replay, tmp_path: Path, capsysbinary: Any) -> None:
    model = asked.add(Script.of("a"))
    draft = {"body": {"model": model, "prompt": "p", "stop": None}, "extra": '{"logit_bias": {}}', "connection": "orq"}
    status, out, err = run(capsysbinary, written(tmp_path, draft))
    assert (status, out) == (0, "a")
    assert asked.call(model).body == {"model": model, "prompt": "p", "stop": None, "logit_bias": {}, "stream": True}
    assert "not connection" in err


def test_a_dash_reads_standard_input(asked: Replay, monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    model = asked.add(Script.of("a"))
    body = "\ufeff" + json.dumps({"model": model, "prompt": "Grüße"}, ensure_ascii=False)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body.encode())))
    assert run(capsysbinary, "-")[:2] == (0, "a")
    assert asked.call(model).body["prompt"] == "Grüße"


def test_base_url_and_path_may_be_given(replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    monkeypatch.setenv("ORQ_BASE_URL", "http://127.0.0.1:9")
    model = replay.add(Script.of("a"))
    request = written(tmp_path, {"model": model, "prompt": "p"})
    assert run(capsysbinary, request, "--base-url", replay.url + "/", "--path", "/v1/completions")[0] == 0
    assert replay.call(model).path == "/v1/completions"
    assert "authorization" not in replay.call(model).headers


@pytest.mark.parametrize(("ending", "reason"), [("cut", "cut"), ("malformed", "malformed"), ("error_frame", "error_frame")])
def test_a_broken_stream_fails_and_keeps_its_text(asked: Replay, tmp_path: Path, capsysbinary: Any, ending: Any, reason: str) -> None:
    model = asked.add(Script.of("so far", ending=ending))
    request = written(tmp_path, {"model": model, "prompt": "p"})
    status, out, err = run(capsysbinary, request)
    assert (status, out) == (1, "so far")
    assert len(err.splitlines()) == 2
    status, out, _ = run(capsysbinary, request, "--json")
    answer = json.loads(out)
    assert (status, answer["partial"], answer["error"]["reason"]) == (1, True, reason)
    assert answer["choices"] == [{"index": 0, "text": "so far", "finish_reason": None}]
    assert answer["error"]["cause"] in err
    assert answer["error"]["next_step"] in err


def test_a_rejection_fails_with_what_the_router_said(asked: Replay, tmp_path: Path, capsysbinary: Any) -> None:
    model = asked.add(Script.refusal(429, "rate_limit_exceeded", "slow down", retry_after="7"))
    status, out, err = run(capsysbinary, written(tmp_path, {"model": model, "prompt": "p"}), "--json")
    answer = json.loads(out)
    assert (status, answer["choices"], answer["partial"]) == (1, [], False)
    assert answer["error"]["kind"] == "router_rejected"
    assert answer["error"]["status"] == 429
    assert answer["error"]["retry_after_s"] == 7
    assert "slow down" in err
    assert KEY not in out + err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{not json", "JSON"),
        ("[]", "object"),
        ("", "JSON"),
        ({"model": "m"}, "prompt"),
        ({"model": "m", "prompt": "p", "max_tokens": 0, "nonsense": 1}, "nonsense"),
        ({"body": {"model": "m", "prompt": "p", "temperature": 3}}, "temperature"),
        ({"body": {"model": "m", "prompt": "p"}, "extra": "{"}, "extra"),
        ({"body": {"model": "m", "prompt": "p"}, "extra": {"a": 1}}, "extra"),
        ({"body": {"model": "m", "prompt": "p"}, "extra": '{"temperature": 1}'}, "temperature"),
        ({"body": "text"}, "body"),
    ],
)
def test_bad_input_is_refused_with_its_problems_and_nothing_is_sent(
    asked: Replay, tmp_path: Path, capsysbinary: Any, content: object, words: str
) -> None:
    asked.add(Script.of("a"), "m")
    status, out, err = run(capsysbinary, written(tmp_path, content))
    assert (status, out) == (2, "")
    assert words in err
    status, out, _ = run(capsysbinary, written(tmp_path, content), "--json")
    problems = json.loads(out)["error"]["problems"]
    assert status == 2
    assert any(words in problem["path"] + problem["message"] for problem in problems)
    assert asked.calls("m") == []


def test_a_file_that_cannot_be_read_is_bad_input(tmp_path: Path, capsysbinary: Any) -> None:
    assert run(capsysbinary, str(tmp_path / "none.json"))[0] == 2
    (tmp_path / "latin.json").write_bytes(b'{"prompt": "\xe9"}')
    status, _, err = run(capsysbinary, str(tmp_path / "latin.json"))
    assert (status, "UTF-8" in err) == (2, True)
    assert run(capsysbinary, str(tmp_path))[0] == 2


@pytest.mark.parametrize("arguments", [[], ["run"], ["walk", "x"], ["run", "x", "--jason"]])
def test_a_wrong_command_line_exits_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2


def test_without_key_and_base_url_the_local_router_answers(tmp_path: Path) -> None:
    request = {"model": "local/pydoc", "prompt": "A function definition", "max_tokens": 12, "seed": 1}
    done = subprocess.run(
        [sys.executable, "-m", "core", "run", written(tmp_path, request), "--json"], capture_output=True, text=True, timeout=60, check=False
    )
    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert answer["model"] == "local/pydoc"
    assert answer["usage"]["completion_tokens"] <= 12
    assert answer["choices"][0]["text"]


def test_a_reader_that_goes_away_ends_the_run_quietly(replay: Replay, tmp_path: Path) -> None:
    model = replay.add(Script.of("word " * 5_000, hold_after=200))
    arguments = [sys.executable, "-m", "core", "run", written(tmp_path, {"model": model, "prompt": "p"}), "--base-url", replay.url]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(4) == b"word"
        process.stdout.close()
        replay.release(model)
        assert process.wait(30) == 1
        assert process.stderr.read() == b""


def test_ctrl_c_ends_the_run_with_its_text_written(replay: Replay, tmp_path: Path) -> None:
    model = replay.add(Script.of("so far and never more", hold_after=2))
    arguments = [sys.executable, "-m", "core", "run", written(tmp_path, {"model": model, "prompt": "p"}), "--base-url", replay.url]
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # tests in a shell's background inherit that it is ignored
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **heard) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(6) == b"so far"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == b"interrupted\n"


def preset_file(tmp_path: Path, *presets: NewPreset, form: Form = "yaml") -> str:
    path = tmp_path / f"presets.{form}"
    path.write_bytes(write_presets(presets, form))
    return str(path)


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_preset_file_is_run(asked: Replay, tmp_path: Path, capsysbinary: Any, form: Form) -> None:
    model = asked.add(Script.of("one two"))
    content = DraftContent({"model": model, "prompt": "p", "seed": None}, '{"logit_bias": {}}')
    status, out, _ = run(capsysbinary, preset_file(tmp_path, NewPreset(label("one"), content), form=form))
    assert (status, out) == (0, "one two")
    assert asked.calls(model)[0].body == {"model": model, "prompt": "p", "seed": None, "logit_bias": {}, "stream": True}


def comparison_file(tmp_path: Path, *models: str, repeats: int = 1) -> str:
    slots = tuple(SlotContent({"model": model, "seed": 5}, name=name) for model, name in zip(models, ("cold", ""), strict=True))
    return preset_file(tmp_path, NewPreset(label("two"), ComparisonContent(slots, "p", repeats)))


def test_comparison_runs_each_slot_in_turn(asked: Replay, tmp_path: Path, capsysbinary: Any) -> None:
    models = asked.add(Script.of("one")), asked.add(Script.of("two"))
    status, out, err = run(capsysbinary, comparison_file(tmp_path, *models))
    assert (status, out) == (0, "--- A · cold ---\none\n\n--- B ---\ntwo")
    assert all(model in err for model in models)


def test_comparison_with_repeats_is_one_json_object_and_fails_when_one_call_does(asked: Replay, tmp_path: Path, capsysbinary: Any) -> None:
    models = asked.add(Script.of("one")), asked.add(Script.refusal(429, "rate_limit_exceeded", "slow down"))
    status, out, err = run(capsysbinary, comparison_file(tmp_path, *models, repeats=2), "--json")
    slots = json.loads(out)["slots"]
    assert status == 1
    assert [(slot["slot"], len(slot["runs"])) for slot in slots] == [("A · cold", 2), ("B", 2)]
    assert [run["error"] is None for slot in slots for run in slot["runs"]] == [True, True, False, False]
    assert [call.body["seed"] for call in asked.calls(models[0])] == [5, 6]
    assert "slow down" in err


def test_preset_with_a_problem_sends_nothing_of_any_slot(asked: Replay, tmp_path: Path, capsysbinary: Any) -> None:
    model = asked.add(Script.of("one"))
    slots = SlotContent({"model": model}), SlotContent({"model": model, "temperature": 3})
    status, out, err = run(capsysbinary, preset_file(tmp_path, NewPreset(label("two"), ComparisonContent(slots, "p"))))
    assert (status, out, asked.calls(model)) == (2, "", [])
    assert "B.temperature must be between 0 and 2, got 3" in err


def test_one_of_several_presets_is_chosen_by_its_name(asked: Replay, tmp_path: Path, capsysbinary: Any) -> None:
    model = asked.add(Script.of("one"))
    file = preset_file(tmp_path, *(NewPreset(label(name), DraftContent({"model": model, "prompt": name})) for name in ("cold", "warm")))
    assert run(capsysbinary, file, "--preset", "warm")[:2] == (0, "one")
    assert asked.calls(model)[0].body["prompt"] == "warm"
    status, _, err = run(capsysbinary, file)
    assert (status, "cold, warm" in err) == (2, True)
    assert run(capsysbinary, file, "--preset", "hot")[0] == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format: preset\nformat_version: 2\nname: n\n", "newer playground"),
        ("a: [", "not YAML"),
        ("format: preset\nformat_version: 1\nname: n\ndraft: {body: {}}\n", "model"),
    ],
)
def test_file_that_is_no_preset_is_bad_input(tmp_path: Path, capsysbinary: Any, text: str, says: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    status, out, err = run(capsysbinary, str(path))
    assert (status, out, says in err) == (2, "", True)
    assert json.loads(run(capsysbinary, str(path), "--json")[1])["error"]["kind"] in ("invalid_preset", "invalid_request")


def test_shared_file_is_run_and_a_damaged_one_is_bad_input(asked: Replay, tmp_path: Path, capsysbinary: Any) -> None:
    model = asked.add(Script.of("shared and run"))
    made = freeze(preset_subject({"body": {"model": model, "prompt": "p", "temperature": 0.5}, "extra": ""})).to_json()
    file = tmp_path / "shared.json"
    file.write_bytes(made)
    assert run(capsysbinary, str(file))[:2] == (0, "shared and run")
    assert asked.call(model).body["temperature"] == 0.5
    file.write_bytes(made.replace(b'"temperature":0.5', b'"temperature":9'))
    status, _, err = run(capsysbinary, str(file))
    assert status == 2
    assert "temperature must be between 0 and 2" in err
