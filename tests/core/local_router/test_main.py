from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from core.local_router.__main__ import arguments, main


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The router as a process, and the line it says."""
    arguments = [sys.executable, "-m", "core.local_router", *options]
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # tests in a shell's background inherit that it is ignored
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **heard) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline()
        finally:
            process.kill()


def test_router_alone_says_where_it_is_and_takes_any_key():
    with started("--port", "0", "--pace", "0") as (_, line):
        match = re.fullmatch(r"Local router on (http://127\.0\.0\.1:\d+), any key is accepted\n", line)
        assert match
        body = {"model": "local/pydoc", "prompt": "A class"}
        for headers in ({}, {"Authorization": "Bearer whatever"}):
            assert httpx.post(f"{match[1]}/v1/completions", json=body, headers=headers, timeout=30).status_code == 200


def test_router_with_a_key_says_it_and_wants_it():
    with started("--api-key", "sk-mine") as (_, line):
        match = re.fullmatch(r"Local router on (\S+), with the key sk-mine\n", line)
        assert match
        assert httpx.get(f"{match[1]}/v1/models").status_code == 401
        assert httpx.get(f"{match[1]}/v1/models", headers={"Authorization": "Bearer sk-mine"}).status_code == 200


READ = ("/v1/models", "/v2/knowledge", "/v2/prompts", "/v2/identities", "/v2/router/threads", "/v2/pii/capabilities", "/openapi.json")


@pytest.mark.takes(6)
@pytest.mark.parametrize("kept", [False, True], ids=["in memory", "in a data directory"])
def test_all_of_it_is_served_and_what_was_added_is_there_again_where_it_is_kept(tmp_path: Path, kept: bool):
    options = ("--pace", "0", "--api-key", "sk-mine", *(("--data-dir", str(tmp_path)) if kept else ()))
    found: list[list[int]] = []
    for begins in (True, False):
        with started(*options) as (process, line):
            with httpx.Client(base_url=line.split()[3].rstrip(","), headers={"Authorization": "Bearer sk-mine"}, timeout=30) as http:
                assert [http.get(path).status_code for path in READ] == [200] * len(READ)
                if begins:
                    http.post("/v2/knowledge", json={"key": "mine"}).raise_for_status()
                    body = {"model": "local/pydoc-1", "prompt": "A class", "orq": {"identity": {"id": "ada"}}}
                    stored = {"display_name": "Mine", "prompt": {"messages": [{"role": "user", "content": "A class"}]}}
                    http.post("/v2/prompts", json=stored).raise_for_status()
                    assert http.post("/v2/router/completions", json=body).status_code == 200
                keys = [base["key"] for base in http.get("/v2/knowledge").json()["data"]]
                names = [prompt["display_name"] for prompt in http.get("/v2/prompts").json()["data"]]
                people = [one["external_id"] for one in http.get("/v2/identities").json()["data"]]
                found.append([keys.count("mine"), names.count("Mine"), people.count("ada")])
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
    assert found == [[1, 1, 1], [1, 1, 1] if kept else [0, 0, 0]]


def test_interrupt_ends_it_quietly():
    with started() as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.stderr
        assert process.wait(timeout=10) in (0, -signal.SIGINT)
        assert process.stderr.read() == ""


def test_taken_port_is_told_and_fails(capsys: pytest.CaptureFixture[str]):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert f"Port {port} cannot be used" in capsys.readouterr().err


def test_config_names_upstreams_and_what_is_wrong_in_it_is_told(tmp_path: Path):
    config = tmp_path / "mine.toml"
    with started("--pace", "0") as (_, line):
        upstream = line.split()[3].rstrip(",")
        config.write_text(f'[[upstream]]\nname = "inner"\nbase_url = "{upstream}"\n[[upstream]]\nname = "local"\nbase_url = "http://a"\n')
        with started("--config", str(config), "--pace", "0") as (process, line):
            router = line.split()[3].rstrip(",")
            body = {"model": "inner/local/pydoc", "prompt": "A class"}
            assert httpx.post(f"{router}/v1/completions", json=body, timeout=30).json()["model"] == "inner/local/pydoc"
            assert process.stderr
            assert process.stderr.readline().startswith("mine.toml, line 5: name may not be local")


def test_config_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        arguments(["--config", str(tmp_path / "none.toml")])
    assert "there is no file" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--port", "70000"], ["--port", "x"], ["--pace", "-1"], ["--pace", "inf"], ["--pace", "nan"]], ids=str)
def test_wrong_options_are_refused(wrong, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as raised:
        arguments(wrong)
    assert raised.value.code == 2
    assert wrong[0] in capsys.readouterr().err
