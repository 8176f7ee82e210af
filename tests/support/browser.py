"""The Chromium that tests, benchmarks and screenshots drive.

``python -m tests.support.browser`` prints its path, after installing one if there is none: an installed Chromium or Chrome;
else Debian's package, when root on Debian; else Playwright's own; else a message that says what to do, and exit status 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# Fonts come along because Debian's Chromium brings none: Latin, Arabic and Hebrew from DejaVu, emoji from Noto.
_DEBIAN_PACKAGES = ("chromium", "fonts-dejavu-core", "fonts-noto-color-emoji")


class NoBrowser(Exception):
    """There is no Chromium, and none could be installed; the message says what to do."""


def installed() -> str | None:
    """The path of a Chromium or Chrome that runs, ``None`` when there is none; ``CHROMIUM`` in the environment is asked first."""
    named = os.environ.get("CHROMIUM")
    found = (path for command in (*([named] if named else []), *_COMMANDS) if (path := shutil.which(command)))
    return next((path for path in (*found, *_ELSEWHERE, *_of_playwright()) if _runs(path)), None)


def ensure() -> str:
    """The path of a browser, installed now if need be. Raises NoBrowser."""
    for install in (_nothing, _from_debian, _from_playwright):
        install()
        if path := installed():
            return path
    raise NoBrowser(
        "No Chromium or Chrome was found, and none could be installed. Install one (Debian, Ubuntu: sudo apt install chromium), "
        "or have Playwright fetch its own: .venv/bin/python -m playwright install --with-deps chromium. "
        "One in an unusual place is named by the environment variable CHROMIUM."
    )


@contextmanager
def launched(*, headless: bool = True) -> Iterator[Browser]:
    """A running browser, driven by Playwright's synchronous API from this thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=ensure(), headless=headless, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def _nothing() -> None:
    """The first thing to try."""


def _from_debian() -> None:
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    if "ID=ubuntu" in Path("/etc/os-release").read_text(encoding="utf-8"):
        return  # Ubuntu's chromium package is a snap, which does not run in containers
    _say("Installing Debian's chromium for the tests")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-qq"], environment)
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *_DEBIAN_PACKAGES], environment)


def _from_playwright() -> None:
    _say("Installing Playwright's chromium for the tests")
    root = os.name == "posix" and os.geteuid() == 0
    _run([sys.executable, "-m", "playwright", "install", *(["--with-deps"] if root else []), "chromium"], dict(os.environ))


def _of_playwright() -> Iterator[str]:
    """Where Playwright keeps the browsers it fetched, newest first."""
    caches = {"darwin": "~/Library/Caches/ms-playwright", "win32": "~/AppData/Local/ms-playwright"}
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or caches.get(sys.platform, "~/.cache/ms-playwright")).expanduser()
    patterns = ("chrome-linux*/chrome", "chrome-mac*/*/Contents/MacOS/*", "chrome-win*/chrome.exe")
    for folder in sorted(cache.glob("chromium-*"), reverse=True):
        for pattern in patterns:
            yield from map(str, folder.glob(pattern))


def _runs(path: str) -> bool:
    """Whether ``path`` is a browser that starts: a stub that only asks to install a snap does not."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _run(command: list[str], environment: dict[str, str]) -> None:
    """A failure is told and not raised: the next way is tried."""
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        _say(f"{' '.join(command)} failed:\n{(done.stderr or done.stdout)[-2000:]}")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    try:
        sys.stdout.write(ensure() + "\n")
    except NoBrowser as reason:
        sys.exit(str(reason))
