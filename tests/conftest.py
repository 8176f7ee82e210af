"""What every test stands on. Tests that drive a browser find more in tests/browser/conftest.py."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.app_process import AppProcess, clean_environment, running_app
from tests.support.dealing import BROWSER_S, dealt
from tests.support.replay import Replay, replaying

# Before anything reads it: no key and no address of this machine reaches a test, and nothing is kept in the checkout.
_data_dir = tempfile.TemporaryDirectory(prefix="playground-tests-", ignore_cleanup_errors=True)
_clean = clean_environment(PLAYGROUND_DATA_DIR=_data_dir.name)
os.environ.clear()
os.environ.update(_clean)

# Half a million objects of modules and tests stay until the end: looking through them again and again takes a sixth of the collection.
gc.disable()
settings.register_profile("busy", suppress_health_check=[HealthCheck.too_slow])  # how fast examples are made is the machine's affair
settings.load_profile("busy")

REPLAY_KEY = "sk-replay-b2f1c0d4e5"
"""The key that the playground on the replay upstream is given; tests look for it where it must not be."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several test processes, deal the tests out so that none is idle in the end."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        items[:] = dealt(items, processes, drives_browser=_drives_browser, takes_s=_takes_s)


def pytest_collection_finish() -> None:
    """What is there now is not looked at by the garbage collector any more."""
    gc.freeze()
    gc.enable()


def _drives_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None


def _takes_s(item: pytest.Item) -> float:
    told = item.get_closest_marker("takes")
    return float(told.args[0]) if told else BROWSER_S if _drives_browser(item) else 0.05


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
