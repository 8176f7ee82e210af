"""The real playground, started as people start it, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.conditions import eventually

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("ORQ_", "OPENAI_", "PLAYGROUND_", "STREAMLIT_", "DATABASE_URL")


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without anything that steers the playground, plus ``more``; loopback goes through no proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"} | more


class AppProcess:
    """A running playground: ``url`` without a trailing slash, ``data_dir``, and what it wrote so far."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, data_dir: Path, log: Path, health: str) -> None:
        self.process = process
        self.port = port
        self.data_dir = data_dir
        self._log = log
        self._health = health

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def output(self, last: int = 8_000) -> str:
        """What it wrote to stdout and stderr, at most the ``last`` so many characters."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-last:]

    def healthy(self) -> bool:
        """Whether its health check answers 200; AssertionError with the output when the process has ended."""
        if self.process.poll() is not None:
            raise AssertionError(f"the playground ended with status {self.process.returncode}:\n{self.output()}")
        try:
            return httpx.get(f"{self.url}{self._health}", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def end(self) -> None:
        """Ask it to stop, as Ctrl+C does; after ten seconds, make it."""
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def running_app(
    *, environment: Mapping[str, str] | None = None, script: str = "app.py", health: str = "/healthz", within_s: float = 180.0
) -> Iterator[AppProcess]:
    """``streamlit run app.py`` on a free port with a data directory of its own (unless ``environment`` names one), ready when this yields.

    ``environment`` is added to one without any ``ORQ_*`` or ``PLAYGROUND_*`` variable, so that no key of this machine is used.
    Another ``script`` is another application; a plain Streamlit page answers ``health`` at ``/_stcore/health``.
    """
    with tempfile.TemporaryDirectory(prefix="playground-", ignore_cleanup_errors=True) as folder:
        data_dir, log, port = Path(folder) / "data", Path(folder) / "output.log", free_port()
        data_dir.mkdir()
        env = clean_environment(**{"PLAYGROUND_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1", **(environment or {})})
        command = [sys.executable, "-m", "streamlit", "run", script, "--server.address", "127.0.0.1", "--server.port", str(port)]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        app = AppProcess(process, port, data_dir, log, health)
        try:
            eventually(app.healthy, within_s=within_s, what=f"the playground on {app.url} to be healthy")
            yield app
        finally:
            app.end()
