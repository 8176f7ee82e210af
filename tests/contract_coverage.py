"""docs/contract-coverage.md: for each leaf of the request, the tests that show its effect. ``python -m tests.contract_coverage`` writes it.

Read from the tests' text: a test shows a leaf when it is marked ``pytest.mark.shows("the.leaf")``.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "contract-coverage.md"
HEAD = """# Contract coverage

Every leaf of a request (`tests/parameters.json`), and the tests that show what it *does* on the local router: not that it was accepted.
The tests in `effects/` ask through the official client, in each of its four ways: whole and streamed, sync and async.

Written by `python -m tests.contract_coverage` from the marks `pytest.mark.shows(…)`.
CI fails when it is not up to date, or a leaf has no test.
`python -m tests.ignored_leaves` runs each test in `effects/` against a router that ignores the leaf, and names those that still pass.

| leaf | shown by |
|---|---|
"""


def leaves() -> list[str]:
    """The paths of all leaves, in contract order."""
    return [leaf["path"] for leaf in json.loads((ROOT / "tests" / "parameters.json").read_text())["request"]]


def shown() -> dict[str, list[str]]:
    """Test ids by leaf, with the leaves that no test shows left out."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "shows" not in (text := path.read_text()):
            continue
        for name, leaf in _marks(ast.parse(text)):
            found.setdefault(leaf, []).append(f"{path.relative_to(ROOT / 'tests').as_posix()}::{name}")
    return found


def _marks(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("shows"):
                    yield from ((node.name, ast.literal_eval(leaf)) for leaf in mark.args)


def document() -> str:
    """The whole document."""
    found = shown()
    rows = (f"| `{leaf}` | {'<br>'.join(f'`{test}`' for test in found.get(leaf, [])) or '**nothing**'} |" for leaf in leaves())
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
