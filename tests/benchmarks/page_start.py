"""From `make run` on a set-up machine to a page that can be used, in Chromium."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from statistics import median

import httpx
from playwright.sync_api import Browser

from tests.benchmarks.row import Row, row
from tests.support.app_process import ROOT, clean_environment, free_port
from tests.support.browser import launched
from tests.support.conditions import eventually
from tests.support.playground_page import PlaygroundPage

SAMPLES = 5


def run() -> list[Row]:
    """Start to usable, against a Streamlit page with one button started in the same way."""
    with launched() as browser:
        for command in (ours, reference):
            start_s(browser, command)  # fills the disk's cache; not counted
        measured_s = median(start_s(browser, ours) for _ in range(SAMPLES))
        reference_s = median(start_s(browser, reference) for _ in range(SAMPLES))
    return [
        row("make run → page usable", "s", measured_s, target="≤ 3 s", reference=("a page with one button", reference_s)),
    ]


def ours(port: int) -> Sequence[str]:
    """What a person types."""
    return ("make", "--no-print-directory", "run", f"PORT={port}")


def reference(port: int) -> Sequence[str]:
    """The same server with nothing on its page."""
    page = "tests/benchmarks/reference_pages/one_button.py"
    return (sys.executable, "-m", "streamlit", "run", page, "--server.address", "127.0.0.1", "--server.port", str(port))


def start_s(browser: Browser, command_for: Callable[[int], Sequence[str]]) -> float:
    """Seconds from the start of the process until the page's Run button stands and no script runs, in an empty browser context."""
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data_dir:
        environment = clean_environment(PLAYGROUND_DATA_DIR=data_dir)
        context = browser.new_context()
        began = time.monotonic()
        process = subprocess.Popen(
            command_for(port), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            eventually(lambda: _healthy(port), within_s=30)
            PlaygroundPage(context.new_page(), f"http://127.0.0.1:{port}").open()
            return time.monotonic() - began
        finally:
            context.close()
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=10)


def _healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/_stcore/health", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
