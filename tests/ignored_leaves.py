"""Whether the tests of effects can fail: each is run against a router that ignores the leaf it shows. ``python -m tests.ignored_leaves``.

A leaf is ignored by taking it out of the body that was checked; one that its block cannot be without takes the block along. A test that
still passes shows nothing. Of the four ways to ask, one is run: the others only read the same answer differently.
"""

from __future__ import annotations

import copy
import inspect
import re
import secrets
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.local_router import completions
from tests.contract_coverage import ROOT
from tests.core.local_router.effects.conftest import Asker

INSTEAD = {"model": "local/pydoc-3", "prompt": "Ignored"}
BLOCKS_GO_WITH = (
    "cache.type",
    "load_balancer.type",
    "load_balancer.models[].model",
    "timeout.call_timeout",
    "thinking.type",
    "plugins[].id",
    "prompt.id",
    "prompt.version",
    "thread.id",
    "identity.id",
    "contact.id",
    "fallbacks[].model",
    "knowledge_bases[].knowledge_id",
    "rerank_config.model",
    "agentic_rag_config.model",
)
"""Leaves without which their block is none."""

FIRST, SECOND = re.compile(r"^(?!.*(async|sync stream))"), re.compile(r"[\[-]sync stream")


def without(body: dict[str, Any], leaf: str) -> dict[str, Any]:
    """The body as a router sees it that does not know ``leaf``."""
    if leaf in INSTEAD:
        return body | {leaf: INSTEAD[leaf]}
    body = copy.deepcopy(body)
    *parents, name = leaf.split(".")
    if leaf.removeprefix("orq.") in BLOCKS_GO_WITH or leaf.endswith(("rerank_config.model", "agentic_rag_config.model")):
        name = parents[-1]
        parents = ["orq"] if leaf.startswith("orq.") else []
        if leaf.startswith("orq.knowledge_bases[].") and name != "knowledge_bases[]":
            parents = ["orq", "knowledge_bases[]"]
        elif leaf.endswith("models[].model"):
            name = "load_balancer"
    for holder in _holders([body], parents):
        holder.pop(name.removesuffix("[]").removesuffix("{}"), None)
    return body


def _holders(found: list[Any], parents: list[str]) -> Iterator[dict[str, Any]]:
    for parent in parents:
        inner = [one.get(parent.removesuffix("[]")) for one in found if isinstance(one, dict)]
        found = [one for value in inner if value for one in (value if isinstance(value, list) else [value])]
    yield from (one for one in found if isinstance(one, dict))


class Ignoring:
    """Runs each marked test once for each leaf it shows, that leaf ignored; ``survived`` are the pairs that passed in all their forms."""

    def __init__(self) -> None:
        self.failed: set[tuple[str, str]] = set()
        self.passed: set[tuple[str, str]] = set()

    @property
    def survived(self) -> list[tuple[str, str]]:
        return sorted(self.passed - self.failed)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what is marked, in the first way to ask; what ``stream`` does is seen in the second."""
        items[:] = [item for item in items if (shown := _shown(item)) and (SECOND if "stream" in shown else FIRST).search(item.name)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        """The test's own call, in place of pytest's."""
        known: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
        for leaf in _shown(pyfuncitem):
            if isinstance(ask := pyfuncitem.funcargs.get("ask"), Asker):
                ask.key = f"sk-{secrets.token_hex(8)}"
            pair = pyfuncitem.originalname, leaf
            (self.failed if _fails_without(leaf, pyfuncitem.obj, known) else self.passed).add(pair)
        return True


def _shown(item: pytest.Item) -> list[str]:
    return [leaf for mark in item.iter_markers("shows") for leaf in mark.args]


def _fails_without(leaf: str, test: Callable[..., Any], known: dict[str, Any]) -> bool:
    checked = completions._checked
    completions._checked = lambda raw: without(checked(raw), leaf)
    try:
        test(**known)
    except Exception:  # noqa: BLE001 - whatever a test fails by
        return True
    finally:
        completions._checked = checked
    return False


if __name__ == "__main__":
    ignoring = Ignoring()
    code = pytest.main(
        ["-q", "-p", "no:cacheprovider", str(ROOT / "tests" / "core" / "local_router" / "effects"), *sys.argv[1:]], [ignoring]
    )
    for name, leaf in ignoring.survived:
        sys.stdout.write(f"{name} passes although {leaf} is ignored\n")
    sys.stdout.write(f"{len(ignoring.failed)} pairs of a test and its leaf fail as they should, {len(ignoring.survived)} do not.\n")
    sys.exit(code or bool(ignoring.survived))
