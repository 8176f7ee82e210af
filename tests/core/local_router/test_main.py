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
    with subprocess.Popen(
        [sys.executable, "-m", "core.local_router", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
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
