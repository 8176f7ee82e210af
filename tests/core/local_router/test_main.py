from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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


@pytest.mark.parametrize("wrong", [["--port", "70000"], ["--port", "x"], ["--pace", "-1"], ["--pace", "inf"], ["--pace", "nan"]], ids=str)
def test_wrong_options_are_refused(wrong, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as raised:
        arguments(wrong)
    assert raised.value.code == 2
    assert wrong[0] in capsys.readouterr().err
