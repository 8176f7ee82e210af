"""A server in a process of its own, on one core where the system lets us choose, and what it took of processor and memory."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

START_S = 120.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class ServerProcess:
    """``url``, and what Linux tells about the process; nan where there is no ``/proc``."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._pid = pid

    def cpu_s(self) -> float:
        """Seconds of processor time so far, user and system."""
        with suppress(OSError):
            fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
        return float("nan")

    def resident_mb(self) -> float:
        """Memory in use."""
        with suppress(OSError):
            found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self._pid}/status").read_text())
            return int(found[1]) / 1_024 if found else float("nan")
        return float("nan")


@contextmanager
def serving(command: Sequence[str], port: int, ready: str) -> Iterator[ServerProcess]:
    """``command`` serving on ``port`` until the end of the ``with``; it is ready when ``ready`` answers 200."""
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, {0})
        _wait_for(process, url + ready)
        yield ServerProcess(url, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def local_router() -> Iterator[ServerProcess]:
    """The local router, unpaced, for everybody."""
    port = free_port()
    with serving([sys.executable, "-m", "core.local_router", "--port", str(port), "--pace", "0"], port, "/healthz") as server:
        body = {"model": "local/pydoc", "prompt": "A", "max_tokens": 1}
        httpx.post(f"{server.url}/v1/completions", json=body, timeout=60, trust_env=False).raise_for_status()  # learned by now
        yield server


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(url, timeout=5, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{url} never answered; the server's exit code is {process.poll()}")
