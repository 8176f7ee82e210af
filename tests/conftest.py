"""What every test stands on. Tests that drive a browser find more in tests/browser/conftest.py."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

from tests.support.app_process import AppProcess, clean_environment, running_app
from tests.support.replay import Replay, replaying

# Before anything reads it: no key and no address of this machine reaches a test, and nothing is kept in the checkout.
_data_dir = tempfile.TemporaryDirectory(prefix="playground-tests-", ignore_cleanup_errors=True)
_clean = clean_environment(PLAYGROUND_DATA_DIR=_data_dir.name)
os.environ.clear()
os.environ.update(_clean)

REPLAY_KEY = "sk-replay-b2f1c0d4e5"
"""The key that the playground on the replay upstream is given; tests look for it where it must not be."""


@pytest.fixture(scope="session")
def playground() -> Iterator[AppProcess]:
    """The real app as a process, without a key: on its own local router. One per test process."""
    with running_app() as app:
        yield app


@pytest.fixture(scope="session")
def replay() -> Iterator[Replay]:
    """A scripted upstream. One per test process; scripts are told apart by their models' names."""
    with replaying() as running:
        yield running


@pytest.fixture(scope="session")
def scripted_playground(replay: Replay) -> Iterator[AppProcess]:
    """The real app with a key and a base URL, as for the real service; the service is the scripted upstream."""
    with running_app(environment={"ORQ_API_KEY": REPLAY_KEY, "ORQ_BASE_URL": replay.url}) as app:
        yield app
