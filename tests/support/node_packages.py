"""The npm packages that exported JavaScript needs, installed once beside the Python environment; `None` where that cannot be."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

PACKAGES = ("@orq-ai/node@4.15.11", "openai@7.57.0")
FOLDER = Path(sys.prefix) / "node-packages"
WITHIN_S = 240


@cache
def node_packages() -> Path | None:
    """A folder whose scripts find the packages; ``None`` without Node, npm or a registry."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    FOLDER.mkdir(exist_ok=True)
    stamp = FOLDER / ("installed-" + "-".join(PACKAGES).replace("/", "_"))
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            (FOLDER / "package.json").write_text('{"private": true}')
            command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
            try:
                done = subprocess.run(command, cwd=FOLDER, timeout=WITHIN_S, capture_output=True, check=False)
            except subprocess.TimeoutExpired:
                return None
            if done.returncode:
                return None
            stamp.touch()
    return FOLDER
