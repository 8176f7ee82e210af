"""The directions ``pages → components → core``, and what importing a module may do: nothing."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Imports every module named on stdin. Reports which imported Streamlit, started a thread, opened a socket or wrote a file.
_WATCHED_IMPORTS = """
import importlib, json, os, sys, threading

done, writes = [], os.O_WRONLY | os.O_RDWR | os.O_CREAT

def watch(event, arguments):
    if event in ("socket.bind", "socket.connect", "subprocess.Popen", "os.mkdir"):
        done.append(f"{event} {arguments[-1]}")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & writes and "__pycache__" not in str(arguments[0]):
        done.append(f"open {arguments[0]}")

names = json.load(sys.stdin)
[importlib.import_module(name) for name in ("asyncio", "uvicorn", "httpx")]
sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
print(json.dumps({"done": done, "threads": threads, "streamlit": "streamlit" in sys.modules}))
"""


def modules(folder: str) -> tuple[str, ...]:
    """Dotted names of all modules below ``folder``, without the ones that are programs (``__main__``)."""
    files = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py") if path.name != "__main__.py")
    return tuple(sorted(".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in files))


def imported(path: Path) -> set[str]:
    """The first part of every module that a file imports, wherever in the file it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def import_all(names: tuple[str, ...], data_dir: Path) -> dict[str, object]:
    """Import modules in a fresh interpreter and tell what that did."""
    environment = os.environ | {"PLAYGROUND_DATA_DIR": str(data_dir), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED_IMPORTS],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return report


def test_core_runs_without_streamlit_and_importing_it_does_nothing(tmp_path: Path) -> None:
    assert import_all(modules("core"), tmp_path) == {"done": [], "threads": [], "streamlit": False}


def test_importing_components_starts_nothing_and_writes_nothing(tmp_path: Path) -> None:
    report = import_all(modules("components"), tmp_path)
    assert (report["done"], report["threads"]) == ([], [])


@pytest.mark.parametrize(
    ("folder", "forbidden"), [("core", {"components", "pages", "streamlit", "tests"}), ("components", {"pages", "tests"})]
)
def test_imports_point_inwards_only(folder: str, forbidden: set[str]) -> None:
    outward = {str(path.relative_to(ROOT)): bad for path in (ROOT / folder).rglob("*.py") if (bad := imported(path) & forbidden)}
    assert not outward


def test_app_is_only_a_launcher() -> None:
    tree = ast.parse((ROOT / "app.py").read_text(encoding="utf-8"))
    statements = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)]
    assert [ast.unparse(node).split("(")[0] for node in statements] == ["app = st.App"]


def test_only_services_caches_resources() -> None:
    users = {
        str(path.relative_to(ROOT))
        for folder in ("components", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if "cache_resource" in path.read_text(encoding="utf-8")
    }
    assert users <= {"components/services.py"}


def test_only_the_session_spells_durable_keys() -> None:
    spelled = {
        str(path.relative_to(ROOT))
        for folder in ("components", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"""["']session\.\w""", path.read_text(encoding="utf-8"))
    }
    assert spelled
    assert all(path.startswith("components/session/") for path in spelled)


def test_every_setting_is_documented_in_the_readme() -> None:
    source = ast.parse((ROOT / "core" / "settings.py").read_text(encoding="utf-8"))
    strings = (node.value for node in ast.walk(source) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    read = {text for text in strings if re.fullmatch(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+", text)}
    documented = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert read
    assert not read - documented


def test_every_variable_that_the_readme_names_is_read_somewhere() -> None:
    named = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    sources = (path for folder in ("core", "tests") for path in (ROOT / folder).rglob("*.py") if path != Path(__file__))
    read = {name for path in sources for name in named if f'"{name}"' in path.read_text(encoding="utf-8")}
    assert named
    assert not named - read


def test_the_architecture_has_every_folder_and_names_nothing_that_is_gone() -> None:
    told = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = told.partition("| folder or file |")[2].partition("## ")[0]
    named = {name.strip("/").rpartition("/")[2] for name in re.findall(r"`([a-z_/]+(?:\.py)?)`", table)}
    there = {path.name for folder in ("core", "components") for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts}
    folders = {path.name for folder in ("core", "components") for path in (ROOT / folder).iterdir() if (path / "__init__.py").exists()}
    assert folders - named == set()
    assert {name for name in named if name.endswith(".py")} - there == set()
