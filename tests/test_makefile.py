"""The commands that people and continuous integration type."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.app_process import ROOT, clean_environment, free_port
from tests.support.conditions import eventually


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = clean_environment(**environment)
    return subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.takes(5)
def test_make_run_serves_the_playground_on_its_port(tmp_path: Path) -> None:
    port = free_port()
    command = ["make", "run", f"PORT={port}", f"VENV={sys.prefix}"]
    environment = clean_environment(PLAYGROUND_DATA_DIR=str(tmp_path))
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            eventually(lambda: answers(f"http://127.0.0.1:{port}/healthz") or process.poll() is not None)
            assert process.poll() is None
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_port_in_use_is_told_with_a_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(sys.executable, ".ci/port_free.py", str(port))
    assert done.returncode == 1
    assert f"Port {port} is not free" in done.stderr
    assert "make run PORT=" in done.stderr


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", ""])
def test_port_that_is_none_is_told(port: str) -> None:
    done = run(sys.executable, ".ci/port_free.py", port)
    assert (done.returncode, "is not a port" in done.stderr) == (1, True)


def test_missing_python_is_told_with_what_to_do(tmp_path: Path) -> None:
    done = run("/bin/sh", ".ci/make_venv", str(tmp_path / "venv"), PATH=str(tmp_path))
    assert done.returncode == 1
    assert "No Python 3.11 or newer was found" in done.stderr
    assert "PYTHON=" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_environment_that_works_is_left_as_it_is() -> None:
    done = run("/bin/sh", ".ci/make_venv", sys.prefix, PATH="/nowhere")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_formats_lints_types_and_tests() -> None:
    planned = run("make", "--dry-run", "check", f"VENV={sys.prefix}").stdout
    steps = [planned.index(step) for step in ("ruff format --check .", "ruff check .", "-m mypy", "-m pytest")]
    assert steps == sorted(steps)


def test_continuous_integration_runs_make_check() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == "exec make check </dev/null"
