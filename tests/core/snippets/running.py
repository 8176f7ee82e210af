"""Running exported code for real, against a loopback server that remembers what came."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from core.connection import Connection
from core.snippets import LANGUAGES, Call, Language, call_to
from core.snippets.clients import node_changes, python_changes
from tests.support.app_process import clean_environment
from tests.support.node_packages import node_packages
from tests.support.replay import Replay

KEY = "sk-snippet-7d1f"
ENVIRONMENT = {"ORQ_API_KEY": KEY, "OPENAI_API_KEY": KEY, "X_API_KEY": "sk-header"}
RUNNABLE = [one for one in LANGUAGES if one.highlight in ("python", "bash", "javascript")]
"""The languages whose programs run on this kind of machine."""


def connection(replay: Replay, kind: Any = "orq", path: str = "/v2/router/completions", **headers: str) -> Connection:
    """A connection to the loopback server, with a key that no snippet may hold."""
    return Connection("there", kind, replay.url, path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def call(replay: Replay, body: Mapping[str, Any], **rest: Any) -> Call:
    return call_to(body, connection(replay, **rest))


def expected(one: Language, body: Mapping[str, Any]) -> dict[str, Any]:
    """What leaves: our body, but for what the client is documented to change."""
    if one.id.startswith("orq-python"):
        return python_changes(body).applied(body)
    return node_changes(body).applied(body) if one.id == "orq-node" else dict(body)


def needed(one: Language) -> Path | None:
    """The npm packages that the language needs, if any; skips the test where it cannot be run."""
    if (one.highlight == "javascript" and not shutil.which("node")) or (one.highlight == "bash" and not shutil.which("curl")):
        pytest.skip("not installed here")
    packages = node_packages() if one.highlight == "javascript" and one.needs else None
    if one.highlight == "javascript" and one.needs and packages is None:
        pytest.skip("npm packages cannot be installed here")
    return packages


@contextmanager
def environment() -> Iterator[None]:
    with mock.patch.dict(os.environ, ENVIRONMENT):
        yield


def run(language: Language, code: str, packages: Path | None = None) -> str:
    """Run ``code`` as its language is run; what it printed. Fails when it fails."""
    if language.highlight == "python":
        return run_python(code)
    if language.highlight == "bash":
        return run_process(["bash", "-c", code] if len(code) < 100_000 else ["bash", "-s"], code if len(code) >= 100_000 else None)
    if language.highlight == "javascript":
        folder = packages or Path(tempfile.gettempdir())
        script = folder / f"snippet-{uuid.uuid4().hex}.mjs"
        script.write_text(code, encoding="utf-8")
        try:
            return run_process(["node", str(script)], None)
        finally:
            script.unlink()
    raise AssertionError(f"{language.id} cannot be run here")


def run_python(code: str) -> str:
    """Parse and execute, in this process."""
    printed = io.StringIO()
    with environment(), contextlib.redirect_stdout(printed):
        exec(compile(ast.parse(code), "snippet.py", "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def run_process(command: list[str], typed: str | None) -> str:
    """What a command printed; fails when it fails."""
    done = subprocess.run(
        command,
        input=None if typed is None else typed.encode(),
        env=clean_environment(**ENVIRONMENT),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done.stdout.decode()
